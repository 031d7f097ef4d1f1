"""The table of a layout, as a plain value and as text."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hmnet.comparison.table import DECIMALS, LABELS, Comparison, Line, with_remarks
from relevance.names import some
from relevance.report.tables import Cell, Place, Row, table

FAMILY = "family"  # column of the families, where runs are columns
METRICS = {
    "span_em": "EM",
    "span_f1": "F1",
    "question_em": "EM",
    "f1a": "F1a",
    "macro_f1": "macro F1",
    "f1": "F1",
    "entity_f1": "entity F1",
}
"""How metrics are written in the head of a table; others by their own name."""


class Group(NamedTuple):
    """What stands in one cell of every run.

    Attributes:
        name: Heading.
        family: Heading above it; empty for none.
        lines: A line for each metric.
    """

    name: str
    family: str
    lines: tuple[Line, ...]

    @property
    def metric(self) -> str:
        """Its metrics, such as `EM / F1`."""
        return " / ".join(METRICS.get(line.metric, line.metric) for line in self.lines)

    @property
    def heading(self) -> str:
        """Family and name, and the metrics where they are several."""
        heading = f"{self.family}: {self.name}" if self.family else self.name
        return f"{heading} ({self.metric})" if len(self.lines) > 1 else heading

    def cell(self, place: int) -> Cell:
        """The cell of one run: a number, or text where it has a deviation or several metrics."""
        entries = [line.entries[place] for line in self.lines]
        if len(entries) == 1 or not any(entries):
            return self.lines[0].text(entries[0])
        texts = [line.text(entry) for line, entry in zip(self.lines, entries, strict=True)]
        return " / ".join(
            "\N{EN DASH}" if text is None else text if isinstance(text, str) else f"{text:.1f}"
            for text in texts
        )


@dataclass(frozen=True)
class LaidOut:
    """Runs in the table of a layout, ready to be printed.

    Attributes:
        comparison: The same numbers, a line for each score and metric.
        groups: The lines by what stands in one cell, in the order of `comparison`.
        heads: Headings of the facts that tell runs apart.
        labels: What each column of `comparison` is called, a text for each fact; one text alone for
            the majority class.
        runs_are_rows: Whether a run is a row of the printed table, or a column.
    """

    comparison: Comparison
    groups: tuple[Group, ...]
    heads: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    runs_are_rows: bool

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks: on tests, on cells with several metrics, and on what is missing."""
        several = any(len(group.lines) > 1 for group in self.groups)
        both = "A cell of several metrics is in bold, or starred, where each of them would be."
        return ((both,) if several else ()) + self.comparison.remarks

    def __repr__(self) -> str:
        return f"LaidOut({some(self.comparison.columns)}; {some([g.name for g in self.groups])})"

    def _repr_html_(self) -> str:
        return self.to_table("html")

    def to_table(self, format: str) -> str:  # noqa: A002 - the option's name
        """The table in percent, as `Comparison.to_table` has it.

        Args:
            format: `markdown`, `latex`, `html`, or `csv`, which has every metric in a column or row
                of its own.

        Returns:
            Text of the table, with the remarks.

        Raises:
            RelevanceError: If the format is unknown.
        """
        if format == "csv":
            rows = self._numbers_by_run() if self.runs_are_rows else self._numbers_by_score()
            return table(rows, format)
        if self.runs_are_rows:
            return self._text(list(self._runs()), len(self.heads), format)
        return self._text(list(self._scores()), 1 + len(LABELS), format)

    def _text(self, rows: list[Row], stubs: int, format: str) -> str:  # noqa: A002
        def at(places: set[Place]) -> set[Place]:
            found = self._cells(places)
            turned = {(x, y) for y, x in found} if self.runs_are_rows else found
            return {(y, x + stubs) for y, x in turned}

        compared = self.comparison
        text = table(
            rows,
            format,
            decimals=DECIMALS,
            bold=at(compared.best()),
            marked=[at(compared.starred())],
            families=[""] * stubs + [group.family for group in self.groups]
            if self.runs_are_rows
            else (),
        )
        return with_remarks(text, format, self.remarks)

    def _cells(self, places: set[Place]) -> set[Place]:
        """Places (group, run) all of whose lines are among places of the comparison."""
        found, first = set(), 0
        for number, group in enumerate(self.groups):
            lines = range(first, first + len(group.lines))
            for x in range(len(self.labels)):
                if all((y, x + len(LABELS)) in places for y in lines):
                    found.add((number, x))
            first += len(group.lines)
        return found

    def _stubs(self, place: int) -> dict[str, Cell]:
        label = self.labels[place]
        return dict(zip(self.heads, (*label, *[""] * len(self.heads)), strict=False))

    def _runs(self) -> Iterator[Row]:
        for place in range(len(self.labels)):
            cells = {group.heading: group.cell(place) for group in self.groups}
            yield self._stubs(place) | cells

    def _scores(self) -> Iterator[Row]:
        before = ""
        for group in self.groups:
            cells = {name: group.cell(n) for n, name in enumerate(self.comparison.columns)}
            family = group.family if group.family != before else ""
            before = group.family
            yield {FAMILY: family, "task": group.name, "metric": group.metric} | cells

    def _numbers_by_score(self) -> list[Row]:
        families = [group.family for group in self.groups for _ in group.lines]
        lines = self.comparison.lines
        return [
            {FAMILY: family} | dict(self.comparison.numbers(line))
            for family, line in zip(families, lines, strict=True)
        ]

    def _numbers_by_run(self) -> list[Row]:
        """Each number of the comparison's rows under the score's name and what it is of."""
        rows: list[dict[str, Cell]] = [self._stubs(place) for place in range(len(self.labels))]
        for group in self.groups:
            for line in group.lines:
                numbers = self.comparison.numbers(line)
                heading = f"{group.family}: {group.name}" if group.family else group.name
                if len(group.lines) > 1:
                    heading += f" {METRICS.get(line.metric, line.metric)}"
                kinds = [
                    kind
                    for kind in ("", " deviation", " difference", " p")
                    if any(f"{column}{kind}" in numbers for column in self.comparison.columns)
                ]
                for row, column in zip(rows, self.comparison.columns, strict=True):
                    row |= {f"{heading}{kind}": numbers.get(f"{column}{kind}") for kind in kinds}
        return list(rows)
