"""The metric and the normalisation of gains."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError, unknown_name
from relevance.gains.protocol import METRICS as METRICS
from relevance.gains.protocol import NORMALISATIONS as NORMALISATIONS

Scores: TypeAlias = Float[np.ndarray, "..."]


@dataclass(frozen=True)
class GainChoice:
    """A metric and a normalisation that go together.

    Attributes:
        metric: Name in `METRICS`; higher is better, except for `loss`.
        normalise: `relative` for (f_joint - f_single) / f_single; `absolute` for points,
            f_joint - f_single; `error` for the share of the remaining error that is removed,
            (f_joint - f_single) / (1 - f_single). The relative reduction of a loss is both
            `relative` and `error`.

    Raises:
        RelevanceError: If either is unknown, or losses are to be subtracted.
    """

    metric: str = "gain"
    normalise: str = "relative"

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise unknown_name("metric", self.metric, METRICS)
        if self.normalise not in NORMALISATIONS:
            raise unknown_name("normalisation", self.normalise, NORMALISATIONS)
        if self.metric == "loss" and self.normalise == "absolute":
            raise RelevanceError(
                'Losses of different tasks have different scales, so `metric="loss"` goes with'
                ' `normalise="relative"`, not absolute.'
            )

    @property
    def of_error(self) -> bool:
        """Whether scores count by the error that they leave."""
        return self.normalise == "error" and self.metric != "loss"

    def whole(self, scores: Scores) -> Scores:
        """The quantity that relative changes refer to: the score (or loss), or the error left."""
        return 1 - scores if self.of_error else scores

    def divisor(self, baseline: Scores) -> Scores:
        """The divisor of a change: 1 for points, else the whole; NaN where that is not above 0."""
        if self.normalise == "absolute":
            return np.ones_like(baseline)
        # A ratio to a negative score would turn the sign of the gain round.
        divided_by = self.whole(baseline)
        return np.where(divided_by > 0, divided_by, np.nan)


PAPERS_CHOICE = GainChoice()
"""Relative gains of the mean of the gain metrics, as Fei et al. (2022) have them."""
