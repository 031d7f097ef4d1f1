"""What holds for every measure, whatever it measures."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from probes import FakeProbe
from relevance.interfaces.trainer import Result
from relevance.jobs.job import Job, Schedule
from relevance.matrices.matrix import SHOWN_IN, RelevanceMatrix, load_matrix
from relevance.measures.measure import Inputs, Measure, measures
from relevance.tasks.data import DataOptions
from relevance.tasks.task import Task
from relevance.text.token_vectors import TokenVectors
from relevance.text.tokenizers import WordTokenizer
from toys import toy

TEXTS = {
    "SHORT": ["a good film", "a dull film", "good", "a film", "very dull", "no story"],
    "LONG": ["the dog runs in the city", "a good dog", "the city", "who runs", "no", "yes"],
    "OTHER": ["a cat sleeps", "the river is dull", "a river", "cat", "a good cat", "the film"],
}
every_measure = pytest.mark.parametrize("name", measures.names())


@dataclass(frozen=True)
class CountingTrainer:
    """Scores that depend on the company in which a task is trained."""

    fingerprint: str = "counting"

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        return {
            task: Result({"accuracy": 1 / (2 + len(task) + len("".join(tasks)) + seed % 7)}, 0.5)
            for task in tasks
        }

    def on_share(self, share: float) -> "CountingTrainer":
        return self

    def top_layers(self, memory_bytes: int) -> "CountingTrainer":
        return self


@pytest.fixture
def tasks(tmp_path: Path) -> tuple[Task, ...]:
    """Three tasks of two families, whose files lie in the folder of `inputs`."""
    for name, texts in TEXTS.items():
        folder = tmp_path / "data" / name.lower()
        folder.mkdir(parents=True)
        for split in ("train", "dev"):
            with (folder / f"{split}.csv").open("w", newline="") as file:
                rows = [(text, place % 2) for place, text in enumerate(texts)]
                csv.writer(file).writerows([("sentence", "label"), *rows])
    families = {"SHORT": "reviews", "LONG": "reviews", "OTHER": "animals"}
    return tuple(toy(name, family=families[name]) for name in TEXTS)


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inputs:
    """All that any measure may ask for; jobs run in the test's own process."""

    def run(jobs: list[Job], schedule: Schedule, *rest: Any, **more: Any) -> dict[str, str]:
        for job in jobs:
            job.call(schedule.slots[0])
        return {}

    monkeypatch.setattr("relevance.studies.study.run_jobs", run)
    words = WordTokenizer()
    vectors = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    return Inputs(
        data=DataOptions(tmp_path / "data"),
        tokenizer="word",
        token_vectors=lambda: TokenVectors("random", words, vectors, "0"),
        trainer=CountingTrainer,
        probe=FakeProbe,
        gain_split="dev",
    )


@pytest.fixture
def measure(name: str, inputs: Inputs) -> Callable[..., RelevanceMatrix]:
    """The matrix of some tasks by the measure of the test."""

    def fill(tasks: tuple[Task, ...], **changes: Any) -> RelevanceMatrix:
        return measures.find(name).build(replace(inputs, **changes)).measure(tasks)

    return fill


@every_measure
def test_a_matrix_in_the_order_of_the_tasks(
    name: str, measure: Callable[..., RelevanceMatrix], tasks: tuple[Task, ...]
) -> None:
    matrix = measure(tasks)
    assert matrix.tasks == tuple(TEXTS)
    assert matrix.measure == name
    assert matrix.values.shape == (3, 3)
    assert np.isfinite(matrix.values).all()
    assert matrix.unit in SHOWN_IN
    assert matrix.cost["seconds"] >= 0
    order = (2, 0, 1)
    turned = measure(tuple(tasks[place] for place in order))
    np.testing.assert_allclose(turned.values, matrix.values[np.ix_(order, order)])


@every_measure
def test_a_pair_has_the_values_that_it_has_in_company(
    name: str, measure: Callable[..., RelevanceMatrix], tasks: tuple[Task, ...]
) -> None:
    whole = measure(tasks)
    pair = measure(tasks[:2])
    np.testing.assert_allclose(pair.values, whole.values[:2, :2])


@every_measure
def test_the_same_again(
    name: str, measure: Callable[..., RelevanceMatrix], tasks: tuple[Task, ...]
) -> None:
    np.testing.assert_array_equal(measure(tasks).values, measure(tasks).values)


@every_measure
def test_one_task_alone(
    name: str, measure: Callable[..., RelevanceMatrix], tasks: tuple[Task, ...]
) -> None:
    assert measure(tasks[:1]).values.shape == (1, 1)


@every_measure
def test_a_file_holds_all_of_it(
    name: str, measure: Callable[..., RelevanceMatrix], tasks: tuple[Task, ...], tmp_path: Path
) -> None:
    matrix = measure(tasks)
    matrix.save(tmp_path / "matrix.json")
    assert load_matrix(tmp_path / "matrix.json") == matrix


@every_measure
def test_it_says_what_it_is(name: str) -> None:
    kind = measures.find(name)
    assert issubclass(kind, Measure)
    assert kind.version >= 1
    assert (kind.__doc__ or "").strip()
