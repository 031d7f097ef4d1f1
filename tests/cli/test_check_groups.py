"""`relevance check-groups`: trained gains beside predicted ones, from the jobs of pairwise."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from commands import done, refused
from relevance.clustering.measured_groups import read_measured_groups
from relevance.matrices.matrix import load_matrix

TASKS = ("TONE", "SAME", "GRADE", "FACT")


def spec(folder: Path, *groups: str) -> Path:
    path = folder / "groups.json"
    path.write_text(json.dumps({"clusters": [group.split() for group in groups]}))
    return path


@pytest.mark.usefixtures("_inline")
def test_pairs_are_found_in_the_cache_and_larger_groups_are_trained(
    study: Any, tmp_path: Path
) -> None:
    pairs = spec(tmp_path, "TONE GRADE", "SAME FACT")
    command = ["relevance", "check-groups", pairs, *study.options]
    assert "0 jobs to run, 6 cached" in done(*command, "--dry-run").out
    outcome = done(*command)
    assert outcome.out.splitlines()[0].startswith("| group        | task  | predicted (points) |")
    assert "mean over 4 task(s): trained" in outcome.err
    assert "and nothing was predicted" in outcome.err
    done(*command, "--out", tmp_path / "pairs.csv")
    lines = (tmp_path / "pairs.csv").read_text().splitlines()
    rows = {row["task"]: row for row in csv.DictReader(lines)}
    gains = load_matrix(study.out)
    for source, target in (("TONE", "GRADE"), ("FACT", "SAME")):
        place = gains.tasks.index(source), gains.tasks.index(target)
        assert float(rows[target]["gain"]) == pytest.approx(gains.values[place])
    three = spec(tmp_path, "TONE GRADE FACT", "SAME")
    command = ["relevance", "check-groups", three, *study.options]
    assert "1 jobs to run, 4 cached" in done(*command, "--dry-run").out
    done(*command, "--out", tmp_path / "three.csv")
    (group,) = read_measured_groups(tmp_path / "three.csv", TASKS)
    assert group.gains.keys() == group.tasks == {"TONE", "GRADE", "FACT"}


@pytest.mark.usefixtures("_inline")
def test_gains_of_the_matrix_are_predicted_and_decide_the_metric(
    study: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    done("relevance", "cluster", study.out, "--k", 2, "--out", out)
    options = [word for word in study.options if word not in {"--normalise", "absolute"}]
    lines = done("relevance", "check-groups", out, *options).out.splitlines()
    assert "predicted (points)" in lines[0]
    message = refused("relevance", "check-groups", out, *options, "--normalise", "error")
    assert message == (
        "The predicted gains are of --normalise absolute, got --normalise error. Leave"
        " --normalise out, or group by gains of that one."
    )


def test_groups_of_tasks_that_are_not_there(quick: list[str], tmp_path: Path) -> None:
    message = refused("relevance", "check-groups", spec(tmp_path, "TONE TUNE", "SAME"), *quick)
    assert message == (
        f"{tmp_path / 'groups.json'} lists 'TUNE', which this run does not train. Add it with"
        " --tasks, or leave it out of the spec."
    )
    message = refused("relevance", "check-groups", tmp_path / "none.json", *quick)
    assert "none.json" in message
