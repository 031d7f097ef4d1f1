"""The classifiers of pre-training, as BERT has them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers.activations import ACT2FN

from hmnet.backbones.backbone import Backbone
from hmnet.backbones.levels import Levels
from hmnet.randomness import linear


class MaskedTokens(nn.Module):
    """Tells which tokens were masked: transform, norm, and a decoder that is tied.

    Args:
        backbone: Encoder, whose activation and input embeddings are meant.
        extra: Width of what is joined to the vector of a token.

    Attributes:
        transform: From the vector and what is joined to the width of the input embeddings.
    """

    def __init__(self, backbone: Backbone, extra: int) -> None:
        super().__init__()
        config = backbone.config
        words = _embeddings(backbone).weight
        deviation = float(getattr(config, "initializer_range", 0.02))
        self.transform = linear(config.hidden_size + extra, words.shape[1], deviation)
        self.activation = ACT2FN[getattr(config, "hidden_act", "gelu")]
        self.norm = nn.LayerNorm(words.shape[1], eps=getattr(config, "layer_norm_eps", 1e-12))
        self.bias = nn.Parameter(torch.zeros(len(words)))

    def forward(
        self, vectors: Float[Tensor, "place width"], words: Float[Tensor, "id embedding"]
    ) -> Float[Tensor, "place id"]:
        """Logits of every id, at the places that are asked for alone."""
        found = self.norm(self.activation(self.transform(vectors)))
        return nn.functional.linear(found, words, self.bias)


def swapped_tokens(backbone: Backbone) -> nn.Linear:
    """The classifier of tokens that stand in their place (0) or were swapped (1)."""
    deviation = float(getattr(backbone.config, "initializer_range", 0.02))
    return linear(backbone.config.hidden_size, 2, deviation)


def joined_width(backbone: Backbone, levels: Levels) -> int:
    """Width of what is joined to the vectors of masked tokens."""
    return {"none": 0, "cls": int(backbone.config.hidden_size), "nsp": 2}[levels.concat]


def _embeddings(backbone: Backbone) -> nn.Embedding:
    found = backbone.base.get_input_embeddings()
    assert isinstance(found, nn.Embedding)  # noqa: S101  of every family with a list of layers
    return found
