"""What holds for every built-in task."""

import json
import re
from pathlib import Path

import pytest

from relevance.tasks.data import DataOptions
from relevance.tasks.find import catalogue, find_tasks
from relevance.tasks.groups import GROUPS
from relevance.tasks.load import load_split, load_task
from relevance.tasks.metrics import gain_score, majority, score
from relevance.tasks.task import Task
from samples import columns, right, sample

every_task = pytest.mark.parametrize("task", catalogue().values(), ids=lambda task: task.name)
REVISION = re.compile("[0-9a-f]{40}")


@every_task
def test_it_is_found_by_its_name_in_any_case(task: Task) -> None:
    for name in (task.name, task.name.lower(), task.name.upper()):
        assert find_tasks([name]) == (task,)


@every_task
def test_it_says_where_it_comes_from(task: Task) -> None:
    assert task.licence
    assert task.source is not None
    assert task.source.hub
    assert REVISION.fullmatch(task.source.revision or "")
    assert task.slug.replace("@", "").isalnum()
    assert task.slug == task.slug.lower()


@every_task
def test_a_definition_survives_json(task: Task) -> None:
    assert Task.model_validate(json.loads(task.model_dump_json())) == task


@every_task
def test_its_metrics_say_what_is_right(task: Task) -> None:
    data = sample(task)
    perfect = score(task, data, right(task, data))
    assert set(perfect) == {*task.metrics, *task.gain_metrics}
    assert all(value == pytest.approx(1) for value in perfect.values())
    assert gain_score(task, perfect) == pytest.approx(1)


@every_task
def test_its_majority_class_is_no_better_than_what_is_right(task: Task) -> None:
    data = sample(task)
    result = majority(task, data, data)
    assert set(result.metrics) >= {*task.metrics, *task.gain_metrics}
    assert all(-1 <= value <= 1 for value in result.metrics.values())
    assert gain_score(task, result.metrics) < 1
    assert result.loss > 0
    assert json.loads(json.dumps(result.predictions)) is not None


@every_task
def test_columns_are_read_from_a_file(task: Task, tmp_path: Path) -> None:
    rows = 12
    held = columns(task, rows)
    folder = tmp_path / task.slug
    folder.mkdir()
    for name in ("train", "dev"):
        lines = [dict(zip(held, row, strict=True)) for row in zip(*held.values(), strict=True)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    if task.diagnoses:
        assert len(load_split(task, "dev", tmp_path)) == rows
        return
    data = load_task(task, DataOptions(tmp_path))
    assert len(data.train) == len(data.evaluation["dev"]) == rows
    assert data.train.labels.tolist() == sample(task, rows).labels.tolist()


def test_groups_hold_tasks_that_can_be_trained() -> None:
    assert {name: len(tasks) for name, tasks in GROUPS.items()} == {
        "paper13": 13,
        "glue": 9,
        "superglue": 8,
        "mrqa": 6,
        "camtl24": 23,  # MNLI has two of the 24 scores
    }
    for name, tasks in GROUPS.items():
        found = find_tasks([name])
        assert tuple(task.name for task in found) == tasks
        assert not any(task.diagnoses for task in found)


def test_a_diagnostic_set_names_tasks_of_its_labels() -> None:
    sets = [task for task in catalogue().values() if task.diagnoses]
    assert [task.name for task in sets] == ["AX", "AX-b", "AX-g"]
    for task in sets:
        for name in task.diagnoses:
            host = catalogue()[name]
            assert (host.labels, host.parts) == (task.labels, task.parts)
