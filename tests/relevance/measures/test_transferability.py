"""What fine-tuning adds to a score: the same rows before and after, labels as columns."""

import numpy as np
import pytest

from probes import FakeProbe
from relevance.errors import RelevanceError
from relevance.interfaces.probe import Features
from relevance.measures._transferability import label_columns, transfer_gains
from toys import toy


def test_gains_are_differences_from_the_plain_encoder() -> None:
    values = transfer_gains(
        FakeProbe(), [toy("A"), toy("B")], 3, lambda features, columns: features[:, 0].sum()
    )
    plain = FakeProbe().features(["B"], rows=256, seed=3)["B"].values[:, 0].sum()
    tuned = FakeProbe().features(["B"], rows=256, seed=3, source="A")["B"].values[:, 0].sum()
    assert values[0, 1] == pytest.approx(tuned - plain)
    assert values.diagonal().tolist() == [0.0, 0.0]
    assert values[1, 0] not in (0.0, values[0, 1])


def test_a_column_for_each_code_that_occurs() -> None:
    features = Features(np.zeros((4, 2)), np.array([2, 0, 2, 0]))
    assert label_columns("A", features).tolist() == [[0, 1], [1, 0], [0, 1], [1, 0]]


def test_values_of_a_regression_stay_as_they_are() -> None:
    labels = np.array([0.25, 0.5, 1.0], dtype=np.float32)
    columns = label_columns("A", Features(np.zeros((3, 2)), labels))
    assert columns.tolist() == [[0.25], [0.5], [1.0]]


@pytest.mark.parametrize("labels", [np.array([1, 1, 1]), np.array([0.5, 0.5, 0.5])])
def test_one_label_only(labels: np.ndarray) -> None:
    with pytest.raises(RelevanceError) as error:
        label_columns("CB", Features(np.zeros((3, 2)), labels))
    assert str(error.value) == (
        "task 'CB': the 3 training rows that were drawn all have one label, so nothing can be said"
        " about what explains it. Take another `seed`, or more rows."
    )
