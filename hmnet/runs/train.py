"""`hmnet train`: from settings to the folder of a trained run, and on where a kill left it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import torch
from transformers import PreTrainedTokenizerBase

from hmnet.backbones.backbone import Backbone, load_backbone
from hmnet.backbones.digests import start_digest
from hmnet.backbones.folder import resolve_backbone
from hmnet.data.batching import check_max_length
from hmnet.data.tokenizer import read_tokenizer
from hmnet.devices import resolve_device
from hmnet.kinds.kind import kind_of
from hmnet.models.build import answer_scales, build_model, make_adapter_module
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.trial import check_reading
from hmnet.prepared import PreparedTask, lengths_of
from hmnet.runs.begun import begun, discard_start, keep_start, tidy
from hmnet.runs.card import write_cards, write_missing_cards
from hmnet.runs.checked import Checked, check_folder, check_run
from hmnet.runs.fitting import fit_group, keep_model, prepare_all, resumed_log
from hmnet.runs.folder import (
    CHECKPOINT,
    CLUSTERS,
    CONFIG,
    PARTS,
    PARTS_SCHEMA,
    RECORDS,
    SCORES,
    Run,
)
from hmnet.runs.rows import write_results
from hmnet.runs.score import score_run
from hmnet.samplers.sampler import Step
from hmnet.settings.config import RunConfig
from hmnet.training.fit import make_schedule
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.progress import Progress
from hmnet.training.ranks import ALONE, Ranks, find_ranks
from hmnet.training.record import Record, read_records, write_records
from hmnet.training.versions import other_version
from relevance.clustering.spec import ClusterSpec
from relevance.disk.files import write_json
from relevance.disk.manifest import write_manifest
from relevance.tasks.data import TaskData
from relevance.tasks.load import load_task


@dataclass(frozen=True)
class Note:
    """Something the user should know, in one line.

    Attributes:
        text: The line.
        passing: Whether it only says what goes on right now.
    """

    text: str
    passing: bool = False


OnEvent: TypeAlias = Callable[[Progress | Note], None]


def train_run(
    config: RunConfig,
    spec: ClusterSpec | None,
    out: Path,
    *,
    resume: bool = False,
    on_event: OnEvent = lambda _: None,
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
        on_event = on_event if ranks.is_main else lambda _: None
    checked = check_run(config, spec, out, resume=resume)
    config = checked.config
    run = Run(out, config)
    if ranks.agree((out / SCORES).exists):
        return _finished(run, ranks, on_event)
    device = resolve_device(config.device)
    on_event(Note(f"reading and encoding {len(checked.tasks)} task(s)", passing=True))
    job = Job.prepare(checked, out, device, ranks)
    unlearned = [
        kind_of(one.definition).unlearned(one.train.encoded) for one in job.prepared.values()
    ]
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
            write_cards(run)
    ranks.wait()
    return run


@dataclass(frozen=True)
class Job(Checked):
    """All that training the parts of a run needs.

    Attributes:
        data: Rows of every task, by name, which scores are made of too.
        prepared: Every task, by name; with dev where something is decided by its scores.
        schedules: Steps by epoch, for each part.
        backbone: The pretrained weights.
        tokenizer: The backbone's.
        out: The run's folder.
        ranks: The processes that train together; `device` is what this one trains on.
        device: A name that torch takes.
    """

    data: Mapping[str, TaskData]
    prepared: Mapping[str, PreparedTask]
    schedules: Sequence[Sequence[Sequence[Step]]]
    backbone: Backbone
    tokenizer: PreTrainedTokenizerBase
    out: Path
    ranks: Ranks
    device: str

    @classmethod
    def prepare(cls, checked: Checked, out: Path, device: str, ranks: Ranks = ALONE) -> "Job":
        """Load and check everything before the first step, and before anything is written.

        Args:
            checked: What the run will be.
            out: The run's folder.
            device: A name that torch takes.
            ranks: The processes that train together.

        Returns:
            The job.

        Raises:
            RelevanceError: If data, backbone and settings don't fit.
        """
        config, tasks, parts = checked.config, checked.tasks, checked.parts
        backbone = load_backbone(config.backbone, seed=config.seed).up_to(parts[0].plan.depth)
        for part in parts:
            with torch.device("meta"):  # made without memory: those that don't fit are refused
                make_adapter_module(backbone, part.plan, seed=0)
        check_max_length(backbone.base, config.max_length)
        tokenizer = read_tokenizer(resolve_backbone(config.backbone))
        check_reading(backbone, tokenizer, tasks, config)
        data = {task.name: load_task(task, config.data) for task in tasks}
        prepared = prepare_all(config, data, tokenizer)
        labels = {name: task.train.rows.labels for name, task in prepared.items()}
        answer_scales(config, tasks, labels)
        schedules = [
            make_schedule(config, lengths_of(prepared[task] for task in part.tasks), config.seed)
            for part in parts
        ]
        ready = (data, prepared, schedules, backbone, tokenizer, out, ranks, device)
        return cls(config, checked.spec, tasks, parts, checked.notes, *ready)

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
                check_folder(self.config, self.spec, self.out, self.tasks if resume else None)
                self._write_settings(self.out)
            numbers = range(len(self.parts))
            first = next((n for n in numbers if not self._model(n).exists()), len(self.parts))
            yield None if (self.out / SCORES).exists() else first

    def _write_settings(self, folder: Path) -> None:
        """Write what makes a folder a run; in one that was begun before, what is missing of it."""
        keep_start(folder, self.config.backbone, start_digest(self.backbone))
        if self.spec is not None and not (folder / CLUSTERS).exists():
            self.spec.save(folder / CLUSTERS)
        self.config.to_toml(folder / CONFIG)

    def train(self, first: int, on_event: OnEvent) -> None:
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
        discard_start(self.out)

    def _train_parts(self, first: int, on_event: OnEvent) -> None:
        """Train the parts from one on, the first from where its checkpoint stands."""
        if first == len(self.parts):
            return
        lengths = [sum(map(len, epochs)) for epochs in self.schedules]
        before = sum(lengths[:first])
        with resumed_log(self.out, self.config, self.device, first, before) as log:
            for number in range(first, len(self.parts)):

                def tell(step: Progress, before: int = sum(lengths[:number])) -> None:
                    overall = replace(step, step=step.step + before, total=sum(lengths))
                    log.step(overall)
                    on_event(overall)

                model, record, note = self._fit(number, tell)
                # before its model, so that no model is without a record
                records = read_records(self.out / RECORDS)[:number]
                write_records(self.out / RECORDS, [*records, record])
                if note:
                    on_event(Note(note))
                keep_model(self._model(number), model, self.tokenizer)

    def _fit(
        self, number: int, on_step: Callable[[Progress], None] | None = None
    ) -> tuple[MultiTaskModel, Record, str | None]:
        config = self.config
        self.ranks.wait()  # the checkpoint is as the main process left it after the part before
        model, tasks = self.untrained(number)
        record, note = fit_group(
            config,
            model,
            tasks,
            self.schedules[number],
            Checkpoints(self.out / CHECKPOINT, number, config.checkpoint_s),
            on_step=on_step,
            ranks=self.ranks,
        )
        return model, record, note

    def untrained(self, number: int) -> tuple[MultiTaskModel, list[PreparedTask]]:
        """A part's model before its first step, and its tasks.

        Args:
            number: Number of the part.

        Returns:
            Both.
        """
        part, config = self.parts[number], self.config
        tasks = [self.prepared[task] for task in part.tasks]
        model = build_model(
            self.backbone, tasks, part.plan, config, seed=config.seed, device=self.device
        )
        return model, tasks

    def _model(self, number: int) -> Path:
        """Where a part's model goes."""
        if len(self.parts) == 1:
            return self.out / "model"
        slugs = (self.prepared[task].definition.slug for task in self.parts[number].tasks)
        return self.out / "model" / "-".join(slugs)


def _finished(run: Run, ranks: Ranks, on_event: OnEvent) -> Run:
    """A run for which there is nothing to do any more, but to say what trained it if not this."""
    records = read_records(run.folder / RECORDS)
    other = next(filter(None, (other_version(one.versions, run.config) for one in records)), None)
    by = f" It was trained by {other}." if other else ""
    on_event(Note(f"{run.folder} is finished: every part is trained and scored.{by}"))
    if ranks.is_main:
        tidy(run.folder)
        write_missing_cards(run)
    ranks.wait()
    return run
