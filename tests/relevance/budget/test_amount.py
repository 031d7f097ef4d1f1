"""A budget is an amount that somebody may write, or one line says what is wrong with it."""

import pytest

from relevance.budget.amount import Amount
from relevance.budget.rounds import Budget
from relevance.errors import RelevanceError


@pytest.mark.parametrize(
    ("text", "runs"),
    [("30%", 23), ("30 %", 23), ("200%", 156), ("0.1%", 1), ("200runs", 200), ("1 run", 1)],
)
def test_a_share_is_of_the_pairs_of_one_seed(text: str, runs: int) -> None:
    assert Amount.of(text).runs(13) == runs


def test_hours_are_no_number_of_runs() -> None:
    assert Amount.of("1.5h").seconds == 5400
    assert Amount.of("1.5h").runs(13) is None


@pytest.mark.parametrize("text", ["0", "0%", "0h", "0runs", "0.0 %"])
def test_nothing_is_no_budget(text: str) -> None:
    with pytest.raises(RelevanceError, match=r"`budget` should be"):
        Amount.of(text)


@pytest.mark.parametrize(
    "text",
    ["", "30", "-3%", "4 hours", "nan%", "1e3runs", "2.5runs", "%", "30%4h", f"{'9' * 400}%"],
)
def test_other_forms_are_told(text: str) -> None:
    with pytest.raises(RelevanceError, match=r"`budget` should be"):
        Amount.of(text)


def test_an_unknown_aim_is_told_with_those_there_are() -> None:
    with pytest.raises(RelevanceError, match="Did you mean 'groups'"):
        Budget.of("30%", "group")
