"""What an older version left on disk is found, read and gone on with: a study, runs and models."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from commands import done, refused
from relevance.clustering.spec import ClusterSpec
from relevance.matrices.matrix import load_matrix

KEPT = Path(__file__).parents[1] / "kept" / "0.1.0"
RUNS = ("hmnet", "single", "skillnet", "camtl")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy whose paths begin with its own place."""
    folder = tmp_path_factory.mktemp("older") / "kept"
    shutil.copytree(KEPT, folder)
    for path in (folder / "out.json", *folder.glob("*/config.toml")):
        path.write_text(path.read_text().replace("/tmp/kept", str(folder)))  # noqa: S108
    return folder


@pytest.fixture
def kept(copied: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The copy, its cache being the one that is used."""
    monkeypatch.setenv("RELEVANCE_CACHE", str(copied / "cache"))
    return copied


def options(kept: Path) -> list[str]:
    common = "--batch-size 8 --epochs 1 --max-length 32 --lr 1e-3 --precision fp32"
    return ["--tasks", f"{kept}/tasks.toml", "--backbone", f"{kept}/backbone", *common.split()]


def test_every_job_of_the_study_is_found(kept: Path) -> None:
    study = ["--single-seeds", "1", "--normalise", "absolute", "--gpus", "0", "--jobs", "1"]
    outcome = done("relevance", "pairwise", *options(kept), *study, "--out", kept / "again.json")
    assert "10 of 10 jobs done (10 cached), 0 running, 0 failed\n" in outcome.err
    again, before = load_matrix(kept / "again.json"), load_matrix(kept / "gains.json")
    np.testing.assert_array_equal(again.values, before.values)
    assert ClusterSpec.load(kept / "out.json").tasks == before.tasks


@pytest.mark.parametrize("run", RUNS)
def test_a_run_is_scored_as_it_was(kept: Path, run: str) -> None:
    written = csv.DictReader((kept / run / "scores.csv").read_text().splitlines())
    before = {
        (row["task"], row["metric"]): 100 * float(row["value"])
        for row in written
        if row["run"] != "majority"
    }
    shown = done("hmnet", "evaluate", kept / run, "--device", "cpu", "--format", "csv").out
    rows = filter(None, csv.reader(shown.splitlines()[1:]))
    again = {(task, metric): float(value) for task, metric, _, value in rows}
    del again["average", "primary"]
    # Another processor adds up in another order; correlations of few rows show it most.
    assert again == pytest.approx(before, abs=1e-3)
    assert len(again) == 6


@pytest.mark.parametrize("run", RUNS)
def test_a_run_answers_as_it_did(kept: Path, run: str) -> None:
    rows = kept / "grade" / "dev.jsonl"
    answers = done(
        "hmnet", "predict", kept / run, "--task", "GRADE", "--input", rows, "--device", "cpu"
    )
    now, before = (
        [json.loads(line) for line in text.splitlines()]
        for text in (answers.out, (kept / f"{run}.jsonl").read_text())
    )
    assert [line["task"] for line in now] == [line["task"] for line in before]
    values = [line["value"] for line in before]
    assert [line["value"] for line in now] == pytest.approx(values, abs=1e-6)


def test_runs_are_compared_and_finished_ones_not_trained_again(kept: Path) -> None:
    table = done("hmnet", "compare", *(kept / run for run in RUNS)).out
    assert all(run in table for run in RUNS)
    same = ["--method", "single", "--device", "cpu", "--out", str(kept / "single")]
    outcome = done("hmnet", "train", *options(kept), *same, "--resume")
    assert "is finished: every part is trained and scored." in outcome.err
    other = ["--method", "multi", "--device", "cpu", "--out", str(kept / "single"), "--resume"]
    assert "method = single, not multi" in refused("hmnet", "train", *options(kept), *other)
