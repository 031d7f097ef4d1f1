"""All scores of a study of single and joint training, as one value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StudyScores:
    """Scores of every run of a study.

    Attributes:
        tasks: Names, in the order in which tables hold them.
        seeds: Seeds of the joint runs.
        single: Scores of single-task training for each metric, [single_seed][task]; the seeds of
            joint runs come first.
        joint: Scores of the targets in joint runs for each metric, [seed][source][target].
        majority: Scores of the majority class for each metric, [task]; None if unknown.
    """

    tasks: Sequence[str]
    seeds: Sequence[int]
    single: Mapping[str, Any]
    joint: Mapping[str, Any]
    majority: Mapping[str, Any] | None = None
