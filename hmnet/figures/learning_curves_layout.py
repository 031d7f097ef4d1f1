"""Layout of learning curves: a panel per task, and in it a line per name with a band over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from hmnet.analysis.curves import Curves
from relevance.errors import RelevanceError

SEVERAL = "steps of several tasks"
QUANTITIES = {
    "loss": "training loss",
    "score": "score on dev (%)",
    "uncertainty": "uncertainty",
}
MOST = {"score": 100.0, "uncertainty": 1.0}
"""Values that a quantity cannot exceed, which bands do."""
NOTHING = {
    "loss": "The logs of these runs hold no loss, as those of an older version.",
    "score": "None of these runs was scored on dev while it was trained. Train with"
    ' `checkpoint="best"` or `patience=N`, or look at `what="loss"`.',
    "uncertainty": "None of these runs was asked how unsure it is. Train with"
    ' `log_uncertainty=True` or `sampler="uncertainty"`, or look at `what="loss"`.',
}

What = Literal["loss", "score", "uncertainty"]
By = Literal["step", "epoch"]


class Points(NamedTuple):
    """One quantity of one run on one task.

    Attributes:
        places: Steps or epochs, those alone at which there is a value.
        values: The values.
    """

    places: Int[np.ndarray, " place"]
    values: Float[np.ndarray, " place"]

    def at(self, places: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Values at places between the first and the last, on straight lines between the points."""
        return np.asarray(np.interp(places, self.places, self.values))

    def since(self, place: int) -> Points:
        """What the points and the lines between them are from a place on."""
        places = np.concatenate([[place], self.places[self.places > place]])
        return Points(places, self.at(places))


class SeedLines(NamedTuple):
    """The runs of one name on one task.

    Attributes:
        name: Name that the runs share; they are seeds.
        places: Steps or epochs at which one of the runs has a value, between the first and the last
            that all of them have.
        values: The values; where a run has none of its own, on a straight line between those that
            it has before and behind.
        between: Whether there are such places.
        further: Points of runs that go on where another has ended, from the last of the places on.
    """

    name: str
    places: Int[np.ndarray, " place"]
    values: Float[np.ndarray, "place run"]
    between: bool = False
    further: tuple[Points, ...] = ()

    @property
    def seeds(self) -> int:
        """Number of runs."""
        count: int = self.values.shape[1]
        return count

    @property
    def mean(self) -> Float[np.ndarray, " place"]:
        """Mean over all of the runs."""
        return np.asarray(self.values.mean(axis=1))

    @property
    def deviation(self) -> Float[np.ndarray, " place"] | None:
        """Standard deviation over the runs, of a sample (n - 1); None for one run."""
        return self.values.std(axis=1, ddof=1) if self.seeds > 1 else None


class TaskPanel(NamedTuple):
    """What one task shows.

    Attributes:
        title: Name of the task, with what is shown of it where that is not what others show; or
            `SEVERAL`.
        lines: A line per name; several of one name where its runs have values at other places.
    """

    title: str
    lines: tuple[SeedLines, ...]


def lay_out(runs: Sequence[tuple[str, Curves]], what: What, by: By = "step") -> list[TaskPanel]:
    """Decide what the figure shows.

    Args:
        runs: Names and curves; runs of one name are seeds.
        what: Quantity that is drawn.
        by: Whether places are steps or, for scores alone, epochs.

    Returns:
        A panel for every task of any run, in their order, and a last one for losses of steps that
        trained several tasks.

    Raises:
        RelevanceError: If no run has the quantity, or epochs are asked for that it is not known by.
    """
    if by == "epoch" and what != "score":
        raise RelevanceError(
            f'`by="epoch"` is for scores, and `what="{what}"` is known by step alone. Leave `by`'
            " out."
        )
    found: dict[str, dict[str, list[Points]]] = {}
    for name, curves in runs:
        for title, points in _of_run(curves, what, by):
            found.setdefault(title, {}).setdefault(name, []).append(points)
    if not found:
        raise RelevanceError(NOTHING[what])
    order = sorted(found, key=lambda title: title == SEVERAL)
    return [
        TaskPanel(title, tuple(line for each in found[title].items() for line in _lines(*each)))
        for title in order
    ]


def _of_run(curves: Curves, what: What, by: By) -> Iterable[tuple[str, Points]]:
    """What a run shows of each task that it has a value for."""
    titles, places = list(curves.tasks), curves.steps
    if what == "loss":
        table, titles = curves.losses, [*titles, SEVERAL]
    elif what == "score":
        table = None if curves.scores is None else 100 * curves.scores
        places = curves.scored_at if by == "step" else curves.scored_in
    else:
        table = curves.uncertainty
        stand_ins = curves.stand_ins or (None,) * len(titles)
        titles = [
            f"{task}: {stand_in}" if stand_in else task
            for task, stand_in in zip(titles, stand_ins, strict=True)
        ]
    if table is not None and len(places):
        for title, values in zip(titles, table.T, strict=True):
            known = ~np.isnan(values)
            if known.any():
                yield title, Points(places[known], values[known])


def _lines(name: str, runs: Sequence[Points]) -> Iterable[SeedLines]:
    """The line of a name; one of each run where one begins behind another's end."""
    first = max(int(points.places[0]) for points in runs)
    last = min(int(points.places[-1]) for points in runs)
    if first > last:
        for points in runs:
            yield SeedLines(name, points.places, points.values[:, None])
        return
    found = np.unique(np.concatenate([points.places for points in runs]))
    places = found[(found >= first) & (found <= last)]
    values = [points.at(places) for points in runs]
    between = not all(np.isin(places, points.places).all() for points in runs)
    further = [points.since(last) for points in runs if points.places[-1] > last]
    yield SeedLines(name, places, np.stack(values, axis=1), between, tuple(further))


def legend_of(runs: Sequence[tuple[str, Curves]], panels: Sequence[TaskPanel]) -> dict[str, str]:
    """What the legend says of each name: how many of its runs the lines are made of.

    Args:
        runs: Names and curves that the panels were made of.
        panels: The panels.

    Returns:
        By name, in the order of the runs.
    """
    given: dict[str, int] = {}
    for name, _ in runs:
        given[name] = given.get(name, 0) + 1
    return {name: f"{name}{_seeds(name, count, panels)}" for name, count in given.items()}


def _seeds(name: str, given: int, panels: Sequence[TaskPanel]) -> str:
    own = [[line for line in panel.lines if line.name == name] for panel in panels]
    counts = {sum(line.seeds for line in lines) for lines in own if lines}
    if not counts:
        return " (nothing logged)"
    if given == 1:
        return ""
    low, high = min(counts), max(counts)
    number = str(low) if low == high else f"{low} to {high}"
    of_all = f" of {given}" if high < given else ""
    each = ", some with a line each" if any(len(lines) > 1 for lines in own) else ""
    return f" ({number}{of_all} seeds{each})"


def caption_of(panels: Sequence[TaskPanel], what: What) -> str:
    """What points, lines and bands are, in words.

    Args:
        panels: The panels.
        what: Quantity that they show.

    Returns:
        A sentence for each thing that is there.
    """
    lines = [line for panel in panels for line in panel.lines]
    said = {
        "Values are means over windows of steps.": what != "score",
        "Line: mean over seeds; band: \N{PLUS-MINUS SIGN} 1 standard deviation (n - 1).": any(
            line.seeds > 1 for line in lines
        ),
        "Between a seed's values its straight lines count.": any(line.between for line in lines),
        "Thin: seeds that go on where another has ended.": any(line.further for line in lines),
    }
    return " ".join(text for text, holds in said.items() if holds)
