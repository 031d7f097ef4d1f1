"""Methods: which models they train, and what they say to clusters and layers that don't fit."""

import pytest

from hmnet.methods.method import ModelGroup, methods
from hmnet.sharing.plan import fully_shared, hierarchical, separate
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.tasks.find import find_tasks

TASKS = ("RTE", "CB", "SST-2")
DEFINITIONS = find_tasks(TASKS)
SPEC = ClusterSpec(clusters=(("RTE", "CB"), ("SST-2",)))


@pytest.mark.parametrize("name", methods.names())
def test_every_task_is_trained_once(name: str) -> None:
    parts = methods.find(name)(SPEC).plans(DEFINITIONS, 12)
    assert [task for part in parts for task in part.tasks] == list(TASKS)
    for part in parts:
        assert set(part.plan.tasks) == set(part.tasks)
        assert part.plan.depth == 12


def test_multi_shares_everything_and_single_nothing() -> None:
    assert methods.find("multi")().plans(DEFINITIONS, 6) == (
        ModelGroup(TASKS, fully_shared(TASKS, 6)),
    )
    assert methods.find("single")().plans(DEFINITIONS, 6) == tuple(
        ModelGroup((task,), separate((task,), 6)) for task in TASKS
    )


def test_hmnet_shares_by_cluster() -> None:
    hmnet = methods.find("hmnet")
    assert hmnet(SPEC).plans(DEFINITIONS, 12) == (ModelGroup(TASKS, hierarchical(SPEC, 8, 2, 2)),)
    assert hmnet(SPEC, (1, 2, 3)).plans(DEFINITIONS, 6) == (
        ModelGroup(TASKS, hierarchical(SPEC, 1, 2, 3)),
    )


@pytest.mark.parametrize(
    ("spec", "layers", "message"),
    [
        (
            None,
            None,
            (
                "Method 'hmnet' needs `clusters`, a file that `relevance cluster` writes."
                ' Give one, or take `method="multi"`.'
            ),
        ),
        (SPEC, (4, 1, 1), "`layers=(4, 1, 1)` adds up to 6, but the backbone has 12 layers."),
        (
            ClusterSpec(clusters=(("RTE", "CB"),)),
            None,
            "The cluster spec leaves out 'SST-2', which this run trains.",
        ),
        (
            ClusterSpec(clusters=(TASKS, ("SNLI",))),
            None,
            (
                "The cluster spec lists 'SNLI', which this run does not train."
                " Add it with `tasks`, or leave it out of the spec."
            ),
        ),
    ],
)
def test_what_does_not_fit_is_one_line(
    spec: ClusterSpec | None, layers: tuple[int, int, int] | None, message: str
) -> None:
    with pytest.raises(RelevanceError) as error:
        methods.find("hmnet")(spec, layers).plans(DEFINITIONS, 12)
    assert str(error.value).startswith(message)


def test_methods_without_clusters_say_that_they_ignore_them() -> None:
    assert methods.find("hmnet")(SPEC, (8, 2, 2)).note is None
    assert methods.find("multi")().note is None
    assert methods.find("multi")(SPEC).note == "Method 'multi' ignores `clusters`."
    both = methods.find("single")(SPEC, (8, 2, 2)).note
    assert both == "Method 'single' ignores `clusters` and `layers`."
