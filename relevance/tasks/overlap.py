"""Texts that stand both in what a model is trained on and in what another task is scored on."""

from collections.abc import Set as AbstractSet

import numpy as np

from relevance.errors import RelevanceError
from relevance.tasks.data import Split


def shared_texts(train: Split, evaluation: Split) -> frozenset[str]:
    """The texts of an evaluation split that a training split has too.

    Args:
        train: Training rows, of the same task or another.
        evaluation: The rows that are scored.

    Returns:
        Texts of any column, compared character by character; the empty text is none.
    """
    seen = {text for column in train.texts for text in column}
    return frozenset(
        text for column in evaluation.texts for text in column if text and text in seen
    )


def without(train: Split, texts: AbstractSet[str]) -> Split:
    """The training rows none of whose texts is among the given ones.

    Args:
        train: Training rows.
        texts: What may not occur, as `shared_texts` gives it.

    Returns:
        The other rows in their order.

    Raises:
        RelevanceError: If no row is left.
    """
    clean = np.array([texts.isdisjoint(row) for row in zip(*train.texts, strict=True)])
    if not clean.any():
        raise RelevanceError(
            f"all {len(train)} training rows hold a text of the evaluation split, and none is left"
            " without them. Leave out --drop-overlap."
        )
    return train if clean.all() else train.take(np.flatnonzero(clean))
