"""What all estimators share: several seeds, what the matrix says of its making, cosines."""

from collections.abc import Sequence

import numpy as np
import pytest

from probes import FakeProbe
from relevance.errors import RelevanceError
from relevance.interfaces.probe import Probe
from relevance.measures._estimator import Estimator, cosines
from relevance.measures.embedding import Embedding
from relevance.measures.measure import Inputs
from relevance.tasks.task import Task
from toys import toy

TASKS = [toy(name) for name in ("A", "B", "C")]


class Constant(Estimator):
    """The seed, everywhere."""

    name = "constant"
    settings = {"rows": 7}  # noqa: RUF012  as members have it

    def estimate(self, probe: Probe, tasks: Sequence[Task], seed: int) -> np.ndarray:
        return np.full((len(tasks), len(tasks)), float(seed))


def test_the_fake_is_a_probe() -> None:
    assert isinstance(FakeProbe(), Probe)


def test_one_seed() -> None:
    matrix = Constant(FakeProbe, (3,)).measure(TASKS)
    assert matrix.values.tolist() == [[3.0] * 3] * 3
    assert matrix.seeds == (3,)
    assert matrix.standard_errors is None
    assert matrix.per_seed is None
    assert matrix.provenance == {"version": 1, "settings": {"rows": 7}, "backbone": "fake"}


def test_several_seeds_give_mean_and_standard_error() -> None:
    matrix = Constant(FakeProbe, (1, 2, 6)).measure(TASKS)
    assert matrix.values.tolist() == [[3.0] * 3] * 3
    np.testing.assert_allclose(matrix.standard_errors, np.std([1, 2, 6], ddof=1) / 3**0.5)
    assert matrix.per_seed is not None
    assert matrix.per_seed[:, 0, 1].tolist() == [1.0, 2.0, 6.0]


def test_seconds_are_those_of_workers() -> None:
    cost = Constant(lambda: FakeProbe(workers=4.0)).measure(TASKS).cost
    assert cost["seconds"] == pytest.approx(4 * cost["wall_seconds"])
    assert cost["seconds"] > 0


def test_without_a_probe() -> None:
    with pytest.raises(RelevanceError) as error:
        Embedding.build(Inputs())
    assert str(error.value) == (
        "Measure 'embedding' needs an encoder. `relevance estimate` brings one; from Python, hand"
        " one in as measure(..., probe=...)."
    )


def test_cosines_of_vectors() -> None:
    vectors = np.random.default_rng(0).normal(size=(4, 3))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    values = cosines(vectors @ vectors.T)
    np.testing.assert_allclose(values, unit @ unit.T, atol=1e-12)
    assert np.diag(values).tolist() == [1.0] * 4


def test_a_vector_of_zeros_has_no_angle() -> None:
    values = cosines(np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert np.isnan(values).tolist() == [[False, True], [True, True]]


def test_embedding_is_the_cosine_of_means() -> None:
    features = FakeProbe().features(["A", "B"], rows=256, seed=5)
    a, b = (features[name].values.mean(axis=0) for name in "AB")
    expected = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    matrix = Embedding(FakeProbe, (5,)).measure(TASKS)
    assert matrix.values[0, 1] == pytest.approx(expected)
    assert matrix.values[1, 0] == pytest.approx(expected)
    assert matrix.measure == "embedding"
