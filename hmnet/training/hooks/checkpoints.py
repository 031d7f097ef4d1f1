"""Checkpoints: what is needed to go on after a kill is kept now and then, and put back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from hmnet.training.checkpoint import (
    Kept,
    Position,
    find_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from hmnet.training.hooks.hook import Hook
from hmnet.training.ranks import Ranks
from hmnet.training.source import Source
from hmnet.training.state import Begun, TrainingState, Update
from hmnet.training.versions import changed_version
from relevance.errors import RelevanceError


class Checkpoints(Hook):
    """Keeps checkpoints of one part of a run.

    There is one at the end of every epoch but the last, one where training is interrupted, and in
    between one after so many seconds.

    Args:
        folder: Holds the newest.
        part: Number of the part; checkpoints of other parts are left alone.
        every_s: Seconds between two.
    """

    def __init__(self, folder: Path, part: int, every_s: float) -> None:
        self.folder, self.part, self.every_s = folder, part, every_s

    def resume(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        source: Source,
        kept: Kept,
        ranks: Ranks,
    ) -> Begun:
        """Put back what the newest checkpoint holds; called before training, in every process.

        Args:
            model: Model as before the first step; its weights are replaced.
            optimizer: Optimizer of its weights; its state is replaced.
            source: What is trained on.
            kept: Further content of checkpoints, filled anew.
            ranks: The processes that train together.

        Returns:
            Steps done before; none where there is no checkpoint of this part.

        Raises:
            RelevanceError: If the checkpoint is damaged, from other data or from another version of
                what decides the steps.
        """
        self._kept, self._versions, self._data = kept, source.versions, source.fingerprint
        found = ranks.agree(lambda: find_checkpoint(self.folder))
        begun = Begun()
        if found is not None and found[1].part == self.part:
            folder, position = found
            self._check(folder, position)
            load_checkpoint(folder, model, optimizer, kept)
            begun = Begun(position.step, position.record)
        # After the last step the main process takes the checkpoint away, which others may still
        # read.
        ranks.wait()
        return begun

    def _check(self, folder: Path, position: Position) -> None:
        if position.data != self._data:
            raise RelevanceError(
                f"{folder} was written with other training data than there is now."
                " Put the data back, or train anew with another `out`."
            )
        if other := changed_version(position.record.versions, self._versions):
            raise RelevanceError(
                f"{self.folder.parent} was begun by {other}. Train anew with another `out`."
            )

    @contextmanager
    def around(self, state: TrainingState) -> Iterator[None]:
        """Begin the clock."""
        self._saved_at = time.monotonic()
        yield

    def step(self, state: TrainingState, update: Update) -> None:
        """Keep a checkpoint amid an epoch, if it is due."""
        if state.ended_epoch is None and self._is_due(state):
            self._save(state)

    def epoch(self, state: TrainingState) -> None:
        """Keep a checkpoint, but for the last step's, whose model is kept right after."""
        if state.step < state.total or self._is_due(state):
            self._save(state)

    def _is_due(self, state: TrainingState) -> bool:
        return state.interrupted or time.monotonic() - self._saved_at >= self.every_s

    def _save(self, state: TrainingState) -> None:
        if not state.ranks.is_main:
            return
        with state.paused() as record:
            record = record.model_copy(update={"versions": dict(self._versions)})
            position = Position(self.part, state.step, self._data, record)
            save_checkpoint(self.folder, state.model, state.optimizer, position, self._kept)
        self._saved_at = time.monotonic()
