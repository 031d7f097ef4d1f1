"""Adapters: every task has small bottlenecks in each layer, and norms of its own."""

from typing import Annotated, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  what everybody calls it
from transformers.activations import ACT2FN

from hmnet.backbones.graft import graft
from hmnet.inserts.insert import DROPOUTS, NORMS, AdapterModule, Host, module_key
from hmnet.randomness import linear, seeded

DEVIATION = 0.01


class Adapters(AdapterModule):
    """Two adapters per task and layer, before the residual connections.

    Args:
        host: Encoder, whose sizes and non-linearity are used, and tasks.
        size: Width of the bottlenecks.

    Source:
        Houlsby et al. (2019), "Parameter-Efficient Transfer Learning for NLP", section 2.
    """

    def __init__(self, host: Host, *, size: Annotated[int, Field(ge=1)] = 64) -> None:
        super().__init__(host)
        config, depth = host.backbone.config, host.backbone.depth
        width, activation = config.hidden_size, ACT2FN[config.hidden_act]
        self.tasks = nn.ModuleDict()
        for task in host.tasks:
            with seeded(host.seed, f"{task}.adapters"):
                self.tasks[module_key(task)] = nn.ModuleList(
                    OwnParts(width, size, activation) for _ in range(depth)
                )

    def view(self, task: str, depth: int, layer: nn.Module) -> nn.Module:
        """The layer with the task's adapters and norms."""
        own = self.get_submodule(f"tasks.{module_key(task)}.{depth}")
        return graft(layer, cast("OwnParts", own).on(layer))


class OwnParts(nn.Module):
    """The modules that a task has of its own in one layer.

    Args:
        width: Hidden size.
        size: Width of the bottlenecks.
        activation: Non-linearity of the bottlenecks.
    """

    def __init__(self, width: int, size: int, activation: nn.Module) -> None:
        super().__init__()
        self.adapters = nn.ModuleList(Adapter(width, size, activation) for _ in DROPOUTS)
        self.norms = nn.ModuleList(Offsets(width) for _ in NORMS)

    def on(self, layer: nn.Module) -> dict[str, nn.Module]:
        """The parts with those of the layer that they go with.

        Args:
            layer: The pretrained layer.

        Returns:
            New submodules of the layer, by name.
        """
        parts: dict[str, nn.Module] = {}
        for place, adapter in zip(DROPOUTS, self.adapters, strict=True):
            parts[place] = nn.Sequential(layer.get_submodule(place), adapter)
        for place, offsets in zip(NORMS, self.norms, strict=True):
            norm = cast("nn.LayerNorm", layer.get_submodule(place))
            parts[place] = OwnNorm(norm, cast("Offsets", offsets))
        return parts


class Adapter(nn.Module):
    """x + up(f(down(x))), close to x at start.

    Args:
        width: Width of x.
        size: Width of what it is brought down to.
        activation: f.

    Source:
        Houlsby et al. (2019), section 2.1; weights start within two deviations of 0.01.
    """

    def __init__(self, width: int, size: int, activation: nn.Module) -> None:
        super().__init__()
        self.down, self.up = linear(width, size), linear(size, width)
        for weight in (self.down.weight, self.up.weight):
            nn.init.trunc_normal_(weight, std=DEVIATION, a=-2 * DEVIATION, b=2 * DEVIATION)
        self.activation = activation

    def forward(self, hidden: Float[Tensor, "*token width"]) -> Float[Tensor, "*token width"]:
        """The adapted states.

        Args:
            hidden: Output of attention or feed-forward block.

        Returns:
            Hidden states for the residual connection.
        """
        adapted: Tensor = hidden + self.up(self.activation(self.down(hidden)))
        return adapted


class Offsets(nn.Module):
    """Differences of a task's scale and bias from those of a pretrained norm; zero at start.

    Args:
        width: Width of the norm.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale, self.bias = (nn.Parameter(torch.zeros(width)) for _ in range(2))


class OwnNorm(nn.Module):
    """A pretrained layer norm with a task's own scale and bias.

    Args:
        norm: The pretrained one.
        offsets: The task's.
    """

    def __init__(self, norm: nn.LayerNorm, offsets: Offsets) -> None:
        super().__init__()
        self.norm = norm
        self.offsets = offsets

    def forward(self, hidden: Float[Tensor, "*token width"]) -> Float[Tensor, "*token width"]:
        """The normed states.

        Args:
            hidden: Input of the pretrained norm.

        Returns:
            Values in the place of its output.
        """
        scale, bias = self.norm.weight + self.offsets.scale, self.norm.bias + self.offsets.bias
        return F.layer_norm(hidden, self.norm.normalized_shape, scale, bias, self.norm.eps)
