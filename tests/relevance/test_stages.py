"""Counting of long work: nobody need listen, and stages in one another add up."""

import pytest

from relevance.stages import Stage, counted, listening, share_done, stage

Told = list[list[tuple[str, int, int | None]]]


def told_to(told: Told, stages: tuple[Stage, ...]) -> None:
    told.append([(each.what, each.done, each.total) for each in stages])


def test_everything_is_told_in_order_and_ends() -> None:
    told: Told = []
    with listening(lambda stages: told_to(told, stages)):
        for _ in counted(["A", "B"], "tasks"):
            with stage("lines") as advance:
                advance()
    assert told == [
        [("tasks", 0, 2)],
        [("tasks", 0, 2), ("lines", 0, None)],
        [("tasks", 0, 2), ("lines", 1, None)],
        [("tasks", 1, 2)],
        [("tasks", 1, 2), ("lines", 0, None)],
        [("tasks", 1, 2), ("lines", 1, None)],
        [("tasks", 2, 2)],
    ]
    assert list(counted([1, 2, 3], "numbers")) == [1, 2, 3]
    assert len(told) == 7


def test_a_stage_that_fails_is_over() -> None:
    told: Told = []
    with listening(lambda stages: told_to(told, stages)):
        with pytest.raises(ZeroDivisionError), stage("a", 1):
            raise ZeroDivisionError
        with stage("b", 1):
            pass
    assert told[-1] == [("b", 0, 1)]


def test_a_loop_that_ended_by_an_error_is_not_told_to_who_listens_later() -> None:
    loop = counted(["A", "B"], "tasks")
    assert next(loop) == "A"  # and no further: whoever holds the error holds the loop
    told: Told = []
    with listening(lambda stages: told_to(told, stages)), stage("b", 1) as advance:
        advance()
    assert told == [[("b", 0, 1)], [("b", 1, 1)]]


def test_shares() -> None:
    assert share_done((Stage("a", None, 3),)) is None
    assert share_done((Stage("a", 2, 1), Stage("b", None, 3))) == 0.5
    assert share_done((Stage("a", 0, 0),)) is None
    assert share_done((Stage("a", 1, 2),)) == 1.0
