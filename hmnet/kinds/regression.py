"""A number for each row: on a scale of the model's inside of it, on the task's own outside."""

from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Float64
from torch import Tensor
from transformers import PreTrainedConfig

from hmnet.answer_scale import AnswerScale, scale_of_range
from hmnet.data.encoded import Encoded
from hmnet.kinds.kind import ModelOutputs, OutputKind, Rows
from relevance.tasks.task import Task


class Regression(OutputKind):
    """There is one output.

    Args:
        task: A regression.
        scale: Scale of its outputs; None for that of its range.

    Attributes:
        scale: Scale on which outputs stand for values.
    """

    auto = "AutoModelForSequenceClassification"
    purpose = "classification"
    scale: AnswerScale

    def __init__(self, task: Task, scale: AnswerScale | None = None) -> None:
        super().__init__(task, scale or scale_of_range(task))

    def configure(self, config: PreTrainedConfig) -> None:
        """A value."""
        super().configure(config)
        config.problem_type = "regression"

    def targets(self, encoded: Encoded, rows: Rows) -> Float32[np.ndarray, " row"]:
        """The values on the scale of the outputs, [0, 1] for the task's range unless told."""
        inside = (encoded.labels[rows] - self.scale.offset) / self.scale.spread
        return np.asarray(inside, dtype=np.float32)

    def losses(
        self,
        logits: Float[Tensor, "row 1"],
        targets: Float[Tensor, " row"],
        label_smoothing: float = 0.0,  # noqa: ARG002  there are no labels
    ) -> Float[Tensor, " row"]:
        """Squared errors, in units of the scale."""
        # fp32 whatever the forward pass ran in: squares of errors would lose their digits in bf16.
        errors = (logits.float().squeeze(-1) - targets.float()) * self.scale.unit
        return errors.square()

    def on_own_scale(self) -> "Regression":
        """The kind whose squared errors are on the task's own scale."""
        return Regression(self.task, self.scale.model_copy(update={"unit": self.scale.spread}))

    def entropies(
        self, logits: Float[np.ndarray, "row 1"], encoded: Encoded, rows: Rows
    ) -> Float64[np.ndarray, " row"]:
        """Nothing: a value has no entropy."""
        raise NotImplementedError

    def predictions(self, said: ModelOutputs) -> Float[np.ndarray, " row"]:
        """Values on the task's own scale, which may lie a little beyond its ends."""
        inside = np.stack(said.logits)[:, 0].astype(np.float64)
        return np.asarray(self.scale.offset + self.scale.spread * inside)

    def answers(self, said: ModelOutputs) -> list[dict[str, Any]]:
        """The value."""
        return [{"value": value} for value in self.predictions(said).tolist()]
