"""Which layers training leaves as they were pretrained, whatever the depth of the backbone."""

import math
import re
from dataclasses import dataclass

from relevance.errors import RelevanceError

ALL = "all"


@dataclass(frozen=True)
class Freeze:
    """Layers to freeze; none by default.

    Attributes:
        first: The lowest layer of a range, counted from 1.
        last: The highest layer of a range; below `first` where nothing is frozen.
        percent: Share of the layers, the lowest first, in place of a range.
        everything: Whether all that is pretrained is frozen, so that heads train alone.
    """

    first: int = 1
    last: int = 0
    percent: int | None = None
    everything: bool = False

    @classmethod
    def parse(cls, text: "str | Freeze") -> "Freeze":
        """Read what is to be frozen.

        Args:
            text: A number of layers, a share of them in percent, the first and the last of a range,
                or `all`. A value is returned as it is.

        Returns:
            The value; texts that mean the same give the same one.

        Raises:
            RelevanceError: If it is none of these.

        >>> [str(Freeze.parse(text)) for text in ("04", "50 %", "0%", "ALL", "5 - 8", "1-4")]
        ['4', '50%', '0', 'all', '5-8', '4']
        """
        if isinstance(text, Freeze):
            return text
        text = text.strip().lower()
        if text == ALL:
            return cls(everything=True)
        if share := re.fullmatch(r"(\d+)\s*(%?)", text):
            number = int(share[1])
            if not share[2] or number == 0:
                return cls(last=number)
            if number <= 100:
                return cls(percent=number)
        if ends := re.fullmatch(r"(\d+)\s*-\s*(\d+)", text):
            first, last = int(ends[1]), int(ends[2])
            if 1 <= first <= last:
                return cls(first, last)
        raise RelevanceError(
            "--freeze takes a number of layers such as 4, a share such as 50%, layers such as 5-8,"
            f" or all, got '{text}'."
        )

    def __str__(self) -> str:
        if self.everything:
            return ALL
        if self.percent is not None:
            return f"{self.percent}%"
        return f"{self.last}" if self.first == 1 else f"{self.first}-{self.last}"

    def layers(self, depth: int) -> range:
        """Which of an encoder's layers are frozen.

        Args:
            depth: Layers of the encoder.

        Returns:
            Depths, from 0 for the lowest layer; for `all` one more than there are layers, which is
            what stands above them.

        Raises:
            RelevanceError: If there are fewer layers.

        >>> [len(Freeze.parse(text).layers(6)) for text in ("0", "2", "25%", "100%", "all")]
        [0, 2, 2, 6, 7]
        >>> Freeze(5, 6).layers(6)
        range(4, 6)
        """
        if self.everything:
            return range(depth + 1)
        if self.percent is not None:
            return range(math.floor(depth * self.percent / 100 + 0.5))
        if self.last > depth:
            raise RelevanceError(
                f"--freeze {self} is more than the backbone's {depth} layers. Give {depth} at most,"
                " or all."
            )
        return range(self.first - 1, self.last)


NOTHING = Freeze()
