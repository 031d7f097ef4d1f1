"""PCGrad against closed forms and against the algorithm as the paper prints it."""

from itertools import permutations, product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hmnet.surgery.pcgrad import PCGrad


def joined(gradients: np.ndarray) -> np.ndarray:
    """The update that PCGrad's factors make of gradients `[task, parameter]`."""
    rows = torch.tensor(gradients)
    return (PCGrad().weights(rows @ rows.T) @ rows).numpy()


def algorithm_1(gradients: np.ndarray, orders: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """Yu et al. (2020), algorithm 1, line by line, with the order in which each task meets all."""
    projected = gradients.copy()
    for task, order in enumerate(orders):
        for other in order:
            against = gradients[other]
            inner = projected[task] @ against
            if other != task and inner < 0:
                projected[task] -= inner / (against @ against) * against
    return projected.sum(axis=0)


def possible(gradients: np.ndarray) -> list[np.ndarray]:
    """What algorithm 1 can come to, over all orders."""
    count = len(gradients)
    others = [[o for o in permutations(range(count)) if o[-1] == task] for task in range(count)]
    return [algorithm_1(gradients, orders) for orders in product(*others)]


def test_two_tasks_that_conflict() -> None:
    """(1, 0) becomes (1/2, 1/2), at right angles to (-1, 1), and that becomes (0, 1)."""
    assert joined(np.array([[1.0, 0.0], [-1.0, 1.0]])).tolist() == [0.5, 1.5]


@given(st.floats(0.01, 3.13), st.floats(0.1, 10), st.floats(0.1, 10))
def test_two_tasks_at_any_angle(angle: float, one: float, other: float) -> None:
    """Above a right angle each keeps what is at right angles to the other: |g| sin(angle)."""
    first = one * np.array([1.0, 0.0])
    second = other * np.array([np.cos(angle), np.sin(angle)])
    expected = first + second
    if angle > np.pi / 2:
        off_second = np.array([np.sin(angle), -np.cos(angle)])
        expected = one * np.sin(angle) * off_second + np.array([0, second[1]])
    np.testing.assert_allclose(joined(np.stack([first, second])), expected, atol=1e-9)


def test_three_tasks_in_every_order_that_chance_gives() -> None:
    gradients = np.random.default_rng(3).normal(size=(3, 4))
    gradients[1] -= 1.5 * gradients[0]
    gradients[2] -= gradients[0] + gradients[1]
    allowed = {tuple(update.round(9)) for update in possible(gradients)}
    assert len(allowed) > 2
    seen = {tuple(joined(gradients).round(9)) for _ in range(100)}
    assert seen == allowed


@given(st.integers(0, 1000))
def test_three_tasks_are_what_the_algorithm_gives(seed: int) -> None:
    gradients = np.random.default_rng(seed).normal(size=(3, 3))
    update = joined(gradients)
    assert any(np.allclose(update, expected, atol=1e-8) for expected in possible(gradients))


@pytest.mark.parametrize("tasks", [1, 2, 5])
def test_without_conflict_nothing_changes(tasks: int) -> None:
    rows = torch.rand(tasks, 7)
    assert PCGrad().weights(rows @ rows.T).tolist() == [1.0] * tasks


def test_a_gradient_of_zero_conflicts_with_none() -> None:
    gradients = np.array([[1.0, 0.0], [0.0, 0.0], [-1.0, 1.0]])
    assert joined(gradients).tolist() == [0.5, 1.5]
