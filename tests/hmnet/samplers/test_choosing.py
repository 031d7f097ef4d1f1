"""Samplers as a user names them."""

import pytest

from hmnet.samplers.sampler import samplers
from hmnet.samplers.temperature import Temperature
from hmnet.settings.config import RunConfig, TrainingSettings
from relevance.choice import choose
from relevance.errors import RelevanceError

KNOWN = ", ".join(samplers.names())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("paked", f"Unknown sampler 'paked'. Did you mean 'packed'? Known: {KNOWN}."),
        (
            "packed:cap=3",
            "sampler 'packed' takes no parameters, got 'cap=3'. Leave them out.",
        ),
        (
            "temperature:temprature=3",
            (
                "sampler 'temperature': Unknown field 'temprature'. Did you mean 'temperature'?"
                " Known: cap, temperature."
            ),
        ),
        (
            "temperature:temperature=0",
            "sampler 'temperature': temperature: Input should be greater than 0, got '0'.",
        ),
        (
            "temperature:5",
            "sampler 'temperature': '5' is not of the form parameter=value.",
        ),
        ("temperature:cap=3,cap=4", "sampler 'temperature': cap is given twice. Give it once."),
        (
            "round-robin:stopping_strategy=last",
            (
                "sampler 'round-robin': stopping_strategy: Input should be 'first_exhausted' or"
                " 'all_exhausted', got 'last'."
            ),
        ),
    ],
)
def test_a_wrong_name_or_parameter_is_one_line(text: str, message: str) -> None:
    with pytest.raises(RelevanceError) as error:
        RunConfig(tasks=("RTE",), sampler=text)
    assert str(error.value) == message


def test_parameters_reach_the_sampler() -> None:
    sampler = choose(samplers, "temperature:cap=20,temperature=5").build({}, epochs=1, seed=0)
    assert isinstance(sampler, Temperature)
    assert (sampler.temperature, sampler.cap) == (5.0, 20)


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("packed", "packed"),
        ("packed:", "packed"),
        ("temperature:temperature=2", "temperature"),
        ("temperature: cap = 20, temperature = 5", "temperature:temperature=5.0,cap=20"),
        ("adaptive-round-robin:stopping-strategy=all_exhausted,r=2", "adaptive-round-robin:r=2"),
    ],
)
def test_texts_that_mean_the_same_are_one_setting(text: str, settled: str) -> None:
    assert str(TrainingSettings(sampler=text).sampler) == settled
