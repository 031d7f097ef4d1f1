"""Which rows uncertainty sampling takes: closed forms, and a slow and plain reading of the rule."""

import math
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmnet.data.encoded import Encoded
from hmnet.data.template import Template
from hmnet.samplers.sampler import Step, TaskBatch, schedule
from hmnet.samplers.uncertainty import Uncertainty, comparable, most_uncertain, stand_in
from relevance.errors import RelevanceError
from relevance.tasks.task import Task
from sampling import make


def task(name: str, **fields: Any) -> Task:
    fields = {"family": "any", "text": ("sentence",), "metrics": ("accuracy",)} | fields
    return Task(name=name, **fields)


LABELS = task("LABELS", kind="classification", labels=("no", "yes"))
OTHER = task("OTHER", kind="classification", labels=("no", "yes"))
VALUE = task("VALUE", kind="regression", range=(0, 1), metrics=("pearson",))


class Scorer:
    """A model that answers by these functions, and remembers what it was asked.

    Args:
        entropy: From numbers of rows to their entropies.
        output: The same under dropout, to outputs.
    """

    def __init__(
        self, entropy: Callable[[int], np.ndarray], output: Callable[[int], np.ndarray]
    ) -> None:
        self.entropy, self.output = entropy, output
        self.asked: list[tuple[str, str, int | None]] = []

    def __call__(self, batch: TaskBatch, task: str, *, dropout: int | None = None) -> np.ndarray:
        self.asked.append((batch.task, task, dropout))
        return self.output(len(batch.rows))[:, None].astype(np.float32)

    def entropies(self, batch: TaskBatch, task: str) -> np.ndarray:
        self.asked.append((batch.task, task, None))
        return self.entropy(len(batch.rows))


def encoded(ids: list[int]) -> Encoded:
    """One row of these tokens."""
    return Encoded(
        ids=np.array(ids, dtype=np.int32),
        offsets=np.array([0, len(ids)]),
        first=np.array([len(ids)]),
        template=Template((), (), ()),
        labels=np.array([0]),
        groups=None,
        fingerprint="",
    )


def offered(epochs: list[list[Step]], sizes: dict[str, int]) -> None:
    """Algorithm 2 read slowly: rows are taken from D_t, which is loaded again where it is empty."""
    left = {task: set(range(size)) for task, size in sizes.items()}
    for step in chain.from_iterable(epochs):
        assert [task for task, _ in step] == list(sizes)
        for task, rows in step:
            left[task] = left[task] or set(range(sizes[task]))
            assert len(set(rows.tolist())) == len(rows) > 0
            assert set(rows.tolist()) <= left[task]
            left[task] -= set(rows.tolist())


@settings(max_examples=40)
@given(
    sizes=st.dictionaries(st.text(max_size=3), st.integers(1, 60), min_size=1, max_size=4),
    batch_size=st.integers(1, 20),
    epochs=st.integers(1, 3),
    limit=st.none() | st.integers(1, 30),
)
def test_used_up_tasks_are_loaded_again(
    sizes: dict[str, int], batch_size: int, epochs: int, limit: int | None
) -> None:
    sampler = make("uncertainty", sizes, epochs=epochs, batch_size=batch_size)
    steps = schedule(sampler, limit)
    offered(steps, sizes)
    whole = len(sizes) * math.ceil(max(sizes.values()) / batch_size)
    assert sum(map(len, steps)) == min(epochs * whole, limit or epochs * whole)


def test_an_epoch_offers_the_largest_task_as_often_as_there_are_tasks() -> None:
    sampler = make("uncertainty", {"A": 20, "B": 5, "C": 16}, epochs=2, batch_size=8)
    for number in range(2):
        steps = sampler.epoch(number)
        assert [[b.task for b in step] for step in steps] == [["A", "B", "C"]] * 9
        rows = [row for step in steps for b in step if b.task == "A" for row in b.rows.tolist()]
        assert sorted(rows) == sorted(3 * list(range(20)))


@pytest.mark.parametrize(("share", "steps"), [("1", 8), ("0.5", 4), ("0.25", 2), ("1e-9", 1)])
def test_a_share_of_an_epoch_has_all_tasks_too(share: str, steps: int) -> None:
    sampler = make(f"uncertainty:share={share}", {"A": 30, "B": 5}, epochs=1, batch_size=8)
    assert [[b.task for b in step] for step in sampler.epoch(0)] == [["A", "B"]] * steps


def plainly(step: Step, unsure: list[np.ndarray], variant: str) -> dict[str, list[int]]:
    """Sort all rows by the rule, one after another."""
    means = [sum(values) / len(values) for values in unsure]
    rows = []
    for place, (batch, values) in enumerate(zip(step, unsure, strict=True)):
        for row, value in zip(batch.rows, values, strict=True):
            factor = means[place] / max(means) if variant == "released" and max(means) else 1.0
            rows.append((-value * factor, place, int(row)))
    taken: dict[str, list[int]] = {}
    size = max(len(batch.rows) for batch in step)
    for _, place, row in sorted(rows, key=lambda entry: entry[0])[:size]:
        taken.setdefault(step[place].task, []).append(row)
    return {task: sorted(own) for task, own in taken.items()}


