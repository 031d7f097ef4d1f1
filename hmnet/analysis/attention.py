"""Similarity of two runs' attention: cosines of maps per layer and head, on the same inputs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from torch import Tensor

from hmnet.analysis.attention_maps import attention_maps, eager_encoder, map_cosines
from hmnet.data.batching import InputForm, collate
from hmnet.data.encoded import Encoded
from hmnet.devices import resolve_device
from hmnet.models.multitask import MultiTaskModel
from hmnet.runs.folder import Run
from relevance.disk.files import write_json
from relevance.errors import RelevanceError, unknown_name
from relevance.report.tables import Row
from relevance.stages import counted

SCHEMA = "hmnet.attention/1"
MOST_CELLS = 2**20  # of one head's maps in one batch; all layers and heads are held at once


@dataclass(frozen=True, eq=False)
class AttentionCosines:
    """Similarity of the attention of two runs.

    Attributes:
        task: Name of the task whose paths were asked.
        split: Split that was read.
        rows: Number of rows that were read.
        runs: Names of the two runs.
        cosines: Mean over inputs, in [0, 1]; the lowest layer first.
    """

    task: str
    split: str
    rows: int
    runs: tuple[str, str]
    cosines: Float64[np.ndarray, "layer head"]

    def __repr__(self) -> str:
        runs = " and ".join(self.runs)
        return f"AttentionCosines({self.task} {self.split}, {self.rows:,} rows; {runs})"

    @property
    def layer_means(self) -> Float64[np.ndarray, " layer"]:
        """Means over the heads of each layer."""
        return np.asarray(self.cosines.mean(axis=1))

    @property
    def decimals(self) -> int:
        """Decimals that tell the least cosine from 1, 2 to 8."""
        away = 1 - float(self.cosines.min())
        return min(8, 1 - math.floor(math.log10(away))) if 0 < away < 0.01 else 2

    def save(self, path: Path) -> None:
        """Write it as JSON.

        Args:
            path: The file; an older one is replaced.

        Raises:
            RelevanceError: If it cannot be written.
        """
        arrays = {"cosines": self.cosines, "layer_means": self.layer_means}
        lists = {name: values.tolist() for name, values in arrays.items()}
        write_json(path, SCHEMA, vars(self) | lists)

    def table_rows(self) -> list[Row]:
        """One row per layer, counted from 1: the mean over its heads, then each of them."""
        return [
            {"layer": str(layer), "mean": mean}
            | {f"head {head}": cosine for head, cosine in enumerate(cosines, start=1)}
            for layer, (mean, cosines) in enumerate(
                zip(self.layer_means.tolist(), self.cosines.tolist(), strict=True), start=1
            )
        ]


def compare_attention(
    first: Run,
    second: Run,
    task: str,
    *,
    split: str | None = None,
    max_rows: int | None = None,
    device: str = "auto",
) -> AttentionCosines:
    """Ask one task's path in two runs for its attention maps on the same inputs, in fp32.

    Args:
        first: A run, such as a single-task run; its data is read.
        second: A run with the same backbone, such as one that was trained on several tasks.
        task: A task of both.
        split: Name of a split; None for the first that the task is scored on.
        max_rows: Rows to read at most, the first ones; None for all.
        device: `auto`, `cpu` or `cuda:N`.

    Returns:
        A map of an input is its tokens times its tokens, padding left out; the cosine is that of
        the two maps as vectors, and its mean is over inputs.

    Raises:
        RelevanceError: If a run lacks the task, there is no such split, the runs differ in how they
            read a row or in layers and heads, or a backbone does not tell its attention.

    Source:
        Fei et al. (2022), Figures 5 and 6.
    """
    place = resolve_device(device)
    known = first.task(task)
    evaluation = first.data(known.name).evaluation
    split = split or next(iter(evaluation))
    if split not in evaluation:
        raise unknown_name("split", split, evaluation)
    rows = evaluation[split].take(np.arange(len(evaluation[split]))[:max_rows])
    encoded, other = (run.encode(run.task(task), rows) for run in (first, second))
    models = [run.model_for(task).to(place) for run in (first, second)]
    form, other_form = (model.input_form(known.name) for model in models)
    if form != other_form or not _same_inputs(encoded, other):
        raise RelevanceError(
            f"The two runs read the rows of '{known.name}' differently, so their maps cannot be"
            " laid over each other. Compare runs of one backbone, `max_length` and kind of head."
        )
    one, another = (eager_encoder(model, known.name) for model in models)
    cosines = [
        map_cosines(attention_maps(one, inputs), attention_maps(another, inputs), mask)
        for inputs, mask in _batches(encoded, form, first.config.batch_size, models[0])
    ]
    return AttentionCosines(
        known.name, split, len(rows), _names(first, second), np.concatenate(cosines).mean(axis=0)
    )


def _batches(
    encoded: Encoded, form: InputForm, batch_size: int, model: MultiTaskModel
) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
    """Inputs `[input, token]` with their masks, longest rows first; texts apart are two inputs."""
    order = np.argsort(-encoded.lengths, kind="stable")
    bounds, start = [], 0
    while start < len(order):
        cells = int(encoded.lengths[order[start]]) ** 2
        stop = start + max(1, min(batch_size, MOST_CELLS // cells))
        bounds.append((start, stop))
        start = stop
    for start, stop in counted(bounds, "batches compared"):
        batch = collate(encoded, order[start:stop], **form, device=model.device)
        inputs = {
            name: values.reshape(-1, values.shape[-1])
            for name, values in batch.items()
            if name != form.get("further")
        }
        yield inputs, inputs["attention_mask"]


def _same_inputs(first: Encoded, second: Encoded) -> bool:
    pairs = ((first.ids, second.ids), (first.offsets, second.offsets), (first.first, second.first))
    return all(np.array_equal(one, other) for one, other in pairs)


def _names(first: Run, second: Run) -> tuple[str, str]:
    """Names of the runs; their folders where they have one name."""
    names = first.config.label, second.config.label
    return names if names[0] != names[1] else (str(first.folder), str(second.folder))
