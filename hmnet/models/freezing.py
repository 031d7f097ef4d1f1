"""Frozen weights: some layers of an encoder, or all of it, as they were pretrained."""

import math
import re
from collections.abc import Iterator

from torch import nn

from hmnet.inserts.insert import find_insert
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import SharingPlan
from relevance.errors import RelevanceError

ALL = "all"


def canonical(text: str) -> str:
    """What to freeze as a user writes it, in one form for all that is the same.

    Args:
        text: A number of layers, a share of them in percent, the first and the last of a range, or
            `all`.

    Returns:
        The same, without spaces and leading zeros; `0` for nothing, a number for a range from 1.

    Raises:
        RelevanceError: If it is none of these.

    >>> canonical("04"), canonical("50 %"), canonical("0%"), canonical("ALL")
    ('4', '50%', '0', 'all')
    >>> canonical("5 - 8"), canonical("1-4")
    ('5-8', '4')
    """
    text = text.strip().lower()
    if text == ALL:
        return text
    if share := re.fullmatch(r"(\d+)\s*(%?)", text):
        number = int(share[1])
        if number <= 100 or not share[2]:
            return f"{number}{share[2]}" if number else "0"
    if ends := re.fullmatch(r"(\d+)\s*-\s*(\d+)", text):
        first, last = int(ends[1]), int(ends[2])
        if 1 <= first <= last:
            return f"{last}" if first == 1 else f"{first}-{last}"
    raise RelevanceError(
        "--freeze takes a number of layers such as 4, a share such as 50%, layers such as 5-8, or"
        f" all, got '{text}'."
    )


def frozen_layers(text: str, depth: int) -> range:
    """Which of an encoder's layers are frozen.

    Args:
        text: In canonical form.
        depth: Layers of the encoder.

    Returns:
        Depths, from 0 for the lowest layer; for `all` one more than there are layers, which is what
        stands above them.

    Raises:
        RelevanceError: If there are fewer layers.

    >>> [len(frozen_layers(text, 6)) for text in ("0", "2", "25%", "100%", "all")]
    [0, 2, 2, 6, 7]
    >>> frozen_layers("5-6", 6)
    range(4, 6)
    """
    if text == ALL:
        return range(depth + 1)
    if text.endswith("%"):
        return range(math.floor(depth * int(text[:-1]) / 100 + 0.5))
    first, _, last = text.rpartition("-")
    if int(last) > depth:
        raise RelevanceError(
            f"--freeze {text} is more than the backbone's {depth} layers. Give {depth} at most, or"
            " all."
        )
    return range(int(first or 1) - 1, int(last))


def freeze(model: MultiTaskModel, layers: range, layer_list: str) -> None:
    """Let training leave layers of every path as they are.

    Frozen weights get no gradient, and what runs below all others needs no graph. Their dropout
    stays on in training, as in public codes.

    Args:
        model: Whose heads, and whatever a method has put into the layers, are never frozen.
        layers: Depths, as from `frozen_layers`; embeddings are frozen with the lowest layer, and so
            is all that a backbone keeps beside its layers and below or among them.
        layer_list: Where the backbone keeps its layers.
    """
    for name, depth in model.plan.depths.items():
        if depth in layers:
            _module(model, name).requires_grad_(False)
    if 0 in layers:
        for name in set(model.plan.outside.values()):
            outside = _module(model, name)
            outside.requires_grad_(False)
            for part in _above(outside, layer_list):
                part.requires_grad_(model.plan.depth not in layers)


def trains_together(plan: SharingPlan, layers: range) -> bool:
    """Whether tasks share weights that are trained.

    Args:
        plan: Which layers the tasks use.
        layers: Depths that are frozen.

    Returns:
        False where what is trained belongs to one task each.
    """
    if plan.inserted and find_insert(plan.inserted.modules).member.shared:
        return True
    by_depth = enumerate(zip(*plan.layers.values(), strict=True))
    rows = [row for depth, row in by_depth if depth not in layers]
    if 0 not in layers:
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
