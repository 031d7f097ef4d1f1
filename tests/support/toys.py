"""Tasks that tests make up: two labels and one sentence, but for what a test says of its own."""

from typing import Any

import tomli_w

from relevance.tasks.task import Source, Task

USUAL = {
    "family": "f",
    "kind": "classification",
    "text": ("sentence",),
    "labels": ("no", "yes"),
    "metrics": ("accuracy",),
}
GRADED = {"kind": "regression", "labels": (), "metrics": ("pearson",)}


def toy(name: str, **fields: Any) -> Task:
    """A task of the given name; fields replace the usual ones."""
    return Task(name=name, **(USUAL | fields))


def table(name: str, train: str, dev: str | None = None, **fields: Any) -> str:
    """The same as a table of a TOML file, rows in files beside it; `train` is also `dev`."""
    task = toy(name, source=Source(train=train, dev=dev or train), **fields)
    return tomli_w.dumps({"task": [task.model_dump(mode="json", exclude_defaults=True)]})
