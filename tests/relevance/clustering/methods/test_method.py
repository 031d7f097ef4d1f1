"""Methods by name, and the options that each takes."""

import pytest

from relevance.clustering.methods.agglomerative import Agglomerative
from relevance.clustering.methods.kmeans import kmeans
from relevance.clustering.methods.method import make_method, methods
from relevance.clustering.methods.predicted_gain import PredictedGain
from relevance.errors import RelevanceError
from relevance.matrices.matrix import load_matrix


def test_options_are_fields_of_the_method() -> None:
    assert make_method("agglomerative", linkage="single", overlap=None) == Agglomerative("single")
    assert make_method("predicted-gain", overlap=True) == PredictedGain(overlap=True)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "kmean",
            {},
            (
                "Unknown method 'kmean'. Did you mean 'kmeans'?"
                f" Known: {', '.join(methods.names())}."
            ),
        ),
        (
            "kmeans",
            {"overlap": True},
            "Method 'kmeans' takes no `overlap`; it goes with `method` predicted-gain.",
        ),
        (
            "spectral",
            {"linkage": "ward"},
            "Method 'spectral' takes no `linkage`; it goes with `method` agglomerative.",
        ),
    ],
)
def test_what_there_is_not(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(RelevanceError) as raised:
        make_method(name, **options)
    assert str(raised.value) == message


@pytest.mark.parametrize(("table", "inertia"), [("table2", 1.5952), ("table3", 0.1888)])
def test_kmeans_by_name_is_kmeans(table: str, inertia: float) -> None:
    matrix = load_matrix(f"paper:{table}")
    spec = make_method("kmeans").cluster(matrix, 3)
    assert spec == kmeans(matrix, 3)
    assert spec.inertia == pytest.approx(inertia, abs=5e-5)
