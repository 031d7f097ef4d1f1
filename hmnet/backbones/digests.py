"""Digests of an encoder, by which one that was changed is told from what it was."""

import re
from collections.abc import Mapping
from hashlib import sha256

from torch import Tensor

from hmnet.backbones.backbone import Backbone

# of transformers, when results were first kept: it is in their keys
KEPT_VERSION = "5.23.0"


def weights_digest(backbone: Backbone) -> str:
    """Hexadecimal sha256 of an encoder's configuration and weights."""
    # The library writes its own version into every configuration; that one changes no result.
    described = re.sub(
        r'("transformers_version": )"[^"]*"',
        rf'\1"{KEPT_VERSION}"',
        backbone.config.to_json_string(),
    )
    return tensors_digest(backbone.base.state_dict(), described)


def start_digest(backbone: Backbone) -> str:
    """Hexadecimal sha256 of all weights that training begins with, and of nothing else.

    Other versions of a library may describe an encoder in other words, so that the configuration
    would make a run that is under way one that cannot be resumed.
    """
    weights = dict(backbone.base.state_dict())
    beside = backbone.next_sentence or {}
    return tensors_digest(weights | {f"nsp.{name}": weight for name, weight in beside.items()})


def tensors_digest(weights: Mapping[str, Tensor], described: str = "") -> str:
    """Hexadecimal sha256 of tensors and their names, in whatever order they are given.

    Args:
        weights: The tensors by name, of a type that numpy has.
        described: Text that is digested with them.

    Returns:
        The digest.
    """
    content = sha256(described.encode())
    for name, weight in sorted(weights.items()):
        content.update(name.encode())
        content.update(weight.detach().cpu().numpy().tobytes())
    return content.hexdigest()
