"""`hmnet diagnose`, `attention` and `sweep`, and what `hmnet compare` says about cost."""

import csv
from pathlib import Path

import pytest

from commands import done, refused
from hmnet.analysis.diagnosis import diagnose
from hmnet.evaluation.costs import cost_of
from hmnet.evaluation.scores import read_scores
from hmnet.training.folder import load_run


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class TestCompare:
    def test_costs_are_those_of_the_models(self, trained: Path) -> None:
        run = load_run(trained)
        model = run.model_for("TONE")
        cost = cost_of(run)
        assert cost.overall == sum(weight.numel() for weight in model.parameters())
        paths = [sum(w.numel() for w in model.path_parameters(task)) for task in model.tasks]
        assert cost.active == sum(paths) / 4 < cost.overall
        assert cost.seconds is not None
        assert cost.examples_per_s == pytest.approx(160 / cost.seconds)
        shown = done("hmnet", "compare", trained).out
        assert "| parameters overall   | thousands           |" in shown
        assert f"{cost.overall / 1000:.1f}" in shown

    def test_csv_is_a_table_alone_and_tests_are_told_beside_it(self, trained: Path) -> None:
        outcome = done("hmnet", "compare", trained, "--baseline", "hmnet", "--format", "csv")
        assert outcome.out.startswith("task,metric,")
        assert outcome.err.startswith("hmnet: note: *: differs from hmnet at p < 0.05")


class TestDiagnose:
    def test_every_task_has_a_figure_and_its_rows(self, trained: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        outcome = done("hmnet", "diagnose", trained, "--out", out, "--figures", "svg")
        names = {path.name for path in out.iterdir()}
        figures = {f"{task}-dev.svg" for task in ("tone", "same", "grade", "fact")}
        assert names == figures | {"labels.csv", "confusion.csv", "regression.csv"}
        labels = read(out / "labels.csv")
        assert [row["label"] for row in labels] == [
            *("bad", "good", "mean of labels"),
            *("same", "other", "none", "mean of labels"),
            *("no", "yes", "mean of labels"),
        ]
        assert sum(int(row["rows"]) for row in read(out / "confusion.csv")) == 3 * 12
        (grade,) = read(out / "regression.csv")
        assert (grade["task"], grade["rows"]) == ("GRADE", "12")
        assert "mean of labels" in outcome.out
        assert "residual slope" in outcome.out

    def test_numbers_are_those_of_the_scores(self, trained: Path) -> None:
        scores = {
            (s.task, s.metric): s.value
            for s in read_scores(trained / "scores.csv")
            if s.run == "hmnet"
        }
        tone, same, grade, _ = diagnose(load_run(trained), device="cpu")
        assert tone.accuracy == pytest.approx(scores["TONE", "accuracy"])
        assert tone.scores[1].f1 == pytest.approx(scores["TONE", "f1"])
        assert same.accuracy == pytest.approx(scores["SAME", "accuracy"])
        assert grade.task == "GRADE"

    def test_one_task(self, trained: Path, tmp_path: Path) -> None:
        done("hmnet", "diagnose", trained, "--task", "grade", "--out", tmp_path / "out")
        assert {path.name for path in (tmp_path / "out").iterdir()} == {
            "grade-dev.pdf",
            "regression.csv",
        }

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                ["--task", "TON"],
                "Unknown task 'TON'. Did you mean 'TONE'? Known: FACT, GRADE, SAME, TONE.",
            ),
            (["--split", "tset"], "Unknown split 'tset'. Known: dev."),
        ],
    )
    def test_what_cannot_be_diagnosed(
        self, trained: Path, tmp_path: Path, options: list[str], message: str
    ) -> None:
        out = tmp_path / "out"
        assert refused("hmnet", "diagnose", trained, *options, "--out", out) == message
        assert not out.exists()
