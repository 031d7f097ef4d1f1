"""Labels as the model learns them, and its outputs as a person reads them.

Inside, a regression task's labels lie in [0, 1]; outside, they lie on the task's own scale.
"""

import numpy as np
from jaxtyping import Float, Float32, Int, Int64

from relevance.tasks.task import Task


def targets(
    task: Task, labels: Int[np.ndarray, " row"] | Float[np.ndarray, " row"]
) -> Int64[np.ndarray, " row"] | Float32[np.ndarray, " row"]:
    """What the model's outputs are compared with.

    Args:
        task: The definition.
        labels: Codes, or values on the task's own scale.

    Returns:
        The codes, or the values with the task's range moved to [0, 1].
    """
    if task.kind == "classification" or task.range is None:
        return labels.astype(np.int64)
    low, high = task.range
    return ((labels - low) / (high - low)).astype(np.float32)


def predictions(
    task: Task, logits: Float32[np.ndarray, "row outputs"]
) -> Int64[np.ndarray, " row"] | Float[np.ndarray, " row"]:
    """What the model's outputs say.

    Args:
        task: The definition.
        logits: One output per label, or one in all for regression.

    Returns:
        The code with the highest output, or the value on the task's own scale, which may lie a
        little beyond its ends.
    """
    if task.kind == "classification" or task.range is None:
        codes: Int64[np.ndarray, " row"] = np.argmax(logits, axis=1)
        return codes
    low, high = task.range
    values: Float[np.ndarray, " row"] = low + (high - low) * logits[:, 0].astype(np.float64)
    return values
