"""Rows for a task of any kind: what stands in a file, and the split that it makes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from relevance.tasks.check import to_split
from relevance.tasks.data import Labels, Split, as_rows
from relevance.tasks.task import Task

WORDS = ("who", "saw", "the", "river")


def columns(task: Task, rows: int) -> dict[str, Sequence[Any]]:
    """Every label of the task again and again, as a JSON Lines file has it."""
    texts: Mapping[str, Sequence[Any]] = {name: ["", *["text"] * (rows - 1)] for name in task.text}
    groups = {name: [str(row // 2) for row in range(rows)] for name in task.group}
    if task.kind == "tokens":
        texts = {task.text[0]: [list(WORDS[: row % 5]) for row in range(rows)]}
        tags = [
            [task.labels[(row + place) % len(task.labels)] for place in range(row % 5)]
            for row in range(rows)
        ]
        return {**texts, **groups, task.label: tags}
    if task.kind == "span":
        contexts = [f"{WORDS[row % 4]} is {WORDS[row % 3]}" for row in range(rows)]
        texts = dict(zip(task.text, (["what"] * rows, contexts), strict=True))
        answers = [{"text": [WORDS[row % 4]], "answer_start": [0]} for row in range(rows)]
        return {**texts, **groups, task.label: answers}
    if task.kind == "multiple-choice":
        listed = {name: list(WORDS[: rows % 4 + 1]) * rows for name in task.choices}
        listed = {name: cells[:rows] for name, cells in listed.items()}
        return {**texts, **listed, **groups, task.label: [row % 2 for row in range(rows)]}
    if task.kind == "cloze":
        texts = {name: ["@placeholder saw"] * rows for name in task.text}
        listed = {name: [list(WORDS)] * rows for name in task.choices}
        return {**texts, **listed, **groups, task.label: [[WORDS[row % 4]] for row in range(rows)]}
    if task.kind == "marked-words":
        texts = {name: ["who saw the river"] * rows for name in task.text}
        cells = {"start": 4, "end": 7, "word": 1, "words": "saw"}
        for mark in task.marks:
            named = mark.model_dump(include=set(cells), exclude_none=True)
            texts |= {column: [cells[what]] * rows for what, column in named.items()}
    if "gender_parity" in task.metrics:
        for name in task.text:
            texts |= {name: [f"{('he', 'she')[row % 2]} saw {row // 2}" for row in range(rows)]}
        labels = [task.labels[row // 2 % len(task.labels)] for row in range(rows)]
        return {**texts, **groups, task.label: labels}
    if task.range is not None:
        return {**texts, **groups, task.label: np.linspace(*task.range, rows).tolist()}
    return {**texts, **groups, task.label: [task.labels[r % len(task.labels)] for r in range(rows)]}


def sample(task: Task, rows: int = 12) -> Split:
    """The split that these columns make."""
    return to_split(task, {name: list(c) for name, c in columns(task, rows).items()}, "sample")


def right(task: Task, split: Split) -> Labels:
    """Predictions without a fault."""
    if task.kind == "span":
        return as_rows([golds[0][0] if golds else "" for golds in split.labels])
    if task.kind == "cloze":
        return as_rows([golds[0][0] for golds in split.labels])
    return split.labels
