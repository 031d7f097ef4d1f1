"""`hmnet train`: from settings to the folder of a trained run, and on where a kill left it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import PreTrainedTokenizerBase

from hmnet.backbones.backbone import Backbone, depth_of, load_backbone, load_config
from hmnet.backbones.folder import resolve_backbone
from hmnet.data.batching import check_max_length
from hmnet.data.tokenizer import read_tokenizer
from hmnet.devices import resolve_device
from hmnet.evaluation.evaluate import evaluate
from hmnet.kinds.kind import kind_of
from hmnet.methods.method import ModelGroup
from hmnet.models.build import answer_scales, build_model, make_adapter_module
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.trial import check_reading
from hmnet.prepared import PreparedTask, lengths_of, prepare
from hmnet.runs.folder import (
    CHECKPOINT,
    CLUSTERS,
    CONFIG,
    LOG,
    PARTS,
    PARTS_SCHEMA,
    RECORDS,
    SCORES,
    Run,
    check_definitions,
    has_old_loss,
    old_loss,
    read_clusters,
)
from hmnet.runs.log import check_tracker, open_log, truncate_log
from hmnet.runs.rows import write_results
from hmnet.runs.score import score_run
from hmnet.samplers.sampler import Step
from hmnet.settings.check import check
from hmnet.settings.config import RunConfig
from hmnet.sharing.skill_table import SkillTable
from hmnet.training.checkpoint import discard_checkpoint, find_checkpoint, replacing_folder
from hmnet.training.fit import fit, make_schedule
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.hook import Hook
from hmnet.training.hooks.progress import Progress, Report
from hmnet.training.hooks.selection import Selection
from hmnet.training.hooks.uncertainty_log import UncertaintyLog
from hmnet.training.ranks import ALONE, Ranks, find_ranks
from hmnet.training.record import Record, read_records, write_records
from hmnet.training.versions import other_version
from relevance.clustering.spec import ClusterSpec
from relevance.disk.files import cache_dir, check_writable, write_json
from relevance.disk.folders import LOCK, alone, discard, drafts, remove_drafts
from relevance.disk.manifest import MANIFEST, write_manifest
from relevance.errors import RelevanceError
from relevance.names import check_name
from relevance.tasks.data import TaskData
from relevance.tasks.find import find_tasks, settled_names
from relevance.tasks.load import load_task
from relevance.tasks.task import Task


@dataclass(frozen=True)
class Note:
    """Something the user should know, in one line.

    Attributes:
        text: The line.
        passing: Whether it only says what goes on right now.
    """

    text: str
    passing: bool = False


def train_run(
    config: RunConfig,
    spec: ClusterSpec | None,
    out: Path,
    *,
    resume: bool = False,
    on_event: Callable[[Progress | Note], None] = lambda _: None,
) -> Run:
    """Train every part of a run, score it on each evaluation split, and keep it all in a folder.

    Where a launcher has started several processes they train together, see `hmnet.training.ranks`;
    the main one scores the run, and it alone writes and reports.

    Args:
        config: The settings.
        spec: The clusters, for methods that read them; None when resuming takes the folder's.
        out: The run's folder; it must not exist unless resumed.
        resume: Go on with what the folder has; a folder that is not there is begun, a finished run
            is left as it is.
        on_event: Told about every step and of what the user should know.

    Returns:
        The finished run.

    Raises:
        RelevanceError: If settings, clusters, data or backbone don't fit, the folder exists or was
            begun with other settings, it cannot be written, or a loss is not finite.
        KeyboardInterrupt: At Ctrl-C; the run can then be resumed.
    """
    ranks = find_ranks(config.device, config.seed)
    if ranks.count > 1:
        config = config.model_copy(update={"device": ranks.device})
        on_event = on_event if ranks.is_main else _say_nothing
    checked = check_run(config, spec, out, resume=resume)
    config = checked.config
    run = Run(out, config)
    if ranks.agree((out / SCORES).exists):
        return _finished(run, ranks, on_event)
    device = resolve_device(config.device)
    on_event(Note(f"reading and encoding {len(checked.tasks)} task(s)", passing=True))
    job = _Job.prepare(checked, out, device, ranks)
    unlearned = [kind_of(one.definition).unlearned(one.train.encoded) for one in job.tasks.values()]
    for text in (*checked.notes, *filter(None, unlearned)):
        on_event(Note(text))
    with ExitStack() as stack:
        first = ranks.agree(lambda: stack.enter_context(job.begun(resume=resume)))
        if first is None:
            return _finished(run, ranks, on_event)
        if note := ranks.note():
            on_event(Note(note))
        job.train(first, on_event)
        if ranks.is_main:
            write_results(run, score_run(run.with_data(job.data), device=device))
    ranks.wait()
    return run


class Checked(NamedTuple):
    """What a run will be, after all checks that take no time.

    Attributes:
        config: Settled settings: they mean the same wherever they are read.
        spec: The clusters, None for methods that don't read them.
        tasks: Definitions, in the order of the settings.
        parts: What is trained, one after another.
        notes: Lines for the user, about settings that are the method's own and arguments that are
            not used.
    """

    config: RunConfig
    spec: ClusterSpec | None
    tasks: Sequence[Task]
    parts: Sequence[ModelGroup]
    notes: tuple[str, ...]


def check_run(
    config: RunConfig, spec: ClusterSpec | None, out: Path, *, resume: bool = False
) -> Checked:
    """Make every check that takes no time, so that a later run of several is not what fails.

    Args:
        config: The settings.
        spec: The clusters, for methods that read them; None when resuming takes the folder's.
        out: The run's folder; it must not exist unless resumed.
        resume: Whether the folder may hold a run of the same settings.

    Returns:
        What the run will be.

    Raises:
        RelevanceError: If settings and clusters don't fit, the name cannot be shown, or the folder
            exists, was begun with other settings or cannot be written.
    """
    tasks = find_tasks(config.tasks)
    config = _settled(config.resolved(resolve_device(config.device)), tasks)
    if config.name is not None:
        check_name(config.name, "--name")
    if spec is None and resume and (out / CLUSTERS).is_file():
        spec = read_clusters(out)
    method = config.method.build(spec, config.layers, config.skills, max_length=config.max_length)
    parts = method.plans(tasks, depth_of(load_config(config.backbone)))
    check(config, tasks, parts)
    spec = spec if method.reads_clusters else None
    _check_folder(config, spec, out, tasks if resume else None)
    check_writable(out / CONFIG)
    check_tracker(config.tracker)
    notes = tuple(filter(None, (_set_by_method(config), method.note)))
    return Checked(config, spec, tasks, parts, notes)


@dataclass(frozen=True)
class _Job:
    """All that training the parts of a run needs.

    Attributes:
        checked: Settings, clusters, and what is trained, one part after another.
        data: Rows of every task, by name, which scores are made of too.
        tasks: Prepared, by name; with dev where something is decided by its scores.
        schedules: Steps by epoch, for each part.
        backbone: The pretrained weights.
        tokenizer: The backbone's.
        out: The run's folder.
        ranks: The processes that train together; `device` is what this one trains on.
        device: A name that torch takes.
    """

    checked: Checked
    data: Mapping[str, TaskData]
    tasks: Mapping[str, PreparedTask]
    schedules: Sequence[Sequence[Sequence[Step]]]
    backbone: Backbone
    tokenizer: PreTrainedTokenizerBase
    out: Path
    ranks: Ranks
    device: str

    @property
    def config(self) -> RunConfig:
        """Settled settings."""
        return self.checked.config

    @property
    def parts(self) -> Sequence[ModelGroup]:
        """What is trained, one after another."""
        return self.checked.parts

    @classmethod
    def prepare(cls, checked: Checked, out: Path, device: str, ranks: Ranks) -> "_Job":
        """Load and check everything before the first step, and before anything is written."""
        config, tasks, parts = checked.config, checked.tasks, checked.parts
        backbone = load_backbone(config.backbone, seed=config.seed)
        _check_adapter_modules(parts, backbone)
        check_max_length(backbone.base, config.max_length)
        tokenizer = read_tokenizer(resolve_backbone(config.backbone))
        check_reading(
            backbone,
            tokenizer,
            tasks,
            pooling=config.pooling,
            head=config.head,
            max_length=config.max_length,
        )
        data = {task.name: load_task(task, config.data) for task in tasks}
        scored = 1 if config.goes_by_dev else 0
        prepared = {
            name: prepare(rows, tokenizer, config.max_length, scored) for name, rows in data.items()
        }
        labels = {name: task.train.rows.labels for name, task in prepared.items()}
        answer_scales(config, tasks, labels)
        schedules = [
            make_schedule(config, lengths_of(prepared[task] for task in part.tasks), config.seed)
            for part in parts
        ]
        return cls(checked, data, prepared, schedules, backbone, tokenizer, out, ranks, device)

    @contextmanager
    def begun(self, *, resume: bool) -> Iterator[int | None]:
        """Have the run's folder to oneself, in a state from which training can go on.

        Args:
            resume: Whether it may be there already.

        Yields:
            The first part without a model; None if another process has finished the run.
        """
        with begun(self.out, self._write_settings) as is_new:
            if not is_new:
                resumed = self.checked.tasks if resume else None
                _check_folder(self.config, self.checked.spec, self.out, resumed)
                self._write_settings(self.out)
            numbers = range(len(self.parts))
            first = next((n for n in numbers if not self._model(n).exists()), len(self.parts))
            yield None if (self.out / SCORES).exists() else first

    def _write_settings(self, folder: Path) -> None:
        """Write what makes a folder a run; in one that was begun before, what is missing of it."""
        spec = self.checked.spec
        if spec is not None and not (folder / CLUSTERS).exists():
            spec.save(folder / CLUSTERS)
        self.config.to_toml(folder / CONFIG)

    def train(self, first: int, on_event: Callable[[Progress | Note], None]) -> None:
        """Train what is not trained yet; what a process that is not the main one does goes with it.

        Args:
            first: The first part without a model.
            on_event: Told about steps, in the main process.
        """
        if not self.ranks.is_main:
            for number in range(first, len(self.parts)):
                self._fit(number)
            return
        self._train_parts(first, on_event)
        if len(self.parts) > 1:
            names = [self._model(number).name for number in range(len(self.parts))]
            write_json(self.out / "model" / PARTS, PARTS_SCHEMA, {"parts": names})
            write_manifest(self.out / "model")
        # All models are there, so that from here on nobody asks what the checkpoint is like.
        discard_checkpoint(self.out / CHECKPOINT)

    def _train_parts(self, first: int, on_event: Callable[[Progress | Note], None]) -> None:
        """Train the parts from one on, the first from where its checkpoint stands."""
        if first == len(self.parts):
            return
        lengths = [sum(map(len, epochs)) for epochs in self.schedules]
        found = find_checkpoint(self.out / CHECKPOINT)
        begun = found[1].step if found and found[1].part == first else 0
        truncate_log(self.out / LOG, sum(lengths[:first]) + begun)
        with open_log(self.out, self.config.tracker, self.device) as log:
            for number in range(first, len(self.parts)):

                def tell(step: Progress, before: int = sum(lengths[:number])) -> None:
                    overall = replace(step, step=step.step + before, total=sum(lengths))
                    log.step(overall)
                    on_event(overall)

                self._train_part(number, tell, on_event)

    def _train_part(
        self,
        number: int,
        on_step: Callable[[Progress], None],
        on_note: Callable[[Note], None],
    ) -> None:
        schedule = self.schedules[number]
        model, record, selection = self._fit(number, on_step)
        self._keep_record(number, record)
        if record.evaluations:
            last_epoch = max(epoch for epoch, steps in enumerate(schedule, start=1) if steps)
            on_note(Note(selection.summary(record, last_epoch)))
        with replacing_folder(self._model(number)) as folder:
            model.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
            write_manifest(folder)

    def _fit(
        self, number: int, on_step: Callable[[Progress], None] | None = None
    ) -> tuple[MultiTaskModel, Record, Selection]:
        part, config = self.parts[number], self.config
        self.ranks.wait()  # the checkpoint is as the main process left it after the part before
        tasks = [self.tasks[task] for task in part.tasks]
        model = build_model(
            self.backbone, tasks, part.plan, config, seed=config.seed, device=self.device
        )
        selection = make_selection(config, tasks, self.ranks)
        checkpoints = Checkpoints(self.out / CHECKPOINT, number, config.checkpoint_s)
        hooks = hooks_of(config, tasks, checkpoints, selection, on_step)
        record = fit(model, tasks, self.schedules[number], config, config.seed, hooks, self.ranks)
        return model, record, selection

    def _keep_record(self, number: int, record: Record) -> None:
        """Write what a part took; before its model, so that no model is without."""
        before = read_records(self.out / RECORDS)[:number]
        write_records(self.out / RECORDS, [*before, record])

    def _model(self, number: int) -> Path:
        """Where a part's model goes."""
        if len(self.parts) == 1:
            return self.out / "model"
        slugs = (self.tasks[task].definition.slug for task in self.parts[number].tasks)
        return self.out / "model" / "-".join(slugs)


