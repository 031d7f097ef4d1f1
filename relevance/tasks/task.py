"""What a task is: a labelled dataset with text columns, a label kind and metrics."""

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from relevance.errors import unknown_name


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
        kind: Name of a member of `relevance.tasks.kinds`, such as `classification`.
        text: Text columns in input order.
        label: The label column: integer codes or label names, numbers for regression, or what else
            the kind has.
        labels: Label names in the order of their codes; empty for kinds without labels.
        range: Lowest and highest label of a regression task.
        metrics: Names of metrics, the primary one first.
        gain: The metrics whose mean joint-training gains are made of (default: `metrics`).
        truncate: The column that gives way when an input is too long (default: the longest).
        group: Columns that together tell which rows are scored together (`question_em`).
        unanswerable: Whether the context of some questions of a span task has no answer.
        licence: Of the data.
        source: Where the data comes from; None where it is only looked up in `--data-dir`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    family: str
    kind: str
    text: tuple[str, ...] = Field(min_length=1, max_length=3)
    label: str = "label"
    labels: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    metrics: tuple[str, ...] = Field(min_length=1)
    gain: tuple[str, ...] = ()
    truncate: str | None = None
    group: tuple[str, ...] = ()
    # not written where it is false, so that definitions without it stay what they were
    unanswerable: bool = Field(default=False, exclude_if=lambda value: not value)
    licence: str = "unknown"
    source: Source | None = None

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, name: str) -> str:
        from relevance.tasks.kinds.kind import kinds

        if name not in kinds().names():
            raise ValueError(str(unknown_name("kind", name, kinds().names())))
        return name

    @model_validator(mode="after")
    def _consistent(self) -> "Task":
        from relevance.tasks.kinds.kind import kind_of

        kind = kind_of(self)
        if not re.fullmatch(r"[\w.+ -]*\w[\w.+ -]*", self.name) or self.name.startswith("."):
            raise ValueError(
                f"name '{self.name}' may hold letters, digits, '-', '_', '.', '+' and spaces only"
            )
        for what, names in (("text", self.text), ("labels", self.labels)):
            if len(set(names)) != len(names):
                raise ValueError(f"`{what}` names one thing twice: {', '.join(names)}")
        for metric in (*self.metrics, *self.gain):
            if metric not in kind.metrics:
                known = ", ".join(sorted(kind.metrics))
                raise ValueError(f"metric '{metric}' is not one for {self.kind}: {known}")
        if self.truncate is not None and self.truncate not in self.text:
            raise ValueError(f"`truncate` names '{self.truncate}', which is no text column")
        if self.unanswerable and "unanswerable" not in kind.options:
            raise ValueError(f"`unanswerable` means nothing to a task of kind {self.kind}")
        kind.check()
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
        """Number of outputs of its head: one per label or tag, one for regression."""
        from relevance.tasks.kinds.kind import kind_of

        return len(self.labels) or kind_of(self).outputs
