import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.tasks.data import Split
from relevance.tasks.find import catalogue
from relevance.tasks.kinds.classification import Classification
from relevance.tasks.kinds.regression import Regression
from relevance.tasks.metrics import (
    FUNCTIONS,
    gain_score,
    majority,
    resampled_scores,
    score,
    scored_as,
)
from relevance.tasks.task import Task

MakeTask = Callable[..., Task]


def split_of(
    labels: list[int] | list[float], groups: list[int] | None = None, dtype: type = np.int64
) -> Split:
    return Split(
        (["text"] * len(labels),),
        np.array(labels, dtype=dtype),
        None if groups is None else np.array(groups),
    )


# Plain ways to say the same, without sklearn or scipy.


def plain_f1(labels: list[int], predictions: list[int], of: int = 1) -> float:
    both = sum(a == b == of for a, b in zip(labels, predictions, strict=True))
    some = labels.count(of) + predictions.count(of)
    return 2 * both / some if some else 0.0


def plain_macro_f1(labels: list[int], predictions: list[int]) -> float:
    classes = set(labels) | set(predictions)
    return sum(plain_f1(labels, predictions, of) for of in classes) / len(classes)


def plain_matthews(labels: list[int], predictions: list[int]) -> float:
    pairs = list(zip(labels, predictions, strict=True))
    tp, tn = pairs.count((1, 1)), pairs.count((0, 0))
    fp, fn = pairs.count((0, 1)), pairs.count((1, 0))
    below = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return (tp * tn - fp * fn) / below if below else 0.0


def plain_question_em(labels: list[int], predictions: list[int], groups: list[int]) -> float:
    right = dict.fromkeys(groups, True)
    for label, prediction, group in zip(labels, predictions, groups, strict=True):
        right[group] = right[group] and label == prediction
    return sum(right.values()) / len(right)


def plain_pearson(first: list[float], second: list[float]) -> float:
    xs, ys = [Fraction(x) for x in first], [Fraction(y) for y in second]  # no rounding
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    both = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    squares = sum((x - mean_x) ** 2 for x in xs) * sum((y - mean_y) ** 2 for y in ys)
    return float(both) / math.sqrt(squares) if squares else 0.0


def plain_ranks(values: list[float]) -> list[float]:
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


answers = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 4)), min_size=1, max_size=40
)


@given(answers)
def test_multirc_scores_are_the_plain_ones(rows: list[tuple[int, int, int]]) -> None:
    labels, predictions, groups = (list(column) for column in zip(*rows, strict=True))
    scores = score(catalogue()["MultiRC"], split_of(labels, groups), np.array(predictions))
    assert list(scores) == ["f1a", "question_em"]
    assert scores["f1a"] == pytest.approx(plain_f1(labels, predictions))
    assert scores["question_em"] == pytest.approx(plain_question_em(labels, predictions, groups))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_cb_scores_are_the_plain_ones(rows: list[tuple[int, int]]) -> None:
    labels, predictions = (list(column) for column in zip(*rows, strict=True))
    scores = score(catalogue()["CB"], split_of(labels), np.array(predictions))
    assert list(scores) == ["accuracy", "macro_f1"]
    assert scores["accuracy"] == sum(a == b for a, b in rows) / len(rows)
    assert scores["macro_f1"] == pytest.approx(plain_macro_f1(labels, predictions))


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_binary_scores_are_the_plain_ones(rows: list[tuple[int, int]]) -> None:
    labels, predictions = (list(column) for column in zip(*rows, strict=True))
    split, predicted = split_of(labels), np.array(predictions)
    matthews = score(catalogue()["CoLA"], split, predicted)["matthews"]
    assert matthews == pytest.approx(plain_matthews(labels, predictions))
    assert score(catalogue()["MRPC"], split, predicted)["f1"] == pytest.approx(
        plain_f1(labels, predictions)
    )


steps = st.integers(0, 25).map(lambda step: step / 5)


