"""Numbers of any size as figures print them: as many digits as tell them apart, and no more."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from relevance.figures.figure import text_width_em

if TYPE_CHECKING:
    from matplotlib.axis import Axis

MINUS = "\N{MINUS SIGN}"
LARGE = 1e6
SMALL = 1e-3
"""Numbers from `LARGE` on and below `SMALL` are written with a power of ten."""


def number(value: float, decimals: int) -> str:
    """A number as it is printed in a figure: a real minus sign, no negative zero, no NaN.

    >>> number(-12.34, 1), number(-0.01, 1), number(float("nan"), 1)
    ('−12.3', '0.0', '')
    """
    if math.isnan(value):
        return ""
    text = f"{value:.{decimals}f}"
    return f"{abs(float(text)):.{decimals}f}" if float(text) == 0 else text.replace("-", MINUS)


def power(value: float, decimals: int) -> str:
    """A number with a power of ten, 0 and NaN as `number` has them.

    >>> power(-3.04e-9, 1), power(2e11, 0), power(0.0, 1)
    ('−3.0e−9', '2e11', '0')
    """
    if math.isnan(value) or value == 0:
        return number(value, 0)
    digits, exponent = f"{value:.{decimals}e}".split("e")
    return f"{digits}e{int(exponent)}".replace("-", MINUS)


def needs_power(largest: float) -> bool:
    """Whether numbers up to a size are better read with a power of ten."""
    return largest >= LARGE or 0 < largest < SMALL


def decimals_for(largest: float, least: int = 1) -> int:
    """Decimals that show two digits of the largest of some numbers.

    >>> decimals_for(64.3), decimals_for(0.5), decimals_for(0.032), decimals_for(0.0)
    (1, 2, 3, 1)
    """
    if not 0 < largest < 1:
        return least
    return max(least, 1 - math.floor(math.log10(largest)))


def one_style(values: Sequence[float]) -> tuple[str, ...]:
    """Numbers in one style, in which the largest shows two digits at least.

    >>> one_style([12.34, -0.5]), one_style([0.0002, 0.0])
    (('12.3', '−0.5'), ('2.0e−4', '0'))
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if needs_power(largest):
        return tuple(power(value, 1) for value in values)
    decimals = decimals_for(largest)
    return tuple(number(value, decimals) for value in values)


def tick_texts(places: Sequence[float]) -> tuple[str, ...]:
    """Labels of ticks, with the decimals that tell neighbours apart.

    Args:
        places: Places of the ticks, in order.

    Returns:
        A text for each; no offset or factor stands elsewhere.

    >>> tick_texts([-7.5, -5.0, 0.0]), tick_texts([0.0, 10.0]), tick_texts([0.0, 2.5e11])
    (('−7.5', '−5.0', '0.0'), ('0', '10'), ('0', '2.5e11'))
    """
    largest = max(map(abs, places), default=0.0)
    step = min((b - a for a, b in pairwise(places) if b > a), default=largest)
    if needs_power(largest):
        exponent = math.floor(math.log10(largest))
        return tuple(power(place, _decimals(step / 10**exponent)) for place in places)
    return tuple(number(place, _decimals(step)) for place in places)


def _decimals(step: float) -> int:
    """Number of decimals that a number of few digits has.

    >>> _decimals(2.5), _decimals(10.0), _decimals(0.05), _decimals(0.0)
    (1, 0, 2, 0)
    """
    for decimals in range(9):
        if math.isclose(step, round(step, decimals), rel_tol=1e-6, abs_tol=1e-15):
            return decimals
    return 9


def nice_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Places of ticks within a range.

    Args:
        low: Lower end of the range.
        high: Upper end of the range.
        most: Intervals between ticks, at most.

    Returns:
        Multiples of a step of one or two digits.

    >>> nice_ticks(-9.8, 9.8, 4)
    (-5.0, 0.0, 5.0)
    """
    from matplotlib.ticker import MaxNLocator

    found = np.asarray(MaxNLocator(most).tick_values(low, high), dtype=np.float64)
    room = 1e-9 * (high - low)
    step = found[1] - found[0] if len(found) > 1 else 1.0
    # Multiples of a step such as 0.1 miss zero by rounding, which would be printed as 1e-17.
    found = np.where(np.abs(found) < 1e-6 * step, 0.0, found)
    return tuple(found[(found >= low - room) & (found <= high + room)].tolist())


def plain_ticks(axis: Axis) -> None:
    """Label an axis of numbers by `tick_texts`, so that no factor or offset stands at its end."""
    from matplotlib.ticker import Formatter

    class Plain(Formatter):
        def format_ticks(self, values: Iterable[float]) -> list[str]:
            return list(tick_texts([float(value) for value in values]))

        def __call__(self, x: float, pos: int | None = None) -> str:
            del pos
            return tick_texts([x])[0]

    axis.set_major_formatter(Plain())


def bar_ticks(
    low: float, high: float, width_pt: float, text_pt: float
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Places and labels of a colour bar's ticks, at least one, with room between the labels."""
    for most in range(6, 1, -1):
        places = nice_ticks(low, high, most)
        texts = tick_texts(places)
        if text_pt * sum(text_width_em(text) + 1.0 for text in texts) <= width_pt:
            return places, texts
    middle = (0.0,) if low <= 0 <= high else (low,)
    return middle, one_style(middle)


def overhang_pt(low: float, high: float, width_pt: float, text_pt: float) -> float:
    """Overhang of the last label beyond the right end of a colour bar, in points."""
    places, texts = bar_ticks(low, high, width_pt, text_pt)
    reach = (places[-1] - low) / (high - low) * width_pt + 0.55 * text_pt * text_width_em(texts[-1])
    return reach - width_pt
