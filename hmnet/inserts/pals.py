"""Projected attention layers: every task has a narrow attention in parallel with each layer."""

from typing import Annotated, Any, cast

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  what everybody calls it

from hmnet.backbones.backbone import Backbone
from hmnet.backbones.graft import graft
from hmnet.inserts.insert import NORMS, AdapterModule, Host, module_key
from hmnet.randomness import linear, seeded
from relevance.errors import RelevanceError

SHARE = 204 / 768  # of the width, as in the paper's for BERT-base


class Pals(AdapterModule):
    """LN(h + SA(h) + TS(h)) in each layer, TS(h) = up(attention(down(h))) being the task's own.

    A task's two projections serve all layers, its attention is another one in each.

    Args:
        host: Encoder and tasks.
        size: Width of the attention, a multiple of `heads`; None for the share of the hidden size
            that 204 is of 768, to the nearest multiple.
        heads: Heads of the attention.

    Raises:
        RelevanceError: If the heads don't divide the size.

    Source:
        Stickland and Murray (2019), "BERT and PALs: Projected Attention Layers for Efficient
        Adaptation in Multi-Task Learning", section 3.3; as many heads as in the released code. The
        projection up starts at zero, so that the model starts as the pretrained one.
    """

    def __init__(
        self,
        host: Host,
        *,
        size: Annotated[int, Field(ge=1)] | None = None,
        heads: Annotated[int, Field(ge=1)] = 6,
    ) -> None:
        super().__init__(host)
        width = host.backbone.config.hidden_size
        size = size or heads * max(1, round(width * SHARE / heads))
        if size % heads:
            raise RelevanceError(
                f"Method 'pals' splits size={size} among heads={heads}. Choose a multiple of"
                f" {heads}, such as size={heads * (size // heads + 1)}."
            )
        self.tasks = nn.ModuleDict()
        for task in host.tasks:
            with seeded(host.seed, f"{task}.pals"):
                self.tasks[module_key(task)] = TaskPals(host.backbone, size, heads)

    def view(self, task: str, depth: int, layer: nn.Module) -> nn.Module:
        """The layer with the task's attention beside it."""
        return ParallelLayer(layer, cast("TaskPals", self.tasks[module_key(task)]), depth)


class TaskPals(nn.Module):
    """The projected attention of one task in all layers.

    Args:
        backbone: Backbone whose sizes and initialisation are used.
        size: Width of the attention.
        heads: Heads of the attention.
    """

    def __init__(self, backbone: Backbone, size: int, heads: int) -> None:
        super().__init__()
        config = backbone.config
        width, deviation = config.hidden_size, config.initializer_range
        self.down, self.up = linear(width, size, deviation), linear(size, width)
        self.maps = nn.ModuleList(linear(size, 3 * size, deviation) for _ in range(backbone.depth))
        self.heads = heads
        self.dropout = config.attention_probs_dropout_prob

    def forward(
        self, hidden: Float[Tensor, "batch length width"], mask: Tensor | None, depth: int
    ) -> Float[Tensor, "batch length width"]:
        """TS(h) at a layer.

        Args:
            hidden: The layer's input h.
            mask: Attention mask of the layer; None where all tokens are real.
            depth: Depth of the layer.

        Returns:
            Term for the layer's output before the norm.
        """
        maps: Tensor = self.maps[depth](self.down(hidden))
        split = maps.reshape(*maps.shape[:2], 3, self.heads, -1)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=self.dropout if self.training else 0.0
        )
        added: Tensor = self.up(seen.transpose(1, 2).flatten(2))
        return added


class ParallelLayer(nn.Module):
    """A pretrained layer with a task's attention in parallel.

    Args:
        layer: The pretrained layer.
        pals: The task's.
        depth: Depth of the layer.
    """

    def __init__(self, layer: nn.Module, pals: TaskPals, depth: int) -> None:
        super().__init__()
        self.layer = layer
        self.pals = pals
        self.depth = depth

    def forward(
        self,
        hidden_states: Float[Tensor, "batch length width"],
        attention_mask: Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Both, summed before the layer's last norm.

        Args:
            hidden_states: The layer's input.
            attention_mask: Mask of the tokens that each token sees.
            *args: Passed on.
            **kwargs: Passed on.

        Returns:
            Output of the layer.
        """
        added = self.pals(hidden_states, attention_mask, self.depth)
        # What is added is known here, and the place for it is deep in the layer's own forward.
        norm = _AddBefore(self.layer.get_submodule(NORMS[-1]), added)
        layer = graft(self.layer, {NORMS[-1]: norm})
        return layer(hidden_states, attention_mask, *args, **kwargs)


class _AddBefore(nn.Module):
    """A norm of its input and something else."""

    def __init__(self, norm: nn.Module, added: Tensor) -> None:
        super().__init__()
        self.norm = norm
        self.added = added

    def forward(self, hidden: Tensor) -> Tensor:
        normed: Tensor = self.norm(hidden + self.added)
        return normed
