"""Guessed definitions as a TOML file with comments, which is read back before it is written."""

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from relevance.errors import told_of
from relevance.escaping import for_line
from relevance.inspection.guess import Guess, example_line
from relevance.names import place, some
from relevance.tasks.data import DataOptions
from relevance.tasks.load import load_task
from relevance.tasks.task import Task

SHARE = 0.2
SEED = 0
BARE = re.compile(r"[A-Za-z0-9_-]+")
ORDER = (
    *("name", "family", "kind", "text", "choices", "first"),
    *("label", "labels", "range", "unanswerable"),
    "metrics",
)
COMMENTS = {
    "name": "shown everywhere",
    "family": "for `relevance taxonomy`: put tasks alike into one",
    "labels": "in the order of their codes",
    "range": "ends of the scale",
    "metrics": "the first is the primary one",
}


def definitions(guesses: Sequence[Guess], folder: Path) -> str:
    """Write guessed definitions as TOML, and see that each of them loads.

    Args:
        guesses: Guesses, whose names are made different where they are not.
        folder: Folder that the TOML file is to stand in; its paths are relative to it.

    Returns:
        Content of the file.

    Raises:
        RelevanceError: If a guess would not load as training loads it.
    """
    taken: set[str] = set()
    parts = [
        "# Guessed by `relevance init`. Read it, then look at the data: relevance check THIS_FILE\n"
    ]
    for guess in guesses:
        name, number = guess.table["name"], 2
        while place(guess.table["name"].lower().replace("-", "")) in taken:
            guess.table["name"] = f"{name}_{number}"
            number += 1
        taken.add(place(guess.table["name"].lower().replace("-", "")))
        parts.append(_definition(guess, folder))
        _check(guess, parts[-1], folder)
    return "\n".join(parts)


def _definition(guess: Guess, folder: Path) -> str:
    lines = [f"# unsure: {for_line(each)}" for each in guess.unsure]
    lines.append("[[task]]")
    for key in ORDER:
        if key in guess.table:
            comment = f"  # {COMMENTS[key]}" if key in COMMENTS else ""
            lines.append(f"{key} = {_value(guess.table[key])}{comment}")
    lines.append("[task.source]")
    files = guess.files
    lines.append(f"train = {_value(_relative(files.train, folder))}")
    if files.dev is None:
        lines.append(f"dev = {SHARE}  # of the training rows, by label, equal texts on one side")
        lines.append(f"seed = {SEED}")
    else:
        lines.append(f"dev = {_value(_relative(files.dev, folder))}")
    if files.test is not None:
        lines.append(f"test = {_value(_relative(files.test, folder))}  # scored where asked for")
    if files.extra:
        extra = {name: _relative(path, folder) for name, path in files.extra.items()}
        lines.append(f"extra = {_value(extra)}")
    lines += [f"{key} = {_value(value)}" for key, value in guess.source.items()]
    return "\n".join(lines) + "\n"


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()


def _value(value: Any) -> str:
    """A value as TOML; what JSON writes of texts, lists and numbers is TOML as well."""
    if isinstance(value, Mapping):
        pairs = (f"{_bare(key)} = {_value(each)}" for key, each in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _bare(key: str) -> str:
    return key if BARE.fullmatch(key) else _value(key)


def _check(guess: Guess, text: str, folder: Path) -> None:
    """Load the task as training does."""
    from relevance.disk.files import validated
    from relevance.tasks.find import absolute

    (table,) = tomllib.loads(text)["task"]
    name = guess.table["name"]
    with told_of(f"what was guessed of {guess.files.train} does not load"):
        task = validated(Task, table, f"task '{name}'")
        if task.source is not None:
            source = absolute(task.source, folder.absolute())
            load_task(task.model_copy(update={"source": source}), DataOptions())


def guess_report(guesses: Sequence[Guess]) -> str:
    """Say what was guessed, with counts and three rows each, and what is unsure.

    Args:
        guesses: The guesses.

    Returns:
        Lines for a person to read; it ends with a line break.
    """
    return "\n".join(line for guess in guesses for line in _lines(guess)) + "\n"


def _lines(guess: Guess) -> list[str]:
    table = guess.table
    rows = [f"{split} {count:,}" for split, count in guess.rows.items()]
    if guess.files.dev is None:
        rows.append(f"dev is {SHARE:.0%} of train, seed {SEED}")
    counts = [f"{name}: {count:,}" for name, count in guess.counts.items()]
    return [
        f"{table['name']}: {table['kind']} of {', '.join(map(for_line, table['text']))}",
        f"  rows    {', '.join(rows)}",
        f"  label   {for_line(table['label'])} ({some(counts, 12)})",
        *(f"  row     {for_line(example_line(each))}" for each in guess.examples),
        *(f"  unsure  {for_line(each)}" for each in guess.unsure),
    ]
