"""The data of a task in memory: columns of text, labels, and which rows belong together."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Int, Shaped

from relevance.tasks.packed import Packed
from relevance.tasks.task import Task

Labels: TypeAlias = Shaped[np.ndarray, " row"]
"""A number for each row, or an object such as the tags of its words."""


@dataclass(frozen=True)
class Split:
    """Rows of one split.

    Attributes:
        texts: One column per text column of the task, in input order, each with one text per row;
            read from files, packed.
        labels: Codes (0 to number of labels - 1) for classification, values on the task's own scale
            for regression; objects for the other kinds, see `relevance.tasks.kinds`.
        groups: Equal numbers for rows that are scored together, None where the task has none.
    """

    texts: tuple[Sequence[str], ...]
    labels: Labels
    groups: Int[np.ndarray, " row"] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Split({len(self):,} rows, {len(self.texts)} text column(s))"

    def take(self, rows: Int[np.ndarray, " taken"]) -> "Split":
        """The given rows in the given order."""
        return Split(
            texts=tuple(Packed(column[row] for row in rows.tolist()) for column in self.texts),
            labels=self.labels[rows],
            groups=None if self.groups is None else self.groups[rows],
        )

    def without_labels(self) -> "Split":
        """A copy with texts and groups, all labels 0."""
        return Split(self.texts, np.zeros(len(self), dtype=np.int64), self.groups)

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal sha256 of texts, labels and groups, row by row."""
        content = hashlib.sha256()
        for column in self.texts:
            for text in column:
                encoded = text.encode("utf-8", "surrogatepass")
                # Lengths stand between the texts: "ab", "c" and "a", "bc" are different rows.
                content.update(len(encoded).to_bytes(8, "little"))
                content.update(encoded)
        if self.labels.dtype == object:
            content.update(json.dumps(self.labels.tolist()).encode())
        else:
            content.update(self.labels.tobytes())
        if self.groups is not None:
            content.update(self.groups.tobytes())
        return content.hexdigest()


def as_rows(values: Sequence[Any]) -> Labels:
    """One entry per row as an array, whatever the entries are.

    >>> as_rows([1.0, 2.0]), as_rows([("O",), ("O",)])
    (array([1., 2.]), array([('O',), ('O',)], dtype=object))
    """
    if all(isinstance(value, Real) for value in values):
        return np.array(values)
    # `np.array` would make a table of tuples that happen to be equally long.
    return np.fromiter(values, dtype=object, count=len(values))


@dataclass(frozen=True)
class TaskData:
    """A task with its training split and the splits it is scored on.

    Attributes:
        task: The definition.
        train: Training rows.
        evaluation: Splits by name: `dev` first, then the task's further ones; or `holdout` alone.
    """

    task: Task
    train: Split
    evaluation: dict[str, Split]

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal sha256 of the definition and every split: changes whenever results could."""
        content = hashlib.sha256(self.task.model_dump_json(exclude={"source", "licence"}).encode())
        for name, split in [("train", self.train), *sorted(self.evaluation.items())]:
            content.update(f"{name}:{split.fingerprint};".encode())
        return content.hexdigest()


@dataclass(frozen=True)
class DataOptions:
    """Folder of tasks' files and limits of the rows that are used.

    Attributes:
        data_dir: Folder with `<slug>/{train,dev}.<suffix>`; None for `tasks/` in the cache.
        max_train: Number of rows of a training split at most, drawn with seed 0; None for all.
        max_dev: Number of rows of every evaluation split at most, drawn with seed 0; None for all.
        share: Share of the training rows that there are within these limits, in (0, 1].
    """

    data_dir: Path | None = None
    max_train: int | None = None
    max_dev: int | None = None
    share: float = 1.0
