"""Frozen weights: the lower layers of an encoder, or all of it, as they were pretrained."""

import math
import re
from collections.abc import Iterator

from torch import nn

from hmnet.inserts.insert import find_insert
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.plan import SharingPlan
from relevance.errors import RelevanceError

ALL = "all"


def canonical(text: str) -> str:
    """How much to freeze as a user writes it, in one form for all that is the same.

    Args:
        text: A number of layers, a share of them in percent, or `all`.

    Returns:
        The same, without spaces and leading zeros; `0` for nothing.

    Raises:
        RelevanceError: If it is none of these.

    >>> canonical("04"), canonical("50 %"), canonical("0%"), canonical("ALL")
    ('4', '50%', '0', 'all')
    """
    text = text.strip().lower()
    if text == ALL:
        return text
    found = re.fullmatch(r"(\d+)\s*(%?)", text)
    if found is None or (found[2] and int(found[1]) > 100):
        raise RelevanceError(
            f"--freeze takes a number of layers such as 4, a share such as 50%, or all, got"
            f" '{text}'."
        )
    number = int(found[1])
    return f"{number}{found[2]}" if number else "0"


def frozen_layers(text: str, depth: int) -> int:
    """How many of an encoder's lowest layers are frozen.

    Args:
        text: In canonical form.
        depth: Layers of the encoder.

    Returns:
        From 0 for nothing; `depth + 1` for `all`, which holds what stands above the layers as well.

    Raises:
        RelevanceError: If there are fewer layers.

    >>> [frozen_layers(text, 6) for text in ("0", "2", "25%", "100%", "all")]
    [0, 2, 2, 6, 7]
    """
    if text == ALL:
        return depth + 1
    if text.endswith("%"):
        return math.floor(depth * int(text[:-1]) / 100 + 0.5)
    if int(text) > depth:
        raise RelevanceError(
            f"--freeze {text} is more than the backbone's {depth} layers. Give {depth} at most, or"
            " all."
        )
    return int(text)


def freeze(model: MultiTaskModel, layers: int, layer_list: str) -> None:
    """Let training leave the lower part of every path as it is.

    Frozen weights get no gradient, and what runs below all others needs no graph. Their dropout
    stays on in training, as in public codes.

    Args:
        model: Whose heads, and whatever a method has put into the layers, are never frozen.
        layers: How many, as `frozen_layers` counts them; embeddings are frozen with the first, and
            so is all that a backbone keeps beside its layers and below or among them.
        layer_list: Where the backbone keeps its layers.
    """
    for name, depth in model.plan.depths.items():
        if depth < layers:
            _module(model, name).requires_grad_(False)
    if layers:
        for name in set(model.plan.outside.values()):
            outside = _module(model, name)
            outside.requires_grad_(False)
            for part in _above(outside, layer_list):
                part.requires_grad_(layers <= model.plan.depth)


def trains_together(plan: SharingPlan, layers: int) -> bool:
    """Whether tasks share weights that are trained.

    Args:
        plan: Which layers the tasks use.
        layers: How many of the lowest are frozen.

    Returns:
        False where what is trained belongs to one task each.
    """
    if plan.inserted and find_insert(plan.inserted.modules).member.shared:
        return True
    rows = [*zip(*plan.layers.values(), strict=True)][layers:]
    if not layers:
        rows.append(tuple(plan.outside.values()))
    return any(len(set(row)) < len(row) for row in rows)


def _module(model: MultiTaskModel, name: str) -> nn.Module:
    """A module of the pool by its name in the plan."""
    return model.pool[name.replace(".", "/")]


def _above(outside: nn.Module, layer_list: str) -> Iterator[nn.Module]:
    """What an encoder runs after its layers, such as ModernBERT's final norm."""
    below, _, _ = layer_list.partition(".")
    names = [name for name, _ in outside.named_children()]
    for name in names[names.index(below) + 1 :]:
        yield outside.get_submodule(name)
