"""What a task is: a labelled dataset with text columns, a label kind and metrics."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal["classification", "regression"]
METRICS: dict[Kind, frozenset[str]] = {
    "classification": frozenset({"accuracy", "f1", "macro_f1", "matthews", "f1a", "question_em"}),
    "regression": frozenset({"pearson", "spearman"}),
}
BINARY_METRICS = frozenset({"f1", "f1a"})


class Source(BaseModel):
    """Where the data comes from: files beside the TOML that names them, or a pinned hub dataset.

    `train` and `dev` are files; `hub`, `config`, `revision` and `splits` name a dataset on the hub,
    `columns` renames its columns to the task's, and `extra` names further evaluation splits (a
    file, or a hub split).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: str | None = None
    dev: str | None = None
    hub: str | None = None
    config: str | None = None
    revision: str | None = None
    splits: dict[str, str] = Field(default_factory=dict)
    columns: dict[str, str] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)
    extra: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _files_or_hub(self) -> "Source":
        if (self.hub is None) == (self.train is None and self.dev is None):
            raise ValueError("source needs either `train` and `dev` files or a `hub` dataset")
        if self.hub is None and (self.train is None or self.dev is None):
            raise ValueError("source needs both `train` and `dev`")
        return self


class Task(BaseModel):
    """One task, as the catalogue and users' TOML files define it.

    Attributes:
        name: Shown everywhere; no path separators.
        family: The group of the manual taxonomy it belongs to, in snake case.
        kind: `classification` or `regression`.
        text: Text columns in input order.
        label: The label column: integer codes or label names, or numbers for regression.
        labels: Label names in the order of their codes; empty for regression.
        range: Lowest and highest label of a regression task.
        metrics: Names of metrics, the primary one first.
        gain: The metrics whose mean joint-training gains are made of (default: `metrics`).
        truncate: The column that gives way when an input is too long (default: the longest).
        group: Columns that together tell which rows are scored together (`question_em`).
        licence: Of the data.
        source: Where the data comes from; None where it is only looked up in `--data-dir`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    family: str
    kind: Kind
    text: tuple[str, ...] = Field(min_length=1, max_length=3)
    label: str = "label"
    labels: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    metrics: tuple[str, ...] = Field(min_length=1)
    gain: tuple[str, ...] = ()
    truncate: str | None = None
    group: tuple[str, ...] = ()
    licence: str = "unknown"
    source: Source | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Task":
        if not re.fullmatch(r"[\w.+ -]*\w[\w.+ -]*", self.name) or self.name.startswith("."):
            raise ValueError(
                f"name '{self.name}' may hold letters, digits, '-', '_', '.', '+' and spaces only"
            )
        if self.kind == "classification" and len(self.labels) < 2:
            raise ValueError("a classification task needs at least two `labels`")
        if self.kind == "regression" and (self.range is None or self.range[0] >= self.range[1]):
            raise ValueError("a regression task needs a `range` such as [0, 5]")
        for what, names in (("text", self.text), ("labels", self.labels)):
            if len(set(names)) != len(names):
                raise ValueError(f"`{what}` names one thing twice: {', '.join(names)}")
        for metric in (*self.metrics, *self.gain):
            if metric not in METRICS[self.kind]:
                known = ", ".join(sorted(METRICS[self.kind]))
                raise ValueError(f"metric '{metric}' is not one for {self.kind}: {known}")
            if metric in BINARY_METRICS and len(self.labels) != 2:
                raise ValueError(
                    f"metric '{metric}' is for two labels; `macro_f1` takes any number"
                )
        if self.truncate is not None and self.truncate not in self.text:
            raise ValueError(f"`truncate` names '{self.truncate}', which is no text column")
        if "question_em" in (*self.metrics, *self.gain) and not self.group:
            raise ValueError("metric 'question_em' needs `group`")
        return self

    @property
    def slug(self) -> str:
        """Name of its folder: lower case without hyphens.

        >>> Task(name="SST-2", family="f", kind="classification", text=["sentence"],
        ...      labels=["n", "p"], metrics=["accuracy"]).slug
        'sst2'
        """
        return self.name.lower().replace("-", "").replace(" ", "_")

    @property
    def primary(self) -> str:
        """Name of the primary metric."""
        return self.metrics[0]

    @property
    def gain_metrics(self) -> tuple[str, ...]:
        """The metrics whose mean is the `f` of joint-training gains (eq. 3-4)."""
        return self.gain or self.metrics

    @property
    def outputs(self) -> int:
        """Number of outputs of its head: one per label, one for regression."""
        return len(self.labels) if self.kind == "classification" else 1
