"""Heads on texts read one by one and a regularized training, as a user asks for them."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from commands import done, refused
from hmnet.runs.folder import load_run
from relevance.registry import members_of

HEADS = "siamese-difference,TONE=linear"
LINES = [{"text": ["good film"]}, {"text": ["is it the dog", "no cat in the city"]}]


def scores(text: str) -> dict[tuple[str, ...], float]:
    rows = csv.DictReader(io.StringIO(text))
    return {(row["task"], row["metric"]): float(row["value"]) for row in rows if row["run"] == "m"}


@pytest.fixture(scope="module")
def trained(quick: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("heads")
    chosen = ["--method", "multi", "--name", "m", "--head", HEADS, "--device", "cpu"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELEVANCE_CACHE", str(root / "cache"))
        done(
            *("hmnet", "train", *quick, *chosen, "--max-steps-per-task", 1),
            *("--regularizer", "smart:weight=0.1", "--out", root / "run"),
        )
    return root / "run"


def test_the_run_says_how_it_was_made(trained: Path) -> None:
    config = load_run(trained).config
    assert (config.head.text, config.pooling) == (HEADS, "mean")
    assert str(config.regularizer) == "smart:weight=0.1"
    lines = [json.loads(line) for line in (trained / "log.jsonl").read_text().splitlines()]
    assert all(line["term"] > 0 for line in lines)


def test_evaluate_gives_the_scores_of_the_training(trained: Path) -> None:
    table = done("hmnet", "evaluate", trained, "--format", "csv").out
    shown = {
        (row["task"], row["metric"]): float(row["m"]) for row in csv.DictReader(io.StringIO(table))
    }
    written = scores((trained / "scores.csv").read_text())
    assert {key: 100 * value for key, value in written.items()} == pytest.approx(
        {key: value for key, value in shown.items() if key in written}
    )


def test_predict_answers_for_all_as_for_each(trained: Path) -> None:
    stdin = "".join(json.dumps(line) + "\n" for line in LINES).encode()

    def ask(task: str) -> list[dict[str, Any]]:
        out = done("hmnet", "predict", trained, "--task", task, "--input", "-", stdin=stdin).out
        return [json.loads(line) for line in out.splitlines()]

    together = ask("all")
    assert [answer["task"] for answer in together] == ["TONE", "SAME", "GRADE", "FACT"] * 2
    for task in ("SAME", "FACT"):
        for one, other in zip(
            ask(task), [answer for answer in together if answer["task"] == task], strict=True
        ):
            assert one["label"] == other["label"]
            assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_a_plain_checkpoint_has_no_such_head(trained: Path, tmp_path: Path) -> None:
    message = refused("hmnet", "export", trained, "--task", "SAME", "--out", tmp_path / "out")
    assert message == (
        "Task 'SAME' has a siamese-difference head on 'mean' pooling, which no plain checkpoint can"
        " express. Heads of --pooling native can be exported, with any of the methods hmnet, multi"
        " and single."
    )


def test_count_knows_heads(quick: list[str], trained: Path) -> None:
    options = [*quick[:4], "--method", "multi", "--head", HEADS]
    count = json.loads(done("hmnet", "count", *options).out)
    model = load_run(trained).model_for("SAME")
    assert count["overall"] == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--head", "siamese,GRAD=linear"],
            (
                "--head siamese,GRAD=linear names 'grad', which is not trained here. Tasks: TONE,"
                " SAME, GRADE, FACT."
            ),
        ),
        (
            ["--head", "siamese,SAME=cosine"],
            (
                "Head 'cosine' is for regression on two texts, but task 'SAME' is classification."
                " Give it another, such as --head cosine,SAME=siamese."
            ),
        ),
        (
            ["--head", "siamese", "--pooling", "native"],
            "Head 'siamese' takes --pooling mean or cls, not native.",
        ),
        (
            ["--regularizer", "smrt"],
            (
                "Unknown regularizer 'smrt'. Did you mean 'smart'?"
                f" Known: {', '.join(members_of('hmnet.regularizers'))}."
            ),
        ),
        (
            ["--regularizer", "smart:variant=papers"],
            "regularizer 'smart': variant: Input should be 'reference' or 'paper', got 'papers'.",
        ),
        (
            ["--regularizer", "smart:weight=-1"],
            "regularizer 'smart': weight: Input should be greater than or equal to 0, got '-1'.",
        ),
    ],
)
def test_what_does_not_fit_is_one_line(
    quick: list[str], tmp_path: Path, options: list[str], message: str
) -> None:
    out = tmp_path / "run"
    assert refused("hmnet", "train", *quick, "--method", "multi", *options, "--out", out) == message
    assert not out.exists()
