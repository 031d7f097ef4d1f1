"""Layers that remember their last input, so that asking one text for all tasks runs each once.

Every path still runs by the backbone's own forward. Where two paths share their first layers, the
second path's call comes with the very tensors of the first and is answered from memory; the answer
is again the very tensor, so the next shared layer recognises its input as well.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def activation_cache(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Let modules answer from memory when they are asked the same as the last time.

    Gradients are off inside. Inputs must not be changed in place between two calls.

    Args:
        modules: Each of them without dropout at work; what they remember is freed at the end.

    Yields:
        Nothing.

    Raises:
        RuntimeError: If a module is in training mode, in which no two answers are the same.
    """
    remembered = list(modules)
    if any(module.training for module in remembered):
        raise RuntimeError("Layers remember only in evaluation mode: call model.eval() first.")
    with torch.no_grad():
        for module in remembered:
            module.forward = _with_memory(module.forward)
        try:
            yield
        finally:
            for module in remembered:
                del module.forward  # the class's own shows again


def _with_memory(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A forward that keeps its last arguments and what they gave."""
    arguments: Any = None
    answer: Any = None

    def remembered(*args: Any, **kwargs: Any) -> Any:
        nonlocal arguments, answer
        if not same((args, kwargs), arguments):
            answer = forward(*args, **kwargs)
            arguments = (args, kwargs)
        return answer

    return remembered


def same(one: Any, other: Any) -> bool:
    """Whether two arguments are surely equal; False where that cannot be told.

    Args:
        one: A tensor, a number, a string, None, or a tuple, list or dictionary of them.
        other: Value to compare with, of any of these types.

    Returns:
        True for the same object and for equal values.

    >>> same((torch.ones(2), {"mask": None}), (torch.ones(2), {"mask": None}))
    True
    >>> same(torch.ones(2), torch.ones(2, dtype=torch.float64))
    False
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor):
        alike = (one.dtype, one.device, one.shape) == (other.dtype, other.device, other.shape)
        return alike and torch.equal(one, other)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return isinstance(one, str | int | float) and one == other
