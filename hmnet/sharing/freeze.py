"""Which layers training leaves as they were pretrained, whatever the depth of the backbone."""

import math
import re
from dataclasses import dataclass

from relevance.errors import RelevanceError

ALL, EMBEDDINGS = "all", "embeddings"
EMBEDDINGS_DEPTH = -1
"""Depth of the embeddings, below the lowest layer's 0."""


@dataclass(frozen=True)
class Freeze:
    """Layers to freeze; none by default.

    Attributes:
        first: The lowest layer of a range, counted from 1; 0 for the embeddings.
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
                `embeddings` for these alone, or `all`. A value is returned as it is.

        Returns:
            The value; texts that mean the same give the same one.

        Raises:
            RelevanceError: If it is none of these.

        >>> [str(Freeze.parse(text)) for text in ("04", "50 %", "0%", "ALL", "5 - 8", "1-4")]
        ['4', '50%', '0', 'all', '5-8', '4']
        >>> str(Freeze.parse("Embeddings"))
        'embeddings'
        """
        if isinstance(text, Freeze):
            return text
        text = text.strip().lower()
        if text == ALL:
            return cls(everything=True)
        if text == EMBEDDINGS:
            return cls(first=0)
        if share := re.fullmatch(r"([0-9]{1,18})\s*(%?)", text):
            number = int(share[1])
            if not share[2] or number == 0:
                return cls(last=number)
            if number <= 100:
                return cls(percent=number)
        if ends := re.fullmatch(r"([0-9]{1,18})\s*-\s*([0-9]{1,18})", text):
            first, last = int(ends[1]), int(ends[2])
            if 1 <= first <= last:
                return cls(first, last)
        raise RelevanceError(
            "`freeze` takes a number of layers such as 4, a share such as 50%, layers such as 5-8,"
            f" embeddings or all, got '{text}'."
        )

    def __str__(self) -> str:
        if self.everything:
            return ALL
        if self.percent is not None:
            return f"{self.percent}%"
        if self.first == 0:
            return EMBEDDINGS
        return f"{self.last}" if self.first == 1 else f"{self.first}-{self.last}"

    def layers(self, depth: int) -> range:
        """Which of an encoder's layers are frozen.

        Args:
            depth: Layers of the encoder.

        Returns:
            Depths, from 0 for the lowest layer, and -1 for the embeddings, which are frozen with
            the lowest layer; for `all` one more than there are layers, which is what stands above
            them.

        Raises:
            RelevanceError: If there are fewer layers.

        >>> [Freeze.parse(text).layers(6) for text in ("2", "25%", "100%")]
        [range(-1, 2), range(-1, 2), range(-1, 6)]
        >>> [Freeze.parse(text).layers(6) for text in ("5-6", "embeddings", "all")]
        [range(4, 6), range(-1, 0), range(-1, 7)]
        >>> len(Freeze.parse("0").layers(6))
        0
        """
        if self.last > depth:
            raise RelevanceError(
                f"`freeze='{self}'` is more than the backbone's {depth} layers. Give {depth} at"
                " most, or all."
            )
        first, end = self.first - 1, self.last
        if self.everything:
            end = depth + 1
        elif self.percent is not None:
            end = math.floor(depth * self.percent / 100 + 0.5)
        if first == 0 < end:  # whoever keeps the lowest layer keeps what it reads
            first = EMBEDDINGS_DEPTH
        return range(first, end)


NOTHING = Freeze()
