"""Labels inside the model and outside of it."""

import numpy as np
import pytest

from hmnet.data.labels import predictions, targets
from relevance.tasks.task import Task

CLASSES = Task(
    name="C",
    family="f",
    kind="classification",
    text=("a",),
    labels=("x", "y", "z"),
    metrics=("accuracy",),
)
VALUES = Task(
    name="V", family="f", kind="regression", text=("a",), range=(1, 5), metrics=("pearson",)
)


def test_codes_stay_codes() -> None:
    assert targets(CLASSES, np.array([2, 0], dtype=np.int32)).dtype == np.int64
    logits = np.array([[0.1, 0.3, 0.2], [3.0, 1.0, 2.0]], dtype=np.float32)
    assert predictions(CLASSES, logits).tolist() == [1, 0]


def test_values_lie_in_the_unit_interval_inside_and_on_their_scale_outside() -> None:
    labels = np.array([1.0, 3.0, 5.0])

    inside = targets(VALUES, labels)

    assert inside.tolist() == [0.0, 0.5, 1.0]
    assert inside.dtype == np.float32
    assert predictions(VALUES, inside[:, None]).tolist() == labels.tolist()
    assert predictions(VALUES, np.array([[1.1]], dtype=np.float32))[0] == pytest.approx(5.4)
