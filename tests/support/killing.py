"""Training that is killed between two steps and gone on with."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from hmnet.models.multitask import MultiTaskModel
from hmnet.training.checkpoint import save_checkpoint
from hmnet.training.hooks.checkpoints import Checkpoints


class KilledError(Exception):
    """In the place of a signal."""


def killed_and_resumed(world: Any, folder: Path, **options: Any) -> MultiTaskModel:
    """Train as `world.fit(**options)` does, stopped after five checkpoints, one a step."""
    saved = []

    def save(*arguments: Any) -> None:
        save_checkpoint(*arguments)
        saved.append(1)
        if len(saved) == 5:
            raise KilledError

    kept = Checkpoints(folder / "checkpoint", 0, 1e-9)
    with (
        patch("hmnet.training.hooks.checkpoints.save_checkpoint", save),
        pytest.raises(KilledError),
    ):
        world.fit(**options, checkpoints=kept)
    return world.fit(**options, checkpoints=kept)
