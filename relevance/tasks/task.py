"""The definition of a task: a labelled dataset with text columns, a label kind and metrics."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from relevance.errors import shown, unknown_name
from relevance.escaping import for_line
from relevance.names import Name, PathName, twice
from relevance.tasks.mark import Mark as Mark
from relevance.tasks.source import Source as Source
from relevance.tasks.source import source_columns

MOST_LABELS = 10_000
MOST_MARKS = 16
Limit = Annotated[float, Field(strict=True, allow_inf_nan=False)]


def slug_of(name: str) -> str:
    """Name of the folder of a task's files.

    >>> slug_of("SST-2"), slug_of("RTE@superglue")
    ('sst2', 'rte@superglue')
    """
    return name.lower().replace("-", "").replace(" ", "_")


class Task(BaseModel):
    """One task, as the catalogue and users' TOML files define it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: PathName = Field(description="shown everywhere; no path separators")
    family: Name = Field(
        description="the group of the manual taxonomy that it belongs to, in snake case"
    )
    kind: str = Field(
        description="`classification`, `regression`, `tokens`, `span`, `multiple-choice`,"
        " `marked-words` or `cloze`"
    )
    text: tuple[Name, ...] = Field(
        min_length=1, max_length=3, description="one to three text columns, in input order"
    )
    label: Name = Field(
        "label",
        description="the label column: integer codes or label names, numbers for regression, or"
        " what else the kind has",
    )
    labels: tuple[Name, ...] = Field(
        (), max_length=MOST_LABELS, description="label names in the order of their codes"
    )
    range: tuple[Limit, Limit] | None = Field(
        None, description="lowest and highest label of a regression task, such as `[0, 5]`"
    )
    metrics: tuple[str, ...] = Field(min_length=1, description="metrics, the primary one first")
    gain: tuple[str, ...] = Field(
        (), description="the metrics whose mean joint-training gains are made of; all unless given"
    )
    # What follows is not written where it is not given, so that older definitions stay the same.
    positive: Name | None = Field(
        None,
        description="the label that `f1` and `f1a` score; the last unless given",
        exclude_if=lambda value: value is None,
    )
    truncate: str | None = Field(
        None, description="the text column that gives way in a long input; the longest unless given"
    )
    group: tuple[Name, ...] = Field(
        (), description="columns that together tell which rows are scored together (`question_em`)"
    )
    unanswerable: bool = Field(
        default=False,
        strict=True,
        description="`true`: some questions of a span task have no answer in their context",
        exclude_if=lambda value: not value,
    )
    choices: tuple[Name, ...] = Field(
        (),
        description="the alternatives of a multiple-choice task, the candidates of a cloze task: a"
        " column for each, or one column of lists",
        exclude_if=lambda value: not value,
    )
    first: int | None = Field(
        None,
        ge=0,
        le=1,
        strict=True,
        description="what labels of a multiple-choice task call the first alternative: `0`, as"
        " unless given, or `1`; letters begin at A",
        exclude_if=lambda value: value is None,
    )
    placeholder: Name | None = Field(
        None,
        description="what stands for the gap in the query of a cloze task; `@placeholder` unless"
        " given",
        exclude_if=lambda value: value is None,
    )
    marks: tuple[Mark, ...] = Field(
        (),
        max_length=MOST_MARKS,
        description="where the words stand that a row asks about: `{ text, start, end }` names"
        " columns of characters, `{ text, word, words }` of words",
        exclude_if=lambda value: not value,
    )
    rows_of: PathName | None = Field(
        None,
        description="a task of the same data set, in whose folder its files are looked up where it"
        " has none of its own: RTE for `RTE@superglue`",
        exclude_if=lambda value: value is None,
    )
    diagnoses: tuple[Name, ...] = Field(
        (),
        description="tasks, one of which answers these rows: a diagnostic set has rows to score and"
        " none to train on",
        exclude_if=lambda value: not value,
    )
    licence: str = Field("unknown", description="of the data")
    source: Source | None = Field(
        None, description="where the data comes from; unless given it is looked up in `data_dir`"
    )

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, name: str) -> str:
        from relevance.tasks.kinds.kind import kinds

        if name not in kinds.names():
            raise ValueError(str(unknown_name("kind", name, kinds.names())))
        return name

    @model_validator(mode="after")
    def _consistent(self) -> "Task":
        from relevance.tasks.kinds.kind import kind_of

        kind = kind_of(self)
        if self.slug.startswith(".") or not any(each.isalnum() for each in self.slug):
            raise ValueError(f"name {shown(self.name)} needs a letter or digit, and no dot before")
        for what in ("text", "labels", "metrics", "gain", "group", "choices"):
            if (repeated := twice([each.strip() for each in getattr(self, what)])) is not None:
                raise ValueError(f"`{what}` names one thing twice: {repeated}")
        if self.label in (*self.inputs, *self.group):
            raise ValueError(f"'label' names '{self.label}', which is a text or group column too")
        for metric in (*self.metrics, *self.gain):
            if metric not in kind.metrics:
                known = ", ".join(sorted(kind.metrics))
                raise ValueError(f"metric '{metric}' is not one for {self.kind}: {known}")
        if self.truncate is not None and self.truncate not in self.text:
            raise ValueError(f"`truncate` names '{self.truncate}', which is no text column")
        if self.range is not None and self.kind != "regression":
            raise ValueError(f"`range` means nothing to a task of kind {self.kind}")
        for option in ("unanswerable", "positive", "choices", "first", "placeholder", "marks"):
            if getattr(self, option) and option not in kind.options:
                raise ValueError(f"`{option}` means nothing to a task of kind {self.kind}")
        kind.check()
        if self.source is not None:
            source_columns(self.source, self.columns)
            self._check_renamed(self.source)
        return self

    def _check_renamed(self, source: Source) -> None:
        """Refuse names for labels that are none of the task's."""
        if source.labels and not self.labels:
            raise ValueError(f"`source.labels` means nothing to a task of kind {self.kind}")
        for name in source.labels.values():
            if name not in self.labels:
                raise ValueError(str(unknown_name("label", name, self.labels)))

    def __repr__(self) -> str:
        columns = ", ".join(map(for_line, self.text))
        return f"Task({for_line(self.name)!r}, {self.kind} of {columns}; {', '.join(self.metrics)})"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read, text first and the label last."""
        return tuple(dict.fromkeys((*self.inputs, *self.group, self.label)))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that a model reads, text first."""
        from relevance.tasks.kinds.kind import kind_of

        return tuple(dict.fromkeys((*self.text, *kind_of(self).further)))

    @property
    def parts(self) -> int:
        """Number of texts that are put together as one input."""
        from relevance.tasks.kinds.kind import kind_of

        return kind_of(self).parts

    @property
    def slug(self) -> str:
        """Name of its folder: lower case without hyphens."""
        return slug_of(self.name)

    @property
    def primary(self) -> str:
        """Name of the primary metric."""
        return self.metrics[0]

    @property
    def positive_code(self) -> int:
        """Code of the label that `f1` scores: the last one, where none is called positive."""
        return len(self.labels) - 1 if self.positive is None else self.labels.index(self.positive)

    @property
    def gain_metrics(self) -> tuple[str, ...]:
        """The metrics whose mean is the `f` of joint-training gains (eq. 3-4)."""
        return self.gain or self.metrics

    @property
    def outputs(self) -> int:
        """Number of outputs of its head: one per label or tag, one for regression."""
        from relevance.tasks.kinds.kind import kind_of

        return kind_of(self).outputs
