"""What happens between steps of pre-training: scores on dev, and freezing for good."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from hmnet.precision import Precision
from hmnet.pretraining.model import PretrainingModel
from hmnet.pretraining.source import PretrainingSource
from hmnet.training.hooks.hook import Hook
from hmnet.training.record import Evaluation
from hmnet.training.state import TrainingState, Update

PATIENCE = 2


@dataclass(frozen=True)
class DevScores(Hook):
    """Scores a model on what is held out.

    Attributes:
        source: Has it.
        precision: Precision of the forward pass.
        tell: Told about every evaluation.
    """

    source: PretrainingSource
    precision: Precision
    tell: Callable[[Evaluation], None]

    def epoch(self, state: TrainingState) -> None:
        """Score it, the random numbers of training left alone."""
        number = state.ended_epoch
        if number is None:
            return
        with state.paused():
            model = cast("PretrainingModel", state.model)
            if scores := self.source.dev_scores(model, self.precision):
                found = Evaluation(epoch=number, step=state.step, scores=scores)
                state.evaluations = (*state.evaluations, found)
                self.tell(found)


@dataclass(frozen=True)
class Freezing(Hook):
    """Freezes what next sentence prediction reads, and its classifier.

    Attributes:
        at: After this step; None where scores on dev decide, which must have been made before.
    """

    at: int | None = None

    @contextmanager
    def around(self, state: TrainingState) -> Iterator[None]:
        """Freeze again what was frozen before a resumed run."""
        self._freeze_if_due(state)
        yield

    def step(self, state: TrainingState, update: Update) -> None:  # noqa: ARG002
        """Freeze after the step that was given."""
        if self.at == state.step:
            self._freeze_if_due(state)

    def epoch(self, state: TrainingState) -> None:
        """Freeze where dev says so."""
        self._freeze_if_due(state)

    def _freeze_if_due(self, state: TrainingState) -> None:
        model = cast("PretrainingModel", state.model)
        if not model.frozen and frozen_at(self.at, state.step, state.evaluations) is not None:
            model.freeze()


def frozen_at(at: int | None, step: int, evaluations: Sequence[Evaluation]) -> int | None:
    """The step after which a model is frozen.

    Args:
        at: Step that was given; None for the first evaluation by which the NSP loss on dev has not
            improved for two in a row.
        step: Steps done.
        evaluations: Scores up to now.

    Returns:
        The step; None where it is not frozen yet.

    >>> losses = (0.7, 0.6, 0.65, 0.6)
    >>> scored = [
    ...     Evaluation(epoch=n, step=10 * n, scores={"nsp_loss": loss})
    ...     for n, loss in enumerate(losses, start=1)
    ... ]
    >>> frozen_at(None, 40, scored), frozen_at(None, 30, scored[:3]), frozen_at(25, 30, scored)
    (40, None, 25)
    """
    if at is not None:
        return at if step >= at else None
    best, since = float("inf"), 0
    for evaluation in evaluations:
        loss = evaluation.scores["nsp_loss"]
        since = 0 if loss < best else since + 1
        best = min(best, loss)
        if since >= PATIENCE:
            return evaluation.step
    return None
