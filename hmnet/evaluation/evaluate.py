"""Predictions of a model for a split, and their scores."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Int64

from hmnet.data.batching import collate
from hmnet.data.template import Sequences
from hmnet.kinds.kind import Logits, ModelOutputs
from hmnet.models.multitask import MultiTaskModel
from hmnet.precision import Precision, autocast
from hmnet.prepared import PreparedSplit
from relevance.interfaces.trainer import Result
from relevance.stages import counted
from relevance.tasks.metrics import score
from relevance.tasks.task import Task


def evaluate(
    model: MultiTaskModel,
    task: Task,
    split: PreparedSplit,
    *,
    batch_size: int,
    precision: Precision = "fp32",
) -> Result:
    """Score a model on one split of one task.

    Args:
        model: A model on any device; it is left in the mode it was in.
        task: One that the model has a path for.
        split: The rows.
        batch_size: Rows per forward pass; changes speed and memory, not scores.
        precision: Precision of the forward pass.

    Returns:
        Every metric of the task; the mean loss per row: cross-entropy in nats (the mean over the
        places of a row that have a target), or the squared error on the task's own scale; the
        prediction for each row, a label code, a value on the task's own scale, or what else its
        kind has; and the loss of each row.
    """
    kind, encoded = model.kinds[task.name].on_own_scale(), split.encoded
    logits: list[Logits] = [np.empty(0, np.float32)] * len(encoded)
    losses = np.empty(len(encoded), dtype=np.float32)
    form = model.input_form(task.name)
    with inference(model, precision):
        for rows in counted(list(batches_by_length(encoded, batch_size)), "batches scored"):
            inputs = collate(encoded, rows, **form, device=model.device)
            said = model(task.name, inputs).float().cpu()
            targets = torch.from_numpy(kind.targets(encoded, rows))
            losses[rows] = kind.losses(said, targets).numpy()
            unpadded = kind.unpadded(said.numpy(), encoded.lengths[rows])
            for row, own in zip(rows, unpadded, strict=True):
                logits[row] = own
    predicted = kind.predictions(ModelOutputs(split.rows.texts, encoded, logits))
    of_rows = torch.from_numpy(kind.row_losses(encoded, losses))
    return Result(
        score(task, split.rows, predicted),
        of_rows.mean().item(),
        (predicted if predicted.dtype == object else predicted.astype(np.float64)).tolist(),
        of_rows.tolist(),
    )


def batches_by_length(encoded: Sequences, batch_size: int) -> Iterator[Int64[np.ndarray, " row"]]:
    """Numbers of sequences, batch by batch, the longest first: what needs most memory fails early.

    Args:
        encoded: The sequences.
        batch_size: Sequences per batch.

    Yields:
        Numbers of one batch; all sequences are in one batch each.
    """
    longest_first = np.argsort(-encoded.lengths, kind="stable")
    for start in range(0, len(encoded), batch_size):
        yield longest_first[start : start + batch_size]


@contextmanager
def inference(model: MultiTaskModel, precision: Precision) -> Iterator[None]:
    """Switch dropout and gradients off; the model is left in the mode it was in.

    Args:
        model: A model on any device.
        precision: Precision of the forward pass.

    Yields:
        Nothing; the block runs the model.
    """
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), autocast(precision, model.device):
            yield
    finally:
        model.train(was_training)
