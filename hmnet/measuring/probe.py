"""The probe that cheap estimators ask: an encoder, trained as joint-training gains train it."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64, Shaped
from torch import nn

from hmnet.backbones.backbone import Backbone, load_backbone
from hmnet.data.batching import InputForm, input_form
from hmnet.data.encoded import Encoded
from hmnet.kinds._reading import reading
from hmnet.kinds.kind import OutputKind, kind_of
from hmnet.measuring.batches import drawn, shared_encoder, shared_layers, shared_weights
from hmnet.measuring.features import features
from hmnet.measuring.fisher import fisher_diagonal
from hmnet.measuring.gradients import gradient_products
from hmnet.measuring.joint_runs import read_backbone
from hmnet.measuring.joint_trainer import JointTrainer
from hmnet.measuring.linearised import linearise, make_sketches
from hmnet.measuring.lookahead import evaluating, look_ahead, spread
from hmnet.models.build import build_model
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedTask, lengths_of
from hmnet.samplers.sampler import Step
from hmnet.sharing.plan import fully_shared
from hmnet.training.fit import fit, make_schedule
from hmnet.training.hooks.watching import Watching
from hmnet.training.step import Batch, make_batch
from relevance.interfaces.probe import Features, FittedHead, Linearisation, LookaheadLosses
from relevance.stages import counted, stage

Watch = Callable[[MultiTaskModel, int], None]
Rows: TypeAlias = Int64[np.ndarray, " row"]


@dataclass(frozen=True)
class EncoderProbe:
    """Answers for the encoder of a trainer, with its settings; all but training is in fp32.

    Attributes:
        trainer: Trainer whose tasks, rows and settings are used, so that a model trained on one
            task is that of the single run of the same seed.
        device: Name such as `cpu` or `cuda:0`.
        threads: CPU threads that a worker of a joint-training study would have here.
    """

    trainer: JointTrainer
    device: str = "cpu"
    threads: int | None = None
    _prepared: dict[str, PreparedTask] = field(default_factory=dict, repr=False, compare=False)
    _backbones: dict[int, Backbone] = field(default_factory=dict, repr=False, compare=False)

    @property
    def provenance(self) -> dict[str, Any]:
        """Encoder, settings of training and device; `trainer` is the trainer's fingerprint."""
        return {
            "backbone": self.trainer.backbone,
            "training": self.trainer.settings.model_dump(),
            "max_train": self.trainer.data.max_train,
            "gain_split": self.trainer.gain_split,
            "trainer": self.trainer.fingerprint_of(tuple(self.trainer.tasks)),
            "device": torch.device(self.device).type,
        }

    @property
    def workers(self) -> float:
        """Number of workers of a joint-training study that this probe's cores would serve."""
        if self.threads is None or torch.device(self.device).type != "cpu":
            return 1.0
        return max(1.0, torch.get_num_threads() / self.threads)

    def unlearned(self, tasks: tuple[str, ...]) -> dict[str, str]:
        """The trainer's notes on rows that teach nothing."""
        return self.trainer.unlearned(tasks)

    def features(
        self, tasks: Sequence[str], *, rows: int, seed: int, source: str | None = None
    ) -> dict[str, Features]:
        """Mean hidden states of the last layer, of the plain encoder or a fine-tuned one.

        The texts of a row are read as one, whatever the head that fine-tuning has.
        """
        tuned = self._tuned_encoder(seed, source) if source is not None else None
        found, plain = {}, dict[int, nn.Module]()
        for of in map(self._rows, counted(tasks, "tasks read by the encoder")):
            level = reading(self._backbone(seed).config, of.definition).own
            if tuned is None and level not in plain:
                plain[level] = self._encoder(seed, of.name)
            encoder = plain[level] if tuned is None else tuned
            found[of.name] = self._features(encoder, of, of.train.encoded, rows, seed)
        return found

    def features_by_split(
        self, tasks: Sequence[str], *, rows: int, seed: int, source: str
    ) -> dict[str, tuple[Features, Features]]:
        """Mean hidden states of training and held-out rows, of one fine-tuned encoder."""
        tuned = self._tuned_encoder(seed, source)
        return {
            of.name: (
                self._features(tuned, of, of.train.encoded, rows, seed),
                self._features(tuned, of, of.held_out.encoded, rows, seed),
            )
            for of in map(self._rows, counted(tasks, "tasks read by the encoder"))
        }

    def fisher(
        self, task: str, head: FittedHead, *, rows: int, seed: int
    ) -> Float32[np.ndarray, " unit"]:
        """Diagonal Fisher information of the plain encoder, by output unit of its linear layers."""
        of = self._rows(task)
        chosen = drawn(of.definition, of.train.encoded, rows, seed)
        batches = self._for_encoder(of, of.train.encoded, chosen)
        return np.asarray(fisher_diagonal(self._encoder(seed, task), head, batches, seed).cpu())

    def gradient_products(
        self, tasks: Sequence[str], *, batches: int, seed: int
    ) -> Float64[np.ndarray, "batch task task"]:
        """Inner products of gradients at one model that was trained on all tasks."""
        model = self._trained(tasks, seed)
        weights = shared_weights(model)
        numbers = counted(range(batches), "batches of gradients")
        each = (self._one_each(model, tasks, seed, number) for number in numbers)
        return np.stack([gradient_products(model, weights, batch).numpy() for batch in each])

    def lookahead(
        self, tasks: Sequence[str], *, moments: int, lr: float, seed: int
    ) -> LookaheadLosses:
        """Losses around single steps, while one model is trained on all tasks."""
        seen = []
        when = spread(sum(map(len, self._schedule(tasks, seed))), moments)

        def look(model: MultiTaskModel, done: int) -> None:
            if done in when:
                batches = self._one_each(model, tasks, seed, done)
                with evaluating(model):
                    seen.append(look_ahead(model, shared_weights(model), batches, lr))

        self._trained(tasks, seed, watch=look)
        before, after = (torch.stack(losses).numpy() for losses in zip(*seen, strict=True))
        return LookaheadLosses(before, after)

    def linearise(
        self, tasks: Sequence[str], *, rows: int, directions: int, seed: int
    ) -> dict[str, tuple[Linearisation, Linearisation]]:
        """One model trained on all tasks, linearised around the weights of its linear layers."""
        model = self._trained(tasks, seed)
        sketches = make_sketches(shared_layers(model), directions, seed)

        def of_split(of: PreparedTask, encoded: Encoded) -> Linearisation:
            chosen = drawn(of.definition, encoded, rows, seed)
            return linearise(model, sketches, self._batches_for(model, of, encoded, chosen))

        return {
            of.name: (of_split(of, of.train.encoded), of_split(of, of.held_out.encoded))
            for of in map(self._rows, counted(tasks, "tasks linearised"))
        }

    def _encoder(self, seed: int, task: str) -> nn.Module:
        """The plain encoder up to the layer that a task reads."""
        whole = self._backbone(seed)
        backbone = whole.up_to(reading(whole.config, self._rows(task).definition).own)
        encoder: nn.Module = copy.deepcopy(backbone.base)
        return encoder.to(self.device).eval()

    def _tuned_encoder(self, seed: int, source: str) -> nn.Module:
        """The encoder that was fine-tuned on a task."""
        return shared_encoder(self._trained([source], seed), self._backbone(seed).layer_list)

    def _trained(
        self, tasks: Sequence[str], seed: int, watch: Watch | None = None
    ) -> MultiTaskModel:
        """One model trained on some tasks, in alphabetical order whatever theirs is."""
        together, settings = [self._rows(name) for name in sorted(tasks)], self.trainer.settings
        backbone = read_backbone(self.trainer, self._backbone(seed), tasks)
        plan = fully_shared([task.name for task in together], backbone.depth)
        model = build_model(backbone, together, plan, settings, seed=seed, device=self.device)
        epochs = self._schedule(tasks, seed)
        with stage("steps trained", sum(map(len, epochs))) as advance:
            hooks = [*([Watching(watch)] if watch else []), Watching(lambda *_: advance())]
            fit(model, together, epochs, settings, seed, hooks)
        return model

    def _schedule(self, tasks: Sequence[str], seed: int) -> list[list[Step]]:
        lengths = lengths_of(self._rows(name) for name in sorted(tasks))
        return make_schedule(self.trainer.settings, lengths, seed)

    def _one_each(
        self, model: MultiTaskModel, tasks: Sequence[str], seed: int, number: int
    ) -> list[Batch]:
        """One batch of training rows of every task, other ones for other numbers."""
        size = self.trainer.settings.batch_size
        chosen = [self._rows(name) for name in tasks]
        drawings = [drawn(of.definition, of.train.encoded, size, seed, number) for of in chosen]
        return [
            next(self._batches_for(model, of, of.train.encoded, rows))
            for of, rows in zip(chosen, drawings, strict=True)
        ]

    @property
    def _joined(self) -> InputForm:
        """The form of inputs that the encoder itself takes: the texts of a row as one."""
        return input_form(self._backbone(0).config)

    def _features(
        self, encoder: nn.Module, of: PreparedTask, encoded: Encoded, rows: int, seed: int
    ) -> Features:
        """Features and labels of some rows of a split."""
        chosen = drawn(of.definition, encoded, rows, seed)
        values = features(encoder, self._for_encoder(of, encoded, chosen))
        return Features(values, _labels(of, encoded, chosen))

    def _for_encoder(self, of: PreparedTask, encoded: Encoded, rows: Rows) -> Iterator[Batch]:
        """Rows of a split as the encoder itself reads them."""
        kind, form = kind_of(of.definition), self._joined
        if kind.further == "alternatives":
            form = {**form, "further": kind.further}
        return self._batches(kind, encoded, rows, form)

    def _batches_for(
        self, model: MultiTaskModel, of: PreparedTask, encoded: Encoded, rows: Rows
    ) -> Iterator[Batch]:
        """Rows as a model reads and answers them."""
        return self._batches(model.kinds[of.name], encoded, rows, model.input_form(of.name))

    def _batches(
        self, kind: OutputKind, encoded: Encoded, rows: Rows, form: InputForm
    ) -> Iterator[Batch]:
        size = self.trainer.settings.batch_size
        for start in range(0, len(rows), size):
            yield make_batch(kind, encoded, rows[start : start + size], form, self.device)

    def _rows(self, name: str) -> PreparedTask:
        if name not in self._prepared:
            self._prepared[name] = self.trainer.prepared(name)
        return self._prepared[name]

    def _backbone(self, seed: int) -> Backbone:
        if seed not in self._backbones:
            self._backbones[seed] = load_backbone(self.trainer.backbone, seed=seed)
        return self._backbones[seed]


def _labels(of: PreparedTask, encoded: Encoded, rows: Rows) -> Shaped[np.ndarray, " row"]:
    """Labels of sequences of a split, as a model learns them where each has one."""
    if encoded.alignment is None:
        return kind_of(of.definition).targets(encoded, rows)
    return np.asarray(encoded.labels[encoded.alignment.rows[rows]])
