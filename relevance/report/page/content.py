"""What the page shows, as plain values: no HTML, no Markdown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from relevance.figures.heatmap_layout import HeatmapLayout
from relevance.matrices.matrix import RelevanceMatrix
from relevance.report.tables import Place, Row

MOST_DRAWN = 60
"""Tasks up to which every cell is an element of the page with its number in it."""


@dataclass(frozen=True)
class Caveat:
    """A reason not to trust something.

    Attributes:
        about: Name of the matrix, `groups` or `scores`.
        text: One or two sentences.
        grave: Whether conclusions fall with it; else it is something to know.
    """

    about: str
    text: str
    grave: bool = True


@dataclass(frozen=True)
class PageTable:
    """A table of any rows, before it is written.

    Attributes:
        rows: Rows with the same keys, which are the headings; at least one.
        decimals: Number of decimals of fractional numbers.
        bold: Places (row, column) from 0 to set in bold.
        starred: Places to mark with a star.
        remarks: Sentences that stand below it.
    """

    rows: tuple[Row, ...]
    decimals: int = 2
    bold: frozenset[Place] = frozenset()
    starred: frozenset[Place] = frozenset()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class CellScores:
    """Scores behind gains, averaged over seeds, as they are printed.

    Attributes:
        metric: Metric in words, with its unit.
        decimals: Number of decimals that all are rounded to.
        single: Scores of every target trained alone.
        joint: `joint[source, target]`: scores of the target trained with the source.
        majority: Scores of the majority class; None where they are not known.
    """

    metric: str
    decimals: int
    single: Float[np.ndarray, " target"]
    joint: Float[np.ndarray, "source target"]
    majority: Float[np.ndarray, " target"] | None


@dataclass(frozen=True)
class Order:
    """An order of the rows and columns of a map.

    Attributes:
        places: Places of the matrix's tasks, in the order they are shown.
        sizes: Sizes of the groups at the beginning that are framed; empty without groups.
    """

    places: tuple[int, ...]
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Map:
    """A matrix as the page draws it; numbers are in hundredths of the matrix's unit, and rounded.

    Attributes:
        name: Name of the matrix, different from those of the others.
        matrix: The matrix itself.
        layout: Colours, marks, notes and texts of the cells, those of the heat map.
        decimals: Number of decimals of values, errors and half widths; None where they are so large
            or small that they are written with a power of ten.
        values: Values, NaN where unknown.
        errors: Standard errors; None where the matrix has none.
        half_widths: Half widths of 95 % intervals; None likewise.
        scores: Scores behind gains; None where the matrix has none.
        orders: Orders by name: `clusters` with groups, `given`, and `dendrogram` where every value
            is known.
        extremes: The highest and lowest cells of a matrix of more than 60 tasks; None of fewer.
    """

    name: str
    matrix: RelevanceMatrix
    layout: HeatmapLayout
    decimals: int | None
    values: Float[np.ndarray, "source target"]
    errors: Float[np.ndarray, "source target"] | None
    half_widths: Float[np.ndarray, "source target"] | None
    scores: CellScores | None
    orders: Mapping[str, Order]
    extremes: PageTable | None


@dataclass(frozen=True)
class Group:
    """A group of tasks.

    Attributes:
        name: Name of the group.
        tasks: Members.
        lines: What there is to say of it, in words.
    """

    name: str
    tasks: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Groups:
    """All groups.

    Attributes:
        groups: The groups.
        lines: How they were found, how stable they are, and what they rest on, in words.
        worth: Mean gains within and across groups; None where no matrix of gains is shown.
    """

    groups: tuple[Group, ...]
    lines: tuple[str, ...]
    worth: PageTable | None = None


@dataclass(frozen=True)
class Origin:
    """How one of the things shown was made.

    Attributes:
        name: Name of the thing.
        facts: Settings, versions, seeds and the like, in words, by name.
    """

    name: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RunScores:
    """Scores of trained runs, handed in by whoever knows about runs.

    Attributes:
        table: A row per task and metric.
        caveats: Reasons not to trust it.
        origins: How the runs were made.
    """

    table: PageTable
    caveats: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, eq=False)
class Page:
    """All that the page shows, in its order.

    Attributes:
        title: Heading.
        tasks: Every task of a matrix, each once.
        caveats: Reasons not to trust what follows, the grave ones first.
        maps: The matrices.
        groups: Groups of the tasks; None without.
        agreement: Rank correlations of every two matrices; None for fewer than two.
        scores: Scores of trained runs; None without.
        cost: Cost of the matrices; None where none is known.
        origins: How everything was made.
        commands: Commands that make this page again.
    """

    title: str
    tasks: tuple[str, ...]
    caveats: tuple[Caveat, ...]
    maps: tuple[Map, ...]
    groups: Groups | None
    agreement: PageTable | None
    scores: PageTable | None
    cost: PageTable | None
    origins: tuple[Origin, ...]
    commands: tuple[str, ...]

    def reworded(self, reword: Callable[[str], str]) -> "Page":
        """The page with another wording of caveats and remarks.

        Args:
            reword: Gives the new wording of a sentence.

        Returns:
            The page.
        """
        scores = self.scores
        if scores is not None:
            scores = replace(scores, remarks=tuple(map(reword, scores.remarks)))
        caveats = tuple(replace(caveat, text=reword(caveat.text)) for caveat in self.caveats)
        return replace(self, caveats=caveats, scores=scores)
