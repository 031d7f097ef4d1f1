"""Texts that stand both in what a model is trained on and in what another task is scored on."""

from collections.abc import Set as AbstractSet

import numpy as np
from jaxtyping import Int

from relevance.tasks.data import Split


def shared_texts(train: Split, evaluation: Split) -> frozenset[str]:
    """The texts of an evaluation split that a training split has too.

    Args:
        train: Training rows, of the same task or another.
        evaluation: The rows that are scored.

    Returns:
        Shared texts of any column, compared character by character, the empty one left out.
    """
    seen = {text for column in train.texts for text in column}
    return frozenset(
        text for column in evaluation.texts for text in column if text and text in seen
    )


def rows_with(train: Split, texts: AbstractSet[str]) -> Int[np.ndarray, " row"]:
    """Numbers of the training rows that hold one of some texts, for `--drop-overlap`."""
    rows = zip(*train.texts, strict=True)
    return np.flatnonzero([not texts.isdisjoint(row) for row in rows])
