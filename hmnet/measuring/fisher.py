"""The diagonal of the Fisher information of an encoder's weights."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  what everybody calls it

from hmnet.measuring.features import mean_states
from hmnet.measuring.per_row import (
    Gradients,
    Inputs,
    Loss,
    each_row,
    linear_layers,
    squared_gradients,
)
from hmnet.training.step import Batch
from relevance.interfaces.probe import FittedHead


def fisher_diagonal(
    encoder: nn.Module, head: FittedHead, batches: Iterable[Batch], seed: int
) -> Float[Tensor, " unit"]:
    """Mean squared gradient of the log-likelihood of labels that the model itself draws.

    Args:
        encoder: The encoder in evaluation mode, on the batches' device.
        head: A head on mean hidden states.
        batches: The rows.
        seed: Seed of the labels.

    Returns:
        For each output unit of each linear layer the mean over its weights, biases left out.

    Source:
        Achille et al. (2019), Task2Vec, section 2.
    """
    layers = linear_layers(encoder)
    numbers = torch.Generator().manual_seed(seed)
    sums = {
        name: torch.zeros(layer.out_features, device=layer.weight.device)
        for name, layer in layers.items()
    }
    rows = 0

    def add(name: str, inputs: Inputs, gradients: Gradients) -> None:
        sums[name] += squared_gradients(inputs, gradients)

    for batch in batches:
        rows += len(batch.labels)

        def total(batch: Batch = batch) -> Loss:
            return drawn_loss(mean_states(encoder, batch), head, numbers)

        each_row(layers, total, add)
    return torch.cat([sums[name] / rows for name in layers])


def drawn_loss(
    states: Float[Tensor, "row hidden"], head: FittedHead, numbers: torch.Generator
) -> Loss:
    """Negative log-likelihood of labels drawn from the model, summed over rows.

    Args:
        states: Mean hidden states.
        head: A head on the states.
        numbers: Draws the labels, on the CPU.

    Returns:
        The sum, up to a constant that has no gradient.
    """
    weights, bias = (
        torch.as_tensor(part, dtype=states.dtype, device=states.device)
        for part in (head.weights, head.bias)
    )
    outputs = states @ weights.T + bias
    if len(bias) == 1:
        noise = torch.randn(outputs.shape, generator=numbers).to(outputs) * head.variance**0.5
        drawn = outputs.detach() + noise
        return F.mse_loss(outputs, drawn, reduction="sum") / (2 * head.variance)
    chances = outputs.detach().softmax(dim=1).cpu()
    labels = torch.multinomial(chances, 1, generator=numbers).squeeze(1).to(outputs.device)
    return F.cross_entropy(outputs, labels, reduction="sum")
