"""What holds for every method: a few models in which each task has a path of the whole depth."""

from collections.abc import Sequence
from typing import Any

import pytest

from hmnet.methods._defaults import OF_GROUPS, OF_METHODS
from hmnet.methods.method import ModelGroup, methods
from hmnet.settings.config import RunConfig
from relevance.clustering.spec import ClusterSpec
from relevance.tasks.find import find_tasks
from relevance.tasks.groups import GROUPS

TASKS = ("RTE", "CB", "SST-2", "IMDB")
SPEC = ClusterSpec(clusters=(("RTE", "CB"), ("SST-2", "IMDB")))
DEPTHS = (3, 6, 12, 24)
every_method = pytest.mark.parametrize("name", methods.names())


def plans(name: str, depth: int) -> tuple[ModelGroup, ...]:
    return methods.find(name)(SPEC).plans(find_tasks(TASKS), depth)


@every_method
@pytest.mark.parametrize("depth", DEPTHS)
def test_parts_hold_every_task_once(name: str, depth: int) -> None:
    parts = plans(name, depth)
    assert sorted(task for part in parts for task in part.tasks) == sorted(TASKS)
    for part in parts:
        assert sorted(part.plan.tasks) == sorted(part.tasks)


@every_method
@pytest.mark.parametrize("depth", DEPTHS)
def test_every_path_has_the_whole_depth(name: str, depth: int) -> None:
    for part in plans(name, depth):
        assert part.plan.depth == depth
        for task in part.tasks:
            path = part.plan.layers[task]
            assert len(path) == len(set(path)) == depth
            assert part.plan.outside[task]


@every_method
def test_a_module_stands_at_one_depth(name: str) -> None:
    for part in plans(name, 12):
        places: dict[str, set[int]] = {}
        for path in part.plan.layers.values():
            for depth, module in enumerate(path):
                places.setdefault(module, set()).add(depth)
        assert all(len(depths) == 1 for depths in places.values())


@every_method
def test_tasks_that_part_never_meet_again(name: str) -> None:
    """Above a layer that two tasks have apart they share none, so that sharing is a tree."""
    for part in plans(name, 12):
        for one in part.tasks:
            for other in part.tasks:
                pairs = zip(part.plan.layers[one], part.plan.layers[other], strict=True)
                shared = [a == b for a, b in pairs]
                assert shared == sorted(shared, reverse=True)


@every_method
def test_the_same_again(name: str) -> None:
    assert plans(name, 12) == plans(name, 12)


@every_method
@pytest.mark.parametrize("given", [{}, {"spec": SPEC}, {"spec": SPEC, "layers": (8, 2, 2)}])
def test_what_is_not_used_is_noted(name: str, given: dict[str, Any]) -> None:
    method = methods.find(name)(**given)
    assert (method.note is None) == (method.reads_clusters or not given)


def test_defaults_are_those_of_methods_that_there_are() -> None:
    assert set(OF_METHODS) <= set(methods.names())
    assert {method for method, _ in OF_GROUPS} <= set(methods.names())


def test_settings_of_the_theses_24_tasks_are_the_default_for_all_of_them_alone() -> None:
    def settled(tasks: Sequence[str], **given: Any) -> tuple[int, int, float]:
        config = RunConfig(tasks=tuple(tasks), method="camtl", **given)
        return config.max_length, config.epochs, config.warmup

    every = GROUPS["camtl24"]
    assert settled(["camtl24"]) == settled(every[::-1]) == (256, 8, 0.1)
    assert settled(["CAMTL24"], epochs=3) == (256, 3, 0.1)  # what is given wins
    assert settled(every[1:]) == settled(["glue", "superglue"]) == (128, 5, 0.1)
    assert RunConfig(tasks=("camtl24",), method="multi").epochs == 3
