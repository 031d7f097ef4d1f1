"""The cluster spec: what it says, what it refuses, and that nothing is lost on disk."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from relevance.clustering.spec import ClusterSpec, MatrixFile, Stability
from relevance.errors import RelevanceError

GROUPS = (("RTE", "CB"), ("SST-2",))


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "out.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def refusal(tmp_path: Path, content: Any) -> str:
    with pytest.raises(RelevanceError) as raised:
        ClusterSpec.load(written(tmp_path, content))
    return str(raised.value).replace(f"{tmp_path}/", "")


def test_clusters_alone_are_enough(tmp_path: Path) -> None:
    spec = ClusterSpec.load(written(tmp_path, {"clusters": [["RTE", "CB"], ["SST-2"]]}))
    assert spec.clusters == GROUPS
    assert spec.method == "manual"
    assert spec.tasks == ("RTE", "CB", "SST-2")
    assert [spec.cluster_of(task) for task in spec.tasks] == [0, 0, 1]


def test_everything_survives_a_round_trip(tmp_path: Path) -> None:
    spec = ClusterSpec(
        clusters=GROUPS,
        names=("inference", "sentiment"),
        method="kmeans",
        k=2,
        seed=3,
        inertia=0.0052,
        silhouette=-0.1,
        stability=Stability(
            adjusted_rand=0.7,
            resampling="seeds",
            resamples=99,
            skipped=1,
            leave_one_out=0.6,
            tasks=("RTE", "SST-2"),
            consensus=((1.0, 0.25), (0.25, 1.0)),
        ),
        matrix=MatrixFile(file="gains.json", sha256="ab"),
        provenance={"restarts": 100},
    )
    spec.save(tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text())["schema"] == "relevance.clusters/1"
    assert ClusterSpec.load(tmp_path / "out.json") == spec
    assert spec != ClusterSpec(clusters=GROUPS)


@pytest.mark.parametrize(("kept", "known"), [(None, None), (0.7, Stability(adjusted_rand=0.7))])
def test_the_stability_of_an_older_file(
    tmp_path: Path, kept: float | None, known: Stability | None
) -> None:
    spec = ClusterSpec.load(written(tmp_path, {"clusters": [["RTE"], ["CB"]], "stability": kept}))
    assert spec.stability == known


@given(st.lists(st.lists(st.text(), min_size=1), min_size=1))
def test_a_spec_is_a_partition_or_refused(clusters: list[list[str]]) -> None:
    tasks = [task for cluster in clusters for task in cluster]
    try:
        spec = ClusterSpec(clusters=clusters)  # type: ignore[arg-type]  # lists become tuples
    except ValidationError:
        assert len(set(tasks)) < len(tasks)
    else:
        assert len(set(tasks)) == len(tasks)
        assert sorted(spec.tasks) == sorted(tasks)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"clusters": [["QNLI"], ["CB"], ["QNLI"]]},
            "out.json: task 'QNLI' is in clusters 0 and 2; each task belongs to one.",
        ),
        ({"clusters": [["CB", "CB"]]}, "out.json: task 'CB' is in cluster 0 twice."),
        ({"clusters": [["CB"], []]}, "out.json: cluster 1 is empty; leave it out."),
        ({"clusters": []}, "out.json: 'clusters' lists no cluster."),
        ({}, "out.json: clusters: Field required."),
        ({"clusters": [["CB"]], "k": 2}, "out.json: k is 2, but 'clusters' lists 1."),
        (
            {"clusters": [["CB"], ["RTE"]], "names": ["a", "a"]},
            "out.json: `names` must hold 2 different names, one per cluster.",
        ),
        (
            {"clusters": [["CB"]], "metod": "kmeans"},
            (
                "out.json: Unknown field 'metod'. Did you mean 'method'? Known: clusters, inertia,"
                " k, matrix, method, names, provenance, seed, silhouette, stability."
            ),
        ),
        (
            {"clusters": [["CB"]], "stability": {"resamples": 3}},
            "out.json: stability.adjusted_rand: Field required.",
        ),
        (
            '{"clusters": [["CB"',
            "out.json is not valid JSON: Expecting ',' delimiter at line 1, column 20.",
        ),
        ([["CB"]], "out.json: expected a JSON object, got list."),
        (
            {"schema": "relevance.clusters/2", "clusters": [["CB"]]},
            (
                "out.json has schema 'relevance.clusters/2', newer than this version reads"
                " ('relevance.clusters/1'). Update the toolkit: a release from when the file was"
                " written or later reads it."
            ),
        ),
        (
            {"schema": "relevance.matrix/1", "clusters": [["CB"]]},
            "out.json holds 'relevance.matrix/1', expected 'relevance.clusters/1'.",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(
    tmp_path: Path, content: Any, message: str
) -> None:
    assert refusal(tmp_path, content) == message


@pytest.mark.parametrize(
    ("trained", "message"),
    [
        (
            ["RTE", "CB"],
            (
                "lists 'SST-2', which this run does not train. Add it with `tasks`, or leave it"
                " out of the spec."
            ),
        ),
        (
            ["RTE", "CB", "sst-2"],
            (
                "lists 'SST-2', which this run does not train. Did you mean 'sst-2'? Add it with"
                " `tasks`, or leave it out of the spec."
            ),
        ),
        (
            ["RTE", "CB", "SST-2", "WNLI"],
            (
                "leaves out 'WNLI', which this run trains. Add it to a cluster, or give it one of"
                " its own."
            ),
        ),
    ],
)
def test_a_spec_lists_what_a_run_trains(tmp_path: Path, trained: list[str], message: str) -> None:
    path = written(tmp_path, {"clusters": GROUPS})
    with pytest.raises(RelevanceError) as raised:
        ClusterSpec.load(path).check(trained)
    assert str(raised.value) == f"{path} {message}"


def test_no_hint_at_a_task_that_the_spec_has_too() -> None:
    spec = ClusterSpec(clusters=(("QNLI", "SNLI"),))
    with pytest.raises(RelevanceError) as raised:
        spec.check(["QNLI"], owner="matrix")
    assert str(raised.value) == (
        "The cluster spec lists 'SNLI', which this matrix does not have. Measure it, or leave it"
        " out of the spec."
    )


def test_the_same_tasks_in_any_order_are_fine() -> None:
    ClusterSpec(clusters=GROUPS).check(["SST-2", "RTE", "CB"])


def test_the_cluster_of_an_unknown_task() -> None:
    with pytest.raises(RelevanceError, match=r"Unknown task 'SST'\. Did you mean 'SST-2'\?"):
        ClusterSpec(clusters=GROUPS).cluster_of("SST")


def test_a_spec_names_its_matrix(tmp_path: Path) -> None:
    (tmp_path / "gains.json").write_bytes(b"{}")
    spec = ClusterSpec(clusters=GROUPS)
    made = spec.made_from(tmp_path / "gains.json")
    assert made.matrix == MatrixFile(
        file=str(tmp_path / "gains.json"), sha256=hashlib.sha256(b"{}").hexdigest()
    )
    assert spec.matrix is None
    published = spec.made_from("paper:table3").matrix
    assert published is not None
    assert (published.file, len(published.sha256)) == ("paper:table3", 64)
