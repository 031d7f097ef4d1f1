"""What training a run and adding tasks to one share: prepared tasks, hooks, a kept model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from hmnet.evaluation.evaluate import evaluate
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedTask, prepare
from hmnet.runs.folder import CHECKPOINT, LOG
from hmnet.runs.log import RunLog, open_log, truncate_log
from hmnet.samplers.sampler import Step
from hmnet.settings.config import RunConfig, TrainingSettings
from hmnet.training.checkpoint import find_checkpoint, replacing_folder
from hmnet.training.fit import fit
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.hook import Hook
from hmnet.training.hooks.progress import Progress, Report
from hmnet.training.hooks.selection import Selection
from hmnet.training.hooks.uncertainty_log import UncertaintyLog
from hmnet.training.ranks import ALONE, Ranks
from hmnet.training.record import Record
from relevance.disk.manifest import write_manifest
from relevance.tasks.data import TaskData


def prepare_all(
    config: RunConfig, data: Mapping[str, TaskData], tokenizer: PreTrainedTokenizerBase
) -> dict[str, PreparedTask]:
    """Encode tasks, with the split whose scores decide something, if there is one.

    Args:
        config: How they are trained.
        data: Rows by task.
        tokenizer: The backbone's.

    Returns:
        The tasks by name.
    """
    scored = 1 if config.goes_by_dev else 0
    return {
        name: prepare(rows, tokenizer, config.max_length, scored) for name, rows in data.items()
    }


def fit_group(
    config: RunConfig,
    model: MultiTaskModel,
    tasks: Sequence[PreparedTask],
    epochs: Sequence[Sequence[Step]],
    checkpoints: Checkpoints,
    *,
    on_step: Callable[[Progress], None] | None = None,
    ranks: Ranks = ALONE,
) -> tuple[Record, str | None]:
    """Train one model of a run, or go on where a checkpoint stands.

    Args:
        config: How it is trained.
        model: On its device, as it is before the first step.
        tasks: Tasks of the model that are trained, with a split to be scored on where something is
            decided by dev.
        epochs: Steps by epoch.
        checkpoints: Where they are kept.
        on_step: Told about every step.
        ranks: The processes that train together.

    Returns:
        What training took, and a line about the epoch that was kept, where dev decided.
    """
    selection = _selection(config, tasks, ranks)
    hooks: list[Hook] = [
        Report(on_step, with_term=config.regularizer is not None),
        *([UncertaintyLog(tasks, config.batch_size)] if config.log_uncertainty else []),
        *([selection] if config.goes_by_dev else []),
        checkpoints,
    ]
    record = fit(model, tasks, epochs, config, config.seed, hooks, ranks)
    last_epoch = max((epoch for epoch, steps in enumerate(epochs, start=1) if steps), default=0)
    return record, selection.summary(record, last_epoch) if record.evaluations else None


@contextmanager
def resumed_log(
    out: Path, config: RunConfig, device: str, part: int = 0, before: int = 0
) -> Iterator[RunLog]:
    """Open the log of a run, cut where the checkpoint of the part that is trained next stands.

    Args:
        out: The run's folder.
        config: Settings of the run.
        device: Device that it trains on.
        part: Number of the part.
        before: Steps of the parts before it.

    Yields:
        The log.
    """
    found = find_checkpoint(out / CHECKPOINT)
    done = found[1].step if found and found[1].part == part else 0
    truncate_log(out / LOG, before + done)
    with open_log(out, config.tracker, device, _shown_settings(config)) as log:
        yield log


def _shown_settings(config: RunConfig) -> dict[str, Any]:
    """Settings that a tracker shows, which may be a service: none that names a file."""
    names = ("method", "layers", "seed", *TrainingSettings.model_fields)
    return {name: getattr(config, name) for name in names}


def keep_model(folder: Path, model: MultiTaskModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Write all that a model needs to answer; the folder appears whole or not at all.

    Args:
        folder: An older one is replaced.
        model: Trained.
        tokenizer: The backbone's.
    """
    with replacing_folder(folder) as draft:
        model.save_pretrained(draft)
        tokenizer.save_pretrained(draft)
        write_manifest(draft)


def _selection(config: RunConfig, tasks: Sequence[PreparedTask], ranks: Ranks) -> Selection:
    """How training goes by scores on dev, in fp32 as at the end of a run."""

    def score(model: MultiTaskModel) -> dict[str, float]:
        return {
            task.name: evaluate(
                model, task.definition, task.held_out, batch_size=config.batch_size
            ).metrics[task.definition.primary]
            for task in tasks
        }

    return Selection(
        lambda model: ranks.agree(lambda: score(model)),  # the main process's are everybody's
        patience=config.patience,
        keep_best=config.checkpoint == "best",
    )
