"""Scores and gains of a study while it is under way, for whoever looks on."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from relevance.gains.formulas import gains, scores
from relevance.gains.gain_choice import GainChoice
from relevance.studies.runs import FinishedRun, TrainingRun


class ComingGains:
    """Tells the score of every run as it ends, and a gain as soon as it is what it will be.

    A gain is told once all single runs of its target and the joint run are there, since the
    baseline is the mean over the single runs; from then on it is that of the finished matrix for
    this seed. With a single run per task the matrix may still leave it undefined, by the noise of
    the evaluation.

    Args:
        choice: Metric and normalisation of the gains.
        single_seeds: Seeds of the single runs of each task.
        tell: Function that takes values by name, and the number of runs that have ended.
    """

    def __init__(
        self,
        choice: GainChoice,
        single_seeds: Sequence[int],
        tell: Callable[[Mapping[str, float], int], None],
    ) -> None:
        self._choice, self._seeds, self._tell = choice, tuple(single_seeds), tell
        self._single: dict[str, dict[int, float]] = {}
        self._waiting: dict[str, list[tuple[str, int, float]]] = {}  # by target
        self._ended = 0

    def __call__(self, run: TrainingRun, finished: FinishedRun) -> None:
        """Take a run that has ended.

        Args:
            run: The run, of one task or two; of more it has scores alone.
            finished: Its results.
        """
        self._ended += 1
        values: dict[str, float] = {}
        for task in run.tasks:
            score = scores(task, finished.results[task.name])[self._choice.metric]
            others = [each.name for each in run.tasks if each is not task]
            beside = f"with {' & '.join(others)}" if others else "alone"
            what = "loss" if self._choice.metric == "loss" else "score"
            values[f"{what}/{task.name} {beside}"] = score
            if not others:
                self._single.setdefault(task.name, {})[run.seed] = score
            elif len(others) == 1:
                self._waiting.setdefault(task.name, []).append((others[0], run.seed, score))
        for task in run.tasks:
            values |= self._settled(task.name)
        self._tell(values, self._ended)

    def _settled(self, target: str) -> dict[str, float]:
        """Gains of a target that nothing will change any more, each once."""
        alone = self._single.get(target, {})
        if not set(self._seeds) <= alone.keys():
            return {}
        baseline = np.array([[alone[seed]] for seed in self._seeds])
        found = {}
        for source, seed, score in self._waiting.pop(target, []):
            # one target beside two sources, as the diagonal of a matrix is no gain
            per_seed, _ = gains(
                np.hstack([baseline, baseline]), np.full((1, 2, 2), score), self._choice
            )
            if np.isfinite(value := float(per_seed[0, 0, 1])):
                found[f"gain/{target} from {source}, seed {seed}"] = value
        return found
