"""Runs of a study that are chosen in rounds, each by what the rounds before it gave."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from relevance.gains.gain_choice import GainChoice
from relevance.studies.runs import FinishedRun, TrainingRun

if TYPE_CHECKING:
    from relevance.studies.study import Study


@runtime_checkable
class Rounds(Protocol):
    """A way to choose the runs of a study.

    It goes by what it is handed alone, so that a study that is stopped asks for the same runs
    again, and several processes on one cache folder ask for the same ones.
    """

    def next(
        self,
        study: "Study",
        asked: Sequence[TrainingRun],
        finished: Mapping[str, FinishedRun],
    ) -> Sequence[TrainingRun]:
        """Choose the runs of the next round.

        Args:
            study: The study.
            asked: Runs of the rounds before, in the order in which they were asked for.
            finished: Those of them that are finished, by name; the others have failed.

        Returns:
            Further runs; none, and the study is done.
        """

    def later(
        self,
        study: "Study",
        asked: Sequence[TrainingRun],
        finished: Mapping[str, FinishedRun],
    ) -> int:
        """Number of runs that later rounds will ask for, as far as it can be told by now."""


@runtime_checkable
class Budgeted(Protocol):
    """What makes rounds for a study; see `relevance.budget`."""

    def check(self, tasks: int) -> None:
        """Refuse a study of too many tasks."""

    def rounds(self, choice: GainChoice, workers: int) -> Rounds:
        """Rounds that go by gains of a choice, on some workers."""


class AllAtOnce:
    """Runs that are known beforehand, in one round: every run of the study."""

    def next(
        self,
        study: "Study",
        asked: Sequence[TrainingRun],
        finished: Mapping[str, FinishedRun],
    ) -> Sequence[TrainingRun]:
        """All runs the first time, none after it."""
        del finished
        return () if asked else self.runs(study)

    def later(
        self,
        study: "Study",
        asked: Sequence[TrainingRun],
        finished: Mapping[str, FinishedRun],
    ) -> int:
        """There are none."""
        del study, asked, finished
        return 0

    def runs(self, study: "Study") -> tuple[TrainingRun, ...]:
        """The runs of the one round."""
        return tuple(study.all_runs())


class Progressing:
    """A study on its way through the rounds.

    Args:
        study: The study.
        rounds: How its runs are chosen.

    Attributes:
        asked: Runs of all rounds so far by name.
        finished: Those of them that are finished.
    """

    def __init__(self, study: "Study", rounds: Rounds) -> None:
        self._study, self._rounds = study, rounds
        self.asked: dict[str, TrainingRun] = {}
        self.finished: dict[str, FinishedRun] = {}
        self._ended = False

    def advance(self) -> list[TrainingRun]:
        """Ask for rounds up to the first one in which a run is missing.

        Returns:
            The runs of these rounds; none where there is nothing more to do.
        """
        found: list[TrainingRun] = []
        self.look()
        while chosen := self._rounds.next(self._study, tuple(self.asked.values()), self.finished):
            found += chosen
            self.asked |= {run.name: run for run in chosen}
            self.look()
            if not all(run.name in self.finished for run in chosen):
                break
        self._ended = not chosen
        return found

    def look(self) -> None:
        """Read the runs that have been finished since."""
        for name, run in self.asked.items():
            if name not in self.finished:
                done = run.finished(self._study.store)
                if done is not None:
                    self.finished[name] = done

    @property
    def later(self) -> int:
        """Number of runs that later rounds will ask for; 0 where the last one asked for none."""
        if self._ended:
            return 0
        return self._rounds.later(self._study, tuple(self.asked.values()), self.finished)
