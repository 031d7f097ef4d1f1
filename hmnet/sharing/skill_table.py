"""The skill table: which of a SkillNet-style model's skills a task activates."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, model_validator

from relevance.disk.files import read_toml, validated
from relevance.errors import RelevanceError, unknown_name
from relevance.names import some

if TYPE_CHECKING:
    from relevance.tasks.task import Task

BUILT_IN = Path(__file__).with_name("skills.toml")


class Skills(BaseModel):
    """The skills of a model's tasks, by the skill table.

    Attributes:
        names: All skills, idle ones too: every layer has a feed-forward block for each.
        active: For every task the skills that it activates, in the order of `names`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    names: tuple[str, ...]
    active: dict[str, tuple[str, ...]]

    @model_validator(mode="after")
    def _consistent(self) -> "Skills":
        _check_names(self.names)
        for task, row in self.active.items():
            _check_row(f"task '{task}'", row, self.names)
        return self


class SkillTable(BaseModel):
    """Rows of skills for families of tasks and for single tasks, as a TOML file holds them.

    Attributes:
        skills: Names of all skills, idle ones too.
        families: Active skills by family.
        tasks: Active skills by task; they win over those of the task's family.

    Source:
        Tang et al. (2022), "One Model, Multiple Tasks: Pathways for Natural Language
        Understanding", table 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    skills: tuple[str, ...]
    families: dict[str, tuple[str, ...]] = {}
    tasks: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _consistent(self) -> "SkillTable":
        _check_names(self.skills)
        for kind, rows in (("family", self.families), ("task", self.tasks)):
            for name, row in rows.items():
                _check_row(f"{kind} '{name}'", row, self.skills)
        return self

    def __repr__(self) -> str:
        rows = [*self.families, *self.tasks]
        return f"SkillTable({len(self.skills)} skills; rows for {some(rows)})"

    def __str__(self) -> str:
        rows = {**self.families, **self.tasks}
        return "; ".join(f"{name}: {', '.join(row)}" for name, row in rows.items())

    @classmethod
    def load(cls, path: Path = BUILT_IN) -> "SkillTable":
        """Read a table.

        Args:
            path: A TOML file with `skills`, `[families]` and `[tasks]`.

        Returns:
            The table.

        Raises:
            RelevanceError: If it cannot be read, or a row is empty or names an unknown skill.
        """
        return validated(cls, read_toml(path), str(path))

    def skills_of(self, tasks: "Sequence[Task]") -> Skills:
        """Look up the tasks of a model.

        Args:
            tasks: Definitions of the tasks.

        Returns:
            The skills that each activates.

        Raises:
            RelevanceError: If a task has no row, or a row is for a task or family that neither the
                catalogue nor `tasks` has.
        """
        from relevance.tasks.find import catalogue  # reads files, which help does not wait for

        known = [*tasks, *catalogue().values()]
        _check_known("task", self.tasks, [task.name for task in known])
        _check_known("family", self.families, [task.family for task in known])
        return Skills(names=self.skills, active={task.name: self._row(task) for task in tasks})

    def _row(self, task: "Task") -> tuple[str, ...]:
        for rows, wanted in ((self.tasks, task.name), (self.families, task.family)):
            for name, row in rows.items():
                if name.lower() == wanted.lower():
                    return tuple(skill for skill in self.skills if skill in row)
        raise RelevanceError(
            f"The skill table has no row for task '{task.name}' or its family '{task.family}'."
            " Add one to a table of your own and give it with `skills=FILE`."
        )


def _check_names(names: Sequence[str]) -> None:
    if not names or len(set(names)) < len(names):
        raise ValueError("list at least one skill, and each once")


def _check_row(owner: str, row: Sequence[str], names: Sequence[str]) -> None:
    if not row:
        raise ValueError(f"{owner} activates no skill; give it one at least")
    for skill in row:
        if skill not in names:
            raise ValueError(f"{owner}: {unknown_name('skill', skill, names)}")
    if len(set(row)) < len(row):
        raise ValueError(f"{owner} names a skill twice")


def _check_known(kind: str, rows: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a row that would never be looked up."""
    names = list(dict.fromkeys(known))
    lower = {name.lower() for name in names}
    for name in rows:
        if name.lower() not in lower:
            raise RelevanceError(f"Skill table: {unknown_name(kind, name, names)}")
