"""How the things shown were made, and what that took."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from relevance import __version__
from relevance.clustering.spec import ClusterSpec
from relevance.matrices.failed_runs import RECORDED
from relevance.matrices.intervals import BEATEN
from relevance.matrices.matrix import RelevanceMatrix
from relevance.names import some
from relevance.report.page.content import Origin, PageTable
from relevance.report.tables import Row

LEFT_OUT = frozenset(
    {"warnings", "notes", "predicted", RECORDED, BEATEN, "families", "gains", "choice_of_k"}
)
"""Entries of a provenance that the page tells elsewhere or that are longer than all the rest."""
LONGEST = 160
DIGEST = re.compile("[0-9a-f]{40,}")
COSTS = {"seconds": "computing time", "wall_seconds": "waiting time"}


def origins(
    matrices: Sequence[tuple[str, RelevanceMatrix]], clusters: ClusterSpec | None
) -> tuple[Origin, ...]:
    """How matrices, groups and this page were made.

    Args:
        matrices: Matrices with their names.
        clusters: Groups, None without.

    Returns:
        Settings, seeds and versions of each, as the files tell them.
    """
    found = [Origin(name, _of_matrix(matrix)) for name, matrix in matrices]
    if clusters is not None:
        found.append(Origin("groups", _of_groups(clusters)))
    python = ".".join(map(str, sys.version_info[:3]))
    return (*found, Origin("this page", (("relevance", __version__), ("Python", python))))


def cost_table(matrices: Sequence[tuple[str, RelevanceMatrix]]) -> PageTable | None:
    """What matrices took, a row for each; None where nothing is known."""
    keys = dict.fromkeys(key for _, matrix in matrices for key in matrix.cost)
    if not keys:
        return None
    rows: list[Row] = [
        {"matrix": name, **{COSTS.get(key, key): _cost(matrix, key) for key in keys}}
        for name, matrix in matrices
    ]
    return PageTable(tuple(rows))


def _cost(matrix: RelevanceMatrix, key: str) -> str | float | None:
    value = matrix.cost.get(key)
    return duration(value) if value is not None and key in COSTS else value


def duration(seconds: float) -> str:
    """A duration as people say it.

    >>> duration(0.4723), duration(93.6), duration(7348.0), duration(200000.0)
    ('0.47 s', '1 min 34 s', '2 h 2 min', '2 d 7 h')
    """
    whole = round(seconds)
    for unit, size, lower, part in (
        ("d", 86400, "h", 3600),
        ("h", 3600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // part} {lower}"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def _of_matrix(matrix: RelevanceMatrix) -> tuple[tuple[str, str], ...]:
    facts = {"measure": matrix.measure, "tasks": f"{len(matrix.tasks)}", "unit": matrix.unit}
    if matrix.seeds:
        facts["seeds"] = ", ".join(map(str, matrix.seeds))
    return (*facts.items(), *_told(matrix.provenance))


def _of_groups(clusters: ClusterSpec) -> tuple[tuple[str, str], ...]:
    facts = {"method": clusters.method, "k": clusters.k, "seed": clusters.seed}
    if clusters.matrix is not None:
        facts["matrix"] = f"{clusters.matrix.file} (SHA-256 {clusters.matrix.sha256[:12]})"
    known = tuple((name, str(value)) for name, value in facts.items() if value is not None)
    return (*known, *_told(clusters.provenance))


def _told(provenance: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The entries of a provenance, in words; long ones are only counted."""
    return tuple(
        (name.replace("_", " "), shown(value))
        for name, value in provenance.items()
        if name not in LEFT_OUT and value not in (None, {}, [], ())
    )


def shown(value: Any) -> str:
    """A setting on one line; absolute paths, which tell where somebody works, by their last part.

    >>> shown([0, 1000]), shown({"name": "/home/me/minilm", "size": 3}), shown(True)
    ('0, 1000', 'name minilm, size 3', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        text = str(value)
        text = Path(text).name if Path(text).is_absolute() else text
        return f"{text[:12]}\N{HORIZONTAL ELLIPSIS}" if DIGEST.fullmatch(text) else text
    plain = isinstance(value, Mapping | list | tuple)
    values = value.values() if isinstance(value, Mapping) else value if plain else ()
    if plain and not any(isinstance(one, Mapping | list | tuple) for one in values):
        parts = (
            [f"{name} {shown(one)}" for name, one in value.items()]
            if isinstance(value, Mapping)
            else [shown(one) for one in value]
        )
        if len(text := ", ".join(parts)) <= LONGEST:
            return text
    if isinstance(value, Mapping):
        return f"{len(value)} entries: {some(list(map(str, value)))}"
    return json.dumps(value, default=str)[:LONGEST]
