"""`hmnet pretrain`: from a corpus to a folder that every command takes as its backbone."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import PreTrainedConfig

from hmnet.backbones.backbone import Backbone, depth_of, load_config
from hmnet.backbones.digests import tensors_digest
from hmnet.backbones.vector_folder import MODEL_TYPE
from hmnet.data.batching import positions
from hmnet.devices import resolve_device
from hmnet.precision import resolve_precision
from hmnet.pretraining.export import export
from hmnet.pretraining.hooks import DevScores, Freezing, frozen_at
from hmnet.pretraining.inputs import passes
from hmnet.pretraining.job import Job
from hmnet.pretraining.named import named_corpus
from hmnet.pretraining.settings import PretrainingConfig
from hmnet.runs.begun import begun, discard_start, keep_start
from hmnet.runs.folder import CHECKPOINT, LOG
from hmnet.runs.log import open_log, truncate_log
from hmnet.runs.tracker import check_tracker
from hmnet.runs.train import Note, OnEvent
from hmnet.training.checkpoint import find_checkpoint
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.hook import Hook
from hmnet.training.hooks.progress import Progress, Report
from hmnet.training.launch import launched
from hmnet.training.record import Evaluation
from relevance.disk.files import check_writable, read_json, write_json
from relevance.errors import RelevanceError

SCHEMA = "hmnet.pretraining/1"
SETTINGS, RESULT, FINAL, CONFIG = "pretraining.toml", "pretraining.json", "final", "config.json"


class Result(NamedTuple):
    """What pre-training came to.

    Attributes:
        folder: The encoder's.
        content: Content of `pretraining.json`.
    """

    folder: Path
    content: dict[str, Any]

    @property
    def dev(self) -> dict[str, float]:
        """The last scores on dev; empty where nothing was held out."""
        evaluations = self.content["evaluations"]
        return dict(evaluations[-1]["scores"]) if evaluations else {}


def check_pretraining(
    config: PretrainingConfig, out: Path, *, resume: bool = False
) -> PretrainingConfig:
    """Make every check that takes no time.

    Args:
        config: The settings.
        out: The folder to write.
        resume: Whether it may be there already.

    Returns:
        The settings, with their precision and the length of long steps resolved.

    Raises:
        RelevanceError: If a level is beyond the encoder's depth, a corpus is not there, or the
            folder exists or was begun with other settings.
    """
    if launched(os.environ) > 1:
        raise RelevanceError("`hmnet pretrain` trains in one process. Start it without a launcher.")
    encoder = load_config(config.backbone)
    if encoder.model_type == MODEL_TYPE:
        raise RelevanceError(
            f"`backbone={config.backbone}` holds word vectors, and there is no pre-training of a"
            " BiLSTM on them. Give the folder of an encoder, such as BERT."
        )
    config.levels(depth_of(encoder))
    for text in config.corpus:
        named_corpus(text, config.data_dir)
    check_tracker(config.tracker)
    precision = resolve_precision(config.precision, resolve_device(config.device))
    config = config.model_copy(update={"precision": precision, **_fitting(config, encoder)})
    if out.exists() and not (resume and out.is_dir() and not any(out.iterdir())):
        if not resume:
            raise RelevanceError(
                f"{out} exists. Go on with what is in it with `resume=True`, or give another `out`."
            )
        if not (out / SETTINGS).is_file():
            raise RelevanceError(
                f"{out} is no pre-training: it has no {SETTINGS}. Give another `out`."
            )
        config.check_resumes(out, out / SETTINGS)
    check_writable(out / SETTINGS)
    return config


def _fitting(config: PretrainingConfig, encoder: PreTrainedConfig) -> dict[str, int]:
    """The length of long steps where nobody chose it and the encoder has fewer positions."""
    if "long_length" in config.model_fields_set or not config.long_share:
        return {}
    with torch.device("meta"):
        limit = positions(Backbone.from_config(encoder).base)
    return {} if limit is None else {"long_length": min(limit, config.long_length)}


def pretrain(
    config: PretrainingConfig,
    out: Path,
    *,
    resume: bool = False,
    on_event: OnEvent = lambda _: None,
) -> Result:
    """Pre-train an encoder and keep it, with its levels, in a folder.

    Args:
        config: The settings.
        out: The folder; it must not exist unless resumed. While it has no `config.json` it is not
            finished, and no backbone.
        resume: Go on with what the folder has.
        on_event: Told about every step and of what the user should know.

    Returns:
        What it came to.

    Raises:
        RelevanceError: If settings, corpus or backbone don't fit, the folder exists or was begun
            with other settings, it cannot be written, or a loss is not finite.
        KeyboardInterrupt: At Ctrl-C; it can then be resumed.
    """
    config = check_pretraining(config, out, resume=resume)
    if (out / CONFIG).is_file():
        on_event(Note(f"{out} is finished."))
        return Result(out, read_json(out / RESULT, SCHEMA))
    on_event(Note("reading and encoding the corpus", passing=True))
    job = Job.prepare(config)
    for note in job.notes:
        on_event(Note(note))
    start = tensors_digest(job.model.state_dict())

    def begin(folder: Path) -> None:
        keep_start(folder, config.backbone, start)
        job.config.to_toml(folder / SETTINGS)

    with begun(out, begin) as is_new:
        if not is_new:
            keep_start(out, config.backbone, start)
        if not (out / FINAL).is_dir():
            _train(job, out, on_event)
        _put_in_place(out)
        discard_start(out)
    return Result(out, read_json(out / RESULT, SCHEMA))


def _train(job: Job, out: Path, on_event: OnEvent) -> None:
    """Train up to the end and write the encoder into a folder of its own."""
    config, source = job.config, job.source
    found = find_checkpoint(out / CHECKPOINT)
    truncate_log(out / LOG, found[1].step if found else 0)
    shown = config.model_dump(exclude={"corpus", "data_dir", "backbone", "device", "tracker"})
    with open_log(out, config.tracker, str(source.device), shown) as log:

        def on_step(progress: Progress) -> None:
            told = replace(progress, objectives=source.scores_of(progress.step))
            log.step(told)
            on_event(told)

        def on_dev(found: Evaluation) -> None:
            log.scores(found.step, found.scores)
            on_event(Note(f"step {found.step}: dev {in_words(found.scores)}"))

        hooks: list[Hook] = [
            Report(on_step),
            DevScores(source, job.precision, on_dev),
            *([Freezing(config.nsp_freeze_at)] if config.freezes else []),
            Checkpoints(out / CHECKPOINT, 0, config.checkpoint_s),
        ]
        record = job.fit(hooks)
    at = None
    if config.freezes:
        at = frozen_at(config.nsp_freeze_at, config.steps, record.evaluations)
    result = {
        "levels": job.model.levels.stored,
        "steps": config.steps,
        "passes": passes(source.inputs, config),
        "frozen_at": at,
        "seconds": record.seconds,
        "inputs": record.examples,
        "evaluations": [{"step": e.step, "scores": e.scores} for e in record.evaluations],
    }
    write_json(out / RESULT, SCHEMA, result)
    export(job.model, job.tokenizer, out / FINAL)


def _put_in_place(out: Path) -> None:
    """Move the finished encoder's files up; the one without which it is no backbone comes last."""
    files = sorted((out / FINAL).iterdir(), key=lambda path: path.name == CONFIG)
    for path in files:
        path.rename(out / path.name)
    (out / FINAL).rmdir()


def in_words(scores: dict[str, float]) -> str:
    """Scores of the objectives in one line.

    >>> in_words({"mlm_loss": 5.1, "mlm_accuracy": 0.2, "nsp_loss": 0.69, "nsp_accuracy": 0.5})
    'mlm 5.100 (20.0 % right), nsp 0.690 (50.0 % right)'
    """
    names = [name.removesuffix("_loss") for name in scores if name.endswith("_loss")]
    return ", ".join(
        f"{name} {scores[f'{name}_loss']:.3f} ({100 * scores[f'{name}_accuracy']:.1f} % right)"
        for name in names
    )
