"""Defaults for measuring joint-training gains."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


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
