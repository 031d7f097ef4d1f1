"""What a model says about a split, and how good that is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from hmnet.data.batching import collate
from hmnet.data.encoding import Encoded
from hmnet.data.labels import predictions, targets
from hmnet.data.template import Sequences
from hmnet.models.multitask import MultiTaskModel
from hmnet.precision import Precision, autocast
from hmnet.training.step import row_losses
from relevance.tasks.data import Split
from relevance.tasks.metrics import score
from relevance.tasks.task import Task
from relevance.trainer import Result


def evaluate(
    model: MultiTaskModel,
    task: Task,
    split: Split,
    encoded: Encoded,
    *,
    batch_size: int,
    precision: Precision = "fp32",
) -> Result:
    """Score a model on one split of one task.

    Args:
        model: On any device; it is left in the mode it was in.
        task: One that the model has a path for.
        split: The rows.
        encoded: The same rows as token ids.
        batch_size: Rows per forward pass; changes speed and memory, not scores.
        precision: Of the forward pass.

    Returns:
        Every metric of the task; the mean loss per row: cross-entropy in nats, or the squared error
        of labels scaled to [0, 1]; the prediction for each row, a label code or a value on the
        task's own scale; and the loss of each row.
    """
    logits = predict_logits(model, task, encoded, batch_size=batch_size, precision=precision)
    losses = row_losses(torch.from_numpy(logits), torch.from_numpy(targets(task, split.labels)))
    predicted = predictions(task, logits)
    return Result(
        score(task, split, predicted),
        losses.mean().item(),
        predicted.astype(np.float64).tolist(),
        losses.tolist(),
    )


def predict_logits(
    model: MultiTaskModel,
    task: Task,
    encoded: Sequences,
    *,
    batch_size: int,
    precision: Precision = "fp32",
) -> Float32[np.ndarray, "row outputs"]:
    """Logits of every row, in the order of the rows; batches are made of rows of similar length.

    Args:
        model: On any device; it is left in the mode it was in.
        task: One that the model has a path for.
        encoded: The rows.
        batch_size: Rows per forward pass.
        precision: Of the forward pass.

    Returns:
        One column per label, or one for regression on the scale of [0, 1].
    """
    form = model.input_form(task.name)
    logits = np.empty((len(encoded), task.outputs), dtype=np.float32)
    longest_first = np.argsort(-encoded.lengths, kind="stable")
    with inference(model, precision):
        for start in range(0, len(encoded), batch_size):
            rows = longest_first[start : start + batch_size]
            inputs = on_device(model, collate(encoded, rows, **form))
            logits[rows] = model(task.name, inputs).float().cpu().numpy()
    return logits


def on_device(model: nn.Module, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Inputs on the device of a model."""
    device = next(model.parameters()).device
    return {name: values.to(device) for name, values in inputs.items()}


@contextmanager
def inference(model: nn.Module, precision: Precision) -> Iterator[None]:
    """Without dropout and gradients; the model is left in the mode it was in.

    Args:
        model: On any device.
        precision: Of the forward pass.

    Yields:
        Nothing; the block runs the model.
    """
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), autocast(precision, next(model.parameters()).device):
            yield
    finally:
        model.train(was_training)
