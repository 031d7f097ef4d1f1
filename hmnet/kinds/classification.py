"""Classification: one of several labels for each row."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int, Int64
from scipy.special import softmax
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  what everybody calls it
from transformers import PreTrainedConfig

from hmnet.data.encoded import Encoded
from hmnet.kinds.kind import ModelOutputs, OutputKind, Rows, codes_of_labels


class Classification(OutputKind):
    """Logits are one per label."""

    auto = "AutoModelForSequenceClassification"
    purpose = "classification"

    def configure(self, config: PreTrainedConfig) -> None:
        """One label of many."""
        super().configure(config)
        config.problem_type = "single_label_classification"

    def targets(self, encoded: Encoded, rows: Rows) -> Int64[np.ndarray, " row"]:
        """Codes of the rows' labels."""
        return codes_of_labels(encoded, rows)

    def losses(
        self,
        logits: Float[Tensor, "row class"],
        targets: Int[Tensor, " row"],
        label_smoothing: float = 0.0,
    ) -> Float[Tensor, " row"]:
        """Cross-entropy."""
        return F.cross_entropy(
            logits.float(), targets, reduction="none", label_smoothing=label_smoothing
        )

    def predictions(self, said: ModelOutputs) -> Int64[np.ndarray, " row"]:
        """The code with the highest output."""
        return np.asarray(np.argmax(np.stack(said.logits), axis=1))

    def answers(self, said: ModelOutputs) -> list[dict[str, Any]]:
        """The label, and the probabilities of all in the order of the task's labels."""
        probabilities = softmax(np.stack(said.logits).astype(np.float64), axis=1).tolist()
        labels = self.task.labels
        return [
            {"label": labels[code], "probabilities": dict(zip(labels, row, strict=True))}
            for code, row in zip(self.predictions(said).tolist(), probabilities, strict=True)
        ]
