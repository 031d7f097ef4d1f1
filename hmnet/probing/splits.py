"""Training, dev and test rows of a probing task, equal sentences on one side only."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from hmnet.probing.files import Line, Parts
from relevance.errors import RelevanceError, shown

DEV_SHARE, TEST_SHARE = 0.1, 0.2
SPLIT_SEED = 0  # whatever the seed of classifiers: scores of seeds are of the same rows


class Rows(NamedTuple):
    """The rows of one split.

    Attributes:
        sentences: Number of each row's sentence in the task's list.
        labels: Number of its label.
    """

    sentences: Int64[np.ndarray, " row"]
    labels: Int64[np.ndarray, " row"]


@dataclass(frozen=True)
class ProbingTask:
    """A probing task as classifiers take it.

    Attributes:
        name: Its name.
        labels: Labels of the training rows, sorted.
        sentences: Every sentence once.
        train: What classifiers learn.
        dev: By which the best epoch is chosen.
        test: What they are scored on.
        dropped: Number of test rows that were left out, as their sentences are in training.
        notes: What was dropped or split, in lines.
    """

    name: str
    labels: tuple[str, ...]
    sentences: tuple[str, ...]
    train: Rows
    dev: Rows
    test: Rows
    dropped: int = 0
    notes: tuple[str, ...] = ()

    @property
    def most_common(self) -> int:
        """Number of the label that most training and dev rows have, the first of several."""
        both = np.concatenate([self.train.labels, self.dev.labels])
        return int(np.bincount(both, minlength=len(self.labels)).argmax())

    @property
    def majority(self) -> float:
        """Share of the test rows with that label."""
        return float(np.mean(self.test.labels == self.most_common))


def make_task(name: str, parts: Parts) -> ProbingTask:
    """Settle the splits of a task.

    Dev rows whose sentence is in training, and test rows whose sentence is in training or dev, are
    dropped. Without `tr`, `va` is what is trained on. Where there is no dev part, a tenth of the
    training rows is it; where test and training are the same sentences, a fifth of them is the
    test part. Both are drawn with a fixed seed, equal sentences together.

    Args:
        name: Name of the task.
        parts: Its lines by split.

    Returns:
        The task.

    Raises:
        RelevanceError: If a split has no rows, there is one label only, or one that no training
            row has.
    """
    train, dev, test = parts.get("tr", []), parts.get("va", []), parts.get("te", [])
    if not train:
        train, dev = dev, []
    for what, lines in (("training rows (tr or va)", train), ("test rows (te)", test)):
        if not lines:
            raise RelevanceError(f"Probing task '{name}' has no {what}. Add a file with some.")
    labels = tuple(sorted({line.label for line in train}))
    _check_labels(name, labels, [*dev, *test])
    notes = []
    if _sentences(train) == _sentences(test):
        train, test = _divided(train, TEST_SHARE)
        notes.append(
            f"{name}: test and training are the same sentences, so {len(test)} of the rows are test"
            f" rows and {len(train)} training rows."
        )
    dev = _without(name, "dev", dev, train, notes)
    if not dev:
        train, dev = _divided(train, DEV_SHARE)
    kept = _without(name, "test", test, [*train, *dev], notes)
    dropped, test = len(test) - len(kept), kept
    for what, lines in (("training", train), ("dev", dev), ("test", test)):
        if not lines:
            raise RelevanceError(
                f"Probing task '{name}': no {what} rows are left, as equal sentences stand on one"
                " side of a split only. Give more rows with sentences of their own."
            )
    task = _numbered(name, labels, (train, dev, test))
    return replace(task, dropped=dropped, notes=tuple(notes))


def _check_labels(name: str, labels: Sequence[str], others: Iterable[Line]) -> None:
    known = set(labels)
    for line in others:
        if line.label not in known:
            raise RelevanceError(
                f"{line.place}: no training row of '{name}' has the label {shown(line.label)}."
                " Correct it, or add training rows that have it."
            )
    if len(labels) < 2:
        raise RelevanceError(
            f"Probing task '{name}' has one label only, {shown(labels[0])}. Give it rows of others."
        )


def _sentences(lines: Iterable[Line]) -> set[str]:
    return {line.sentence for line in lines}


def _without(
    name: str, split: str, lines: list[Line], others: list[Line], notes: list[str]
) -> list[Line]:
    """The lines whose sentence is not among the others'."""
    known = _sentences(others)
    kept = [line for line in lines if line.sentence not in known]
    if dropped := len(lines) - len(kept):
        distinct = len(_sentences(lines) & known)
        notes.append(
            f"{name}: {dropped} of {len(lines)} {split} rows dropped, as their {distinct} sentences"
            " are in training."
        )
    return kept


def _divided(lines: list[Line], share: float) -> tuple[list[Line], list[Line]]:
    """Two parts of the lines, the second about a share of them; equal sentences stay together."""
    counts = Counter(line.sentence for line in lines)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(counts))
    distinct = list(counts)
    sizes = np.cumsum([counts[distinct[place]] for place in order])
    taken = np.searchsorted(sizes, share * len(lines)) + 1
    chosen = {distinct[place] for place in order[:taken]}
    parts: tuple[list[Line], list[Line]] = ([], [])
    for line in lines:
        parts[line.sentence in chosen].append(line)
    return parts


def _numbered(name: str, labels: tuple[str, ...], parts: Iterable[list[Line]]) -> ProbingTask:
    sentences: dict[str, int] = {}
    codes = {label: code for code, label in enumerate(labels)}
    rows = [
        Rows(
            np.array([sentences.setdefault(line.sentence, len(sentences)) for line in lines]),
            np.array([codes[line.label] for line in lines]),
        )
        for lines in parts
    ]
    train, dev, test = rows
    return ProbingTask(name, labels, tuple(sentences), train, dev, test)
