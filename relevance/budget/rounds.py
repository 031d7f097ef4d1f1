"""A study within a budget: single runs first, then rounds of joint runs chosen by what came out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import ceil

import numpy as np
from jaxtyping import Float

from relevance.budget.amount import Amount
from relevance.budget.choice import AIMS, balanced, choose
from relevance.budget.state import Candidates
from relevance.errors import RelevanceError, unknown_name
from relevance.gains.baselines import undefined
from relevance.gains.formulas import gain
from relevance.gains.gain_choice import GainChoice
from relevance.posterior.fit import Repeats, fit
from relevance.studies.plan import task_costs
from relevance.studies.runs import FinishedRun, TrainingRun
from relevance.studies.study import Study

Pair = tuple[int, int]
Finished = Mapping[str, FinishedRun]

MOST_MODELLED = 60
"""The joint distribution of the cells of more tasks does not fit into memory: their runs are spread
evenly over tasks, whatever they are for."""
MOST_TASKS = 200


@dataclass(frozen=True)
class Budget:
    """What joint runs of a study may cost, and what they are for.

    Attributes:
        amount: How much joint training there may be; single runs come on top.
        aim: One of `relevance.budget.choice.AIMS`.
    """

    amount: Amount
    aim: str = "gains"

    def __post_init__(self) -> None:
        if self.aim not in AIMS:
            raise unknown_name("aim of a budget", self.aim, AIMS)

    @classmethod
    def of(cls, text: str, aim: str = "gains") -> "Budget":
        """A budget as users write it.

        Args:
            text: Such as `30%`, `4h` or `200runs`.
            aim: One of `relevance.budget.choice.AIMS`.

        Returns:
            The budget.

        Raises:
            RelevanceError: If the amount is nothing or has another form, or the aim is unknown.
        """
        return cls(Amount.of(text), aim)

    def __str__(self) -> str:
        return f"{self.amount} for {self.aim}"

    def check(self, tasks: int) -> None:
        """Refuse a study that is too large, before its data are read.

        Args:
            tasks: Number of its tasks.

        Raises:
            RelevanceError: If there are more than `MOST_TASKS`.
        """
        if tasks > MOST_TASKS:
            raise RelevanceError(
                f"A budget is spent on pairs of at most {MOST_TASKS} tasks, got {tasks}. Leave out"
                " `budget`, or measure fewer tasks."
            )

    def rounds(self, choice: GainChoice, workers: int) -> "BudgetedRounds":
        """The rounds of a study with this budget.

        Args:
            choice: Metric and normalisation of the gains.
            workers: Number of runs at a time; hours are those of all workers.

        Returns:
            Rounds that go by gains measured so far.
        """
        return BudgetedRounds(self, choice, workers)


@dataclass(frozen=True)
class BudgetedRounds:
    """Single runs, then rounds of joint runs that fit into a budget.

    Attributes:
        budget: How much, and what for.
        choice: Metric and normalisation of the gains.
        workers: Number of runs at a time.
    """

    budget: Budget
    choice: GainChoice
    workers: int = 1

    def next(
        self, study: Study, asked: Sequence[TrainingRun], finished: Finished
    ) -> Sequence[TrainingRun]:
        """All single runs the first time, then joint ones as long as there are any to pay for.

        Args:
            study: The study.
            asked: Runs of the rounds before.
            finished: Those of them that did not fail.

        Returns:
            Runs of the next round.

        Raises:
            RelevanceError: If the study has more than `MOST_TASKS` tasks.
        """
        self.budget.check(len(study.tasks))
        if not asked:
            return tuple(study.single_runs())
        joint = [run for run in asked if len(run.tasks) > 1]
        runs = self.budget.amount.runs(len(study.tasks))
        if runs is not None and len(joint) >= runs:
            return ()
        if runs is not None:
            return self._round(study, joint, finished)[: runs - len(joint)]
        # Hours may have ended within a round: what is left of it comes first.
        start = round_start(len(study.tasks), len(joint))
        whole, part = self._round(study, joint[:start], finished), joint[start:]
        again = [run.name for run in whole[: len(part)]] == [run.name for run in part]
        goes_on = again and len(whole) > len(part)
        left = whole[len(part) :] if goes_on else self._round(study, joint, finished)
        return left[: self._paid(study, left, joint, finished)]

    def _round(
        self, study: Study, joint: Sequence[TrainingRun], finished: Finished
    ) -> list[TrainingRun]:
        """The whole round that comes after some joint runs, whatever else is finished."""
        before = {run.name for run in (*study.single_runs(), *joint)}
        finished = {name: run for name, run in finished.items() if name in before}
        pairs = list(combinations(range(len(study.tasks)), 2))
        used = Counter(_places(study, run) for run in joint)
        by_run = self.budget.amount.runs(len(study.tasks)) is not None
        candidates = Candidates(
            np.array([_cells(pair, len(study.tasks)) for pair in pairs]).reshape(-1, 2),
            np.array([len(study.seeds) - used[pair] for pair in pairs], dtype=int),
            np.array([used[pair] for pair in pairs], dtype=int),
            np.ones(len(pairs)) if by_run else _seconds(study, joint, finished, pairs),
        )
        size = round_size(len(study.tasks), len(joint))
        found = []
        for place in self._chosen(study, finished, candidates, size):
            pair = pairs[place]
            found.append(study.training(study.seeds[used[pair]], *(study.tasks[t] for t in pair)))
            used[pair] += 1
        return found

    def later(self, study: Study, asked: Sequence[TrainingRun], finished: Finished) -> int:
        """Number of runs that the budget pays for beyond those asked for.

        Args:
            study: The study.
            asked: Runs of the rounds so far.
            finished: Those of them that are finished.

        Returns:
            The number; of hours an estimate, 0 while nothing tells how long a run takes.
        """
        joint = [run for run in asked if len(run.tasks) > 1]
        pairs = list(combinations(range(len(study.tasks)), 2))
        most = len(pairs) * len(study.seeds)
        runs = self.budget.amount.runs(len(study.tasks))
        if runs is None:
            if not finished or not pairs:
                return 0
            of_pairs = _seconds(study, joint, finished, pairs)
            costs = dict(zip(pairs, of_pairs.tolist(), strict=True))
            spent = sum(
                finished[run.name].seconds if run.name in finished else costs[_places(study, run)]
                for run in joint
            )
            left = (self.budget.amount.seconds or 0.0) * self.workers - spent
            runs = len(joint) + max(0, int(left / max(of_pairs.mean(), 1e-9)))
        return max(min(runs, most) - len(joint), 0)

    def _chosen(
        self, study: Study, finished: Finished, candidates: Candidates, size: int
    ) -> list[int]:
        """Numbers of pairs: balanced ones while too little is known, then what the model asks."""
        if size < 1 or not candidates.left.any():
            return []
        shape = (len(study.tasks), len(study.tasks))
        if len(study.tasks) > MOST_MODELLED:
            least = candidates.made == candidates.made[candidates.left > 0].min()
            fresh = replace(candidates, left=np.where(least, candidates.left, 0))
            return balanced(fresh, shape, size)
        values, repeats = _evidence(study, finished, self.choice)
        if np.isfinite(values).any(axis=0).sum() < 2:
            return balanced(candidates, shape, size)
        return choose(fit(values, repeats=repeats), candidates, size, self.budget.aim)

    def _paid(
        self,
        study: Study,
        chosen: Sequence[TrainingRun],
        joint: Sequence[TrainingRun],
        finished: Finished,
    ) -> int:
        """Number of the chosen runs, in their order, that the hours left allow."""
        expected = _seconds(study, joint, finished, [_places(study, run) for run in chosen])
        spent = sum(finished[run.name].seconds for run in joint if run.name in finished)
        left = (self.budget.amount.seconds or 0.0) * self.workers - spent
        return int((np.cumsum(expected) <= left).sum())


def round_size(tasks: int, asked: int) -> int:
    """Number of joint runs of the next round.

    It hangs on neither the budget nor the workers, so that a smaller budget's runs are the first of
    a larger one's, on any machine.

    Args:
        tasks: Number of tasks.
        asked: Number of joint runs of the rounds before.

    Returns:
        As many as there are tasks in the first round, then half of that or, where more is known by
        then, a quarter of the runs so far.

    >>> round_size(13, 0), round_size(13, 13), round_size(13, 60)
    (13, 7, 15)
    """
    return tasks if not asked else max(ceil(tasks / 2), asked // 4)


def round_start(tasks: int, asked: int) -> int:
    """Number of joint runs of whole rounds, the last of which may have been asked for in part.

    Args:
        tasks: Number of tasks.
        asked: Number of joint runs asked for.

    Returns:
        The number of those that no unfinished round asked for, if every round was of full size.

    >>> round_start(13, 12), round_start(13, 13), round_start(13, 25)
    (0, 13, 20)
    """
    start = 0
    while (end := start + round_size(tasks, start)) <= asked:
        start = end
    return start


def _places(study: Study, run: TrainingRun) -> Pair:
    """Numbers of a joint run's tasks in the study, the lower one first."""
    names = [task.name for task in study.tasks]
    first, second = sorted(names.index(task.name) for task in run.tasks)
    return first, second


