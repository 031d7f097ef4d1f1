"""Log of a model's uncertainty of each task on the way, whatever the sampler: only for figures."""

from collections.abc import Sequence

import numpy as np

from hmnet.prepared import PreparedTask
from hmnet.samplers.sampler import CandidateScorer, SelectedStep, TaskBatch
from hmnet.samplers.uncertainty import has_uncertainty, uncertainty_of
from hmnet.training.hooks.hook import Hook
from hmnet.training.state import TrainingState

LOOKS = 50
STEPS_PER_TASK = 4


class UncertaintyLog(Hook):
    """Asks a model about the same rows of each task again and again while it is trained.

    It looks before the first step and the last, and in between about `LOOKS` times, but not more
    often than every `STEPS_PER_TASK` steps for each task that is asked: a look runs a batch of each
    forward. What is asked when depends on the number of the step alone, and no random number is
    drawn.

    Args:
        tasks: All that train together; those without an uncertainty are left out.
        rows: Number of rows of each task that are asked, spread evenly over its rows.

    Source:
        El Hattami (2021), figures 3.4 and 3.5, which show it for random sampling too.
    """

    def __init__(self, tasks: Sequence[PreparedTask], rows: int) -> None:
        together = [task.definition for task in tasks]
        data = {task.name: task.train.encoded for task in tasks}
        asked = [task for task in together if has_uncertainty(task, together)]
        self._measures = {t.name: uncertainty_of(t, together, data, "relevant") for t in asked}
        self._batches = {
            task.name: _spread(task.name, len(data[task.name]), rows) for task in asked
        }

    def select(
        self, state: TrainingState, selected: SelectedStep, ask: CandidateScorer
    ) -> SelectedStep:
        """Look at the model before a step, where the sampler has not asked it."""
        due = selected.uncertainty is None and self.is_due(state.step + 1, state.total)
        if not (due and state.ranks.is_main):
            return selected
        with state.paused():
            return selected._replace(uncertainty=self.look(ask))

    def is_due(self, step: int, total: int) -> bool:
        """Whether to look before a step.

        Args:
            step: Number of the step, from 1.
            total: Steps of the run.

        Returns:
            False throughout where no task has an uncertainty.
        """
        every = max(-(-total // LOOKS), STEPS_PER_TASK * len(self._measures))
        return bool(self._measures) and ((step - 1) % every == 0 or step == total)

    def look(self, ask: CandidateScorer) -> dict[str, float]:
        """Mean uncertainty of each task.

        Args:
            ask: The model as it is now.

        Returns:
            Ratios in [0, 1] by task; see `hmnet.samplers.uncertainty.Uncertainty`.
        """
        return {
            task: float(np.mean(measure(self._batches[task], ask)))
            for task, measure in self._measures.items()
        }


def _spread(task: str, size: int, rows: int) -> TaskBatch:
    """Some of a task's rows, as far apart as they can be: files may be sorted by label."""
    return TaskBatch(task, np.linspace(0, size - 1, min(rows, size)).round().astype(np.int64))
