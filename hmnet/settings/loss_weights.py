"""Weights of the tasks' losses in a step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from relevance.errors import RelevanceError, unknown_name
from relevance.numerals import decimal_number


@dataclass(frozen=True)
class LossWeights:
    """Weights of some tasks; the loss of any other task counts once.

    Attributes:
        text: Text that the weights were read from, which is written again.
        by_task: Numbers above 0 by the task's name in lower case.
    """

    text: str
    by_task: Mapping[str, float] = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> "LossWeights":
        """Read weights.

        Args:
            text: `TASK=NUMBER` with commas between; names in any case.

        Returns:
            The weights.

        Raises:
            RelevanceError: If a part is of another form, or a task is named twice.

        >>> LossWeights.parse("QQP=0.5, STS-B=2").by_task
        {'qqp': 0.5, 'sts-b': 2.0}
        """
        weights: dict[str, float] = {}
        for part in text.split(","):
            task, _, number = (piece.strip() for piece in part.partition("="))
            weight = decimal_number(number)
            if not task or weight is None or not weight > 0:
                raise RelevanceError(
                    f"`loss_weights` takes TASK=NUMBER with numbers above 0, got '{part.strip()}'."
                )
            if task.lower() in weights:
                raise RelevanceError(f"`loss_weights` names task '{task}' twice. Name it once.")
            weights[task.lower()] = weight
        return cls(text, weights)

    def __str__(self) -> str:
        return self.text

    def check(self, tasks: Iterable[str]) -> None:
        """Refuse weights of tasks that are not trained.

        Args:
            tasks: Names of those that are.

        Raises:
            RelevanceError: If a weight is for another task.
        """
        known = {task.lower(): task for task in tasks}
        for name in self.by_task:
            if name not in known:
                raise unknown_name("task in `loss_weights`", name, known.values())
