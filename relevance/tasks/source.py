"""Sources of a task's data: files beside the TOML that names them, or a hub dataset."""

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import compress
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from relevance.errors import shown
from relevance.names import Name, PathName, place
from relevance.tasks.packed import Packed

RESERVED_SPLITS = frozenset({"train", "dev", "holdout"})
LONGEST_PATH = 4096
NUMBER = re.compile(r"\s*\d*[.,]?\d+\s*%?\s*")


def _path(text: str) -> str:
    if not text or len(text) > LONGEST_PATH or any(wrong in text for wrong in "\0\n\r"):
        raise ValueError(f"{shown(text)} is no path of a file")
    return text


FilePath = Annotated[str, AfterValidator(_path)]


class Source(BaseModel):
    """A source of data: files beside the TOML that names them, or a pinned hub dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: FilePath | None = Field(None, description="file with the training rows")
    dev: float | FilePath | None = Field(
        None,
        description="file with the rows that are scored; or the share of the training rows, such"
        " as `0.2`, that is taken away for it",
    )
    seed: int | None = Field(
        None,
        ge=0,
        strict=True,
        description="what a share is drawn with, 0 unless given",
        exclude_if=lambda value: value is None,
    )
    test: FilePath | None = Field(
        None,
        description="file (with `hub` a split) that is only scored where it is asked for, by"
        " `hmnet evaluate --split test`",
        exclude_if=lambda value: value is None,
    )
    extra: dict[PathName, FilePath] = Field(
        default_factory=dict,
        description="further splits that are always scored, by name: files (with `hub` splits)",
    )
    header: bool = Field(
        True,
        strict=True,
        description="`false`: the files have no row of column names",
        exclude_if=lambda value: value,
    )
    format: (
        Literal[
            "csv",
            "tsv",
            "json",
            "jsonl",
            "parquet",
            "txt",
            "conll",
            "label-first",
            "mrqa",
            "squad",
        ]
        | None
    ) = Field(
        None,
        description="what the files hold where their suffix does not say it: `tsv`, `conll` (a word"
        " and its tags on each line), `squad`, `mrqa`, `label-first` (`LABEL text` lines), ...",
        exclude_if=lambda value: value is None,
    )
    drop: tuple[Name, ...] = Field(
        (),
        description="labels in the files whose rows are left out, such as SNLI's `-`",
        exclude_if=lambda value: not value,
    )
    columns: dict[Name, Name] = Field(
        default_factory=dict,
        description="the task's column = what it is called in the files or on the hub",
    )
    labels: dict[Name, Name] = Field(
        default_factory=dict, description="a label in the files or on the hub = the task's label"
    )
    hub: FilePath | None = Field(None, description="name of a dataset on the hub, or its folder")
    where: dict[Name, Name] = Field(
        default_factory=dict,
        description="column = value of the rows that are taken of a `hub` dataset which holds"
        ' several, such as `{ subset = "NewsQA" }`',
        exclude_if=lambda value: not value,
    )
    config: Name | None = Field(None, description="its configuration")
    revision: Name | None = Field(None, description="its revision, a commit")
    splits: dict[Annotated[str, Field(pattern=r"^(train|dev|test_\w+)$")], Name] = Field(
        default_factory=dict,
        description="its splits for `train` and `dev`, where they are not `train` and `validation`;"
        " further test splits under names that begin with `test_`",
    )

    @property
    def share(self) -> float | None:
        """The share of the training rows that is the dev split; None where dev has its own."""
        return self.dev if isinstance(self.dev, float) else None

    @property
    def files(self) -> dict[str, str]:
        """File by split, dev at that of train where it is a share; empty for a hub dataset."""
        if self.train is None or self.dev is None:
            return {}
        dev = self.train if isinstance(self.dev, float) else self.dev
        test = {} if self.test is None else {"test": self.test}
        return {"train": self.train, "dev": dev, **test, **self.extra}

    @model_validator(mode="after")
    def _files_or_hub(self) -> "Source":
        if self.hub is None and self.train is None and self.dev is None:
            raise ValueError("source needs either 'train' and 'dev' files or a `hub` dataset")
        if self.hub is None:
            self._check_files()
        else:
            self._check_hub()
        if self.share is not None and not 0 < self.share < 1:
            raise ValueError(
                f"`dev = {self.share:g}` is no share of the training rows: give one between 0 and"
                " 1, such as 0.2, or a file"
            )
        if self.seed is not None and self.share is None:
            raise ValueError("'seed' draws a share of the training rows, such as `dev = 0.2`")
        self._check_extra()
        return self

    def _check_files(self) -> None:
        if isinstance(self.dev, str) and NUMBER.fullmatch(self.dev):
            raise ValueError(
                f'`dev = "{self.dev}"` stands in quotes, so it names a file. A share of the'
                " training rows is a number: `dev = 0.2`"
            )
        if self.train is None or self.dev is None:
            raise ValueError(
                "source needs both 'train' and 'dev'; `dev = 0.2` takes its rows from those of"
                " 'train'"
            )
        for key in ("config", "revision", "splits", "where"):
            if getattr(self, key):
                raise ValueError(f"'{key}' is of a `hub` dataset, and this source names files")

    def _check_hub(self) -> None:
        if self.train is not None or isinstance(self.dev, str):
            raise ValueError(
                "source needs either 'train' and 'dev' files or a `hub` dataset, whose splits are"
                " named by `splits`"
            )
        files_alone = self.format not in {None, "mrqa"}  # MRQA's answers have a form there too
        for key, given in (("header", not self.header), ("format", files_alone)):
            if given:
                raise ValueError(f"'{key}' is of files, and this source names a `hub` dataset")
        if self.drop:
            raise ValueError("'drop' is of files; `relevance prepare` leaves rows out by itself")
        if self.share is not None and "dev" in self.splits:
            raise ValueError("`dev` is a share of the training rows, and `splits` names one too")

    def _check_extra(self) -> None:
        taken = RESERVED_SPLITS if self.test is None else {*RESERVED_SPLITS, "test"}
        for name in self.extra:
            if place(name) in taken or " " in name:
                raise ValueError(
                    f"`extra` cannot name a split '{name}': it takes further ones beside"
                    f" {_listed(sorted(taken))}, without spaces"
                )
        if len({place(name) for name in self.extra}) < len(self.extra):
            raise ValueError(f"`extra` names one split twice: {', '.join(self.extra)}")


def source_columns(source: Source, own: Iterable[str]) -> dict[str, str]:
    """Names at the source by the task's names, for every column of the task.

    Args:
        source: Source of the data.
        own: Columns that the task reads.

    Returns:
        The names; for a hub dataset also those of further columns, which are kept under a new name.

    Raises:
        ValueError: If a pair of `columns` names none of the task's columns, or it cannot be told
            which of the two is the task's.
    """
    columns = dict.fromkeys(own)
    found: dict[str, str] = {}
    for here, there in source.columns.items():
        # A pair may stand the other way round, as those of the catalogue do.
        if here in columns and there in columns and source.columns.get(there, there) != here:
            raise ValueError(
                f"`columns` has {here} = {there}, which are both columns of the task. Rename one"
            )
        if here not in columns and there not in columns and source.hub is None:
            raise ValueError(
                f"`columns` has {here} = {there}, and neither is a column of the task:"
                f" {_listed(columns)}"
            )
        name, at_source = (here, there) if here in columns else (there, here)
        if name in found:
            raise ValueError(f"`columns` says twice where '{name}' comes from")
        found[name] = at_source
    return {column: found.get(column, column) for column in columns} | found


def renamed_labels(source: Source, values: Iterable[Any], *, several: bool) -> Packed[Any]:
    """A column of labels with those of the source called as the task calls them.

    Args:
        source: Source whose `labels` map its names to the task's.
        values: Cells as they stand in a file.
        several: Whether a cell holds a list of labels, which may be JSON.

    Returns:
        The cells; what `labels` does not name stays as it is.
    """
    from relevance.tasks.cells import json_list
    from relevance.tasks.kinds.classification import label_text

    def renamed(value: Any) -> Any:
        return source.labels.get(label_text(value), value)

    if not several:
        return Packed(map(renamed, values))
    listed = ((value, json_list(value)) for value in values)
    return Packed(
        value if tags is None else [renamed(tag) for tag in tags] for value, tags in listed
    )


def without(
    cells: Mapping[str, Iterable[Any]], label: str, drop: Collection[str]
) -> dict[str, Packed[Any]]:
    """Columns without the rows of some labels.

    Args:
        cells: Columns as they stand in a file.
        label: Name of the column of labels.
        drop: Labels, as text.

    Returns:
        The columns, all cells of the other rows.
    """
    from relevance.tasks.kinds.classification import label_text

    kept = [label_text(value) not in drop for value in cells[label]]
    return {name: Packed(compress(column, kept)) for name, column in cells.items()}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
