"""A model as a linear function of small changes of the weights that its tasks share."""

from collections.abc import Iterable, Mapping
from math import isqrt

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hmnet.measuring.per_row import Gradients, Inputs, Sketch, each_row
from hmnet.models.multitask import MultiTaskModel
from hmnet.training.step import Batch
from relevance.interfaces.probe import Linearisation


def make_sketches(layers: Mapping[str, nn.Linear], directions: int, seed: int) -> dict[str, Sketch]:
    """Random projections of the layers' gradients, whose sum is one of all their gradients.

    Args:
        layers: Linear layers by name.
        directions: Numbers in a projection, a square.
        seed: Seed of the projections.

    Returns:
        Sketches by name of the layer.

    Raises:
        ValueError: If the number of directions is no square.
    """
    side = isqrt(directions)
    if side * side != directions:
        raise ValueError(f"{directions} directions are no square number.")
    numbers = torch.Generator().manual_seed(seed)
    return {name: Sketch(layer, side, numbers) for name, layer in layers.items()}


def linearise(
    model: MultiTaskModel, sketches: Mapping[str, Sketch], batches: Iterable[Batch]
) -> Linearisation:
    """Outputs of rows, and how they change with the weights of some layers.

    Args:
        model: The model in evaluation mode.
        sketches: Sketches by name of the layer.
        batches: The rows, at least one.

    Returns:
        Outputs and projected gradients in the order of the rows.

    Source:
        Li et al. (2024), Grad-TAG, section 3; the projection has a factor for each side of a
        layer's weights, as in Choe et al. (2024), LoGra, so that it takes next to no memory.
    """
    parts = [_of_batch(model, sketches, batch) for batch in batches]
    outputs, gradients = (torch.cat(part).double().cpu() for part in zip(*parts, strict=True))
    return Linearisation(outputs.numpy(), gradients.numpy())


def _of_batch(
    model: MultiTaskModel, sketches: Mapping[str, Sketch], batch: Batch
) -> tuple[Float[Tensor, " row"], Float[Tensor, "row direction"]]:
    outputs: list[Float[Tensor, " row"]] = []
    gradients: list[Float[Tensor, "row direction"]] = []

    def total() -> Float[Tensor, ""]:
        margin = true_margin(model(batch.task, batch.inputs), batch.labels)
        outputs.append(margin * model.kinds[batch.task].unit)
        return outputs[0].sum()

    def take(name: str, inputs: Inputs, of: Gradients) -> None:
        # Where the encoder reads the texts of a row one by one, the places of all are the row's.
        own, out = (x.reshape(len(batch.labels), -1, x.shape[-1]) for x in (inputs, of))
        gradients.append(sketches[name](own, out))

    each_row({name: sketch.layer for name, sketch in sketches.items()}, total, take)
    return outputs[0].detach(), torch.stack(gradients).sum(dim=0)


def true_margin(
    logits: Float[Tensor, "row output"], labels: Int[Tensor, " row"] | Float[Tensor, " row"]
) -> Float[Tensor, " row"]:
    """Margin of the true label, `log(p / (1 - p))`.

    Args:
        logits: One column per label, or one for regression.
        labels: Codes, or values on the scale of the outputs for regression.

    Returns:
        `log(p / (1 - p))` of the true label, whose softplus with the other sign is the
        cross-entropy for any number of labels; for regression output less label.
    """
    if labels.is_floating_point():
        return logits.squeeze(1) - labels
    true = labels.unsqueeze(1)
    # log(1 - p) by the other logits: taken from p itself it would be lost where p is near 1.
    others = logits.scatter(1, true, float("-inf")).logsumexp(dim=1)
    return logits.gather(1, true).squeeze(1) - others
