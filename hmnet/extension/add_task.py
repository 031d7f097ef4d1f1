"""`hmnet add-task`: new tasks on a trained run, whose old ones answer as before unless asked."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hmnet.answer_scale import AnswerScale, lent
from hmnet.backbones.backbone import load_backbone
from hmnet.backbones.folder import is_vectors, resolve_backbone
from hmnet.data.encoder import Encoder
from hmnet.data.tokenizer import read_tokenizer
from hmnet.devices import resolve_device
from hmnet.extension.model import borrows_head, draw_xavier, extend, start_from, take_average
from hmnet.extension.placement import describe, untrained
from hmnet.extension.plan import ExtensionPlan, plan_extension
from hmnet.kinds.kind import kind_of
from hmnet.models.blueprint import weights_file
from hmnet.models.build import answer_scales
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.trial import check_reading
from hmnet.prepared import lengths_of
from hmnet.runs.begun import begun, tidy
from hmnet.runs.card import write_cards, write_missing_cards
from hmnet.runs.checked import old_loss
from hmnet.runs.fitting import fit_group, keep_model, prepare_all, resumed_log
from hmnet.runs.folder import (
    ADDED,
    ADDED_SCHEMA,
    CHECKPOINT,
    CLUSTERS,
    CONFIG,
    DEFINITIONS,
    RECORDS,
    Run,
)
from hmnet.runs.rows import read_run_scores, unrecorded, write_results
from hmnet.runs.score import score_run
from hmnet.runs.scores import MAJORITY, Score
from hmnet.runs.train import Note, OnEvent
from hmnet.settings.addition import AVERAGE, TRAINING, XAVIER, Addition
from hmnet.settings.config import RunConfig
from hmnet.training.checkpoint import discard_checkpoint
from hmnet.training.fit import make_schedule
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.progress import Progress
from hmnet.training.launch import launched
from hmnet.training.record import NOTHING, Record, read_records, write_records
from relevance.disk.files import check_writable, file_digest, write_json
from relevance.errors import RelevanceError
from relevance.tasks.data import TaskData
from relevance.tasks.find import write_tasks
from relevance.tasks.load import load_task
from relevance.tasks.subset import subset
from relevance.tasks.task import Task

Rows = Mapping[str, TaskData]  # of the new tasks, by name
BEFORE = {"train": "new"}  # what additions did that do not say it


def add_tasks(
    run: Run,
    addition: Addition,
    out: Path,
    *,
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    on_event: OnEvent = lambda _: None,
) -> Run:
    """Add tasks to a trained run, train their own weights or all of them, and score them.

    Where the new tasks' own weights alone are trained, the old tasks answer as before, to the bit,
    and their scores are copied; else they are scored anew. The new run is a folder like any other,
    with `added.json` beside: what was added to which run, how the new tasks started, what was
    trained, and on how many rows and with which settings.

    Args:
        run: A finished run of any method but single; it is not changed.
        addition: What is added, and where it starts.
        out: The new run's folder; it must not exist unless resumed.
        settings: Fields of `hmnet.settings.config.RunConfig` for the training of the new tasks,
            such as epochs and lr; the run's own for the others, but for the sampler, which is
            `packed`.
        resume: Go on with what the folder has.
        on_event: Told about every step and of what the user should know.

    Returns:
        The new run: old and new tasks.

    Raises:
        RelevanceError: If the new tasks don't fit the run, data or backbone are missing, the folder
            exists or cannot be written, or a loss is not finite.
        KeyboardInterrupt: At Ctrl-C; adding can then be resumed.

    Source:
        El Hattami (2021), for the task embedding of CA-MTL and the shares of the data.
    """
    if launched(os.environ) > 1:
        raise RelevanceError("hmnet add-task trains in one process. Start it without a launcher.")
    if out.exists() and not resume:
        raise _exists(out)
    extension = plan_extension(run, addition, settings or {}, out)
    data = {task.name: load_task(task, extension.data) for task in extension.tasks}
    rows = {name: _rows(extension, len(one.train)) for name, one in data.items()}
    trained = {n: replace(data[n], train=subset(data[n].train, rows[n])) for n in rows if rows[n]}
    entry, new = _entry(extension, rows), Run(out, extension.config)
    if out.exists() and _is_finished(new, entry, extension.tasks):
        return _say_finished(new, on_event)
    if addition.changes_the_run:
        for task in run.tasks:
            run.data(task.name)  # which will be scored again: it must be there before training
    model = None if (out / "model").exists() else _model(extension, trained)
    for text in _notes(extension, data, trained):
        on_event(Note(text))
    check_writable(out / ADDED)

    def begin(folder: Path) -> None:
        if addition.data_dir is not None:
            write_tasks(folder / DEFINITIONS, extension.tasks)
        write_json(folder / ADDED, ADDED_SCHEMA, {"additions": [*run.additions(), entry]})

    with begun(out, begin) as is_new:
        if not is_new:
            if not resume:
                raise _exists(out)
            if _is_finished(new, entry, extension.tasks):
                return _say_finished(new, on_event)
        if model is not None and not (out / "model").exists():
            _train(extension, model, trained, out, on_event)
        _complete(extension, new)
    return new


def _exists(out: Path) -> RelevanceError:
    return RelevanceError(
        f"{out} exists. Go on with what is in it with `resume=True`, or give another `out`."
    )


def _say_finished(new: Run, on_event: OnEvent) -> Run:
    """Nothing is to be done, but to mend what a kill left of the last moments."""
    on_event(Note(f"{new.folder} is finished: the new tasks are there and scored."))
    tidy(new.folder)
    write_missing_cards(new)
    return new


def _rows(extension: ExtensionPlan, count: int) -> int:
    """How many of a task's training rows are used: one batch at least, but none at all for 0."""
    fraction = extension.addition.fraction
    if fraction == 0:
        return 0
    return min(count, max(round(fraction * count), extension.training.batch_size))


