"""Gains of groups that were trained, as a file has them: the group, one of its tasks, its gain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from relevance.errors import RelevanceError, shown, unknown_name
from relevance.numerals import decimal_number
from relevance.tasks.read import read_columns

COLUMNS = ("group", "task", "gain")
BETWEEN = " & "
FIRST = 2  # the header is the first line


@dataclass(frozen=True)
class MeasuredGroup:
    """What tasks gained from being trained together, over each of them alone.

    Attributes:
        tasks: Two tasks or more.
        gains: Gain of each of them, or of some.
    """

    tasks: frozenset[str]
    gains: Mapping[str, float]


def read_measured_groups(path: Path, tasks: Sequence[str]) -> tuple[MeasuredGroup, ...]:
    """Read gains of groups, as `relevance check-groups` writes them.

    Args:
        path: A csv, tsv, parquet or JSON file with a row for each task of each group: `group`, the
            names of its tasks with ` & ` between them, `task`, and `gain`, a fraction in the unit
            of the matrix. Rows without a gain are of runs that failed, and those without a task are
            means of groups; these and groups of one task, which gains nothing, are left out. A
            group that several specs have stands there several times, with the gains of one run.
        tasks: Names that there are.

    Returns:
        The groups in the order of the file.

    Raises:
        RelevanceError: If a column is missing, a name is unknown, a gain is no number or there are
            two different ones of one task in one group, a task is not in its group, or no row has
            a gain.
    """
    read = read_columns(path, COLUMNS)
    found: dict[frozenset[str], dict[str, float]] = {}
    for line, (group, task, gain) in enumerate(zip(*read.values(), strict=True), FIRST):
        where = f"{path}, line {line}"
        members = [name.strip() for name in str(group).split(BETWEEN.strip())]
        if task in {None, ""}:
            continue
        for name in (*members, task):
            if name not in tasks:
                raise RelevanceError(f"{where}: {unknown_name('task', str(name), tasks)}")
        if task not in members or len(set(members)) < len(members):
            raise RelevanceError(
                f"{where}: group {shown(group)} and task {shown(task)}: a group is different"
                " tasks, such as A & B, and the task is one of them."
            )
        if gain in {None, ""} or len(members) == 1:
            continue
        gains, number = found.setdefault(frozenset(members), {}), _number(gain, where)
        if gains.setdefault(str(task), number) != number:
            raise RelevanceError(
                f"{where}: a second gain of {task} in {group}. Give the mean of several seeds."
            )
    if not found:
        raise RelevanceError(f"{path} has no gain of any group.")
    return tuple(MeasuredGroup(members, gains) for members, gains in found.items())


def _number(gain: object, where: str) -> float:
    number = decimal_number(str(gain))
    if number is None:
        raise RelevanceError(f"{where}: gain {shown(gain)} is no number.")
    return number