def make_selection(
    config: RunConfig, tasks: Sequence[PreparedTask], ranks: Ranks = ALONE
) -> Selection:
    """How training goes by scores on dev, in fp32 as at the end of a run.

    Args:
        config: Patience, and whether the best epoch is kept.
        tasks: With the split that they are scored on.
        ranks: The main process's scores are everybody's.

    Returns:
        The hook.
    """

    def score(model: MultiTaskModel) -> dict[str, float]:
        return {
            task.name: evaluate(
                model, task.definition, task.held_out, batch_size=config.batch_size
            ).metrics[task.definition.primary]
            for task in tasks
        }

    return Selection(
        lambda model: ranks.agree(partial(score, model)),
        patience=config.patience,
        keep_best=config.checkpoint == "best",
    )


def hooks_of(
    config: RunConfig,
    tasks: Sequence[PreparedTask],
    checkpoints: Checkpoints,
    selection: Selection,
    on_step: Callable[[Progress], None] | None,
) -> list[Hook]:
    """What happens around the steps of a run.

    Args:
        config: Whether something is decided by dev, and whether uncertainty is logged.
        tasks: Those that train together.
        checkpoints: Where they are kept.
        selection: Taken where something is decided by dev.
        on_step: Told about every step.

    Returns:
        The hooks.
    """
    return [
        Report(on_step, with_term=config.regularizer is not None),
        *([UncertaintyLog(tasks, config.batch_size)] if config.log_uncertainty else []),
        *([selection] if config.goes_by_dev else []),
        checkpoints,
    ]


