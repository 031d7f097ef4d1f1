"""Runs of a study of groups: every task alone, and every group together."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relevance.studies.rounds import AllAtOnce
from relevance.studies.runs import TrainingRun

if TYPE_CHECKING:
    from relevance.studies.study import Study


@dataclass(frozen=True)
class GroupRuns(AllAtOnce):
    """All single runs of a study, and each group of two tasks or more with each joint seed.

    Attributes:
        groups: Names of the tasks of every group; two groups of the same tasks are one run.
    """

    groups: tuple[frozenset[str], ...]

    def runs(self, study: "Study") -> tuple[TrainingRun, ...]:
        """Single runs, and each group with each seed."""
        joint = [self.run(study, group, seed) for seed in study.seeds for group in self.together]
        return (*study.single_runs(), *joint)

    @property
    def together(self) -> tuple[frozenset[str], ...]:
        """The different groups that have something to train together."""
        return tuple(dict.fromkeys(group for group in self.groups if len(group) > 1))

    @staticmethod
    def run(study: "Study", group: frozenset[str], seed: int) -> TrainingRun:
        """The run of a group with a seed."""
        return study.training(seed, *(task for task in study.tasks if task.name in group))
