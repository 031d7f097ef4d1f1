"""Numbers of shared, cluster and task layers that a sweep tries, and names of its runs."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from hmnet.sharing.plan import check_layers
from relevance.errors import RelevanceError

What: TypeAlias = Literal["shared", "mix"]
Layers: TypeAlias = tuple[int, int, int]


def column(what: What, layers: Layers) -> str:
    """Name of a run in tables.

    >>> column("shared", (4, 0, 2)), column("mix", (4, 1, 1))
    ('4 shared', '{4,1,1}')
    """
    return f"{layers[0]} shared" if what == "shared" else f"{{{','.join(map(str, layers))}}}"


def shared_choices(depth: int, shared: Sequence[int] | None = None) -> tuple[Layers, ...]:
    """Numbers of shared layers, without cluster layers.

    Args:
        depth: Layers of the backbone.
        shared: Numbers of shared layers; None for every number from 0, which shares the embeddings
            alone, to all of them.

    Returns:
        `(x, 0, depth - x)` for every x.

    Raises:
        RelevanceError: If a number is beyond the depth, or is given twice.

    Source:
        Fei et al. (2022), Figure 3.

    >>> shared_choices(6, [0, 4])
    ((0, 0, 6), (4, 0, 2))
    """
    chosen = tuple(range(depth + 1)) if shared is None else tuple(shared)
    for number in chosen:
        if number > depth:
            raise RelevanceError(
                f"`shared={number}` is more than the backbone's {depth} layers. Choose from 0 to"
                f" {depth}."
            )
    return _different(tuple((number, 0, depth - number) for number in chosen), "`shared`")


def mix_choices(depth: int, mixes: Sequence[Layers] | None = None) -> tuple[Layers, ...]:
    """Combinations of shared, cluster and task layers.

    Args:
        depth: Layers of the backbone.
        mixes: The combinations; None for `(depth - 2n, n, n)`, from all shared to a third of each.

    Returns:
        The combinations.

    Raises:
        RelevanceError: If one does not add up to the depth, or is given twice.

    Source:
        Fei et al. (2022), Figure 4.

    >>> mix_choices(12)
    ((12, 0, 0), (10, 1, 1), (8, 2, 2), (6, 3, 3), (4, 4, 4))
    """
    chosen = tuple((depth - 2 * n, n, n) for n in range(depth // 3 + 1))
    for layers in mixes or ():
        check_layers(layers, depth)
    return _different(tuple(mixes) if mixes else chosen, "`mix`")


def folder_name(what: What, layers: Layers) -> str:
    """Name of the folder of a choice's seeds.

    >>> folder_name("shared", (4, 0, 2)), folder_name("mix", (4, 1, 1))
    ('shared-4', 'mix-4-1-1')
    """
    return "-".join([what, *map(str, layers[:1] if what == "shared" else layers)])


def _different(choices: tuple[Layers, ...], option: str) -> tuple[Layers, ...]:
    if len(set(choices)) < len(choices):
        raise RelevanceError(f"{option} names a choice twice. Name each once.")
    return choices