@settings(max_examples=60)
@given(
    values=st.lists(
        st.lists(st.integers(0, 16).map(lambda n: n / 16), min_size=1, max_size=6),
        min_size=1,
        max_size=4,
    ),
    variant=st.sampled_from(["paper", "released"]),
)
def test_the_chosen_rows_are_those_of_the_plain_rule(
    values: list[list[float]], variant: Any
) -> None:
    step = [TaskBatch(str(n), np.arange(len(own))) for n, own in enumerate(values)]
    unsure = [np.array(own) for own in values]
    chosen = most_uncertain(step, unsure, variant)
    assert {b.task: b.rows.tolist() for b in chosen.step} == plainly(step, unsure, variant)
    assert sum(chosen.weights) == pytest.approx(1)
    assert chosen.uncertainty == {
        str(n): pytest.approx(np.mean(own)) for n, own in enumerate(values)
    }


def test_the_loss_is_a_mean_over_rows_or_over_tasks() -> None:
    step = [TaskBatch("A", np.arange(4)), TaskBatch("B", np.arange(4))]
    unsure = [np.array([0.9, 0.8, 0.7, 0.1]), np.array([0.85, 0.2, 0.1, 0.1])]
    assert most_uncertain(step, unsure, "paper").weights == (0.75, 0.25)
    # B's mean is half of A's, so its best row falls behind A's third
    assert [len(b.rows) for b in most_uncertain(step, unsure, "released").step] == [3, 1]
    assert most_uncertain(step, unsure, "released").weights == (0.5, 0.5)


def test_regression_asks_the_task_that_shares_most_of_its_vocabulary() -> None:
    data = {
        "LABELS": encoded([1, 2, 3, 9]),
        "OTHER": encoded([5, 6]),
        "VALUE": encoded([1, 2, 5]),
    }
    ask = Scorer(np.zeros, np.zeros)
    step = [TaskBatch("VALUE", np.arange(2))]
    tasks = [VALUE, OTHER, LABELS]
    Uncertainty({}, epochs=1, seed=0).chooser(tasks, data)(step, ask)
    Uncertainty({}, epochs=1, seed=0, proxy="other").chooser(tasks, data)(step, ask)
    Uncertainty({}, epochs=1, seed=0, proxy="dropout").chooser(tasks, data)(step, ask)
    assert ask.asked[:2] == [("VALUE", "LABELS", None), ("VALUE", "OTHER", None)]
    assert ask.asked[2:] == [("VALUE", "VALUE", number) for number in range(5)]


def test_a_figure_says_what_stands_for_an_entropy() -> None:
    tasks = [LABELS, VALUE]
    assert stand_in(LABELS, tasks, "dropout") is None
    assert stand_in(VALUE, tasks, "dropout") == "deviation under dropout"
    assert stand_in(VALUE, tasks, "relevant") == "entropy of LABELS's labels"
    assert stand_in(VALUE, [OTHER, *tasks], "other") == "entropy of OTHER's labels"
    # which of several is asked hangs on their vocabulary, which no log says
    assert stand_in(VALUE, [OTHER, *tasks], "relevant") == "entropy of another task's labels"


def test_deviations_are_scaled_to_the_entropies_beside_them() -> None:
    entropies, deviations = np.array([0.9, 0.5, 0.4]), np.array([0.01, 0.03])
    kept, scaled = comparable([entropies, deviations], [False, True])
    assert kept.tolist() == entropies.tolist()
    assert scaled == pytest.approx([0.3, 0.9])
    (alone,) = comparable([deviations], [True])
    assert alone.tolist() == deviations.tolist()
    assert comparable([entropies, np.zeros(2)], [False, True])[1].tolist() == [0, 0]
    rounding = np.array([1e-9, 3e-9])
    assert comparable([entropies, rounding], [False, True])[1].tolist() == rounding.tolist()


def test_rows_by_dropout_are_trained_beside_rows_by_entropy() -> None:
    """Predictions of a regression differ by hundredths, and logits say next to nothing."""
    noise = np.random.default_rng(0)
    ask = Scorer(lambda n: noise.uniform(0.8, 1, n), lambda n: noise.normal(scale=0.01, size=n))
    step = [TaskBatch("LABELS", np.arange(8)), TaskBatch("VALUE", np.arange(8))]
    choose = Uncertainty({}, epochs=1, seed=0, proxy="dropout").chooser([LABELS, VALUE], {})
    trained = {batch.task for _ in range(5) for batch in choose(step, ask).step}
    assert trained == {"LABELS", "VALUE"}


@pytest.mark.parametrize(
    ("tasks", "proxy", "message"),
    [
        (
            [VALUE],
            "relevant",
            (
                "Sampler 'uncertainty' asks a classification task in place of 'VALUE', and there is"
                ' none. Add one, or say `sampler="uncertainty:proxy=dropout"`.'
            ),
        ),
        (
            [VALUE, LABELS],
            "VALUE",
            (
                "Sampler 'uncertainty' takes the entropy of its proxy, but 'VALUE' has no labels."
                " Name a classification task, or say proxy=dropout."
            ),
        ),
    ],
)
def test_never_silently_nothing(tasks: list[Task], proxy: str, message: str) -> None:
    with pytest.raises(RelevanceError) as error:
        Uncertainty({}, epochs=1, seed=0, proxy=proxy).chooser(tasks, {})
    assert str(error.value) == message


def test_an_unknown_proxy_is_named() -> None:
    with pytest.raises(RelevanceError, match="Unknown proxy 'LABLES'"):
        Uncertainty({}, epochs=1, seed=0, proxy="LABLES").chooser([VALUE, LABELS], {})
