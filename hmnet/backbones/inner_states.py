"""What inner layers give while an encoder runs by its own forward."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


@contextmanager
def inner_states(
    layers: Sequence[nn.Module], levels: Collection[int]
) -> Iterator[dict[int, Tensor]]:
    """Keep what some layers give, where another stands above them.

    It is what the next layer is given: DeBERTa has a convolution behind its first.

    Args:
        layers: All layers that run, the lowest first.
        levels: Numbers of layers, from 1; the highest of all and those above it are left out.

    Yields:
        Vectors of all tokens `[row, token, width]` by level, filled while the encoder runs.
    """
    states: dict[int, Tensor] = {}

    def keep(level: int) -> RemovableHandle:
        def hook(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            states[level] = given[0] if given else named["hidden_states"]

        return layers[level].register_forward_pre_hook(hook, with_kwargs=True)

    handles = [keep(level) for level in levels if level < len(layers)]
    try:
        yield states
    finally:
        for handle in handles:
            handle.remove()
