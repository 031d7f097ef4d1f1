"""Cosines of gradients whose inner products were averaged over batches."""

import numpy as np
import pytest

from relevance.errors import RelevanceError
from relevance.measures.gradient_cosine import gradient_cosines


def test_products_are_averaged_before_they_are_divided() -> None:
    gradients = np.random.default_rng(0).normal(size=(5, 3, 7)) * np.arange(1, 6)[:, None, None]
    products = np.einsum("biw,bjw->bij", gradients, gradients)
    values = gradient_cosines(products, ["A", "B", "C"])
    for one in range(3):
        for other in range(3):
            dots = sum(gradients[b, one] @ gradients[b, other] for b in range(5))
            ones = sum(gradients[b, one] @ gradients[b, one] for b in range(5))
            others = sum(gradients[b, other] @ gradients[b, other] for b in range(5))
            assert values[one, other] == pytest.approx(dots / (ones * others) ** 0.5)


def test_parallel_and_opposite() -> None:
    gradients = np.array([[1.0, 2.0], [2.0, 4.0], [-3.0, -6.0]])
    values = gradient_cosines((gradients @ gradients.T)[None], ["A", "B", "C"])
    np.testing.assert_allclose(values, [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])


@pytest.mark.parametrize("length", [0.0, np.nan, np.inf])
def test_a_gradient_without_direction(length: float) -> None:
    with pytest.raises(RelevanceError) as error:
        gradient_cosines(np.array([[[1.0, 0.0], [0.0, length]]]), ["A", "B"])
    assert str(error.value) == (
        f"task 'B': its gradient has a squared length of {length:g}, so it has no direction. Train"
        " with a lower `lr` or for fewer steps."
    )
