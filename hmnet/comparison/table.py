"""Scores of runs side by side, as a plain value, and as a table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hmnet.comparison.significance import LEVEL, Paired
from relevance.escaping import for_html, for_line, for_markdown
from relevance.names import some
from relevance.report.page.content import Origin, PageTable, RunScores
from relevance.report.tables import Cell, Place, Row, table

DECIMALS = 1
LABELS = ("task", "metric")
MAJORITY_COLUMN = "majority class"


class Entry(NamedTuple):
    """One cell of the table.

    Attributes:
        mean: Mean over seeds; a score is a fraction.
        deviation: Standard deviation over seeds with n - 1 degrees of freedom, None for one seed.
        paired: Against the baseline; None without one, for itself, and where nothing can be paired.
    """

    mean: float
    deviation: float | None = None
    paired: Paired | None = None


class Line(NamedTuple):
    """One row of the table.

    Attributes:
        task: Name of the task, with its split where that is not `dev`; `average` below the tasks;
            or what a run costs.
        metric: Name of the metric, or the unit of a cost.
        entries: One per column, None where a run has no such value.
        scale: Factor of values where they are shown: scores are printed in percent.
        ranked: Whether higher is better, so that the best is set in bold.
        decimals: Number of decimals; 0 for whole numbers.
    """

    task: str
    metric: str
    entries: tuple[Entry | None, ...]
    scale: float = 100.0
    ranked: bool = True
    decimals: int = DECIMALS

    def shown(self, value: float) -> float:
        """A value as it is printed, so that what looks equal is equal."""
        return round(self.scale * value, self.decimals)

    def text(self, entry: Entry | None) -> Cell:
        """Mean and deviation; a number where there is no deviation and decimals are the table's."""
        if entry is None:
            return None
        if entry.deviation is None and self.decimals in (0, DECIMALS):
            shown = self.shown(entry.mean)
            return shown if self.decimals else int(shown)
        return " ± ".join(
            f"{self.shown(value):.{self.decimals}f}"
            for value in (entry.mean, entry.deviation)
            if value is not None
        )


class Contrast(NamedTuple):
    """A run against the baseline, on the average.

    Attributes:
        column: Name of the run.
        rows: Test over the rows of the average, means over seeds; None where there is no average.
        seeds: The test of the average, over the seeds that both have; None for fewer than two.
    """

    column: str
    rows: Paired | None
    seeds: Paired | None


