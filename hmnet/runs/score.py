"""Scores of a trained run on its evaluation splits, the majority class beside them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from hmnet.devices import resolve_device
from hmnet.evaluation.evaluate import evaluate
from hmnet.precision import resolve_precision
from hmnet.prepared import prepare_split
from hmnet.runs.folder import Run
from hmnet.runs.rows import rows_digest
from hmnet.runs.scores import Score, to_scores
from relevance.errors import unknown_name
from relevance.tasks.metrics import majority


def score_run(
    run: Run,
    *,
    tasks: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
    precision: Literal["auto", "bf16", "fp32"] = "fp32",
    device: str = "auto",
) -> list[Score]:
    """Score the tasks of a run.

    Args:
        run: Its models, settings and data are used.
        tasks: Names; None for every task.
        splits: Names of splits; tasks that have none of them are left out. None for all splits of
            every task.
        precision: Precision of the forward pass.
        device: `auto`, `cpu` or `cuda:N`.

    Returns:
        One per task, split and metric, with what the majority class scores as its `majority`, and
        the digest of its `rows`.

    Raises:
        RelevanceError: If data or models are no longer there, or no task has such a split.
    """
    place = resolve_device(device)
    resolved = resolve_precision(precision, place)
    config = run.config
    scores = []
    known: dict[str, None] = {}
    for task in run.tasks if tasks is None else map(run.task, tasks):
        data = run.data(task.name, also=splits or ())
        known |= dict.fromkeys(data.evaluation)
        chosen = {n: s for n, s in data.evaluation.items() if splits is None or n in splits}
        if not chosen:
            continue
        model = run.model_for(task.name).to(place)
        results = {
            name: evaluate(
                model,
                task,
                prepare_split(task, split, run.tokenizer, config.max_length),
                batch_size=config.batch_size,
                precision=resolved,
            )
            for name, split in chosen.items()
        }
        constant = {name: majority(task, data.train, split) for name, split in chosen.items()}
        of_task = to_scores(
            results,
            task,
            run=config.label,
            method=str(config.method),
            seed=config.seed,
            constant=constant,
        )
        rows = {name: rows_digest(task, split) for name, split in chosen.items()}
        scores += [replace(score, rows=rows[score.split]) for score in of_task]
    for name in splits or ():
        if name not in known:
            raise unknown_name("split", name, known)
    return scores