@given(st.lists(st.tuples(steps, steps), min_size=1, max_size=40))
def test_correlations_are_the_plain_ones(rows: list[tuple[float, float]]) -> None:
    labels, predictions = (list(column) for column in zip(*rows, strict=True))
    scores = score(catalogue()["STS-B"], split_of(labels, dtype=np.float64), np.array(predictions))
    assert scores["pearson"] == pytest.approx(plain_pearson(labels, predictions), abs=1e-9)
    assert scores["spearman"] == pytest.approx(
        plain_pearson(plain_ranks(labels), plain_ranks(predictions)), abs=1e-9
    )


@pytest.mark.parametrize("spread", [0.0, 1e-15])
def test_a_constant_prediction_correlates_with_nothing(spread: float) -> None:
    split = split_of([1.0, 2.0, 3.0], dtype=np.float64)
    predictions = 2.7 + spread * np.arange(3)
    assert score(catalogue()["STS-B"], split, predictions) == {"pearson": 0.0, "spearman": 0.0}


@pytest.mark.parametrize(
    "name", sorted((Classification.metrics | Regression.metrics) - {"gender_parity"})
)
def test_one_row(name: str) -> None:
    correlation = name in {"pearson", "spearman", "matthews"}
    assert FUNCTIONS[name](split_of([1], [0]), np.array([1])) == (0.0 if correlation else 1.0)


def test_gain_is_the_mean_of_the_gain_metrics(make_task: MakeTask) -> None:
    assert gain_score(catalogue()["MRPC"], {"accuracy": 0.5, "f1": 0.8}) == pytest.approx(0.65)
    assert gain_score(catalogue()["MultiRC"], {"f1a": 0.5, "question_em": 0.1}) == 0.5
    task = make_task(metrics=["accuracy"], gain=["f1"])
    assert list(score(task, split_of([1, 0]), np.array([1, 0]))) == ["accuracy", "f1"]


def test_majority_of_a_classification_task() -> None:
    train, evaluation = split_of([0, 1, 1, 1]), split_of([0, 1, 1])
    result = majority(catalogue()["MRPC"], train, evaluation)
    assert result.metrics == {"accuracy": pytest.approx(2 / 3), "f1": pytest.approx(0.8)}
    assert result.predictions == [1, 1, 1]
    frequencies = [2 / 6, 4 / 6]
    assert result.loss == pytest.approx(-math.log(frequencies[0] * frequencies[1] ** 2) / 3)


def test_majority_never_has_an_endless_loss_and_breaks_ties_downwards() -> None:
    result = majority(catalogue()["CB"], split_of([1, 0, 1, 0]), split_of([2]))
    assert result.loss == pytest.approx(-math.log(1 / 7))
    assert result.predictions == [0]


def test_majority_of_a_regression_task() -> None:
    train = split_of([1.0, 4.0], dtype=np.float64)
    evaluation = split_of([0.0, 2.5, 5.0], dtype=np.float64)
    result = majority(catalogue()["STS-B"], train, evaluation)
    assert result.metrics == {"pearson": 0.0, "spearman": 0.0}
    assert result.predictions == [2.5, 2.5, 2.5]
    assert result.loss == pytest.approx((2.5**2 + 0 + 2.5**2) / 3)  # on the own scale


@pytest.mark.parametrize("positive", [None, "a", "b", "c"])
def test_f1_is_that_of_the_positive_label(make_task: MakeTask, positive: str | None) -> None:
    labels = ["a", "b"] if positive is None else ["a", "b", "c"]
    task = make_task(labels=labels, metrics=["f1"], positive=positive)
    random = np.random.default_rng(0)
    true, found = random.integers(len(labels), size=(2, 50))
    split = split_of(true.tolist(), [0] * 50)
    code = 1 if positive is None else labels.index(positive)
    expected = plain_f1(true.tolist(), found.tolist(), of=code)
    assert score(task, split, found) == {"f1": pytest.approx(expected)}
    draws = np.ones((1, 50))
    resampled = resampled_scores("f1", *scored_as(task, "f1", split, found[None]), draws)
    assert resampled.item() == pytest.approx(expected)
