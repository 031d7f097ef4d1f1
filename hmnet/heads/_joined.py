"""What a head of a token-level task reads beside the vector of each token: the whole text."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from hmnet.backbones.backbone import Backbone
from hmnet.backbones.inner_states import inner_states
from hmnet.backbones.levels import Concat
from hmnet.heads._next_sentence import NextSentence
from hmnet.kinds._reading import Reading
from relevance.errors import RelevanceError


class Joined(nn.Module):
    """Makes what is joined to every token of a row, from the [CLS] vector of the NSP level.

    Args:
        backbone: The encoder; its classifier of next sentences is where this one begins.
        concat: `cls` for the vector itself, `nsp` for the two logits of that classifier.

    Attributes:
        width: Number of values that are joined.
        classifier: The task's own copy of the classifier; None for `cls`.
    """

    def __init__(self, backbone: Backbone, concat: Concat) -> None:
        super().__init__()
        self.width = 2 if concat == "nsp" else int(backbone.config.hidden_size)
        self.classifier = NextSentence(backbone).to(backbone.device) if concat == "nsp" else None
        if self.classifier is not None and backbone.next_sentence is not None:
            self.classifier.load_state_dict(dict(backbone.next_sentence))

    def forward(self, cls: Float[Tensor, "row width"]) -> Float[Tensor, "row joined"]:
        """Values of each row."""
        return cls if self.classifier is None else self.classifier(cls)


class JoiningEncoder(nn.Module):
    """Runs an encoder by its own forward, and gives vectors of tokens with the row's joined.

    Args:
        encoder: A view of the backbone with the task's layers, up to the higher of both levels.
        layers: These layers.
        reading: The two levels.
        joined: Makes what is joined.
    """

    def __init__(
        self, encoder: PreTrainedModel, layers: nn.ModuleList, reading: Reading, joined: Joined
    ) -> None:
        super().__init__()
        self.encoder, self.layers, self.reading, self.joined = encoder, layers, reading, joined

    def forward(self, *given: Any, **inputs: Any) -> Any:
        """What the encoder says, its `last_hidden_state` `[row, token, width + joined]`."""
        own, joined, _ = self.reading
        assert joined is not None  # noqa: S101  or nothing would be joined
        with inner_states(list(self.layers), {own, joined}) as states:
            output = self.encoder(*given, **inputs)
        states[self.reading.depth] = output.last_hidden_state
        tokens = states[own]
        values = self.joined(states[joined][:, 0]).to(tokens.dtype)
        spread = values[:, None].expand(-1, tokens.shape[1], -1)
        output["last_hidden_state"] = torch.cat([tokens, spread], dim=-1)
        return output

    def get_input_embeddings(self) -> nn.Module:
        """The encoder's, as families' own classes ask for them."""
        return self.encoder.get_input_embeddings()


def widen(head: nn.Module, backbone: Backbone, joined: Joined, name: str) -> None:
    """Let the one linear layer that reads the tokens' vectors read what is joined too.

    With zeros as its further weights it answers as before.

    Args:
        head: The head, which is changed.
        backbone: Backbone that says how weights begin, and on which device.
        joined: What is joined.
        name: The head's name, for the message.

    Raises:
        RelevanceError: If the head has not just one such layer.
    """
    width = int(backbone.config.hidden_size)
    found = {n: layer for n, layer in head.named_modules() if isinstance(layer, nn.Linear)}
    if len(found) != 1 or next(iter(found.values())).in_features != width:
        raise RelevanceError(
            f"`concat` joins vectors for a single linear layer, and head '{name}' of"
            f" {type(backbone.base).__name__} is not one. Add `pooling='cls'` for a linear head, or"
            " leave `concat` out."
        )
    [(place, old)] = found.items()
    new = nn.Linear(width + joined.width, old.out_features, device=backbone.device)
    backbone.base._init_weights(new)
    with torch.no_grad():
        new.weight[:, :width] = old.weight
        if old.bias is not None:
            new.bias.copy_(old.bias)
    head.set_submodule(place, new)
