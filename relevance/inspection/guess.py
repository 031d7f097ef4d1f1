"""A guessed definition of a task, and rows of it as lines."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from relevance.inspection.files import TaskFiles


@dataclass
class Guess:
    """A guessed definition.

    Attributes:
        files: The files.
        table: Keys of the definition, without `source`.
        source: Keys of its `source`, without files.
        counts: Counts of labels in the training rows, by the name of the label or the range.
        rows: Number of rows by split.
        unsure: Doubts, as sentences.
        examples: Rows: texts and a label, as they stand in the training file.
    """

    files: TaskFiles
    table: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    unsure: list[str] = field(default_factory=list)
    examples: list[list[str]] = field(default_factory=list)


def example_line(cells: Sequence[str], width: int = 60) -> str:
    """A row as one line, long cells cut.

    >>> example_line(["It rains.", "1"])
    '"It rains." -> "1"'
    """
    cut = [each if len(each) <= width else f"{each[: width - 3]}..." for each in cells]
    quoted = [json.dumps(each, ensure_ascii=False) for each in cut]
    return f"{', '.join(quoted[:-1])} -> {quoted[-1]}"
