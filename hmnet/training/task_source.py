"""Tasks as what a training learns from."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedTask
from hmnet.samplers.sampler import SelectedStep
from hmnet.training.candidate_scorer import ModelScorer
from hmnet.training.step import Batch, StepConfig, make_batch
from relevance.disk.files import digest


class TaskSource:
    """Training rows of tasks, each batch in as many parts as gradients are accumulated over.

    Of each part this process has its share.

    Args:
        model: Model that is trained, on its device.
        tasks: Tasks of the steps.
        recipe: Weights of the tasks, parts of a batch, and the processes that train together.
        versions: Versions of what decides the steps.

    Attributes:
        scorer: Asks the model about rows of the tasks.
        fingerprint: Changes whenever training rows do.
        versions: Versions of what decides the steps.
    """

    def __init__(
        self,
        model: MultiTaskModel,
        tasks: Sequence[PreparedTask],
        recipe: StepConfig,
        versions: Mapping[str, int] | None = None,
    ) -> None:
        self.data = {task.name: task.train.encoded for task in tasks}
        self.split, self.ranks = (recipe.accumulate, recipe.most_tokens), recipe.ranks
        self.weights = {t.name: recipe.loss_weights.get(t.name.lower(), 1.0) for t in tasks}
        self.kinds = model.kinds
        self.forms = {task.name: model.input_form(task.name) for task in tasks}
        self.device = model.device
        self.scorer = ModelScorer(model, self.data, recipe.precision)
        self.fingerprint = digest({name: rows.fingerprint for name, rows in self.data.items()})
        self.versions = dict(versions or {})

    def batches(self, selected: SelectedStep, step: int) -> list[Batch]:  # noqa: ARG002
        """The batches of a step on the model's device, each part padded to its own longest row.

        Args:
            selected: The rows.
            step: Number of steps done before; makes no difference.

        Returns:
            The parts of all batches.
        """
        batches = []
        for (task, rows), weight in zip(selected.step, selected.weights, strict=True):
            for part in parts_of(rows, self.data[task].lengths, *self.split):
                own = self.ranks.share(part)
                counts = self.weights[task] * weight * own.part * len(part) / len(rows)
                kind, form = self.kinds[task], self.forms[task]
                batches.append(
                    make_batch(kind, self.data[task], own.rows, form, self.device, counts)
                )
        return batches


def parts_of(
    rows: Int[np.ndarray, " row"],
    lengths: Int[np.ndarray, " _"],
    accumulate: int,
    most_tokens: int | None,
) -> list[Int[np.ndarray, " _"]]:
    """The parts that a batch runs in, one after another.

    Args:
        rows: Numbers of the batch's rows.
        lengths: Tokens of every row of the task, those of all its alternatives together.
        accumulate: Number of parts, at least.
        most_tokens: Tokens that a part has on average at most; None for any number.

    Returns:
        Rows of each part, as equal in number as can be and one at least.
    """
    needed = 1 if most_tokens is None else -(-int(lengths[rows].sum()) // most_tokens)
    return np.array_split(rows, min(max(accumulate, needed), len(rows)))
