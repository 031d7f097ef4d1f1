"""A trained run as Python works with it: ask it, score it, export it, look at its scores."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from hmnet.comparison.compare import compare
from hmnet.devices import resolve_device
from hmnet.evaluation.lines import TextLine, read_lines, read_numbered
from hmnet.evaluation.predict import predict
from hmnet.models.export import export
from hmnet.models.multitask import MultiTaskModel
from hmnet.precision import PrecisionName, resolve_precision
from hmnet.runs.card import write_export_card
from hmnet.runs.folder import Run, load_run, runs_under
from hmnet.runs.loading import ExportForm
from hmnet.runs.rows import read_run_scores, warn_of_changed
from hmnet.runs.score import score_run
from hmnet.runs.scores import Score, from_rows
from relevance.errors import RelevanceError, shown
from relevance.names import some
from relevance.tasks.data import TaskData
from relevance.tasks.load import load_split, split_names
from relevance.tasks.rows import split_rows
from relevance.tasks.subset import subset
from relevance.tasks.task import Task

Input = str | Sequence[str] | Mapping[str, Any]
"""What a task reads: its only text, its texts in their order, or an object with its columns."""


class TrainedRun(Run):
    """A finished run, opened by `load` or given by `train`; models are loaded when asked for."""

    @classmethod
    def of(cls, run: Run) -> "TrainedRun":
        """The same run with all that can be asked of it.

        Args:
            run: A finished run.

        Returns:
            The run.
        """
        return cls(run.folder, run.config)

    @classmethod
    def load(cls, folder: Path) -> "TrainedRun":
        """Open a finished run.

        Args:
            folder: A folder that `hmnet train --out` or `hmnet.train(out=...)` wrote.

        Returns:
            The run.

        Raises:
            RelevanceError: If there is no run, or it is not finished.
        """
        return cls.of(load_run(folder))

    @classmethod
    def load_all(cls, folders: Iterable[Path]) -> "list[TrainedRun]":
        """Open all runs that folders stand for.

        Args:
            folders: Runs, or folders with `seed-0/`, `seed-1/` and so on.

        Returns:
            The runs, those of a folder by seed.

        Raises:
            RelevanceError: If a folder holds no run, or an unfinished one.
        """
        return [cls.load(found) for folder in folders for found in runs_under(folder)]

    @property
    def model(self) -> MultiTaskModel:
        """The model of all tasks, in evaluation mode.

        Raises:
            RelevanceError: If the run has several models, as with method single, or the model is
                damaged.
        """
        if len(self.blueprints) > 1:
            raise RelevanceError(
                f"{self.folder} has {len(self.blueprints)} models, one for each part of its tasks."
                " Take the one of a task: run.model_for(task)."
            )
        return self.model_for(self.tasks[0].name)

    @property
    def scores(self) -> list[Score]:
        """What the run scored when it was trained, with what the majority class scores.

        Raises:
            RelevanceError: If the file is missing or damaged.
        """
        return from_rows(read_run_scores(self.folder))

    def data(self, task: str, *, also: Sequence[str] = ()) -> TaskData:
        """A task's rows, with a warning where they are no longer those that the run was scored on.

        Args:
            task: A name.
            also: Further splits, such as `test`.

        Returns:
            As `hmnet.runs.folder.Run.data` has it.

        Raises:
            RelevanceError: As there, or if a file of the run is damaged.
        """
        found = super().data(task, also=also)
        warn_of_changed(self.folder, self.task(task), found.evaluation)
        return found

    def predict(
        self,
        rows: Input | Iterable[Input],
        task: str | Sequence[str] | None = None,
        *,
        batch_size: int = 32,
        precision: PrecisionName = "fp32",
        device: str = "auto",
    ) -> list[dict[str, Any]]:
        """Answer texts or rows.

        Args:
            rows: A text, an object with the task's columns, such as a row of a file, or a list of
                such; in a list also tuples of the one to three texts that a task reads. A data
                frame is taken as its rows.
            task: Name of a task, or several; `all` or None for every task of the run.
            batch_size: Rows per forward pass.
            precision: Precision of the forward pass.
            device: `auto`, `cpu` or `cuda:N`.

        Returns:
            For every row one answer per task, row by row: `{"task", "label", "probabilities"}`, or
            `{"task", "value"}` for regression, or the fields of another kind, and before them the
            columns that tell the row from others, such as `idx`.

        Raises:
            RelevanceError: If the run has no such task, its model is damaged, or a row lacks a
                column or has something else than text where text is wanted; and for a tuple of
                texts outside a list, which might be one row or several.
        """
        asked = self.stream(rows, task, batch_size=batch_size, precision=precision, device=device)
        return list(asked)

    def stream(
        self,
        rows: Input | Iterable[Input],
        task: str | Sequence[str] | None = None,
        *,
        batch_size: int = 32,
        precision: PrecisionName = "fp32",
        device: str = "auto",
    ) -> Iterator[dict[str, Any]]:
        """Answer texts or rows as they come; memory stays flat however many there are.

        Args:
            rows: As in `predict`; a generator is read up to 32 batches ahead.
            task: Name of a task, or several; `all` or None for every task of the run.
            batch_size: Rows per forward pass.
            precision: Precision of the forward pass.
            device: `auto`, `cpu` or `cuda:N`.

        Returns:
            What `predict` returns, one answer after another.

        Raises:
            RelevanceError: As in `predict`; for a row that cannot be read, when it comes.
        """
        return self.answers(
            _objects(rows), task, batch_size=batch_size, precision=precision, device=device
        )

    def answers(
        self,
        lines: Iterable[str | bytes | Mapping[str, Any]],
        tasks: str | Sequence[str] | None = None,
        *,
        batch_size: int = 32,
        precision: PrecisionName = "fp32",
        device: str = "auto",
        where: str = "input",
        line_by_line: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Answer lines of JSON, or rows, as they come.

        Args:
            lines: Lines or rows that `hmnet.evaluation.lines.read_lines` takes.
            tasks: A name, or several; `all` or None for every task of the run.
            batch_size: Lines per forward pass.
            precision: Precision of the forward pass.
            device: `auto`, `cpu` or `cuda:N`.
            where: How to name the place of the lines in messages.
            line_by_line: Answer each line before the next is read.

        Returns:
            For every line one answer per task.

        Raises:
            RelevanceError: If the run has no such task, or a model is damaged; and with the line
                that cannot be read, when it comes.
        """
        wanted = self.with_sources(self._named(tasks))
        read = read_lines(wanted, lines, where)
        return self._answer(wanted, read, None if line_by_line else batch_size, precision, device)

    def stream_split(
        self,
        split: str,
        task: str | Sequence[str] | None = None,
        *,
        batch_size: int = 32,
        precision: PrecisionName = "fp32",
        device: str = "auto",
    ) -> Iterator[dict[str, Any]]:
        """Answer all rows of the tasks' own splits, labelled or not, as they are read.

        Labels are not looked at, whatever stands in their place, and limits of rows that the run
        was trained with don't count.

        Args:
            split: Name of a split that the tasks have a file of, such as `test`.
            task: Name of a task, or several, answered one after another; `all` or None for every
                task of the run that has such a split.
            batch_size: Rows per forward pass.
            precision: Precision of the forward pass.
            device: `auto`, `cpu` or `cuda:N`.

        Returns:
            For every row what `predict` returns, and first of all its number in the file, from 1,
            as `row`.

        Raises:
            RelevanceError: If the run has no such task, a task that is named has no such split, or
                none has; for a row that cannot be read, when it comes.
        """
        wanted = [self.located(one) for one in self._named(task)]
        folder = self.config.data.data_dir
        if task is None or (len(wanted) > 1 and isinstance(task, str)):
            lacking = [one for one in wanted if split not in split_names(one, folder)]
            if lacking and len(lacking) < len(wanted):
                names = some([one.name for one in lacking])
                warnings.warn(f"Left out, as they have no split '{split}': {names}.", stacklevel=2)
                wanted = [one for one in wanted if one not in lacking]
        found = [(one, *split_rows(one, split, folder)) for one in wanted]
        scored = {score.task for score in self.scores if score.split == split}
        for one in wanted:
            if one.name in scored:
                with suppress(RelevanceError):  # labels may be gone, which are not looked at
                    rows = subset(load_split(one, split, folder), self.config.data.max_dev)
                    warn_of_changed(self.folder, self.task(one.name), {split: rows})
        return chain.from_iterable(
            self._answer([one], read_numbered(one, rows, str(path)), batch_size, precision, device)
            for one, path, rows in found
        )

    def _answer(
        self,
        tasks: Sequence[Task],
        lines: Iterable[TextLine],
        batch_size: int | None,
        precision: PrecisionName,
        device: str,
    ) -> Iterator[dict[str, Any]]:
        place = resolve_device(device)
        return predict(
            {one.name: self.model_for(one.name).to(place) for one in tasks},
            tasks,
            lines,
            self.tokenizer,
            max_length=self.config.max_length,
            batch_size=batch_size,
            precision=resolve_precision(precision, place),
        )

    def evaluate(
        self,
        *,
        tasks: Sequence[str] | None = None,
        splits: Sequence[str] | None = None,
        precision: PrecisionName = "fp32",
        device: str = "auto",
    ) -> list[Score]:
        """Score the run anew, on the data that its settings name.

        Args:
            tasks: Names; None for every task.
            splits: Names of splits, such as `test`; None for all that tasks are scored on.
            precision: Precision of the forward pass.
            device: `auto`, `cpu` or `cuda:N`.

        Returns:
            One per task, split and metric, as fractions, with what the majority class scores; then
            those of AX, AX-b and AX-g where the run has a task that answers them and their labelled
            rows are at hand.

        Raises:
            RelevanceError: If data or models are no longer there, or no task has such a split.
        """
        return score_run(
            self, tasks=tasks, splits=splits, precision=precision, device=device, diagnoses=True
        )

    def export(
        self,
        task: str | Sequence[str] | None,
        out: str | Path,
        *,
        format: ExportForm = "checkpoint",  # noqa: A002  as the command calls it
    ) -> Path:
        """Write a task's path as a plain checkpoint, or several tasks as one program.

        Args:
            task: Name of a task, or several; `all` or None for every task of the run. A
                checkpoint has one.
            out: A folder that does not exist yet or is empty.
            format: `checkpoint` for what transformers loads; `onnx`, or `torch` for what
                `torch.export.load` reads, for a program with an output per task, in which each
                layer that tasks share is there once. A `tasks.json` beside it says how texts are
                encoded and what outputs mean.

        Returns:
            The folder.

        Raises:
            RelevanceError: If the run has no such task, its path is none that the format can
                express, a package is missing, or the folder is not empty or cannot be written.
        """
        wanted, apart = self._named(task), False
        if format != "checkpoint":
            from hmnet.models.artifact import export_together  # whose imports take seconds

            models = {one.name: self.model_for(one.name) for one in wanted}
            export_together(
                models,
                wanted,
                self.tokenizer,
                Path(out),
                form=format,
                max_length=self.config.max_length,
            )
            apart = any(model.input_form(name)["apart"] for name, model in models.items())
        elif len(wanted) > 1:
            raise RelevanceError(
                f"A plain checkpoint holds one task, not {len(wanted)}. Name one, or take"
                ' `format="onnx"` or `format="torch"` for all of them in one file.'
            )
        else:
            export(self.model_for(wanted[0].name), wanted[0], self.tokenizer, Path(out))
        write_export_card(self, wanted, Path(out), format, apart=apart)
        return Path(out)

    def _named(self, task: str | Sequence[str] | None) -> list[Task]:
        """Definitions of the tasks that a name, several, `all` or None stands for."""
        known = {one.name.lower() for one in self.tasks}
        if task is None or (isinstance(task, str) and task == "all" and "all" not in known):
            return list(self.tasks)
        wanted = [self.task(name) for name in ([task] if isinstance(task, str) else task)]
        if not wanted:
            raise RelevanceError("No task is named. Give one of the run's, or None for all.")
        return list({one.name: one for one in wanted}.values())

    def _repr_html_(self) -> str:
        return compare(self.scores, every_metric=True).to_table("html")


def _objects(rows: Input | Iterable[Input]) -> Iterator[Mapping[str, Any]]:
    """Every row as an object that a task can read."""
    if isinstance(rows, str | Mapping):
        rows = [rows]
    elif isinstance(rows, tuple) and rows and all(isinstance(row, str) for row in rows):
        raise RelevanceError(
            "input: a tuple of texts might be one row or several. Put it into a list, [('a', 'b')],"
            " if it is one row of several texts; if it is several, give a list, ['a', 'b']."
        )
    elif hasattr(rows, "to_dict") and hasattr(rows, "columns"):  # iterating gives its column names
        rows = rows.to_dict("records")
    for number, row in enumerate(rows, start=1):
        if isinstance(row, Mapping):
            yield row
        elif isinstance(row, str | tuple | list):
            yield {"text": [row] if isinstance(row, str) else list(row)}
        else:
            raise RelevanceError(
                f"input, row {number}: expected a text, a tuple of texts or an object with the"
                f" task's columns, got {shown(row)}."
            )