def _say_nothing(_: Progress | Note) -> None:
    """What a process does that is not the main one."""


def _set_by_method(config: RunConfig) -> str | None:
    """One line about settings that have another default with the run's method, and have kept it."""
    defaults = config.method.member.defaults
    kept = [
        f"--{name.replace('_', '-')} {value}"
        for name, value in defaults.items()
        if getattr(config, name) == value
    ]
    if not kept:
        return None
    own = f"Method '{config.method.name}' has defaults of its own: {', '.join(kept)}."
    return f"{own} Any that is given wins."


def _by_others(out: Path, config: RunConfig) -> str:
    """What a finished run's numbers rest on that training would no longer do."""
    found = (other_version(record.versions, config) for record in read_records(out / RECORDS))
    other = next(filter(None, found), None)
    return f" It was trained by {other}." if other else ""


def _settled(config: RunConfig, tasks: Sequence[Task]) -> RunConfig:
    """The settings as the run's folder holds them: they mean the same wherever they are read."""
    data_dir = config.data_dir or (cache_dir() / "tasks").absolute()
    names = settled_names(config.tasks, tasks)
    skills = config.skills
    if skills is None and config.method.member.reads_skills:
        skills = SkillTable.load()
    return config.model_copy(update={"data_dir": data_dir, "tasks": names, "skills": skills})


