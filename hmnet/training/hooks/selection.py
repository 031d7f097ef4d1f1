"""Selection of the epoch whose weights are kept, and early stopping: by the mean over all tasks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor

from hmnet.models.multitask import MultiTaskModel
from hmnet.training.hooks.hook import Hook
from hmnet.training.record import Evaluation, Record, best_epoch
from hmnet.training.state import TrainingState


@dataclass(frozen=True)
class Selection(Hook):
    """Scores a model after every epoch, and goes by the scores.

    Epochs before the first by which all tasks were trained are passed over.

    Attributes:
        score: Gives each task's primary metric; must leave the model, and torch's random numbers,
            as they were.
        patience: Epochs in a row without a gain after which training stops; None to go on to the
            last.
        keep_best: Whether the weights of the best epoch are put back in the end.
        best: Weights of the best epoch by name, without frozen ones. Checkpoints hold them.
    """

    score: Callable[[MultiTaskModel], dict[str, float]]
    patience: int | None = None
    keep_best: bool = False
    best: dict[str, Tensor] = field(default_factory=dict)

    @contextmanager
    def around(self, state: TrainingState) -> Iterator[None]:
        """Train no further where the epochs before a resumed run decide so."""
        state.over = self.is_over(state.evaluations)
        yield

    def epoch(self, state: TrainingState) -> None:
        """Score the model, and set its weights aside if they are the best."""
        number = state.ended_epoch
        if number is None or number < state.first_with_all:
            return
        with state.paused():
            model = cast("MultiTaskModel", state.model)
            scored = Evaluation(epoch=number, step=state.step, scores=self.score(model))
            state.evaluations = (*state.evaluations, scored)
            if self.keep_best and best_epoch(state.evaluations) == number:
                for name, weight in state.model.named_parameters():
                    if weight.requires_grad:
                        self.best[name] = weight.detach().clone()
        state.over = self.is_over(state.evaluations)

    def is_over(self, scored: Sequence[Evaluation]) -> bool:
        """Whether there was no gain for so long that training stops.

        Args:
            scored: Scores by epoch, in their order.

        Returns:
            True if the last `patience` of them are no better than the best before.
        """
        if self.patience is None or not scored:
            return False
        epochs = [evaluation.epoch for evaluation in scored]
        return len(epochs) - 1 - epochs.index(best_epoch(scored)) >= self.patience

    def summary(self, record: Record, last_epoch: int) -> str:
        """The outcome in one line.

        Args:
            record: Record of the whole training, with evaluations.
            last_epoch: The one that it was to end with.

        Returns:
            The best epoch, the one that is kept, and each task's own best.
        """
        ended, best = record.evaluations[-1].epoch, record.best_epoch
        mean = next(one.mean for one in record.evaluations if one.epoch == best)
        early = "" if ended == last_epoch else f"stopped after epoch {ended} of {last_epoch}; "
        tasks = [
            f"{task} {100 * found.score:.1f} in epoch {found.epoch}"
            for task, found in record.best_by_task.items()
        ]
        return (
            f"{early}dev was best in epoch {best}, with a mean of {100 * mean:.1f}; epoch"
            f" {best if self.keep_best else ended} is kept. Best by task: {', '.join(tasks)}."
        )

    def end(self, state: TrainingState) -> None:
        """Put the weights of the best epoch back, where they are to be kept."""
        if self.keep_best:
            weights = dict(state.model.named_parameters())
            with torch.no_grad():
                for name, weight in self.best.items():
                    weights[name].copy_(weight)
