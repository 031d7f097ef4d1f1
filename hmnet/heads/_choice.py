"""Choice of heads by task: `NAME`, `TASK=NAME` for some tasks, or both, with commas between.

Settings hold this value, and they are read without torch; heads are imported when one is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from hmnet.heads.head import Head
    from relevance.tasks.task import Task

Pooling = Literal["native", "cls", "mean"]
AUTO = "auto"
OTHERS = ""  # stands for the tasks that a choice does not name


@dataclass(frozen=True)
class HeadChoice:
    """Names of heads by task, as a user chose them.

    Attributes:
        text: Text that the choice was read from, which is written again.
        names: Names of heads by the task's name in lower case; the one at `OTHERS` is for the tasks
            not named. A name may be `auto`.
    """

    text: str
    names: Mapping[str, str] = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: "str | HeadChoice") -> "HeadChoice":
        """Read a choice.

        Args:
            text: One name for all tasks, `TASK=NAME` for some, or both, with commas between. A
                choice is returned as it is.

        Returns:
            The choice.

        Raises:
            RelevanceError: If it says two things about a task.

        >>> HeadChoice.parse("siamese, STS-B=cosine").names
        {'': 'siamese', 'sts-b': 'cosine'}
        """
        if isinstance(text, HeadChoice):
            return text
        chosen: dict[str, str] = {}
        for part in text.split(","):
            task, _, name = part.rpartition("=")
            task = task.strip().lower()
            if task in chosen:
                what = f"task '{task}'" if task else "the tasks not named"
                raise RelevanceError(f"`head={text!r}` gives {what} two heads. Give one.")
            chosen[task] = name.strip()
        return cls(text, {OTHERS: AUTO} | chosen)

    def __str__(self) -> str:
        return self.text

    def of(self, task: str, pooling: Pooling) -> "type[Head]":
        """The head that a task gets.

        Args:
            task: Name of the task, in any case.
            pooling: Way in which hidden states become one vector.

        Returns:
            Class of the head.

        Raises:
            RelevanceError: If there is no such head, or it cannot pool in this way.
        """
        from hmnet.heads.head import find_head

        return find_head(self.name(task, pooling), pooling)

    def name(self, task: str, pooling: Pooling) -> str:
        """Name of the head that a task gets.

        Args:
            task: Name of the task, in any case.
            pooling: Pooling, by which `auto` is settled.

        Returns:
            The name; never `auto`.
        """
        from hmnet.heads.head import settled

        return settled(self.names.get(task.lower(), self.names[OTHERS]), pooling)

    @property
    def pooling(self) -> Pooling:
        """How heads pool unless told: as the first that is named does by itself.

        >>> HeadChoice.parse("auto").pooling, HeadChoice.parse("STS-B=cosine").pooling
        ('native', 'mean')
        """
        from hmnet.heads.head import heads

        named = [name for name in self.names.values() if name != AUTO]
        return heads.find(named[0]).poolings[0] if named else "native"

    def check_names(self, pooling: Pooling) -> None:
        """Refuse heads that there are not, or that cannot pool in a way.

        Args:
            pooling: Pooling of all heads.

        Raises:
            RelevanceError: If there is one.
        """
        for name in self.names.values():
            if name != AUTO:  # there is one for every pooling; to find any, torch is loaded
                from hmnet.heads.head import find_head

                find_head(name, pooling)

    def check(self, pooling: Pooling, tasks: "Sequence[Task]") -> None:
        """Refuse heads that don't fit the tasks of a run.

        Args:
            pooling: Pooling of all heads.
            tasks: All tasks of the run.

        Raises:
            RelevanceError: If the choice names a task that is none of these, or a head cannot
                answer its task.
        """
        known = {task.name.lower() for task in tasks}
        for name in self.names:
            if name not in known | {OTHERS}:
                names = ", ".join(task.name for task in tasks)
                raise RelevanceError(
                    f"`head={self.text!r}` names '{name}', which is not trained here."
                    f" Tasks: {names}."
                )
        for task in tasks:
            self.of(task.name, pooling).check(task)


DEFAULT = HeadChoice.parse(AUTO)
