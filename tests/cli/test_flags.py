"""Settings that a text names become options of the command that runs."""

import pytest

from cli.flags import in_flags, options_of, runs
from commands import refused

OWN = {"max_train": ("--max-train", ""), "amsgrad": ("--amsgrad", "--no-amsgrad")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Leave out `max_train`.", "Leave out --max-train."),
        ('Take `normalise="absolute"`, not `metric="loss"`.', None),
        ("`length_grouped=True`", "--length-grouped"),
        ("`length_grouped=False`", "--no-length-grouped"),
        ("`seeds=(0, 1, 2)`; `layers=(1, 0, 1)`", "--seeds 0,1,2; --layers 1,0,1"),
        ('`tasks=["RTE", "CB"]`', "--tasks RTE,CB"),
        ("`freeze='50%'`, `lr=1e-3`, `k=N`", "--freeze 50%, --lr 1e-3, --k N"),
        ("`label='my tab'`", "--label 'my tab'"),
        (r"\`allow\_different=True\` in Markdown", "--allow-different in Markdown"),
        ("`hmnet curves`, `f1`, `demo` and `nothing=3` stay", "`hmnet curves`, `f1`, `demo` and"),
    ],
)
def test_what_a_setting_is_called(text: str, expected: str | None) -> None:
    expected = expected or "Take --normalise absolute, not --metric loss."
    assert in_flags(text).startswith(expected)


def test_the_options_that_are_given_are_all_there_are() -> None:
    assert (
        in_flags("`max_train`, `amsgrad=False`, `lr=1`", OWN) == "--max-train, --no-amsgrad, `lr=1`"
    )
    assert options_of(()) == {}


def test_an_error_names_options_of_the_command_that_runs() -> None:
    message = refused("relevance", "pairwise", "--metric", "loss", "--normalise", "absolute")
    assert message.endswith("so --metric loss goes with --normalise relative, not absolute.")


def test_advice_to_run_another_command_names_the_options_of_that() -> None:
    runs({})
    assert in_flags("Train with another `max_length`.") == "Train with another --max-length."
