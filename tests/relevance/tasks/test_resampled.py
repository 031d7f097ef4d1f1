"""Metrics on many resamples at once, against the metrics themselves on the rows drawn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relevance.tasks.data import Split, as_rows
from relevance.tasks.metrics import FUNCTIONS, resampled_scores
from relevance.tasks.resampled import RESAMPLED, taken, units

REGRESSION = ("pearson", "spearman")
TAGS = st.sampled_from(["O", "B-a", "I-a", "I-b"])


def few(metric: str) -> st.SearchStrategy[tuple[Any, Any, Any]]:
    """A row's label and what two runs predict for it."""
    if metric.startswith("span"):
        word = st.sampled_from(["a", "b c", "c", ""])
        golds = st.lists(st.tuples(word, st.just(0)), max_size=2).map(tuple)
        return st.tuples(golds, word, word)
    if metric == "entity_f1":
        one = st.tuples(TAGS, TAGS)
    else:
        one = st.sampled_from([0.0, 0.5, 2.0, 5.0]) if metric in REGRESSION else st.integers(0, 2)
    return st.tuples(one, one, one)


@st.composite
def drawn(draw: st.DrawFn, metric: str) -> tuple[Split, np.ndarray, np.ndarray]:
    rows = draw(st.integers(2, 12))
    values = draw(st.lists(few(metric), min_size=rows, max_size=rows))
    labels, *predictions = map(as_rows, zip(*values, strict=True))
    groups = None
    if metric == "question_em" or draw(st.booleans()):
        groups = np.array(draw(st.lists(st.integers(0, 4), min_size=rows, max_size=rows)))
    split = Split((["text"] * rows,), labels, groups)
    unit = units(split)
    size = int(unit.max()) + 1
    of_units = st.lists(st.integers(0, 3), min_size=size, max_size=size).filter(any)
    counts = [draw(of_units) for _ in range(2)]
    return split, np.stack(predictions), np.array(counts)[:, unit].astype(float)


@pytest.mark.parametrize(
    "metric", sorted(set(FUNCTIONS) - {"gender_parity"})
)  # of sets never resampled
@settings(max_examples=25)
@given(data=st.data())
def test_every_metric_is_that_of_the_rows_drawn(metric: str, data: st.DataObject) -> None:
    split, predictions, draws = data.draw(drawn(metric))
    found = resampled_scores(metric, split, predictions, draws)
    one_by_one = [
        [FUNCTIONS[metric](*taken(split, run, counts)) for counts in draws.astype(int)]
        for run in predictions
    ]
    np.testing.assert_allclose(found, one_by_one, atol=1e-9)


def test_a_metric_without_a_form_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    split = Split((["a", "b", "c"],), np.array([0, 1, 1]))
    draws = np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]])
    monkeypatch.delitem(RESAMPLED, "macro_f1")
    found = resampled_scores("macro_f1", split, np.array([[0.0, 0.0, 1.0]]), draws)
    assert found.tolist() == [[1.0, 0.0]]


def test_a_group_drawn_twice_counts_as_two() -> None:
    split = Split((["a", "b", "c"],), np.array([1, 1, 1]), np.array([7, 7, 9]))
    right = np.array([1.0, 1.0, 0.0])
    found = resampled_scores("question_em", split, right[None], np.array([[2.0, 2.0, 1.0]]))
    assert found.tolist() == [[pytest.approx(2 / 3)]]
    rows, predictions = taken(split, right, np.array([2, 2, 1]))
    assert len(np.unique(rows.groups)) == 3  # type: ignore[arg-type]
    assert predictions.tolist() == [1, 1, 1, 1, 0]
