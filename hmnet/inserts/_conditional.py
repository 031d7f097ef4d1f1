"""CA-MTL's modules: parts of a pretrained layer that a task's embedding modulates.

Each is shared by all tasks. It is called with the embedding z of the task and with the pretrained
module that it goes with; `ForTask` holds the three together. At start every one of them gives what
the pretrained module gives.

Source:
    El Hattami (2021), chapter 3; Pilault et al. (2021), "Conditionally Adaptive Multi-Task
    Learning". Where the released code differs from the paper, it is the variant `released`.
"""

import math
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  what everybody calls it

from hmnet.randomness import linear
from relevance.errors import RelevanceError

Variant = Literal["paper", "released"]
Z: TypeAlias = Float[Tensor, " width"]  # the embedding of a task
States: TypeAlias = Float[Tensor, "batch length width"]  # hidden states
Tokens: TypeAlias = Float[Tensor, "*token width"]  # hidden states, whatever their arrangement
SHORTEST_LENGTH = 8
"""The least that --max-length can be."""


class ForTask(nn.Module):
    """A conditional module with the embedding of one task and the pretrained module it goes with.

    Args:
        conditional: Shared by all tasks.
        z: The task's embedding `[width]`.
        pretrained: Module that is modulated.
    """

    def __init__(self, conditional: nn.Module, z: nn.Parameter, pretrained: nn.Module) -> None:
        super().__init__()
        self.conditional = conditional
        self.z = z
        self.pretrained = pretrained

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the pretrained module would be called with, and what it would give."""
        return self.conditional(self.z, self.pretrained, *args, **kwargs)


class FiLM(nn.Module):
    """Feature-wise linear modulation: one linear map of z gives γ and β, both zero at start.

    Args:
        width: Width of z.
        outputs: Number of values that are modulated.
        parts: 2 for γ and β, 1 for γ alone.
    """

    def __init__(self, width: int, outputs: int, parts: Literal[1, 2] = 2) -> None:
        super().__init__()
        self.linear = linear(width, parts * outputs)
        self.parts = parts

    def forward(self, z: Z) -> tuple[Float[Tensor, " output"], ...]:
        """The modulation of a task, in fp32: in bf16 `1 + γ` would lose a γ below 0.004.

        Args:
            z: The task's embedding.

        Returns:
            γ and β, or γ alone.
        """
        with torch.autocast(z.device.type, enabled=False):
            values: Tensor = self.linear(z)
        return values.chunk(self.parts)


class ConditionalAttention(nn.Module):
    """A bias on attention's scaled scores: square blocks along the diagonal, and 0 beside them.

    M(z) = blockdiag(A_1 (1 + γ) + β, ..., A_N (1 + γ) + β), each A_n zero at start unless told
    otherwise; one M for all heads. The last block is cut where M ends, and an input shorter than M
    uses M's upper left corner.

    Args:
        width: Hidden size d.
        max_length: Side L of M, the most tokens of one input.
        variant: `paper` has a γ and a β for each place in a block, `released` one for each column.
        full_block: One block of side L in the place of d // L blocks.
        deviation: Standard deviation of the blocks at start; 0 starts as the pretrained module
            does.

    Raises:
        RelevanceError: If d // L is below 2, which leaves nothing of the blocks.

    Source:
        El Hattami (2021), section 3.1; blocks of side ceil(L / N).
    """

    def __init__(
        self,
        width: int,
        max_length: int,
        *,
        variant: Variant,
        full_block: bool = False,
        deviation: float = 0.0,
    ) -> None:
        super().__init__()
        count = 1 if full_block else width // max_length
        if count < 2 and not full_block:
            fits = f"`max_length={width // 2}` at most, or "
            if width // 2 < SHORTEST_LENGTH:
                fits = f"a backbone {2 * SHORTEST_LENGTH} wide or wider, or "
            raise RelevanceError(
                f"Conditional attention splits `max_length={max_length}` into {width} //"
                f" {max_length} = {count} blocks and needs two. Choose"
                f" {fits}`method='camtl:attention=full-block'`."
            )
        self.max_length, self.side = max_length, math.ceil(max_length / count)
        needed = math.ceil(max_length / self.side)  # at times fewer than d // L, as sides round up
        self.blocks = nn.Parameter(torch.zeros(needed, self.side, self.side))
        if deviation:
            nn.init.normal_(self.blocks, std=deviation)
        self.rows = self.side if variant == "paper" else 1
        self.film = FiLM(width, self.rows * self.side)

    def bias(self, z: Z, length: int) -> Float[Tensor, "{length} {length}"]:
        """The upper left corner of M.

        Args:
            z: The task's embedding.
            length: Tokens of the input.

        Returns:
            Bias for each head's scores.

        Raises:
            RelevanceError: If the input is longer than M.
        """
        if length > self.max_length:
            raise RelevanceError(
                f"The input has {length} tokens, but this model's conditional attention was made"
                f" for {self.max_length}. Cut it, or train with a larger `max_length`."
            )
        gamma, beta = (part.view(self.rows, self.side) for part in self.film(z))
        blocks = self.blocks[: math.ceil(length / self.side)] * (1 + gamma) + beta
        diagonal = torch.eye(len(blocks), device=blocks.device)[:, None, :, None]
        side = len(blocks) * self.side
        whole: Tensor = (diagonal * blocks[:, :, None]).reshape(side, side)
        return whole[:length, :length]

    def forward(
        self,
        z: Z,
        attention: nn.Module,
        hidden_states: States,
        attention_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Self-attention with M on its scores.

        Args:
            z: The task's embedding.
            attention: The pretrained module.
            hidden_states: Input of the module.
            attention_mask: None where all tokens are real; else `[batch, 1, query, key]`, True for
                keys to be seen, or what is added to the scores.
            **kwargs: Passed on.

        Returns:
            Output of the pretrained module.
        """
        bias = self.bias(z, hidden_states.shape[1])[None, None]
        if attention_mask is not None and attention_mask.dtype == torch.bool:
            bias = bias.masked_fill(~attention_mask, torch.finfo(bias.dtype).min)
        elif attention_mask is not None:
            bias = bias + attention_mask
        return attention(hidden_states, attention_mask=bias, **kwargs)


