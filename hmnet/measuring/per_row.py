"""Gradients of every row of a batch at once, for the weights of linear layers.

A linear layer's gradient for one row is the sum over its places of outer products of what came out
(as gradient) and what went in. Both are seen in one backward pass of the whole batch; whoever
looks makes of them what it needs, so that no row's gradient stands in memory as a whole.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from relevance.errors import RelevanceError

Inputs: TypeAlias = Float[Tensor, "row place input"]  # of a layer
Gradients: TypeAlias = Float[Tensor, "row place output"]  # of what came out of it
Loss: TypeAlias = Float[Tensor, ""]
Take = Callable[[str, Inputs, Gradients], None]


def linear_layers(encoder: nn.Module) -> dict[str, nn.Linear]:
    """The linear layers of an encoder by name, in its order; refused if there is none."""
    found = {name: m for name, m in encoder.named_modules() if isinstance(m, nn.Linear)}
    if not found:
        raise RelevanceError(
            f"{type(encoder).__name__} has no linear layers, and this measure looks at those of the"
            " encoder. Use a backbone such as BERT, or a measure of gradients or vectors."
        )
    return found


def each_row(layers: Mapping[str, nn.Linear], total: Callable[[], Loss], take: Take) -> None:
    """Show what went into each layer and the gradient of what came out, for all rows of a batch.

    Where a layer is also applied to something that is the same for all rows, such as DeBERTa's to
    its table of relative positions, that call has no gradient of a row's own and is left out.

    Args:
        layers: To be watched, by name.
        total: Runs the model and returns the sum over rows of what is to be differentiated.
        take: Gets a layer's name, its inputs and the gradient of its outputs.
    """
    first: list[tuple[Tensor, Tensor]] = []

    def enter(_: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        """Note what goes into the first call; over frozen layers it has no graph and is given one.

        Other layers that read it, such as keys and values, get it too.
        """
        if not first:
            own = args[0] if args[0].requires_grad else args[0].detach().requires_grad_()
            first.append((args[0], own))
        given, own = first[0]
        return (own, *args[1:]) if args[0] is given else None

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def called(_: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
            inputs = args[0].detach()
            output.register_hook(  # type: ignore[no-untyped-call]  # torch's
                lambda gradient: take(name, inputs, gradient)
            )

        return called

    handles = [layer.register_forward_pre_hook(enter) for layer in layers.values()]
    handles += [layer.register_forward_hook(watch(name)) for name, layer in layers.items()]
    try:
        value = total()
    finally:
        for handle in handles:
            handle.remove()
    # Asked for the way down to the first input alone, autograd computes no gradient of a weight.
    torch.autograd.grad(value, first[0][1])


def squared_gradients(inputs: Inputs, gradients: Gradients) -> Float[Tensor, " output"]:
    """Squared gradients of a layer's weights, summed over rows, averaged over an output's weights.

    With G the gradient of a row, the sum of squares of its line for one output unit is d^T K d,
    where d holds the unit's gradients by place and K the products of inputs by place; G itself is
    never made.

    Args:
        inputs: Inputs of the layer.
        gradients: Gradients with respect to what came out.

    Returns:
        One number per output unit.
    """
    # Places are fewer than inputs times outputs, so K is small where G would be a whole weight.
    by_place = inputs @ inputs.transpose(1, 2)
    return torch.sum((by_place @ gradients) * gradients, dim=(0, 1)) / inputs.shape[-1]


class Sketch:
    """A random projection of a layer's weight gradient G, bias included: `left @ G @ right.T`.

    Both sides hold random signs, scaled so that inner products of projections have the inner
    products of gradients as their expectation. The sum over layers, each with signs of its own,
    does the same for the gradient of all of them.

    Args:
        layer: The layer.
        side: Rows of each side; the projection has `side ** 2` numbers.
        numbers: Generator of the signs, on the CPU so that they are the same on every device.
    """

    def __init__(self, layer: nn.Linear, side: int, numbers: torch.Generator) -> None:
        def signs(width: int) -> Float[Tensor, "side width"]:
            drawn = torch.randint(0, 2, (side, width), generator=numbers, dtype=torch.float32)
            scaled: Tensor = (2 * drawn - 1) / side**0.5
            return scaled.to(layer.weight.device)

        self.layer = layer
        self.left = signs(layer.out_features)
        self.right = signs(layer.in_features)
        self.bias = signs(1).squeeze(1) * float(layer.bias is not None)

    def __call__(self, inputs: Inputs, gradients: Gradients) -> Float[Tensor, "row direction"]:
        """The projections of all rows.

        Args:
            inputs: Inputs of the layer.
            gradients: Gradients with respect to what came out.

        Returns:
            One line per row.
        """
        entered = inputs @ self.right.T + self.bias
        projected: Tensor = (gradients @ self.left.T).transpose(1, 2) @ entered
        return torch.flatten(projected, 1)
