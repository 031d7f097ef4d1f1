"""Short runs: joint training on a share of the rows, as an estimate of what all of them give."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from relevance.errors import RelevanceError
from relevance.interfaces.trainer import Trainer, TrainsOnShares
from relevance.measures.joint_training import JointTraining
from relevance.measures.measure import Inputs


class ShortRuns(JointTraining):
    """Gains of joint training on a share of every task's training rows.

    Runs, cache and gains are those of joint training, and so are the held-out rows that they are
    scored on. With the same number of epochs a run has the same share of the steps, unless a limit
    of steps is lower. A share of 1 is joint training itself, and finds its finished runs.
    """

    name: ClassVar[str] = "short-runs"
    command: ClassVar[str] = "estimate"

    @classmethod
    def build(cls, inputs: Inputs) -> "JointTraining":
        """Take the inputs; a trainer is needed that can leave rows out."""
        joint = super().build(inputs)
        data = replace(inputs.data, share=inputs.share)
        return replace(
            joint,
            inputs=replace(inputs, data=data),
            make_trainer=lambda: _on_share(joint.make_trainer, inputs.share),
        )

    def told(self) -> dict[str, Any]:
        """The share of the rows."""
        return {"share": self.inputs.share}


def _on_share(make_trainer: Callable[[], Trainer], share: float) -> Trainer:
    """A trainer that reads the share of rows which data is loaded with."""
    trainer = make_trainer()
    if not isinstance(trainer, TrainsOnShares):
        raise RelevanceError(
            f"The trainer {type(trainer).__name__} has no `on_share`, which measure 'short-runs'"
            " asks for trainers of fewer rows. Give it one, or take 'joint-training' with less"
            " data."
        )
    return trainer.on_share(share)
