"""Every estimator with heads whose encoder reads the texts of a row one by one."""

from collections.abc import Callable

import numpy as np
import pytest

from hmnet.measuring.probe import EncoderProbe
from relevance.interfaces.probe import FittedHead
from relevance.measures._estimator import Estimator
from relevance.measures.measure import measures

NAMES = ("TONE", "SAME", "MATCH")
ESTIMATORS = [n for n in measures.names() if issubclass(measures.find(n), Estimator)]


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("head", ["siamese", "siamese-difference,MATCH=cosine"])
def test_it_fills_a_matrix(
    name: str, head: str, make_probe: Callable[..., EncoderProbe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relevance.measures.linearised.DIRECTIONS", 16)
    probe = make_probe(head=head, pooling="mean", max_steps_per_task=2)
    tasks = [probe.trainer.tasks[task] for task in NAMES]
    matrix = measures.find(name)(lambda: probe).measure(tasks)
    assert np.isfinite(matrix.values).all()
    assert np.unique(matrix.values).size > 2


def test_batches_have_two_inputs_for_a_row_of_two_texts(
    make_probe: Callable[..., EncoderProbe],
) -> None:
    probe = make_probe(head="siamese", pooling="mean", max_steps_per_task=1)
    model = probe._trained(NAMES, 0)
    batches = probe._one_each(model, NAMES, 0, 0)
    shapes = [batch.inputs["input_ids"].shape[:-1] for batch in batches]
    assert shapes == [(8,), (8, 2), (8, 2)]


def test_the_plain_encoder_reads_texts_together_whatever_the_head(
    make_probe: Callable[..., EncoderProbe],
) -> None:
    head = FittedHead(np.random.default_rng(0).normal(size=(3, 16)), np.zeros(3))
    usual, other = make_probe(), make_probe(head="siamese", pooling="mean")
    for probe in (usual, other):
        assert probe._joined["apart"] is False
    np.testing.assert_array_equal(
        usual.features(["SAME"], rows=10, seed=0)["SAME"].values,
        other.features(["SAME"], rows=10, seed=0)["SAME"].values,
    )
    np.testing.assert_array_equal(
        usual.fisher("SAME", head, rows=10, seed=0), other.fisher("SAME", head, rows=10, seed=0)
    )
