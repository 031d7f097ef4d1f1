"""A view of an encoder as one task reads it: its layers, and what the family has above them."""

from torch import nn
from transformers import PreTrainedModel

from hmnet.backbones.graft import graft
from hmnet.kinds._reading import Reading


def reading_encoder(
    encoder: PreTrainedModel, layer_list: str, layers: nn.ModuleList, reading: Reading
) -> PreTrainedModel:
    """An encoder with other layers, that gives what pre-training read of the highest of them.

    Args:
        encoder: Without a pooler; it is not changed.
        layer_list: Where it keeps its layers.
        layers: The task's, up to the highest that it reads.
        reading: The layers that it reads.

    Returns:
        A view. The norm that a family such as ModernBERT has on its top layer is not for others.
    """
    parts: dict[str, nn.Module | None] = {layer_list: layers}
    if reading.is_inner:
        parts |= {name: nn.Identity() for name in norms_above(encoder, layer_list)}
    return graft(encoder, parts)


def norms_above(encoder: nn.Module, layer_list: str) -> list[str]:
    """The norms that an encoder runs behind its layers.

    Args:
        encoder: The encoder.
        layer_list: Where it keeps its layers.

    Returns:
        Names of its submodules.
    """
    children = list(encoder.named_children())
    names = [name for name, _ in children]
    behind = children[names.index(layer_list.partition(".")[0]) + 1 :]
    return [name for name, child in behind if type(child).__name__.endswith("Norm")]
