"""`hmnet diagnose`, `attention` and `sweep`, and what `hmnet compare` says about cost."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from commands import done, on_tasks, refused
from hmnet.analysis.diagnosis import diagnose
from hmnet.runs.costs import cost_of
from hmnet.runs.folder import load_run
from hmnet.runs.rows import read_run_scores, write_results
from hmnet.runs.scores import read_scores


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
        assert cost.active == sum(paths) / 4 < cost.overall == cost.trained
        heads = sum(weight.numel() for weight in model.head_parameters())
        one = paths[0] - sum(weight.numel() for weight in model.head("TONE").parameters())
        assert cost.multiple == (cost.overall - heads) / one > 1
        assert cost.trained_share == pytest.approx(cost.multiple / 4)
        assert cost.seconds is not None
        assert cost.examples_per_s == pytest.approx(160 / cost.seconds)
        shown = done("hmnet", "compare", trained).out
        assert "| parameters overall          | thousands           |" in shown
        assert f"{cost.overall / 1000:.1f}" in shown

    def test_csv_is_a_table_alone_and_tests_are_told_beside_it(self, trained: Path) -> None:
        outcome = done("hmnet", "compare", trained, "--baseline", "hmnet", "--format", "csv")
        assert outcome.out.startswith("task,metric,")
        assert outcome.err.startswith("hmnet: note: *: differs from hmnet at p < 0.05")

    def test_average_over_the_number_of_tasks(
        self, trained: Path, quick: list[str], halves: tuple[Path, Path], tmp_path: Path
    ) -> None:
        options = [*on_tasks(quick, halves[0]), "--method", "multi", "--device", "cpu"]
        done("hmnet", "train", *options, "--out", tmp_path / "two")
        figure = tmp_path / "tasks.svg"
        outcome = done("hmnet", "compare", trained, tmp_path / "two", "--figure", figure)
        assert "average of 2 common rows" in outcome.out
        assert outcome.err == f"wrote {figure}\n"
        assert "average of 2 common rows (%)" in figure.read_text()

        done("hmnet", "train", *options, "--name", "hmnet", "--seed", 1, "--out", tmp_path / "one")
        message = refused("hmnet", "compare", trained, tmp_path / "one", "--figure", figure)
        assert message.startswith("Runs named 'hmnet' differ: hmnet with 4 tasks, multi with 2.")


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
        assert 0 <= float(grade["accuracy, rounded"]) <= 100
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


class TestAttention:
    def test_a_run_attends_as_it_does(self, trained: Path, tmp_path: Path) -> None:
        out, figure = tmp_path / "cosines.json", tmp_path / "cosines.svg"
        options = ["--task", "same", "--out", out, "--heatmap", figure]
        outcome = done("hmnet", "attention", trained, trained, *options)
        found = json.loads(out.read_text())
        assert found["schema"] == "hmnet.attention/1"
        assert (found["task"], found["split"], found["rows"]) == ("SAME", "dev", 12)
        np.testing.assert_allclose(found["cosines"], np.ones((4, 2)), rtol=1e-12)
        assert found["layer_means"] == pytest.approx([1.0] * 4)
        assert figure.read_text().startswith("<?xml")
        header = [cell.strip() for cell in outcome.out.splitlines()[0].split("|")[1:-1]]
        assert header == ["layer", "mean", "head 1", "head 2"]

    def test_csv_of_a_few_rows(self, trained: Path, tmp_path: Path) -> None:
        out = tmp_path / "cosines.csv"
        options = ["--task", "TONE", "--max-rows", 3, "--out", out]
        done("hmnet", "attention", trained, trained, *options)
        rows = read(out)
        assert list(rows[0]) == ["layer", "mean", "head 1", "head 2"]
        assert [row["layer"] for row in rows] == ["1", "2", "3", "4"]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--task", "TONE", "--out", "m.txt"], "m.txt: --out must end in .json or .csv."),
            (["--task", "TONE", "--split", "test"], "Unknown split 'test'. Known: dev."),
        ],
    )
    def test_what_cannot_be_asked(self, trained: Path, options: list[str], message: str) -> None:
        assert refused("hmnet", "attention", trained, trained, *options) == message


class TestSweep:
    @pytest.fixture
    def two(self, quick: list[str], halves: tuple[Path, Path]) -> list[str]:
        """Options for two tasks."""
        return [*on_tasks(quick, halves[0]), "--device", "cpu"]

    @pytest.mark.process
    def test_shared_layers_of_two_tasks(self, two: list[str], tmp_path: Path) -> None:
        out = tmp_path / "sweep"
        options = [*two, "--what", "shared", "--shared", "0,4", "--seeds", "0,1", "--out", out]
        shown = done("hmnet", "sweep", *options).out
        assert [cell.strip() for cell in shown.splitlines()[0].split("|")[4:-1]] == [
            "0 shared",
            "4 shared",
        ]
        runs = [out / f"shared-{n}" / f"seed-{seed}" for n in (0, 4) for seed in (0, 1)]
        plans = [load_run(run).model_for("TONE").plan.layers for run in runs[1:3]]
        assert [len(set(plan["TONE"]) & set(plan["SAME"])) for plan in plans] == [0, 4]
        written = {run: (run / "scores.csv").stat().st_mtime_ns for run in runs}
        rows = read(out / "sweep.csv")
        assert [row["task"] for row in rows][:3] == ["TONE", "SAME", "average"]
        assert rows[0]["4 shared deviation"]
        assert (out / "sweep.pdf").read_bytes().startswith(b"%PDF")

        assert done("hmnet", "sweep", *options).out == shown
        assert {run: (run / "scores.csv").stat().st_mtime_ns for run in runs} == written

    @pytest.mark.process
    def test_a_mix_of_layers(self, quick: list[str], clusters: Path, tmp_path: Path) -> None:
        out, figure = tmp_path / "sweep", tmp_path / "mix.svg"
        mixes = ["--mix", "2,1,1", "--mix", "1,2,1", "--clusters", clusters]
        options = ["--what", "mix", *mixes, "--out", out, "--figure", figure]
        done("hmnet", "sweep", *quick, *options)
        run = load_run(out / "mix-1-2-1" / "seed-0")
        assert run.config.layers == (1, 2, 1)
        assert "{1,2,1}" in figure.read_text()

    @pytest.mark.process
    def test_a_line_for_each_grouping(
        self, quick: list[str], clusters: Path, tmp_path: Path
    ) -> None:
        other = tmp_path / "by_kind.json"
        other.write_text('{"clusters": [["TONE", "SAME", "FACT"], ["GRADE"]]}')
        out, figure = tmp_path / "sweep", tmp_path / "mix.svg"
        options = ["--what", "mix", "--mix", "2,1,1", "--mix", "1,2,1", "--max-steps-per-task", 1]
        options += ["--clusters", clusters, "--clusters", other, "--figure", figure]
        shown = done("hmnet", "sweep", *quick, *options, "--out", out).out
        drawn = figure.read_text()
        for name, groups in ((clusters.stem, 2), ("by_kind", 2)):
            assert f"{name}:\n\n| task" in shown
            assert f"<!-- {name} -->" in drawn
            rows = read(out / name / "sweep.csv")
            assert {"{2,1,1}", "{1,2,1}"} <= set(rows[0])
            run = load_run(out / name / "mix-1-2-1" / "seed-0")
            plan = run.model_for("TONE").plan.layers
            assert len({layers[1] for layers in plan.values()}) == groups
            alone = plan["SAME"][1] == plan["TONE"][1]
            assert alone == (name == "by_kind")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                ["--what", "shared", "--shared", "0,5"],
                "--shared 5 is more than the backbone's 4 layers. Choose from 0 to 4.",
            ),
            (["--what", "shared", "--shared", "1,1"], "--shared names a choice twice."),
            (["--what", "shared", "--mix", "2,1,1"], "--what shared takes no --mix. Leave it out."),
            (["--what", "mix", "--mix", "2,1,1"], "--what mix needs --clusters,"),
            (["--what", "mix", "--shared", "1"], "--what mix takes no --shared. Leave it out."),
            (["--what", "shared", "--figure", "f.gif"], "f.gif: a figure's name must end in one"),
            (["--what", "shared", "--mix", "2,1"], "--mix takes three numbers such as 8,2,2,"),
        ],
    )
    def test_nothing_is_trained_where_something_is_wrong(
        self, two: list[str], tmp_path: Path, options: list[str], message: str
    ) -> None:
        out = tmp_path / "sweep"
        assert refused("hmnet", "sweep", *two, *options, "--out", out).startswith(message)
        assert not out.exists()

    def test_other_settings_are_refused_before_any_run(
        self, two: list[str], tmp_path: Path
    ) -> None:
        out = tmp_path / "sweep"
        options = [*two, "--what", "shared", "--out", out, "--shared"]
        done("hmnet", "sweep", *options, "4")
        message = refused("hmnet", "sweep", *options, "0,4", "--lr", "1e-2")
        assert message.startswith(f"{out}/shared-4/seed-0 was started with lr = 0.001, not 0.01.")
        assert not (out / "shared-0").exists()

    def test_settings_of_its_own_and_single_tasks(
        self, quick: list[str], two: list[str], tmp_path: Path
    ) -> None:
        config = tmp_path / "run.toml"
        config.write_text('method = "multi"')
        options = ["--what", "shared", "--out", tmp_path / "sweep"]
        assert refused("hmnet", "sweep", *two, "--config", config, *options) == (
            "A sweep chooses 'method' itself. Leave it out of --config."
        )
        assert refused("hmnet", "sweep", *on_tasks(quick, "RTE"), *options) == (
            "A sweep is about layers that tasks share, so it needs two tasks."
        )


class TestCurves:
    def test_shares_of_data_and_a_figure(self, trained: Path, tmp_path: Path) -> None:
        outcome = done("hmnet", "curves", trained, "--out", tmp_path / "c.png", "--format", "csv")
        rows = [line.split(",") for line in outcome.out.strip().splitlines()]
        assert rows[0] == ["task", "rows", "trained", "share of data"]
        assert {row[0]: row[3] for row in rows[1:]} == dict.fromkeys(
            ("TONE", "SAME", "GRADE", "FACT", "all"), "100.0"
        )
        assert (tmp_path / "c.png").exists()

    def test_several_runs(self, trained: Path, tmp_path: Path) -> None:
        shown = done("hmnet", "curves", trained, trained, "--format", "csv").out
        header, *rows = filter(None, shown.splitlines())
        assert header == "run,task,rows,trained,share of data"
        assert [row.split(",")[0] for row in rows] == [str(trained)] * 10
        message = refused("hmnet", "curves", trained, trained, "--out", tmp_path / "c.pdf")
        assert message.startswith("None of these runs was scored while it was trained")

    def test_losses_of_several_runs_and_scores_that_nobody_logged(
        self, trained: Path, tmp_path: Path
    ) -> None:
        look = ("--width", 3.3, "--title", "Losses")
        out = tmp_path / "losses.svg"
        drawn = done("hmnet", "curves", trained, trained, "--what", "loss", "--out", out, *look)
        assert "The 2 runs called 'hmnet' have seed 0 more than once, and count as" in drawn.err
        assert out.stat().st_size > 5_000
        message = refused("hmnet", "curves", trained, "--what", "score", "--out", out)
        assert message.startswith("None of these runs was scored on dev while it was trained")
        assert "--checkpoint best or --patience N" in message
        message = refused("hmnet", "curves", trained, "--what", "loss")
        assert message == "--what loss is a figure. Name its file: --out."
        curves = ("hmnet", "curves", trained, "--what")
        message = refused(*curves, "loss", "--by", "epoch", "--out", out)
        assert message == "--by epoch is for --what score; all else is known by step."
        message = refused(*curves, "uncertainty", "--out", out)
        assert message.startswith("None of these runs was asked how unsure it is. Train with --log")
        message = refused(*curves, "difficulty")
        assert message.startswith("There is no classification task whose difficulty can stand besi")
        assert "GRADE (its kind is regression)" in message


class TestSimilarity:
    def test_runs_of_one_name_are_seeds(self, trained: Path, tmp_path: Path) -> None:
        one, two = (
            done("hmnet", "similarity", *runs, "--format", "csv").out
            for runs in ([trained], [trained, trained])
        )
        assert one == two

    def test_runs_of_other_rows_have_nothing_in_common(self, trained: Path, tmp_path: Path) -> None:
        other = shutil.copytree(trained, tmp_path / "other")
        scores = read_run_scores(trained)
        write_results(
            load_run(other), [replace(s, rows="others") if s.task == "SAME" else s for s in scores]
        )
        message = refused("hmnet", "similarity", trained, other)
        assert message.startswith("The runs were scored on other rows, other data or other")
        assert "definitions of labels of SAME, so neither" in message

    def test_before_and_after(self, trained: Path, tmp_path: Path) -> None:
        outcome = done(
            "hmnet", "similarity", trained, "--out", tmp_path / "s.svg", "--format", "csv"
        )
        rows = [line.split(",") for line in outcome.out.split()]
        assert rows[0] == ["task", "before", "after"]
        assert all(0 < float(value) <= 1 for row in rows[1:] for value in row[1:])
        assert len(rows) == 5
        assert (tmp_path / "s.svg").exists()

    def test_an_encoder_that_is_not_trained_stays_as_similar(
        self, quick: list[str], halves: tuple[Path, Path], tmp_path: Path
    ) -> None:
        """Also with heads that read the texts of a pair apart."""
        options = [*on_tasks(quick, halves[0]), "--method", "multi", "--device", "cpu"]
        heads = ["--freeze", "all", "--head", "siamese", "--out", tmp_path / "run"]
        done("hmnet", "train", *options, *heads)
        shown = done("hmnet", "similarity", tmp_path / "run", "--format", "csv").out
        rows = [line.split(",") for line in shown.split()[1:]]
        assert len(rows) == 2
        assert all(before == after for _, before, after in rows)
