"""Lists with commas, as options take them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from relevance.errors import RelevanceError

Value = TypeVar("Value")

DIGITS = 18  # files of ours hold no longer ones


def split_names(texts: Sequence[str]) -> list[str]:
    """Names from comma-separated lists, of which an option takes several.

    Args:
        texts: What the option was given, once for each time. One that names a file is not split,
            so that names of files may hold commas.

    Returns:
        The names in their order.

    >>> split_names(["RTE, CB,", "MRPC"])
    ['RTE', 'CB', 'MRPC']
    """
    parts = (
        part for text in texts for part in ([text] if Path(text).is_file() else text.split(","))
    )
    return [part.strip() for part in parts if part.strip()]


def only(values: Sequence[Value], option: str) -> Value:
    """The one value of an option that names what a command is about.

    Args:
        values: What it was given, once for each time; the same one may come twice.
        option: What took them, for the message.

    Returns:
        The value.

    Raises:
        RelevanceError: If there are several, of which all but one would be left out.

    >>> only(["RTE", "RTE"], "--task")
    'RTE'
    """
    different = list(dict.fromkeys(values))
    if len(different) > 1:
        given = ", ".join(map(str, different))
        raise RelevanceError(f"{option} takes one here, got {given}. Run the command for each.")
    return different[0]


def split_numbers(texts: Sequence[str], option: str) -> tuple[int, ...]:
    """Whole numbers from comma-separated lists.

    Args:
        texts: Such as `8,2,2`, once for each time that the option was given.
        option: What took them, for the message.

    Returns:
        The numbers in their order.

    Raises:
        RelevanceError: If one is no whole number of 0 or more, or has more than 18 digits.

    >>> split_numbers(["8,2,2"], "--layers")
    (8, 2, 2)
    """
    parts = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdecimal() for part in parts):
        raise RelevanceError(
            f"{option} takes whole numbers such as 0,1,2, got '{','.join(texts)}'."
        )
    if longest := max(parts, key=len)[DIGITS:]:
        raise RelevanceError(
            f"{option} takes numbers of up to {DIGITS} digits, got one of {DIGITS + len(longest)}."
        )
    return tuple(int(part) for part in parts)


def split_seeds(texts: Sequence[str]) -> tuple[int, ...]:
    """Seeds from comma-separated lists.

    Args:
        texts: Such as `0,1,2`, once for each time that the option was given.

    Returns:
        The seeds in their order.

    Raises:
        RelevanceError: If one is no whole number of 0 or more, too long, or named twice.
    """
    seeds = split_numbers(texts, "--seeds")
    if len(set(seeds)) < len(seeds):
        raise RelevanceError(f"--seeds names a seed twice: {','.join(texts)}.")
    return seeds


def split_layers(text: str, option: str = "--layers") -> tuple[int, int, int]:
    """Shared, cluster and task layers.

    Args:
        text: What the option was given.
        option: What took it, for the message.

    Returns:
        The three numbers.

    Raises:
        RelevanceError: If they are not three whole numbers.

    >>> split_layers("8,2,2")
    (8, 2, 2)
    """
    numbers = split_numbers([text], option)
    if len(numbers) != 3:
        raise RelevanceError(f"{option} takes three numbers such as 8,2,2, got '{text}'.")
    shared, cluster, task = numbers
    return shared, cluster, task
