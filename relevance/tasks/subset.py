"""Subsets and hold-outs of a split, drawn with seed 0: every run sees the same rows."""

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from relevance.errors import RelevanceError
from relevance.tasks.data import Split
from relevance.tasks.resampled import units

HOLDOUT_FRACTION = 5  # one row in so many


def subset(split: Split, limit: int | None) -> Split:
    """Some rows of a split, in the order of the split.

    Rows that are scored together come together; at most one group is cut to give exactly `limit`
    rows. A smaller subset is part of every larger one.

    Args:
        split: The rows to draw from.
        limit: Number of rows at most, at least 1; None for all.

    Returns:
        `min(limit, len(split))` rows.
    """
    if limit is None or limit >= len(split):
        return split
    return split.take(np.sort(_shuffled(split)[:limit]))


def hold_out(split: Split, limit: int | None) -> tuple[Split, Split]:
    """Take 20 % of the rows of a training split away, to measure gains on.

    Rows are stratified by label (regression: by tenths of the label's distribution; not at all
    where a row has more than one label). Rows that are scored together are held out together or
    not at all; label shares and number of rows are then met as closely as whole groups allow,
    without going over.

    Args:
        split: The training split.
        limit: Number of rows of the hold-out at most; None for no other limit than 20 %.

    Returns:
        The rows left to train on and those held out, both in the order of the split.

    Raises:
        RelevanceError: If fewer than 2 rows would be held out.
    """
    size = min(len(split) // HOLDOUT_FRACTION, len(split) if limit is None else limit)
    held = _stratified(split, size)
    if len(held) < 2:
        raise RelevanceError(
            f"a hold-out of {len(split)} training rows would have {len(held)} (20 %, at most"
            " `max_dev`); at least 2 are needed. Measure on the dev split with"
            ' `gain_split="dev"`.'
        )
    left = np.setdiff1d(np.arange(len(split)), held)
    return split.take(left), split.take(held)


def dev_share(split: Split, share: float, seed: int) -> tuple[Split, Split]:
    """Take a share of the rows of a training split away, to be its dev split.

    Args:
        split: The training split.
        share: Share of its rows that is taken, in (0, 1).
        seed: Seed of the draw.

    Returns:
        The rows left to train on and those of the dev split, both in the order of the split.

    Raises:
        RelevanceError: If either would have fewer than 2 rows.
    """
    left, held = dev_rows(split, share, seed)
    return split.take(left), split.take(held)


def dev_rows(
    split: Split, share: float, seed: int
) -> tuple[Int[np.ndarray, " left"], Int[np.ndarray, " held"]]:
    """Choose the rows of a training split that are to be its dev split.

    Rows are stratified as for a hold-out. Rows whose texts are all the same stay together on one
    side, and so do rows that are scored together.

    Args:
        split: The training split.
        share: Share of its rows that is taken, in (0, 1).
        seed: Seed of the draw.

    Returns:
        Numbers of the rows left to train on, and of those of the dev split, both in rising order.

    Raises:
        RelevanceError: If either would have fewer than 2 rows.
    """
    size = round(len(split) * share)
    held = _stratified(replace(split, groups=_alike(split)), size, seed)
    if len(held) < 2 or len(split) - len(held) < 2:
        raise RelevanceError(
            f"`dev = {share:g}` leaves {len(held)} of {len(split)} training rows for dev; at least"
            " 2 are needed there and to train on. Rows of equal texts stay together."
        )
    return np.setdiff1d(np.arange(len(split)), held), held


def _alike(split: Split) -> Int[np.ndarray, " row"]:
    """Equal numbers for rows that must stay together: rows of equal texts, or of one group.

    That goes on from row to row, so a text in two groups holds both together.
    """
    numbers: dict[tuple[str, ...], int] = {}
    texts = [numbers.setdefault(row, len(numbers)) for row in zip(*split.texts, strict=True)]
    if split.groups is None:
        return np.array(texts, dtype=np.int64)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.array(texts), units(split) + len(numbers)
    size = int(ends[1].max()) + 1
    ties = coo_array((np.ones(len(split)), ends), shape=(size, size))
    _, component = connected_components(ties, directed=False)
    alike: Int[np.ndarray, " row"] = component[ends[0]].astype(np.int64)
    return alike


def _stratified(split: Split, size: int, seed: int = 0) -> Int[np.ndarray, " held"]:
    """Sorted rows: groups in random order, each taken if no label's quota is exceeded by it."""
    _, strata, counts = np.unique(_strata(split), return_inverse=True, return_counts=True)
    room = _quotas(counts, size)
    order = _shuffled(split, seed)
    starts = np.flatnonzero(np.diff(units(split)[order])) + 1
    held: list[Int[np.ndarray, " member"]] = []
    for members in np.split(order, starts):
        if not room.any():
            break
        needed = np.bincount(strata[members], minlength=len(room))
        if (needed <= room).all():
            room -= needed
            held.append(members)
    return np.sort(np.concatenate(held)) if held else np.empty(0, dtype=np.int64)


def _strata(split: Split) -> Int[np.ndarray, " row"]:
    if np.issubdtype(split.labels.dtype, np.integer):
        return split.labels
    if split.labels.dtype == object:
        return np.zeros(len(split), dtype=np.int64)
    edges = np.quantile(split.labels, np.linspace(0.1, 0.9, 9))
    bins: Int[np.ndarray, " row"] = np.digitize(split.labels, edges)
    return bins


def _quotas(counts: Int[np.ndarray, " stratum"], size: int) -> Int[np.ndarray, " stratum"]:
    """Shares of `size` in proportion to the counts, by largest remainders."""
    exact = counts * size / counts.sum()
    quotas: Int[np.ndarray, " stratum"] = np.floor(exact).astype(np.int64)
    left = size - int(quotas.sum())
    # The stable order gives ties to the lower label, so that a draw is the same everywhere.
    quotas[np.argsort(quotas - exact, kind="stable")[:left]] += 1
    return quotas


def _shuffled(split: Split, seed: int = 0) -> Int[np.ndarray, " row"]:
    """All rows in random order, the rows of a group next to each other in their own order."""
    # One permutation of all groups, whatever the limit: a smaller subset is part of a larger one.
    group = units(split)
    place: Int[np.ndarray, " group"] = np.random.default_rng(seed).permutation(int(group.max()) + 1)
    rows: Int[np.ndarray, " row"] = np.argsort(place[group], kind="stable")
    return rows
