"""How a regression model's output stands for a value, and on which scale its loss is taken."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field

from relevance.errors import RelevanceError
from relevance.tasks.task import Task

UNIT_RANGE = (0.0, 1.0)


class AnswerScale(BaseModel):
    """A value is `offset + spread * output`; training minimises `(unit * (output - target))²`.

    Attributes:
        offset: The value that an output of 0 stands for.
        spread: What an output of 1 adds to it.
        unit: What a difference of 1 between outputs counts as in the loss: `spread` for the squared
            error on the task's own scale, `spread / deviation` for that of standardised values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    offset: float = Field(allow_inf_nan=False)
    spread: float = Field(gt=0, allow_inf_nan=False)
    unit: float = Field(gt=0, allow_inf_nan=False)


NO_SCALES: Mapping[str, AnswerScale] = {}
"""Every task has the scale of its range."""


def scale_of_range(task: Task) -> AnswerScale:
    """The scale on which outputs of 0 and 1 are the ends of the task's range.

    Args:
        task: A regression.

    Returns:
        The scale; its loss is the mean squared error on the task's own scale.
    """
    low, high = task.range or UNIT_RANGE
    return AnswerScale(offset=low, spread=high - low, unit=high - low)


def standardised(
    task: Task, labels: Float[np.ndarray, " row"], *, bounded: bool = False
) -> AnswerScale:
    """The scale on which a task's labels have mean 0 and deviation 1.

    Args:
        task: A regression.
        labels: Labels of the rows that are trained, on the task's own scale.
        bounded: Whether the head answers in [0, 1] by its very form. Its outputs then go over the
            task's range as they do without, and the loss alone is that of standardised values.

    Returns:
        The scale; the deviation is that of the rows (divided by their number).

    Raises:
        RelevanceError: If all labels are the same.
    """
    mean, deviation = float(labels.mean()), float(labels.std())
    if not deviation > 0:
        raise RelevanceError(
            f"task '{task.name}': all {len(labels)} training labels are {mean:g}, so they have no"
            ' deviation to be divided by. Take `regression_loss="scale"`.'
        )
    if bounded:
        whole = scale_of_range(task)
        return whole.model_copy(update={"unit": whole.spread / deviation})
    return AnswerScale(offset=mean, spread=deviation, unit=1.0)


def lent(scale: AnswerScale, source: Task, task: Task) -> AnswerScale:
    """The scale of a task that answers with the head of another.

    The two ranges lie on each other: what the head says is the same share of either.

    Args:
        scale: On which the head answers the other task.
        source: The other task.
        task: The one that borrows.

    Returns:
        Its scale; its loss is the mean squared error on the task's own scale.
    """
    other, own = scale_of_range(source), scale_of_range(task)
    if (scale.offset, scale.spread) == (other.offset, other.spread):
        return own
    ratio = own.spread / other.spread
    spread = scale.spread * ratio
    return AnswerScale(
        offset=own.offset + (scale.offset - other.offset) * ratio, spread=spread, unit=spread
    )
