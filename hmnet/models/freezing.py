"""Frozen weights: some layers of an encoder, or all of it, as they were pretrained."""

from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.freeze import EMBEDDINGS_DEPTH
from hmnet.sharing.plan import SharingPlan


def freeze(model: MultiTaskModel, layers: range, layer_list: str) -> None:
    """Let training leave layers of every path as they are.

    Frozen weights get no gradient, and what runs below all others needs no graph. Their dropout
    stays on in training, as in public codes.

    Args:
        model: Whose heads, and whatever a method has put into the layers, are never frozen.
        layers: Depths, as `Freeze.layers` gives them; with the embeddings, at depth -1, all is
            frozen that a backbone keeps beside its layers and below or among them.
        layer_list: Where the backbone keeps its layers.
    """
    for name, depth in model.plan.depths.items():
        if depth in layers and model.has(name):
            model.module(name).requires_grad_(False)
    if EMBEDDINGS_DEPTH in layers:
        for name in set(model.plan.outside.values()):
            outside = model.module(name)
            outside.requires_grad_(False)
            # What an encoder runs after its layers, such as ModernBERT's final norm.
            names = [child for child, _ in outside.named_children()]
            for above in names[names.index(layer_list.partition(".")[0]) + 1 :]:
                outside.get_submodule(above).requires_grad_(model.plan.depth not in layers)


def trains_together(plan: SharingPlan, layers: range) -> bool:
    """Whether tasks share weights that are trained.

    Args:
        plan: Which layers the tasks use.
        layers: Depths that are frozen.

    Returns:
        False where what is trained belongs to one task each.
    """
    if plan.inserted and plan.inserted.modules.member.shared:
        return True
    by_depth = enumerate(zip(*plan.layers.values(), strict=True))
    rows = [row for depth, row in by_depth if depth not in layers]
    if EMBEDDINGS_DEPTH not in layers:
        rows.append(tuple(plan.outside.values()))
    return any(len(set(row)) < len(row) for row in rows)
