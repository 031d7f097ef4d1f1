"""Texts that stand both in training rows and in scored rows, of many tasks at once."""

from collections.abc import Hashable, Iterable, Sequence
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from relevance.tasks.data import Split

Places = dict[Hashable, list[int]]
"""Numbers of scored rows by what they hold."""
DUPLICATED = 0.01
"""Share of a task's training rows that makes another task's rows worth a remark."""


class Shared(NamedTuple):
    """What a training split and a scored split have in common.

    Attributes:
        source: Task of the training split.
        target: Task of the scored split, or of another training split.
        split: Name of the target's split.
        rows: Scored rows with a text, in any column, that stands in the training split.
        whole_rows: Scored rows whose texts, all of them in their order, are a training row's.
        of: Number of scored rows.
    """

    source: str
    target: str
    split: str
    rows: int
    whole_rows: int
    of: int


def shared_rows(
    trained: Sequence[tuple[str, Split]], scored: Sequence[tuple[str, str, Split]]
) -> tuple[Shared, ...]:
    """Count the scored rows that training splits have seen.

    Texts are compared character by character; the empty one counts nowhere.

    Args:
        trained: Tasks by name with their training splits.
        scored: Tasks by name, names of their splits, and the splits.

    Returns:
        Every pair that shares a text, in the order of the training splits and then of the others.
    """
    starts = np.cumsum([0, *(len(split) for _, _, split in scored)])
    by_text, by_row = _places(split for _, _, split in scored)
    found: list[Shared] = []
    for source, train in trained:
        texts = _counts(set(chain.from_iterable(train.texts)), by_text, starts)
        rows = _counts(set(zip(*train.texts, strict=True)), by_row, starts)
        for (target, name, split), some, whole in zip(scored, texts, rows, strict=True):
            if some:
                found.append(Shared(source, target, name, some, whole, len(split)))
    return tuple(found)


def shared_training(trained: Sequence[tuple[str, Split]]) -> tuple[Shared, ...]:
    """Count the training rows that another task trains on too, as tasks of one data set do.

    Args:
        trained: Tasks by name with their training splits.

    Returns:
        Every pair of an earlier task and a later one of whose rows at least `DUPLICATED` are whole
        rows of the earlier one's; `rows` and `whole_rows` are the same number.
    """
    rows = [list(map(hash, zip(*split.texts, strict=True))) for _, split in trained]
    seen = [set(hashes) for hashes in rows]
    found: list[Shared] = []
    for first, second in combinations(range(len(trained)), 2):
        if common := seen[first] & seen[second]:
            count, of = sum(row in common for row in rows[second]), len(rows[second])
            if count >= DUPLICATED * of:
                names = trained[first][0], trained[second][0]
                found.append(Shared(*names, "train", count, count, of))
    return tuple(found)


def _places(splits: Iterable[Split]) -> tuple[Places, Places]:
    """Rows of all splits, numbered through, by each of their texts and by all of them."""
    by_text: Places = {}
    by_row: Places = {}
    rows = chain.from_iterable(zip(*split.texts, strict=True) for split in splits)
    for number, row in enumerate(rows):
        if any(row):
            by_row.setdefault(row, []).append(number)
        for text in filter(None, row):
            by_text.setdefault(text, []).append(number)
    return by_text, by_row


def _counts(seen: set[Hashable], places: Places, starts: Int[np.ndarray, " boundary"]) -> list[int]:
    """Number of rows of each split that hold something that was seen."""
    hits = [places[key] for key in seen & places.keys()]
    rows = np.unique(np.fromiter(chain.from_iterable(hits), np.int64))
    counts, _ = np.histogram(rows, bins=starts)
    return [int(count) for count in counts]
