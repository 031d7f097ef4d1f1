"""Sharing plans as tables: who shares what with whom, and what makes no plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hmnet.sharing.plan import (
    SharingPlan,
    check_layers,
    default_layers,
    fully_shared,
    hierarchical,
    separate,
)
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError

NAMES = ("RTE", "CB", "shared", "cluster0", "a.1", "a")
groupings = st.lists(st.integers(0, 2), min_size=len(NAMES), max_size=len(NAMES))
sizes = st.tuples(*[st.integers(0, 4)] * 3).filter(any)


def grouped(groups: list[int]) -> ClusterSpec:
    members = {group: [] for group in groups}
    for name, group in zip(NAMES, groups, strict=True):
        members[group].append(name)
    return ClusterSpec(clusters=tuple(tuple(names) for names in members.values()))


@given(groups=groupings, layers=sizes)
def test_tasks_share_what_their_level_says(groups: list[int], layers: tuple[int, int, int]) -> None:
    x, y, z = layers
    plan = hierarchical(grouped(groups), x, y, z)
    assert plan.depth == x + y + z
    assert len(plan.depths) == x + y * len(set(groups)) + z * len(NAMES)
    assert len(set(plan.outside.values())) == 1
    for one, group in zip(NAMES, groups, strict=True):
        for other, other_group in zip(NAMES, groups, strict=True):
            shared = [a == b for a, b in zip(plan.layers[one], plan.layers[other], strict=True)]
            alike = [True] * x + [group == other_group] * y + [one == other] * z
            assert shared == alike


def test_layers_are_named_after_who_uses_them_and_where() -> None:
    plan = hierarchical(ClusterSpec(clusters=(("RTE",), ("CB", "MRPC"))), 2, 1, 1)
    assert plan.layers["CB"] == ("shared.0", "shared.1", "cluster1.2", "CB.3")
    assert plan.outside["CB"] == "shared.outside"


def test_hard_sharing_shares_all_and_separate_models_nothing() -> None:
    assert len(fully_shared(NAMES, 12).depths) == 12
    alone = separate(NAMES, 12)
    assert len(alone.depths) == 12 * len(NAMES)
    assert len(set(alone.outside.values())) == len(NAMES)


def test_a_plan_survives_json(plan: SharingPlan) -> None:
    assert SharingPlan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize(
    ("outside", "layers", "message"),
    [
        ({"A": "o"}, {"B": ("x",)}, "the same tasks"),
        ({}, {}, "one at least"),
        ({"A": "o", "B": "o"}, {"A": ("x",), "B": ("x", "y")}, "the same number of layers"),
        ({"A": "o", "B": "o"}, {"A": ("x", "y"), "B": ("y", "x")}, "belongs to one depth"),
        ({"A": "x"}, {"A": ("x",)}, "belongs to one depth"),
    ],
)
def test_what_is_no_plan(
    outside: dict[str, str], layers: dict[str, tuple[str, ...]], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        SharingPlan(outside=outside, layers=layers)


@pytest.mark.parametrize(
    ("depth", "layers"),
    [(3, (1, 1, 1)), (4, (2, 1, 1)), (6, (4, 1, 1)), (12, (8, 2, 2)), (24, (16, 4, 4))],
)
def test_default_layers_are_the_papers(depth: int, layers: tuple[int, int, int]) -> None:
    assert default_layers(depth) == layers
    check_layers(layers, depth)


def test_a_shallow_backbone_asks_for_layers() -> None:
    with pytest.raises(RelevanceError, match=r"has 2 layers, too few.*`layers=\(1, 0, 1\)`\."):
        default_layers(2)


def test_layers_that_do_not_add_up() -> None:
    with pytest.raises(RelevanceError) as caught:
        check_layers((8, 2, 2), 6)
    assert str(caught.value) == (
        "`layers=(8, 2, 2)` adds up to 12, but the backbone has 6 layers."
        " Its default is `layers=(4, 1, 1)`."
    )


def test_layers_below_zero() -> None:
    with pytest.raises(
        RelevanceError, match=r"^`layers=\(7, -1, 0\)` has a negative number; 0 leaves"
    ):
        check_layers((7, -1, 0), 6)
