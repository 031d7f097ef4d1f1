"""Settings of joint-training gains, with the paper's choice of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from relevance.choice import InHelp

METRICS = ("gain", "primary", "loss")
"""Scores to make gains of: the mean of a task's gain metrics, its primary metric, its loss."""

NORMALISATIONS = ("relative", "absolute", "error")


@dataclass(frozen=True, kw_only=True)
class GainSettings:
    """What gains are made of, and what they are measured on.

    The default metric is the paper's. Which one agrees best between seeds depends on the study: of
    six converged tasks losses do (benchmarks/RESULTS.md, "Six tasks with MiniLM"). Within targets
    one single run per joint seed would do as well; three take noise out of the sign of a column's
    gains.
    """

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

    @classmethod
    def of(
        cls, given: Mapping[str, Any], seeds: Sequence[int], *, paper: bool = False
    ) -> "GainSettings":
        """Settings of a study, of which some are given.

        Args:
            given: Values by field; they win.
            seeds: Seeds of joint runs.
            paper: Whether the others are the paper's, and not the defaults.

        Returns:
            The settings.

        Source:
            Fei et al. (2022), section 3.2: one single run, scored with the tasks' metrics on dev.
        """
        others = {"gain_split": "dev", "single_seeds": len(seeds)} if paper else {}
        return cls(**{**others, **given})
