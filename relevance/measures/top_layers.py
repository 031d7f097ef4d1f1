"""Top layers: joint training of an encoder's upper layers, over frozen lower ones."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from relevance.errors import RelevanceError
from relevance.interfaces.trainer import Trainer, TrainsTopLayers
from relevance.measures.joint_training import JointTraining
from relevance.measures.measure import Inputs

GB = 10**9


class TopLayers(JointTraining):
    """Gains of joint training over frozen lower layers, which run once for each task.

    Runs, cache and gains are those of joint training with these layers frozen and without dropout
    in them; what they give is computed by the first run of a task, and its time is in the cost.
    """

    name: ClassVar[str] = "top-layers"
    command: ClassVar[str] = "estimate"

    @classmethod
    def build(cls, inputs: Inputs) -> "JointTraining":
        """Take the inputs; a trainer is needed that can freeze lower layers."""
        joint = super().build(inputs)
        if not inputs.memory >= 0:
            raise RelevanceError(f"`memory` must be at least 0 GB, got {inputs.memory:g}.")
        memory_bytes = int(inputs.memory * GB)
        return replace(joint, make_trainer=lambda: _over(joint.make_trainer, memory_bytes))


def _over(make_trainer: Callable[[], Trainer], memory_bytes: int) -> Trainer:
    """A trainer of upper layers."""
    trainer = make_trainer()
    if not isinstance(trainer, TrainsTopLayers):
        raise RelevanceError(
            f"The trainer {type(trainer).__name__} has no `top_layers`, which measure 'top-layers'"
            " asks for a trainer of an encoder's upper layers. Give it one, or take 'short-runs'."
        )
    return trainer.top_layers(memory_bytes)