def _cells(pair: Pair, tasks: int) -> tuple[int, int]:
    """Both directions of a pair, as numbers source by source."""
    first, second = pair
    return first * tasks + second, second * tasks + first


def _seconds(
    study: Study, joint: Sequence[TrainingRun], finished: Finished, pairs: Sequence[Pair]
) -> Float[np.ndarray, " pair"]:
    """Expected seconds of every pair: those of both tasks alone, at the pace of joint runs so far.

    Without any finished run, in the unit of the study's own costs.
    """
    single = {name: run for name, run in finished.items() if len(run.results) == 1}
    costs = task_costs(tuple(study.single_runs()), single, study.costs)
    alone = np.array([costs[task.name] for task in study.tasks])
    expected = {run.name: alone[list(_places(study, run))].sum() for run in joint}
    done = [name for name in expected if name in finished]
    took, planned = (
        sum(f(name) for name in done)
        for f in (lambda name: finished[name].seconds, lambda name: expected[name])
    )
    pace = took / planned if planned else 1.0
    return np.array([alone[list(pair)].sum() for pair in pairs]) * pace


def _evidence(
    study: Study, finished: Finished, choice: GainChoice
) -> tuple[Float[np.ndarray, "seed source target"], Repeats]:
    """Gains measured so far, NaN elsewhere, and what repeated single runs tell of their noise."""
    single, joint = (by_metric[choice.metric] for by_metric in study.scores(finished))
    baseline = np.where(undefined(single, choice), np.nan, single.mean(axis=0))
    alone = gain(single, baseline, choice)
    known = np.isfinite(alone).all(axis=0)
    squares = np.where(known, ((alone - alone.mean(axis=0)) ** 2).sum(axis=0), 0.0)
    freedom = np.where(known, len(single) - 1.0, 0.0)
    return gain(joint, baseline, choice), Repeats(squares, freedom)
