"""The classifier of next sentence prediction, as BERT has it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hmnet.backbones.backbone import Backbone
from hmnet.randomness import linear


class NextSentence(nn.Module):
    """Tells a true next segment (0) from a random one (1): pooler with tanh, then linear.

    Args:
        backbone: Encoder. Its pooler is where this one begins, if it has one of BERT's form.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        width = backbone.config.hidden_size
        deviation = float(getattr(backbone.config, "initializer_range", 0.02))
        self.pooler = linear(width, width, deviation)
        self.classifier = linear(width, 2, deviation)
        pretrained = backbone.copy_pooler() if backbone.has_pooler else None
        if isinstance(dense := getattr(pretrained, "dense", None), nn.Linear):
            self.pooler.load_state_dict(dense.state_dict())

    def forward(self, cls: Float[Tensor, "row width"]) -> Float[Tensor, "row 2"]:
        """Logits, from the vectors of the first tokens."""
        logits: Tensor = self.classifier(torch.tanh(self.pooler(cls)))
        return logits