class ConditionalAlignment(nn.Module):
    """Between embeddings and first layer: x R (1 + γ) + β, and x (1 + γ) + β in `released`.

    R starts as the identity. What is kept is R less the identity, so that nothing is rounded at the
    start, under bf16 too, and weight decay draws R to the identity.

    Args:
        width: Hidden size.
        variant: Whether there is an R.

    Source:
        El Hattami (2021), section 3.2.
    """

    def __init__(self, width: int, *, variant: Variant) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(width, width)) if variant == "paper" else None
        self.film = FiLM(width, width)

    def forward(
        self, z: Z, layer: nn.Module, hidden_states: States, *args: Any, **kwargs: Any
    ) -> Any:
        """The first layer on aligned embeddings.

        Args:
            z: The task's embedding.
            layer: The first layer.
            hidden_states: Output of the embeddings.
            *args: Passed on.
            **kwargs: Passed on.

        Returns:
            Output of the layer.
        """
        gamma, beta = self.film(z)
        if self.offset is not None:
            hidden_states = hidden_states + hidden_states @ self.offset
        return layer(hidden_states * (1 + gamma) + beta, *args, **kwargs)


class ConditionalNorm(nn.Module):
    """A pretrained layer norm with scale γ' (1 + γ) and bias β' + β; the bias is β' in `released`.

    Args:
        width: Hidden size.
        variant: Whether there is a β.

    Source:
        El Hattami (2021), section 3.3; equation 3.3 as printed has β' in the scale.
    """

    def __init__(self, width: int, *, variant: Variant) -> None:
        super().__init__()
        self.film = FiLM(width, width, 2 if variant == "paper" else 1)

    def forward(self, z: Z, norm: nn.LayerNorm, hidden: Tokens) -> Tokens:
        """The normed states.

        Args:
            z: The task's embedding.
            norm: The pretrained module, which has γ' and β'.
            hidden: Input of the module.

        Returns:
            Values in the place of its output.
        """
        gamma, *beta = self.film(z)
        scale = norm.weight * (1 + gamma)
        bias = norm.bias + beta[0] if beta else norm.bias
        return F.layer_norm(hidden, norm.normalized_shape, scale, bias, norm.eps)