@dataclass(frozen=True)
class Comparison:
    """Scores of runs side by side, ready to be printed.

    Attributes:
        columns: Names of runs; the majority class comes first where it is known.
        lines: A row per task and metric, then the average of the primary metrics and what else
            sums the rows up, then costs.
        baseline: The column that others are tested against, None for no tests.
        contrasts: One per other run, empty without a baseline.
        notes: Further notes for the reader, such as on rows that differ between runs.
    """

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    baseline: str | None = None
    contrasts: tuple[Contrast, ...] = ()
    notes: tuple[str, ...] = ()

    def to_table(self, format: str) -> str:  # noqa: A002 - the option's name
        """The table in percent, the best run of each row in bold, differences that count starred.

        Nothing is bold in a row where all runs are alike, or none is above the majority class.

        Args:
            format: `markdown`; `latex`; `html`; or `csv`, which has deviations, differences from
                the baseline and their p in columns of their own.

        Returns:
            Text of the table; `remarks`, if there are any, follow it, or stand above it as LaTeX
            comments.

        Raises:
            RelevanceError: If the format is unknown.
        """
        if format == "csv":
            return table([self.numbers(line) for line in self.lines], format)
        rows = [
            self._row(line, [line.text(entry) for entry in line.entries]) for line in self.lines
        ]
        text = table(rows, format, decimals=DECIMALS, bold=self.best(), marked=[self.starred()])
        return with_remarks(text, format, self.remarks)

    def for_report(self, runs: Sequence[Origin] = ()) -> RunScores:
        """The table as `relevance.write_report` takes it.

        Args:
            runs: How the runs were made.

        Returns:
            Rows, what is bold and starred, remarks; notes on what sets runs apart are caveats, as
            is a single seed.
        """
        rows = [
            self._row(line, [line.text(entry) for entry in line.entries]) for line in self.lines
        ]
        alone = [
            column
            for place, column in enumerate(self.columns)
            if column != MAJORITY_COLUMN
            and not any(entry and entry.deviation is not None for entry in self._scored(place))
        ]
        few = f"One seed only: {some(alone)}. How much the scores vary by chance is not known."
        shown = PageTable(
            rows=tuple(rows),
            decimals=DECIMALS,
            bold=frozenset(self.best()),
            starred=frozenset(self.starred()),
            remarks=tuple(line for line in self.remarks if line not in self.notes),
        )
        return RunScores(shown, (*([few] if alone else []), *self.notes), tuple(runs))

    def _scored(self, place: int) -> list[Entry | None]:
        """The scores of a column, those of costs left out."""
        return [line.entries[place] for line in self.lines if line.ranked]

    def __repr__(self) -> str:
        return f"Comparison({some(self.columns)}; {len(self.lines)} rows)"

    def _repr_html_(self) -> str:
        return self.to_table("html")

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks: the tests, how runs differ from the baseline, and further notes."""
        if self.baseline is None:
            return self.notes
        legend = (
            f"*: differs from {self.baseline} at p < {LEVEL}, two-sided and not corrected for the"
            " number of tests. Rows of tasks: paired t-test over seeds; the average: Wilcoxon's"
            " signed-rank test over its rows."
        )
        sentences = (_sentence(contrast, self.baseline) for contrast in self.contrasts)
        return (legend, *sentences, *self.notes)

    def _row(self, line: Line, cells: Sequence[Cell]) -> dict[str, Cell]:
        return {
            "task": line.task,
            "metric": line.metric,
            **dict(zip(self.columns, cells, strict=True)),
        }

    def numbers(self, line: Line) -> Row:
        """The row in full, with further columns for every run that has several seeds or tests."""

        def full(value: float | None) -> float | None:
            return None if value is None else round(line.scale * value, 10)

        row = self._row(line, [entry and full(entry.mean) for entry in line.entries])
        for place, column in enumerate(self.columns):
            entries = [other.entries[place] for other in self.lines]
            entry = line.entries[place]
            if any(other and other.deviation is not None for other in entries):
                row[f"{column} deviation"] = full(entry.deviation if entry else None)
            if any(other and other.paired for other in entries):
                paired = entry.paired if entry else None
                row[f"{column} difference"] = full(paired.difference if paired else None)
                row[f"{column} p"] = paired and paired.p
        return row

    def best(self) -> set[Place]:
        """Places of the best of each row: above another run, and above the majority class."""
        places = set()
        for y, line in enumerate(self.lines):
            shown = {
                x: line.shown(entry.mean)
                for x, entry in enumerate(line.entries)
                if entry and line.ranked
            }
            of_majority = shown.pop(0, None) if self.columns[0] == MAJORITY_COLUMN else None
            least = -math.inf if of_majority is None else of_majority
            if shown and max(shown.values()) > max(least, min(shown.values())):
                best = max(shown.values())
                places |= {(y, x + len(LABELS)) for x in shown if shown[x] == best}
        return places

    def starred(self) -> set[Place]:
        """Places where a run differs from the baseline by more than chance."""
        return {
            (y, x + len(LABELS))
            for y, line in enumerate(self.lines)
            for x, entry in enumerate(line.entries)
            if entry and entry.paired and entry.paired.significant
        }


def with_remarks(text: str, format: str, remarks: Sequence[str]) -> str:  # noqa: A002
    """A table and what is to be said of it.

    Args:
        text: The table.
        format: Format of the table: `markdown`, `latex` or `html`.
        remarks: Sentences.

    Returns:
        Both: remarks follow the table, or stand above it as LaTeX comments.
    """
    if format == "latex":
        return "".join(f"% {for_line(remark)}\n" for remark in remarks) + text
    if format == "html":
        return text + "".join(f"<p>{for_html(remark)}</p>\n" for remark in remarks)
    if not remarks:
        return text
    return "\n".join([text, "".join(f"- {for_markdown(remark)}\n" for remark in remarks)])


def _sentence(contrast: Contrast, baseline: str) -> str:
    """A line on how a run differs from the baseline."""
    said = f"{contrast.column} against {baseline}: "
    if contrast.rows is None:
        return f"{said}no average, as they have fewer than two rows in common."
    rows, seeds = contrast.rows, contrast.seeds
    said += (
        f"{100 * rows.difference:+.{DECIMALS}f} points on the average; better on {rows.better} of"
        f" {rows.pairs} rows, worse on {rows.worse}; over rows {_p(rows)}"
    )
    if seeds is None:
        return f"{said}; fewer than two seeds in common, so nothing is tested over seeds."
    return f"{said}; over {seeds.pairs} seeds {_p(seeds)}."


def _p(paired: Paired) -> str:
    """The probability as text.

    >>> _p(Paired("t", 3, 0.1, 3, 0, 0.0123)), _p(Paired("t", 3, 0.1, 3, 0, 0.0004))
    ('p = 0.012', 'p < 0.001')
    """
    if paired.p is None:
        return "no test, as all differences are equal"
    return f"p = {paired.p:.3f}" if paired.p >= 0.0005 else "p < 0.001"