def _notes(extension: ExtensionPlan, data: Rows, trained: Rows) -> Iterator[str]:
    """What the user should know of every new task."""
    addition = extension.addition
    for task in extension.tasks:
        placed = extension.placements[task.name]
        yield describe(task, placed, addition.init, extension.spec)
        if addition.fraction < 1:
            taken = len(trained[task.name].train) if trained else 0
            yield f"{task.name} is trained on {taken} of {len(data[task.name].train)} rows."
        if not trained:
            yield untrained(task, placed)
            continue
        encoded = extension.run.encode(task, trained[task.name].train)
        if unlearned := kind_of(task).unlearned(encoded):
            yield unlearned
    if addition.changes_the_run:
        old = ", ".join(task.name for task in extension.run.tasks)
        yield f'`train="all"` changes what {old} answer too; they are scored anew.'
    elif unknown := unrecorded(read_run_scores(extension.run.folder)):
        yield (
            f"The scores of {', '.join(unknown)} are copied from {extension.run.folder}. An older"
            " version made them and kept no record of the rows, so `hmnet compare` can tell other"
            " rows by the majority class only."
        )
    if addition.train == "all" and not addition.changes_the_run:
        yield '`train="all"` is not used: `fraction=0` trains nothing.'
    if addition.relevance and not any(placed.why for placed in extension.placements.values()):
        yield "`relevance` is not used: `init` and `cluster` say everything."


def _entry(extension: ExtensionPlan, rows: Mapping[str, int]) -> dict[str, Any]:
    """What `added.json` says about an addition, as JSON has it."""
    (model,) = extension.run.blueprints
    addition = extension.addition
    tasks = {
        name: {
            "init": placed.source or addition.init,
            "cluster": placed.cluster,
            "relevance": placed.why or None,
            "rows": rows[name],
        }
        for name, placed in extension.placements.items()
    }
    return {
        "run": str(extension.run.folder.absolute()),
        "model": file_digest(weights_file(model)),
        "tasks": tasks,
        "fraction": addition.fraction,
        "train": addition.train,
        "settings": extension.training.model_dump(mode="json", include=set(TRAINING)),
    }


def _is_finished(new: Run, entry: Mapping[str, Any], tasks: Sequence[Task]) -> bool:
    """Whether nothing is left to do; a folder that was begun as something else is refused."""
    out, additions = new.folder, new.additions()
    if not additions:
        raise RelevanceError(f"{out} has no {ADDED}, so nothing was added. Give another `out`.")
    begun = additions[-1]
    has_regression = any(task.kind == "regression" for task in tasks)
    if has_regression and "regression_loss" not in begun["settings"]:
        raise old_loss(out)
    # settings that came later had their defaults
    settings = RunConfig(tasks=("any",)).model_dump(mode="json", include=set(TRAINING))
    before = BEFORE | begun | {"settings": settings | begun["settings"]}
    for what, value in entry.items():
        if before.get(what) != value:
            raise RelevanceError(
                f"{out} was begun with other {what}. Resume as it was begun, or give another `out`."
            )
    return (out / CONFIG).is_file()


