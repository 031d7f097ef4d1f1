"""Usable information against closed forms: channels, normal errors, and nothing to know."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from probes import FakeProbe
from relevance.errors import RelevanceError
from relevance.interfaces.probe import Features
from relevance.measures.usable_information import (
    UsableInformation,
    pointwise_information,
    rotated,
)
from toys import toy


def channel(counts: Sequence[Sequence[int]]) -> Features:
    """`counts[x][y]` rows with label y and input x, which is a one in column x."""
    pairs = [(x, y) for x, row in enumerate(counts) for y, n in enumerate(row) for _ in range(n)]
    mixed = np.random.default_rng(0).permutation(np.array(pairs))
    return Features(np.eye(len(counts))[mixed[:, 0]], mixed[:, 1])


@pytest.mark.parametrize(
    "counts",
    [[[3600, 400], [400, 3600]], [[3000, 500, 500], [100, 3800, 100], [1000, 0, 3000]]],
)
def test_of_a_channel_it_is_shannons_mutual_information(counts: list[list[int]]) -> None:
    """A head on one column per input can say any conditional distribution, so none is better."""
    rows, joint = channel(counts), np.array(counts) / np.sum(counts)
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    seen = joint > 0
    expected = np.sum(joint[seen] * np.log2(joint[seen] / apart[seen]))
    found = pointwise_information(rows, rows, joint.shape[1])
    assert found.mean() == pytest.approx(expected, abs=0.002)


def test_each_row_has_the_log_of_its_own_ratio() -> None:
    """With flips of 10 % log2(.9 / .5) where the label is right, else log2(.1 / .5)."""
    rows = channel([[3600, 400], [400, 3600]])
    right = rows.values.argmax(axis=1) == rows.labels
    found = pointwise_information(rows, rows, 2)
    np.testing.assert_allclose(found, np.log2(np.where(right, 0.9, 0.1) / 0.5), atol=0.02)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=4), st.booleans())
def test_features_that_are_all_the_same_know_nothing(counts: list[int], missing: bool) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    rows = Features(np.ones((len(labels), 3)), np.random.default_rng(0).permutation(labels))
    held_out = Features(np.ones((len(counts) + missing, 3)), np.arange(len(counts) + missing))
    found = pointwise_information(rows, held_out, len(counts) + missing)
    np.testing.assert_allclose(found, 0.0, atol=1e-3)


def test_noise_knows_nothing() -> None:
    """Three hundred columns of noise fit 256 rows as they like, and held-out rows tell."""
    random = np.random.default_rng(0)
    train, held_out = (
        Features(random.normal(size=(256, 300)), random.integers(0, 2, 256)) for _ in range(2)
    )
    assert -0.1 < pointwise_information(train, held_out, 2).mean() < 0.05


def test_of_a_regression_it_is_half_the_log_of_the_ratio_of_variances() -> None:
    """Of a normal label: I(X; Y) = -log2(1 - r^2) / 2."""
    random = np.random.default_rng(0)

    def rows() -> Features:
        values = random.normal(size=(6000, 3))
        signal = values @ [0.3, -0.2, 0.1]
        return Features(values, (signal + 0.2 * random.normal(size=6000)).astype(np.float32))

    explained = (0.09 + 0.04 + 0.01) / (0.09 + 0.04 + 0.01 + 0.04)
    found = pointwise_information(rows(), rows(), 0)
    assert found.mean() == pytest.approx(-np.log2(1 - explained) / 2, abs=0.03)


def test_labels_that_are_explained_to_the_last_digit_have_no_more_than_the_floor_says() -> None:
    """log2(1e6) / 2 for the variance, and half a nat for errors that are smaller still."""
    labels = np.random.default_rng(0).uniform(size=4000).astype(np.float32)
    rows = Features(np.concatenate([labels[:, None]] * 3, axis=1) * 100, labels)
    expected = (np.log(1e6) + 1) / (2 * np.log(2))
    assert pointwise_information(rows, rows, 0).mean() == pytest.approx(expected, abs=0.02)


def test_rotated_features_have_the_same_head() -> None:
    random = np.random.default_rng(0)
    values, others = random.normal(size=(20, 50)), random.normal(size=(9, 50))
    labels = np.arange(20) % 2
    fit, judged = rotated(values, others)
    assert fit.shape == (20, 20)
    mean, scale = values.mean(axis=0), values.std(axis=0)
    model = LogisticRegression(C=0.1, tol=1e-10, max_iter=1000)
    expected = model.fit((values - mean) / scale, labels).decision_function((others - mean) / scale)
    found = model.fit(fit, labels).decision_function(judged)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_cell_is_the_mean_of_its_rows_and_the_diagonal_a_tasks_own() -> None:
    tasks = [toy("A"), toy("B")]
    matrix = UsableInformation(FakeProbe, (3,)).measure(tasks)
    for row, source in enumerate("AB"):
        found = FakeProbe().features_by_split("AB", rows=256, seed=3, source=source)
        for column, target in enumerate("AB"):
            cell = pointwise_information(*found[target], len(tasks[column].labels)).mean()
            assert matrix.values[row, column] == pytest.approx(cell)
    assert matrix.unit == "bits"


def test_training_rows_of_one_label() -> None:
    class OneLabel(FakeProbe):
        def features_by_split(self, tasks, *, rows, seed, source):
            same = Features(np.zeros((3, 2)), np.array([1, 1, 1]))
            return dict.fromkeys(tasks, (same, same))

    with pytest.raises(RelevanceError, match="task 'A': the 3 training rows that were drawn"):
        UsableInformation(OneLabel).measure([toy("A"), toy("B")])
