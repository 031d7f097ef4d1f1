"""Settings of joint-training gains, and the defaults and the paper's choice of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from relevance.choice import InHelp

METRICS = ("gain", "primary", "loss")
"""Scores to make gains of: the mean of a task's gain metrics, its primary metric, its loss."""

NORMALISATIONS = ("relative", "absolute", "error")


@dataclass(frozen=True, kw_only=True)
class GainSettings:
    """What gains are made of, and what they are measured on."""

    metric: Annotated[
        str,
        Field(description="gains of the mean of a task's gain metrics, its primary one, or loss"),
        InHelp(choices=METRICS),
    ] = "gain"
    normalise: Annotated[
        str,
        Field(
            description="what a gain is divided by: relative: the single score, eq. 4; absolute:"
            " nothing, in points; error: the error that is left to remove"
        ),
        InHelp(choices=NORMALISATIONS),
    ] = "relative"
    gain_split: Annotated[
        Literal["holdout", "dev"],
        Field(description="score on a hold-out of the training rows, or on dev as in the paper"),
    ] = "holdout"
    single_seeds: Annotated[
        int | None,
        Field(ge=1, description="seeds of the single runs"),
        InHelp("N", "3 per joint seed"),
    ] = None
    drop_overlap: Annotated[
        bool,
        Field(description="leave out training rows that hold a text which a partner is scored on"),
    ] = False


@dataclass(frozen=True)
class Protocol:
    """Choices that decide how reliable gains are for their cost.

    Attributes:
        metric: Name in `relevance.gains.gain_choice.METRICS`.
        gain_split: Split that is scored: `holdout`, taken from the training rows, or `dev`.
        baselines: Number of single runs of each task to every joint seed.
    """

    metric: str
    gain_split: Literal["holdout", "dev"]
    baselines: int

    def single_seeds(self, seeds: Sequence[int]) -> int:
        """Number of seeds of single runs, given the seeds of joint runs."""
        return self.baselines * len(seeds)


RELIABLE = Protocol(metric="gain", gain_split="holdout", baselines=3)
"""The metric is the paper's. Which one agrees best between seeds depends on the study: of six
converged tasks losses do (benchmarks/RESULTS.md, "Six tasks with MiniLM"). Within targets one
baseline would do as well; three take noise out of the sign of a column's gains."""

PAPER = Protocol(metric="gain", gain_split="dev", baselines=1)
"""Fei et al. (2022), section 3.2: one single run, scored with the tasks' metrics on dev."""
