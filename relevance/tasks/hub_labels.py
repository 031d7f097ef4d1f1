"""Labels of a hub dataset in a task's own words."""

import math
from collections.abc import Sequence
from typing import Any

from relevance.errors import MOST_LISTED, RelevanceError, shown
from relevance.names import some
from relevance.tasks.kinds.classification import label_text
from relevance.tasks.kinds.kind import kind_of
from relevance.tasks.labels import LabelNames
from relevance.tasks.source import Source
from relevance.tasks.task import Task

UNLABELLED = -1
"""Code in place of a class on the hub, where a row has none."""


class HubLabels:
    """The meaning of the labels of one split.

    Args:
        task: The definition.
        source: Source whose `labels` map names of the hub to those of the task.
        names: Names of the dataset's classes in the order of their codes, where it has some.
        where: Name of the place in messages.

    Raises:
        RelevanceError: If the classes are not the labels of the task.
    """

    def __init__(self, task: Task, source: Source, names: list[str] | None, where: str) -> None:
        self._task, self._source, self._where = task, source, where
        self._names = names if task.labels else None
        self._known = {label_text(each) for each in (*task.labels, *source.labels)}
        if self._names is not None:
            self._check_classes(self._names)

    def _check_classes(self, names: list[str]) -> None:
        """Refuse classes that are none of the task's labels, and labels that are no class."""
        task = self._task
        known = LabelNames(task.labels)
        renamed = [self._source.labels.get(name, name) for name in names]
        codes = [known.code(name) for name in renamed]
        strange = [name for name, code in zip(names, codes, strict=True) if code is None]
        absent = set(range(len(task.labels))) - set(codes)
        if not strange and not (absent and kind_of(task).per_row):
            return
        wrong = (
            f"its class {shown(strange[0])} is none of the task's labels"
            if strange
            else f"none of its classes is the task's label {shown(task.labels[min(absent)])}"
        )
        raise RelevanceError(
            f"{self._where}: {wrong}. Classes: {some(names, MOST_LISTED)}; labels:"
            f" {some(task.labels, MOST_LISTED)}. Say what is called what: source.labels ="
            " { class = label, ... }."
        )

    def missing(self, value: Any) -> str | None:
        """The placeholder of a missing label, None where there is a label."""
        if isinstance(value, list) and value and self._task.labels:
            tags = {self.missing(tag) for tag in value}
            return tags.pop() if len(tags) == 1 else None
        if value == [] and self._task.kind == "cloze":  # of a question there may be no answer
            return "[]"
        if value is None:
            return "null"
        if isinstance(value, float) and math.isnan(value):
            return "nan"
        if not self._task.labels or label_text(value) != str(UNLABELLED):
            return None
        is_code = self._names is not None and not isinstance(value, str)
        return str(UNLABELLED) if is_code or str(UNLABELLED) not in self._known else None

    def kept_back(self, values: Sequence[Any]) -> bool:
        """Whether -1 stands in place of every value, as of STS-B, or of every place, as of COPA."""
        return not self._task.labels and {label_text(each) for each in values} == {str(UNLABELLED)}

    def name(self, value: Any) -> Any:
        """A label's name in the task's own words, as the hub's codes need not be in its order."""
        if not self._task.labels:
            return value
        if isinstance(value, list):
            return [self.name(each) for each in value]
        name = label_text(value)
        if self._names is not None and isinstance(value, int):
            if not 0 <= value < len(self._names):
                raise RelevanceError(
                    f"{self._where}: label {value} is no class; there are {len(self._names)}:"
                    f" {', '.join(self._names)}."
                )
            name = self._names[value]
        return self._source.labels.get(name, name)


def class_names(feature: Any) -> list[str] | None:
    """Names of classes, where the column holds classes or lists of them."""
    return getattr(getattr(feature, "feature", feature), "names", None)
