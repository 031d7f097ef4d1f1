"""A metric and a normalisation are checked where they are put together."""

import numpy as np
import pytest

from relevance.errors import RelevanceError
from relevance.gains.gain_choice import METRICS, NORMALISATIONS, PAPERS_CHOICE, GainChoice


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (("f1", "relative"), "Unknown metric 'f1'. Known: gain, loss, primary."),
        (
            ("gain", "relativ"),
            (
                "Unknown normalisation 'relativ'. Did you mean 'relative'?"
                " Known: absolute, error, relative."
            ),
        ),
        (
            ("loss", "absolute"),
            (
                'Losses of different tasks have different scales, so `metric="loss"` goes with'
                ' `normalise="relative"`, not absolute.'
            ),
        ),
    ],
)
def test_what_no_gains_can_be_made_of_is_refused(chosen: tuple[str, str], message: str) -> None:
    with pytest.raises(RelevanceError) as error:
        GainChoice(*chosen)
    assert str(error.value) == message


def test_the_papers_choice_is_the_default() -> None:
    assert GainChoice() == PAPERS_CHOICE == GainChoice(METRICS[0], NORMALISATIONS[0])


@pytest.mark.parametrize(
    ("choice", "divisors"),
    [
        (GainChoice(), [0.25, np.nan, 1.5]),
        (GainChoice("primary", "absolute"), [1, 1, 1]),
        (GainChoice("gain", "error"), [0.75, 1.5, np.nan]),
        (GainChoice("loss", "error"), [0.25, np.nan, 1.5]),
    ],
)
def test_what_a_change_is_divided_by(choice: GainChoice, divisors: list[float]) -> None:
    np.testing.assert_array_equal(choice.divisor(np.array([0.25, -0.5, 1.5])), divisors)