def _model(extension: ExtensionPlan, trained: Rows) -> MultiTaskModel:
    """The trained model with the new tasks, as these start."""
    run, config = extension.run, extension.config
    before = run.model_for(run.tasks[0].name)
    backbone = load_backbone(config.backbone, seed=config.seed).up_to(before.plan.depth)
    _check_words(run)
    check_reading(backbone, run.tokenizer, extension.tasks, config)
    model = extend(
        before,
        backbone,
        extension.tasks,
        extension.plan,
        head=config.head,
        seed=config.seed,
        scales=_scales(extension, before, trained),
    )
    for name, placed in extension.placements.items():
        if placed.source:
            start_from(model, name, placed.source)
        elif extension.addition.init == XAVIER:
            draw_xavier(model, name, seed=config.seed)
        elif extension.addition.init == AVERAGE:
            take_average(model, name)
    if extension.addition.train == "all":
        model.requires_grad_(True)
    return model


def _check_words(run: Run) -> None:
    """Refuse a file of word vectors that has other words than when the run was trained."""
    name = run.config.backbone
    if not is_vectors(name):
        return
    now = read_tokenizer(resolve_backbone(name, weights=False))
    if Encoder.of(now).fingerprint != Encoder.of(run.tokenizer).fingerprint:
        raise RelevanceError(
            f"{name} has other words than when {run.folder} was trained, so that new layers would"
            " begin with the vectors of other words. Put the file of that time there."
        )


def _scales(
    extension: ExtensionPlan, before: MultiTaskModel, trained: Rows
) -> dict[str, AnswerScale]:
    """How outputs of the new tasks stand for values; a borrowed head goes by the lender's scale."""
    labels = {name: one.train.labels for name, one in trained.items()}
    learning = [task for task in extension.tasks if task.name in labels]
    scales = answer_scales(extension.training, learning, labels)
    config = extension.config
    for task in extension.tasks:
        source = before.definitions.get(extension.placements[task.name].source or "")
        scale = before.kinds[source.name].scale if source else None
        if source and scale and borrows_head(task, source, config.head, config.pooling):
            borrowed = lent(scale, source, task)
            own = scales.get(task.name)
            unit = borrowed.spread * own.unit / own.spread if own else borrowed.unit
            scales[task.name] = borrowed.model_copy(update={"unit": unit})
    return scales


def _train(
    extension: ExtensionPlan, model: MultiTaskModel, trained: Rows, out: Path, on_event: OnEvent
) -> None:
    """Train a model where there are rows to train on, and keep it."""
    run = extension.run
    record = _fit(extension, model, trained, out, on_event) if trained else NOTHING
    for before in read_records(run.folder / RECORDS):
        seconds, examples = before.seconds + record.seconds, before.examples + record.examples
        both = record.model_copy(update={"seconds": seconds, "examples": examples})
        write_records(out / RECORDS, [both])
    keep_model(out / "model", model, run.tokenizer)


def _fit(
    extension: ExtensionPlan, model: MultiTaskModel, trained: Rows, out: Path, on_event: OnEvent
) -> Record:
    """Train on the new tasks' rows, or go on where a checkpoint stands."""
    training = extension.training
    device = resolve_device(training.device)
    tasks = [*prepare_all(training, trained, extension.run.tokenizer).values()]
    epochs = make_schedule(training, lengths_of(tasks), training.seed)
    with resumed_log(out, training, device) as log:

        def tell(step: Progress) -> None:
            log.step(step)
            on_event(step)

        checkpoints = Checkpoints(out / CHECKPOINT, 0, training.checkpoint_s)
        model.to(device)
        record, note = fit_group(training, model, tasks, epochs, checkpoints, on_step=tell)
    if note:
        on_event(Note(note))
    return record


def _complete(extension: ExtensionPlan, new: Run) -> None:
    """Write what stands beside the model; the settings come last, and make the folder a run."""
    config, out = extension.config, new.folder
    device = resolve_device(extension.training.device)
    if extension.addition.changes_the_run:
        scores = score_run(new, device=device)
    else:
        added = [task.name for task in extension.tasks]
        scores = [*_copied_scores(extension), *score_run(new, tasks=added, device=device)]
    if extension.spec is not None:
        extension.spec.save(out / CLUSTERS)
    discard_checkpoint(out / CHECKPOINT)
    write_results(new, scores)
    config.to_toml(out / CONFIG)
    write_cards(new)


def _copied_scores(extension: ExtensionPlan) -> list[Score]:
    """Scores of the old tasks, which answer as before."""
    label, seed = extension.config.label, extension.config.seed
    return [
        replace(score, run=score.run if score.method == MAJORITY else label, seed=seed)
        for score in read_run_scores(extension.run.folder)
    ]
