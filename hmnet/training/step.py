"""One step of training: the loss of its batches, their gradients, one update of the weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hmnet.data.batching import InputForm, collate
from hmnet.data.encoded import Encoded
from hmnet.kinds.kind import OutputKind
from hmnet.models.multitask import MultiTaskModel
from hmnet.precision import Precision, autocast
from hmnet.regularizers.regularizer import Regularizer
from hmnet.training.dropout import fast_dropout
from hmnet.training.optimizer import Rate
from hmnet.training.ranks import ALONE, Ranks
from hmnet.training.task_gradients import TaskGradients


@runtime_checkable
class StepPart(Protocol):
    """A batch, or a part of one, that has a loss."""

    @property
    def task(self) -> str:
        """What it trains."""

    @property
    def weight(self) -> float:
        """Weight of its loss in a step."""

    @property
    def device(self) -> torch.device:
        """Device of its tensors."""

    def losses(self, model: Any, recipe: "StepConfig") -> "Losses":
        """What it adds to what a step minimises, with its graph.

        Args:
            model: The model that it is made for, in training mode.
            recipe: Recipe of the update.

        Returns:
            The mean loss, and the term of the regularizer.
        """


class Batch(NamedTuple):
    """Rows of one task as tensors on the model's device.

    Attributes:
        task: Name of the task.
        inputs: Token ids and masks `[batch, length]`, as the backbone's forward names them;
            `[batch, 2, length]` for texts apart.
        labels: Codes `[batch]` for classification, values on the scale of outputs for regression,
            codes `[batch, place]` for kinds that label parts of a text, -100 where none is due.
        weight: Weight of the mean loss of the rows in a step; a part of a batch counts as much as
            its share of the rows.
    """

    task: str
    inputs: Mapping[str, Tensor]
    labels: Tensor
    weight: float = 1.0

    @property
    def device(self) -> torch.device:
        """Device of the tensors."""
        return self.labels.device

    def losses(self, model: MultiTaskModel, recipe: "StepConfig") -> "Losses":
        """The mean loss of the rows and the term, see `batch_losses`."""
        return batch_losses(model, self, recipe)


def make_batch(
    kind: OutputKind,
    encoded: Encoded,
    rows: Int[np.ndarray, " row"],
    form: InputForm,
    device: torch.device | str,
    weight: float = 1.0,
) -> Batch:
    """Rows of a task as a model reads and learns them.

    Args:
        kind: Kind of the task.
        encoded: The split.
        rows: Numbers of the rows to take, in this order; at least one.
        form: Form of inputs for the encoder and the head on it.
        device: Device of the tensors.
        weight: Weight of the mean loss of the rows in a step.

    Returns:
        The batch, padded to its longest row.
    """
    inputs = collate(encoded, rows, **form, device=device)
    labels = torch.from_numpy(kind.targets(encoded, rows))
    return Batch(kind.task.name, inputs, labels.to(device), weight)


class Losses(NamedTuple):
    """The two terms whose sum is minimised.

    Attributes:
        loss: Loss of the tasks themselves.
        term: Term of the regularizer; 0 without one.
    """

    loss: Float[Tensor, ""]
    term: Float[Tensor, ""]


@dataclass(frozen=True)
class StepConfig:
    """The recipe by which batches become an update.

    Attributes:
        precision: Precision of the forward and backward pass.
        rate: The learning rate, step by step.
        label_smoothing: Share of each label's probability, in [0, 1), that all labels of the task
            get in equal parts; tasks without labels know none.
        loss_weights: Weights of the tasks' losses by name in lower case; 1 where not named.
        accumulate: Into how many parts each batch is split. Their gradients are added up before the
            one update, each with its share of the rows: less memory and the same step, rounding and
            random numbers aside. A batch of fewer rows has a part for each row.
        most_tokens: Tokens of a batch from which on it is split likewise, into as many parts as
            it has so many tokens; None for any number.
        task_gradients: Joins the tasks' gradients where they share weights; None sums them.
        regularizer: Term for the loss of each batch; None for nothing.
        clip_norm: Largest norm of an update's gradient, over all weights together and after the
            tasks' gradients are joined; a longer one is scaled down to it. None for any.
        ranks: The processes that train together; gradients are summed over them before anything
            is done with them.
    """

    precision: Precision = "fp32"
    rate: Rate = Rate()  # noqa: RUF009  frozen
    label_smoothing: float = 0.0
    loss_weights: Mapping[str, float] = field(default_factory=dict)
    accumulate: int = 1
    most_tokens: int | None = None
    task_gradients: TaskGradients | None = None
    regularizer: Regularizer | None = None
    clip_norm: float | None = None
    ranks: Ranks = ALONE


def batch_losses(model: MultiTaskModel, batch: Batch, recipe: StepConfig) -> Losses:
    """What a batch adds to what a step minimises, with its graph.

    Args:
        model: The model in training mode.
        batch: The rows.
        recipe: With a regularizer all passes are in fp32, whatever the precision: the term is made
            of small differences between passes, and rounding would be one of them.

    Returns:
        The mean loss of the rows, and the term.
    """
    device, regularizer = batch.labels.device, recipe.regularizer
    with autocast("fp32" if regularizer else recipe.precision, device), fast_dropout(device):
        logits = model(batch.task, batch.inputs)
        if regularizer is None:
            term = torch.zeros((), device=device)
        else:
            term = regularizer(model, batch.task, batch.inputs, logits)
    losses = model.kinds[batch.task].losses(logits, batch.labels, recipe.label_smoothing)
    return Losses(losses.mean(), term)


def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[StepPart],
    lr: float,
    recipe: StepConfig,
) -> Losses:
    """Update the weights once, by the weighted sum of the losses of the batches.

    Args:
        model: The model in training mode.
        optimizer: Optimizer of the model's weights.
        batches: One batch, or several: parts of one, or batches of other tasks.
        lr: Learning rate of this step.
        recipe: Recipe of the update.

    Returns:
        The losses before the update, on the model's device: reading them waits for the device.
    """
    for group in optimizer.param_groups:
        group["lr"] = lr * group.get("lr_factor", 1.0)
    optimizer.zero_grad(set_to_none=True)
    losses = accumulate_gradients(model, batches, recipe)
    if recipe.clip_norm is not None:
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        nn.utils.clip_grad_norm_(weights, recipe.clip_norm)
    optimizer.step()
    if recipe.regularizer is not None:
        recipe.regularizer.after_update(cast("MultiTaskModel", model))
    return losses


def accumulate_gradients(
    model: nn.Module, batches: Sequence[StepPart], recipe: StepConfig
) -> Losses:
    """Put the gradient of a whole step into the weights, as long as it comes out.

    Args:
        model: The model in training mode, its weights without gradients.
        batches: All batches of the step.
        recipe: Recipe by which gradients are made and joined.

    Returns:
        The weighted sums of their losses, over all processes.
    """
    sums = torch.zeros(2, device=batches[0].device)
    for batch in batches:
        loss, term = batch.losses(model, recipe)
        total = loss if recipe.regularizer is None else loss + term
        # batch by batch: one graph is in memory at a time
        torch.autograd.backward(total * batch.weight)
        if recipe.task_gradients:
            recipe.task_gradients.keep(batch.task)
        sums += torch.stack([loss.detach(), term.detach()]) * batch.weight
    held = recipe.task_gradients.held() if recipe.task_gradients else ()
    left = (weight.grad for weight in model.parameters() if weight.grad is not None)
    recipe.ranks.add_up([sums, *held, *left])
    if recipe.task_gradients:
        recipe.task_gradients.join()
    return Losses(sums[0], sums[1])
