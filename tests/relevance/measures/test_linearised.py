"""Fits of linearised models against closed forms, and the gains that follow from them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from relevance.interfaces.probe import Linearisation
from relevance.measures import linearised
from relevance.measures.linearised import (
    LinearisedTask,
    best_losses,
    fit,
    linear_gains,
    logistic_loss,
    squared_loss,
)


def rows(seed: int, count: int = 40, width: int = 5) -> Linearisation:
    random = np.random.default_rng(seed)
    return Linearisation(random.normal(size=count), 3 * random.normal(size=(count, width)))


def test_a_regression_is_ridge() -> None:
    part = rows(0)
    unit = np.mean(np.sum(part.gradients**2, axis=1))
    hessian = 2 * part.gradients.T @ part.gradients / 40 + 0.1 * unit * np.eye(5)
    expected = np.linalg.solve(hessian, -2 * part.gradients.T @ part.outputs / 40)
    np.testing.assert_allclose(fit([(part, squared_loss)], 0.1), expected, atol=1e-6)


def test_a_classification_is_logistic_regression() -> None:
    part = Linearisation(np.zeros(40), rows(1).gradients)
    signs = np.where(np.arange(40) % 2, 1.0, -1.0)
    unit = np.mean(np.sum(part.gradients**2, axis=1))
    model = LogisticRegression(C=1 / (40 * 0.1 * unit), fit_intercept=False, tol=1e-10)
    expected = model.fit(part.gradients * signs[:, None], signs).coef_[0]
    np.testing.assert_allclose(fit([(part, logistic_loss)], 0.1), expected, atol=1e-5)


def test_together_both_tasks_have_the_same_weight_whatever_their_sizes() -> None:
    few, many = rows(2, 10), rows(3, 90)
    change = fit([(few, squared_loss), (many, logistic_loss)], 0.1)
    lengths = [np.mean(np.sum(part.gradients**2, axis=1)) for part in (few, many)]
    slope = 2 * 0.1 * np.mean(lengths) * change
    for part, loss in ((few, squared_loss), (many, logistic_loss)):
        slope += part.gradients.T @ loss(part.outputs + part.gradients @ change).slopes
    np.testing.assert_allclose(slope, 0.0, atol=1e-6)


@pytest.mark.parametrize("loss", [logistic_loss, squared_loss])
def test_slopes_are_derivatives(loss) -> None:
    outputs = np.array([0.3, -2.0, 5.0])
    for row in range(3):
        step = 1e-6 * np.eye(3)[row]
        difference = loss(outputs + step).loss - loss(outputs - step).loss
        assert loss(outputs).slopes[row] == pytest.approx(difference / 2e-6, abs=1e-6)


def test_the_penalty_that_is_best_on_held_out_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    part = LinearisedTask(rows(4), rows(5), squared_loss)
    single = []
    for penalty in (1.0, 0.01):
        monkeypatch.setattr(linearised, "PENALTIES", (penalty,))
        single += best_losses([part])
    monkeypatch.setattr(linearised, "PENALTIES", (1.0, 0.01))
    assert best_losses([part]) == [min(single)]


def planted(weights: list[float], seed: int, count: int) -> Linearisation:
    """A regression whose best change of weights is known, from few noisy rows."""
    random = np.random.default_rng(seed)
    gradients = random.normal(size=(count, len(weights)))
    return Linearisation(random.normal(size=count) - gradients @ weights, gradients)


def test_tasks_that_want_the_same_change_help_each_other() -> None:
    wanted = [[2.0, 1.0, 0.0, 1.0], [2.0, 1.0, 0.0, 1.0], [-2.0, -1.0, 0.0, -1.0]]

    def gains(seed: int) -> np.ndarray:
        parts = [
            LinearisedTask(planted(w, seed + i, 8), planted(w, seed + i + 1000, 500), squared_loss)
            for i, w in enumerate(wanted)
        ]
        return linear_gains(parts)

    values = np.mean([gains(10 * seed) for seed in range(4)], axis=0)
    assert values.diagonal().tolist() == [0.0] * 3
    assert min(values[0, 1], values[1, 0]) > 0
    assert max(values[0, 2], values[2, 0], values[1, 2], values[2, 1]) < 0


def test_a_task_and_its_copy_have_nothing_to_give_each_other() -> None:
    part = LinearisedTask(rows(0), rows(1), logistic_loss)
    np.testing.assert_allclose(linear_gains([part, part]), 0.0, atol=1e-6)


def test_row_is_source_and_column_is_target() -> None:
    parts = [LinearisedTask(rows(seed), rows(seed + 10), squared_loss) for seed in range(3)]
    values = linear_gains(parts)
    alone, joint = best_losses([parts[2]]), best_losses([parts[0], parts[2]])
    assert values[0, 2] == pytest.approx((alone[0] - joint[1]) / alone[0])