def _check_adapter_modules(parts: Sequence[ModelGroup], backbone: Backbone) -> None:
    """Refuse modules that don't fit a backbone, by making them without memory."""
    for part in parts:
        with torch.device("meta"):
            make_adapter_module(backbone, part.plan, seed=0)


def _check_folder(
    config: RunConfig, spec: ClusterSpec | None, out: Path, resumed: Sequence[Task] | None
) -> None:
    """Refuse a folder that is in use, or is a run of other settings."""
    if not out.exists() or (resumed and out.is_dir() and not any(out.iterdir())):
        return
    if resumed is None:
        raise RelevanceError(
            f"{out} exists. Go on with the run in it with --resume, or give another --out."
        )
    if not (out / CONFIG).is_file():
        raise RelevanceError(f"{out} is no run: it has no {CONFIG}. Give another --out.")
    if has_old_loss(out, resumed):
        raise old_loss(out)
    config.check_resumes(RunConfig.of_run(out / CONFIG), out)
    check_definitions(out, resumed)
    if (
        spec is not None
        and (out / CLUSTERS).exists()  # older versions might be killed before they wrote it
        and read_clusters(out).clusters != spec.clusters
    ):
        raise RelevanceError(
            f"{out} was started with other clusters ({out / CLUSTERS})."
            " Resume with the same ones, or give another --out."
        )


