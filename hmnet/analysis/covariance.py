"""Similarity of tasks by covariances of the first layer's inputs, before and after training."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from hmnet.comparison.compared_rows import different_rows
from hmnet.data.batching import collate
from hmnet.data.encoded import Encoded
from hmnet.devices import resolve_device
from hmnet.evaluation.evaluate import inference
from hmnet.inserts._conditional import ForTask
from hmnet.models.multitask import MultiTaskModel
from hmnet.precision import Precision, PrecisionName, resolve_precision
from hmnet.runs.folder import Run
from hmnet.runs.rows import read_run_scores
from hmnet.sharing.plan import fully_shared
from relevance.errors import RelevanceError
from relevance.report.tables import Row

SHARE = 0.99


class Similarity(NamedTuple):
    """Mean covariance similarity of each task to the others.

    Attributes:
        before: Similarities by task, of the pretrained backbone.
        after: Similarities by task, of the trained model.
    """

    before: dict[str, float]
    after: dict[str, float]

    def table_rows(self) -> list[Row]:
        """Both means of every task.

        Returns:
            One row per task.
        """
        return [
            {"task": task, "before": before, "after": self.after[task]}
            for task, before in self.before.items()
        ]


def similarity(run: Run, *, precision: PrecisionName = "fp32", device: str = "auto") -> Similarity:
    """Compare the tasks' inputs of the first layer on dev, in the backbone and in a trained run.

    Args:
        run: A finished run of two tasks at least.
        precision: Precision of the forward pass.
        device: `auto`, `cpu` or `cuda:N`.

    Returns:
        Both means for every task.

    Raises:
        RelevanceError: If the run has one task, or data or models are no longer there.

    Source:
        El Hattami (2021), figure 3.6.
    """
    names = [task.name for task in run.tasks]
    if len(names) < 2:
        raise RelevanceError("Similarity is between tasks, and the run has one. Name another run.")
    place = resolve_device(device)
    settled = resolve_precision(precision, place)
    data = {
        task.name: run.encode(task, run.data(task.name).evaluation["dev"]) for task in run.tasks
    }
    depth = run.model_for(names[0]).plan.depth
    start = MultiTaskModel.from_backbone(
        run.config.backbone,
        run.tasks,
        fully_shared(names, depth),
        pooling=run.config.pooling,
        head=run.config.head,
    )
    models = {"before": dict.fromkeys(names, start)}
    models["after"] = {name: run.model_for(name) for name in names}
    means = {}
    for when, of_task in models.items():
        grams = [
            input_gram(of_task[name].to(place), name, data[name], run.config.batch_size, settled)
            for name in names
        ]
        means[when] = dict(zip(names, mean_similarity(grams).tolist(), strict=True))
    return Similarity(**means)


def same_inputs_before(runs: Sequence[Run]) -> None:
    """Refuse runs whose similarities do not belong beside each other.

    Args:
        runs: One at least.

    Raises:
        RelevanceError: If they differ in tasks, backbone, the length of inputs or the rows of dev.
    """
    first = runs[0]
    scores = [score for run in runs for score in read_run_scores(run.folder)]
    others = sorted(task for task, split in different_rows(scores) if split == "dev")
    for run in runs[1:]:
        for what, one, other in (
            ("tasks", {t.name for t in first.tasks}, {t.name for t in run.tasks}),
            ("backbone", first.config.backbone, run.config.backbone),
            ("`max_length`", first.config.max_length, run.config.max_length),
        ):
            if one != other:
                raise RelevanceError(
                    f"{first.folder} and {run.folder} differ in {what}, so their inputs cannot be"
                    " compared. Name runs of the same tasks, backbone and `max_length`."
                )
    if others:
        raise RelevanceError(
            f"The runs were scored on other rows, other data or other definitions of labels of"
            f" {', '.join(others)}, so neither inputs nor scores can be compared. Name runs of the"
            " same rows."
        )


def mean_similarity(grams: Sequence[Float64[np.ndarray, "width width"]]) -> Float[np.ndarray, " _"]:
    """Mean covariance similarity of each task to the others.

    Args:
        grams: `XᵀX` of two tasks at least.

    Returns:
        Ratios in [0, 1], by task.
    """
    roots = [low_rank_root(gram) for gram in grams]
    norms = [np.linalg.norm(root) for root in roots]
    values = [
        [np.linalg.norm(one.T @ other) / (a * b) for other, b in zip(roots, norms, strict=True)]
        for one, a in zip(roots, norms, strict=True)
    ]
    return np.asarray((np.sum(values, axis=1) - np.diag(values)) / (len(roots) - 1))


def low_rank_root(gram: Float64[np.ndarray, "width width"]) -> Float64[np.ndarray, "width rank"]:
    """A root of the best approximation that holds 99 % of the sum of singular values.

    Args:
        gram: `XᵀX`, not all zero.

    Returns:
        `U D^½`, of the lowest rank that holds the share.

    Source:
        El Hattami (2021), equation 3.7.
    """
    values, vectors = np.linalg.eigh(gram)
    # Ascending in numpy; rounding may leave the smallest a little below zero.
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    shares = np.cumsum(values) / values.sum()
    # A share that is met exactly must not take one rank more for rounding.
    rank = int(np.searchsorted(shares, SHARE * (1 - 1e-12))) + 1
    return np.asarray(vectors[:, :rank] * np.sqrt(values[:rank]))


def input_gram(
    model: MultiTaskModel, task: str, encoded: Encoded, batch_size: int, precision: Precision
) -> Float64[np.ndarray, "width width"]:
    """`XᵀX` of what goes into the first layer, over all tokens of all rows but padding.

    Args:
        model: A model on any device; it is left in the mode it was in.
        task: Task whose path is taken.
        encoded: The rows.
        batch_size: Rows per forward pass.
        precision: Precision of the forward pass.

    Returns:
        A symmetric matrix; for texts read apart over the tokens of both.
    """
    taken: list[Tensor] = []

    def take(_: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        taken.append(args[0] if args else kwargs["hidden_states"])

    gram = torch.zeros((), dtype=torch.float64)
    form = model.input_form(task)
    hook = _first_layer(model, task).register_forward_pre_hook(take, with_kwargs=True)
    try:
        with inference(model, precision):
            for start in range(0, len(encoded), batch_size):
                rows = np.arange(start, min(start + batch_size, len(encoded)))
                inputs = collate(encoded, rows, **form, device=model.device)
                model(task, inputs)
                hidden = torch.cat([part.flatten(0, -2) for part in taken])
                taken.clear()
                real = hidden[inputs["attention_mask"].flatten().bool()].double()
                # Sums over all rows in fp64: a difference of similarities is small beside the sums.
                gram = gram + (real.T @ real).cpu()
    finally:
        hook.remove()
    return np.asarray(gram.numpy())


def _first_layer(model: MultiTaskModel, task: str) -> nn.Module:
    """The lowest layer of a path, without the conditional modules around it."""
    layer = model.layers(task)[0]
    while isinstance(layer, ForTask):
        layer = layer.pretrained
    return layer
