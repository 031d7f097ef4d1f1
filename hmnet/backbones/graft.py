"""Views of a module tree: other parts in some places, the very same objects everywhere else."""

import copy
from collections.abc import Mapping
from typing import TypeVar

from torch import nn

M = TypeVar("M", bound=nn.Module)


def graft(root: M, parts: Mapping[str, nn.Module | None]) -> M:
    """A view of a module in which some submodules are others.

    Only the modules along the way are copied, and those shallowly: parameters, buffers and all
    other submodules are the same objects as in the original.

    Args:
        root: The module; it is not changed.
        parts: The new submodules by dotted name; None takes one out.

    Returns:
        The view.
    """
    view = copy.copy(root)
    # A shallow copy has the very table of the original: changing it would change both.
    view._modules = dict(root._modules)
    below: dict[str, dict[str, nn.Module | None]] = {}
    for name, part in parts.items():
        child, _, rest = name.partition(".")
        if rest:
            below.setdefault(child, {})[rest] = part
        else:
            view._modules[child] = part
    for child, inner_parts in below.items():
        view._modules[child] = graft(root.get_submodule(child), inner_parts)
    return view