class ConditionalBottleneck(nn.Module):
    """Two maps, d -> d // 3 -> d, that z modulates; it gives zero at start.

    In `paper` the output of each map is modulated and a non-linearity stands between them; in
    `released` their input is modulated and both are linear.

    Args:
        width: Hidden size d.
        variant: `paper` or `released`.
        activation: Non-linearity of the `paper` variant.
        deviation: Standard deviation of the weights of the first map at start; the second is zero.

    Source:
        El Hattami (2021), section 3.4.
    """

    def __init__(
        self, width: int, *, variant: Variant, activation: nn.Module, deviation: float
    ) -> None:
        super().__init__()
        self.down = linear(width, width // 3, deviation)
        self.up = linear(width // 3, width)
        sizes = (width // 3, width) if variant == "paper" else (width,)
        self.films = nn.ModuleList(FiLM(width, size) for size in sizes)
        self.activation = activation
        self.variant = variant

    def forward(self, z: Z, hidden: Tokens) -> Tokens:
        """The term for hidden states.

        Args:
            z: The task's embedding.
            hidden: The states.

        Returns:
            The bottleneck's output.
        """
        gamma, beta = self.films[0](z)
        if self.variant == "released":
            given: Tensor = self.up(self.down(hidden * (1 + gamma) + beta))
        else:
            low = self.activation(self.down(hidden) * (1 + gamma) + beta)
            gamma, beta = self.films[1](z)
            given = self.up(low) * (1 + gamma) + beta
        return given


class BottleneckNorm(nn.Module):
    """The top layer's last norm with a bottleneck in it: norm(x + bottleneck(z, norm(x))).

    x is feed-forward plus attention output, and norm(x) the layer's output without a bottleneck.
    The released code norms `bottleneck + attention output` instead, which leaves the feed-forward
    block out and so does not start as the pretrained layer.

    Args:
        bottleneck: Bottleneck whose output is added.
    """

    def __init__(self, bottleneck: ConditionalBottleneck) -> None:
        super().__init__()
        self.bottleneck = bottleneck

    def forward(self, z: Z, norm: nn.Module, hidden: Tokens) -> Tokens:
        """The layer's output.

        Args:
            z: The task's embedding.
            norm: The pretrained norm, or the conditional one on it.
            hidden: x.

        Returns:
            The normed states.
        """
        normed: Tensor = norm(hidden + self.bottleneck(z, norm(hidden)))
        return normed


class Carried(NamedTuple):
    """Hidden states and skip connection, which one layer hands to the next.

    Attributes:
        hidden: The layer's output h.
        skip: The connection's state s.
    """

    hidden: States
    skip: States


class BottleneckSkip(nn.Module):
    """A layer's part of the skip connection: s_j = s_(j-1) + bottleneck(z, h_j + s_(j-1)).

    The layers themselves see h alone, and the last one gives h + s. The released code drops the
    first s, so that the lower bottlenecks have no gradient while those above them are zero.

    Args:
        bottleneck: The layer's own.
        last: Whether the layer is the top one.
    """

    def __init__(self, bottleneck: ConditionalBottleneck, *, last: bool) -> None:
        super().__init__()
        self.bottleneck = bottleneck
        self.last = last

    def forward(
        self, z: Z, layer: nn.Module, carried: Carried | States, *args: Any, **kwargs: Any
    ) -> Carried | States:
        """The layer and its bottleneck.

        Args:
            z: The task's embedding.
            layer: The layer.
            carried: Output of the layer below; hidden states alone at the lowest layer.
            *args: Passed on to the layer.
            **kwargs: Passed on to the layer.

        Returns:
            For the layer above; hidden states alone at the top.
        """
        before, skip = carried if isinstance(carried, Carried) else (carried, 0)
        hidden = layer(before, *args, **kwargs)
        skip = skip + self.bottleneck(z, hidden + skip)
        return hidden + skip if self.last else Carried(hidden, skip)
