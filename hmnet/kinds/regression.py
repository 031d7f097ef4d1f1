"""A number for each row: in [0, 1] inside the model, on the task's own scale outside of it."""

from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int
from transformers import PreTrainedConfig

from hmnet.data.encoding import Encoded
from hmnet.kinds.kind import Kind, Said


class Regression(Kind):
    """There is one output."""

    auto = "AutoModelForSequenceClassification"
    purpose = "classification"

    def configure(self, config: PreTrainedConfig) -> None:
        """A value."""
        super().configure(config)
        config.problem_type = "regression"

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest label."""
        return self.task.range or (0.0, 1.0)

    def targets(
        self, encoded: Encoded, rows: Int[np.ndarray, " row"]
    ) -> Float32[np.ndarray, " row"]:
        """The values with the task's range moved to [0, 1]."""
        low, high = self.range
        return np.asarray((encoded.labels[rows] - low) / (high - low), dtype=np.float32)

    def predictions(self, said: Said) -> Float[np.ndarray, " row"]:
        """Values on the task's own scale, which may lie a little beyond its ends."""
        low, high = self.range
        inside = np.stack(said.logits)[:, 0].astype(np.float64)
        values: Float[np.ndarray, " row"] = low + (high - low) * inside
        return values

    def answers(self, said: Said) -> list[dict[str, Any]]:
        """The value."""
        return [{"value": value} for value in self.predictions(said).tolist()]
