"""How much training a study may take: a share of one seed's joint runs, hours, or runs."""

import math
import re
from dataclasses import dataclass
from typing import Literal

from relevance.errors import RelevanceError, shown

Unit = Literal["%", "h", "runs"]

WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*(%|h|runs?)", re.ASCII)
HOUR_S = 3600.0


@dataclass(frozen=True)
class Amount:
    """An amount of joint training; single runs come on top of it.

    Attributes:
        number: More than 0; whole for `runs`.
        unit: `%` of the T(T-1)/2 joint runs of one seed, `h` on the study's workers, or `runs`.
    """

    number: float
    unit: Unit

    @classmethod
    def of(cls, text: str) -> "Amount":
        """Read an amount.

        Args:
            text: Such as `30%`, `4h` or `200runs`.

        Returns:
            The amount.

        Raises:
            RelevanceError: If it has another form, or is nothing.

        >>> Amount.of("30 %"), Amount.of("1run")
        (Amount(number=30.0, unit='%'), Amount(number=1.0, unit='runs'))
        """
        written = WRITTEN.fullmatch(text.strip())
        if written is None:
            raise RelevanceError(
                f"`budget` should be a share of one seed's joint runs, hours or runs, such as 30%,"
                f" 4h or 200runs, got {shown(text)}."
            )
        number, unit = float(written[1]), written[2]
        unit = "runs" if unit == "run" else unit
        if not number or math.isinf(number):
            raise RelevanceError(
                f"`budget` should be more than 0 and finite, got {shown(text)}. Without a budget"
                " every pair is run."
            )
        if unit == "runs" and not number.is_integer():
            raise RelevanceError(f"`budget` should be a whole number of runs, got {shown(text)}.")
        return cls(number, unit)  # type: ignore[arg-type]  # the pattern has no other

    def __str__(self) -> str:
        return f"{self.number:g}{self.unit}"

    def runs(self, tasks: int) -> int | None:
        """Number of joint runs, at least one.

        Args:
            tasks: Number of tasks.

        Returns:
            The number, to the nearest; None for hours.

        >>> Amount(30.0, "%").runs(13), Amount(200.0, "%").runs(3), Amount(4.0, "h").runs(13)
        (23, 6, None)
        """
        if self.unit == "h":
            return None
        one_seed = tasks * (tasks - 1) / 2
        share = self.number / 100 * one_seed if self.unit == "%" else self.number
        return max(1, round(share))

    @property
    def seconds(self) -> float | None:
        """Seconds on the study's workers; None where it is a number of runs."""
        return self.number * HOUR_S if self.unit == "h" else None
