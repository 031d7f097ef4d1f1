"""Classification: one of several labels for each row."""

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int

from relevance.errors import RelevanceError, unknown_name
from relevance.tasks.data import Split
from relevance.tasks.kinds.kind import Constant, LabelColumn, LabelKind
from relevance.tasks.labels import LabelNames

BINARY_METRICS = frozenset({"f1", "f1a"})


class Classification(LabelKind):
    """Labels are codes: 0 to the number of labels - 1."""

    metrics: ClassVar = frozenset(
        {"accuracy", "f1", "macro_f1", "matthews", "f1a", "gender_parity", "question_em"}
    )
    options: ClassVar = frozenset({"positive"})

    def check(self) -> None:
        """Two labels at least, two or a positive one for F1, groups for question_em."""
        task = self.task
        if len(task.labels) < 2:
            raise ValueError(f"a {task.kind} task needs at least two `labels`")
        used = {*task.metrics, *task.gain}
        binary = sorted(BINARY_METRICS & used)
        if len(task.labels) != 2 and binary and task.positive is None:
            raise ValueError(
                f"metric '{binary[0]}' is for two labels; `macro_f1` takes any number, and with"
                " `positive` one label is scored against the others"
            )
        if task.positive is not None and task.positive not in task.labels:
            raise ValueError(str(unknown_name("label", task.positive, task.labels)))
        if task.positive is not None and not binary:
            raise ValueError("`positive` is the label that `f1` scores, which `metrics` leaves out")
        if "gender_parity" in used and not task.diagnoses:
            raise ValueError("metric 'gender_parity' is of the diagnostic set AX-g")
        if "question_em" in used and not self.task.group:
            raise ValueError("metric 'question_em' needs `group`")

    def labels(self, column: LabelColumn, where: str) -> Int[np.ndarray, " row"]:
        """Codes of what may be codes, or names of labels."""
        known = LabelNames(self.task.labels)
        codes = known.codes(column.values)
        if None in codes:
            row = codes.index(None)
            said = known.refusal(column.values[row])
            raise RelevanceError(f"{where}, row {row + 1}: label {said}")
        return np.array(codes, dtype=np.int64)

    def constant(self, train: Split, evaluation: Split) -> Constant:
        """The commonest label, the lowest code where several are; cross-entropy in nats.

        One is added to every count, so that the loss stays finite.
        """
        counts = np.bincount(train.labels, minlength=len(self.task.labels))
        losses = -np.log((counts + 1) / (counts + 1).sum())[evaluation.labels]
        return Constant(np.full_like(evaluation.labels, counts.argmax()), losses)


def label_text(value: Any) -> str:
    """A label of a dataset as text: `true` for a Boolean, `1` for 1 and 1.0."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
