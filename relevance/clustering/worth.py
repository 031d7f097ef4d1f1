"""Worth of groups: gains within and across them, against training every task alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from relevance.clustering.column_influence import listed
from relevance.clustering.spec import ClusterSpec
from relevance.marks import is_gains
from relevance.matrices.matrix import RelevanceMatrix

MOST_ROWS = 30


@dataclass(frozen=True)
class MeanGains:
    """Mean gains of one task, one group, or all tasks.

    Attributes:
        name: The task, or the members of the group.
        group: Number of the group, None for all tasks together.
        within: Mean gain from members of the own group; None where none is known.
        across: Mean gain from tasks of other groups; None where none is known.
    """

    name: str
    group: int | None
    within: float | None
    across: float | None


@dataclass(frozen=True)
class Worth:
    """Mean gains over pairs of tasks; training alone is 0 throughout.

    Attributes:
        unit: Unit that gains are printed in.
        overall: Mean over all pairs.
        whole: Means over all pairs within groups, and over all pairs across them.
        groups: Means of each group, in the order of the spec.
        tasks: Means of each task, group by group.
        harmful: Pairs of one group of which each harms the other, with both gains.
        unknown: Pairs that are left out, as the matrix does not know them.
        choice: Metric and normalisation of the gains, by name; empty where the matrix tells none.
    """

    unit: str
    overall: float | None
    whole: MeanGains
    groups: tuple[MeanGains, ...]
    tasks: tuple[MeanGains, ...]
    harmful: tuple[tuple[str, str, float, float], ...]
    unknown: int
    choice: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> list[dict[str, str | float | None]]:
        """The table to print, in hundredths: tasks and means of groups, or these alone."""
        few = len(self.tasks) <= MOST_ROWS
        parts: list[tuple[str, MeanGains]] = []
        for group in self.groups:
            members = [part for part in self.tasks if part.group == group.group]
            parts += [(part.name, part) for part in members if few]
            parts += [("mean", group)] if len(members) > 1 or not few else []
        return [
            {
                "group": str(part.group),
                "task": name,
                f"within ({self.unit})": _hundredths(part.within),
                f"from others ({self.unit})": _hundredths(part.across),
            }
            for name, part in parts
        ]

    def lines(self) -> list[str]:
        """Summary of the table in words; harm is never left out."""
        within, across = self.whole.within, self.whole.across
        means = {"within groups": within, "across groups": across}
        said = [f"{name} {self._shown(gain)}" for name, gain in means.items() if gain is not None]
        lines = [f"mean gain {', '.join(said)}; training alone is 0"] if said else []
        if self.overall is not None and self.overall < 0:
            lines.append(
                f"alone is better: any two tasks gain {self._shown(self.overall)} together"
            )
        if within is not None and within < 0:
            lines.append(f"alone is better: in these groups tasks gain {self._shown(within)}")
        if within is not None and across is not None and across > within:
            lines.append("tasks gain more from other groups than from their own")
        lines += [
            f"group {part.group} ({part.name}) harms itself: {self._shown(part.within)}, so alone"
            " is better"
            for part in self.groups
            if part.within is not None and part.within < 0
        ]
        harmed = [
            f"{part.name} ({self._shown(part.within)})"
            for part in self.tasks
            if part.within is not None and part.within < 0
        ]
        if harmed:
            lines.append(f"alone is better than its group for {listed(harmed, ' and ')}")
        pairs = [
            f"{one} & {other} ({self._shown(first)}, {self._shown(second)})"
            for one, other, first, second in self.harmful
        ]
        if pairs:
            lines.append(f"in one group but harm each other: {listed(pairs, ' and ')}")
        if self.unknown:
            lines.append(f"{self.unknown} unknown gains are left out of these means")
        return lines

    def kept_in(self, spec: ClusterSpec) -> ClusterSpec:
        """A copy of the spec with these numbers in `provenance["gains"]`, as fractions."""

        def plain(part: MeanGains) -> dict[str, float | None]:
            return {"within": part.within, "across": part.across}

        kept: dict[str, Any] = {
            **self.choice,
            **plain(self.whole),
            "groups": [plain(part) for part in self.groups],
            "tasks": {part.name: plain(part) for part in self.tasks},
            "lines": self.lines(),
        }
        return spec.model_copy(update={"provenance": {**spec.provenance, "gains": kept}})

    def _shown(self, gain: float | None) -> str:
        return "unknown" if gain is None else f"{100 * gain:+.2f} {self.unit}"


def group_worth(matrix: RelevanceMatrix, spec: ClusterSpec) -> Worth | None:
    """Mean gains within and across groups, for every task, every group and all of them.

    Args:
        matrix: Measured or predicted gains.
        spec: Groups of its tasks.

    Returns:
        The means over known pairs of different tasks; None for a matrix of likenesses, which says
        nothing about training alone.

    Raises:
        RelevanceError: If the groups are not those of the matrix's tasks.
    """
    spec.check(matrix.tasks, owner="matrix")
    if not is_gains(matrix):
        return None
    known = matrix.known
    labels = np.array([spec.cluster_of(task) for task in matrix.tasks])
    same = labels[:, None] == labels

    def part(name: str, group: int | None, targets: Bool[np.ndarray, " target"]) -> MeanGains:
        within, across = (_mean(matrix.values[cells & known & targets]) for cells in (same, ~same))
        return MeanGains(name, group, within, across)

    names = np.array(matrix.tasks)
    numbered = list(enumerate(spec.clusters))
    pairs = [pair for members in spec.clusters for pair in combinations(members, 2)]
    return Worth(
        unit="points" if matrix.unit == "points" else matrix.shown_in,
        overall=_mean(matrix.values[known]),
        whole=part("all", None, np.ones(len(names), dtype=bool)),
        groups=tuple(part(", ".join(tasks), place, labels == place) for place, tasks in numbered),
        tasks=tuple(
            part(task, place, names == task) for place, tasks in numbered for task in tasks
        ),
        harmful=_harmful(matrix, pairs),
        unknown=len(names) * (len(names) - 1) - int(known.sum()),
        choice={
            name: matrix.provenance[name]
            for name in ("metric", "normalise")
            if name in matrix.provenance
        },
    )


def _harmful(
    matrix: RelevanceMatrix, pairs: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str, float, float], ...]:
    place = {task: number for number, task in enumerate(matrix.tasks)}
    gains = [
        (
            one,
            other,
            float(matrix.values[place[other], place[one]]),
            float(matrix.values[place[one], place[other]]),
        )
        for one, other in pairs
    ]
    return tuple(gain for gain in gains if gain[2] < 0 and gain[3] < 0)


def _mean(gains: Float[np.ndarray, " pair"]) -> float | None:
    return float(gains.mean()) if len(gains) else None


def _hundredths(gain: float | None) -> float | None:
    return None if gain is None else 100 * gain