@contextmanager
def begun(out: Path, begin: Callable[[Path], None]) -> Iterator[bool]:
    """Have a run's folder to oneself.

    Args:
        out: The folder. If it is begun now and the block fails before anything was trained, it goes
            again. What killed processes left unfinished in it is taken away.
        begin: Puts into a new folder what makes it one that can be resumed.

    Yields:
        Whether it is begun now.

    Raises:
        RelevanceError: If another process has it, or it cannot be written.
    """
    with alone(out, begin, doing="trained") as is_new:
        remove_drafts(out)
        if not (out / SCORES).exists():
            (out / MANIFEST).unlink(missing_ok=True)  # what it is about may still change
        try:
            yield is_new
        except Exception:
            if is_new and not _has_progress(out):
                discard(out)
            raise


def _has_progress(out: Path) -> bool:
    """Whether a step of a run was written down, or anything kept of it."""
    log = out / LOG
    kept = (out / CHECKPOINT).exists() or (out / "model").exists()
    return kept or (log.exists() and log.stat().st_size > 0)


def tidy(out: Path) -> None:
    """Take away what a kill left of the last moments of a run, if the folder may be written.

    Args:
        out: Folder of a finished run.
    """
    left = (out / LOCK, out / CHECKPOINT, *drafts(out))
    if any(path.exists() for path in left):
        with suppress(RelevanceError), alone(out):
            remove_drafts(out)
            discard_checkpoint(out / CHECKPOINT)


def _finished(run: Run, ranks: Ranks, on_event: Callable[[Progress | Note], None]) -> Run:
    """A run for which there is nothing to do any more."""
    others = _by_others(run.folder, run.config)
    on_event(Note(f"{run.folder} is finished: every part is trained and scored.{others}"))
    if ranks.is_main:
        tidy(run.folder)
    ranks.wait()
    return run
