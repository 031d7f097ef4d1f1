"""Columns of cells packed in memory, of which a few are objects at a time."""

import pickle
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, overload

T_co = TypeVar("T_co", covariant=True)
BLOCK = 128  # cells that are objects at the same time


class Packed(Sequence[T_co]):
    """Cells of any kind in their order, for reading one after another.

    A text takes its bytes in UTF-8 and about 5 more, where an object takes 50 to 80 more and up to
    four for each character; texts that come again a few rows later take next to nothing. Other
    cells take what `pickle` makes of them. Reading at random unpacks `BLOCK` cells for each.

    Args:
        cells: The cells; they must not be changed afterwards.
    """

    def __init__(self, cells: Iterable[T_co] = ()) -> None:
        self._blocks: list[bytes] = []
        self._last: list[Any] = []
        self._unpacked: tuple[int, list[Any]] = (-1, [])
        self.extend(cells)

    def extend(self, cells: Iterable[Any]) -> None:
        """Add cells at the end."""
        for cell in cells:
            self.append(cell)

    def append(self, cell: Any) -> None:
        """Add a cell at the end."""
        self._last.append(cell)
        if len(self._last) == BLOCK:
            known: dict[str, str] = {}  # pickle tells equal objects by being the same one
            some = [known.setdefault(c, c) if type(c) is str else c for c in self._last]
            self._blocks.append(pickle.dumps(some, protocol=pickle.HIGHEST_PROTOCOL))
            self._last = []

    def __len__(self) -> int:
        return len(self._blocks) * BLOCK + len(self._last)

    def __iter__(self) -> Iterator[T_co]:
        for block in self._blocks:
            yield from pickle.loads(block)  # noqa: S301  its own
        yield from self._last

    @overload
    def __getitem__(self, index: int) -> T_co: ...

    @overload
    def __getitem__(self, index: slice) -> list[T_co]: ...

    def __getitem__(self, index: int | slice) -> T_co | list[T_co]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        number, place = divmod(range(len(self))[index], BLOCK)
        cells: list[T_co] = self._last
        if number < len(self._blocks):
            held = self._unpacked  # once: another thread may put another block there
            if held[0] != number:
                held = self._unpacked = number, pickle.loads(self._blocks[number])  # noqa: S301  own
            cells = held[1]
        return cells[place]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __repr__(self) -> str:
        return f"Packed({len(self):,} cells)"
