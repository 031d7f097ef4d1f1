"""All that pre-training needs, ready before anything is written."""

from dataclasses import dataclass
from time import monotonic
from typing import cast

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from hmnet.data.batching import check_max_length, input_form
from hmnet.data.tokenizer import read_tokenizer
from hmnet.devices import resolve_device
from hmnet.precision import Precision
from hmnet.pretraining.begin import begin, load_classifiers
from hmnet.pretraining.encoded_corpus import EncodedCorpus, encode_corpora
from hmnet.pretraining.inputs import Inputs, make_inputs, make_steps, passes
from hmnet.pretraining.masking import Masking
from hmnet.pretraining.model import PretrainingModel
from hmnet.pretraining.named import named_corpus
from hmnet.pretraining.settings import PretrainingConfig
from hmnet.pretraining.source import PretrainingSource
from hmnet.samplers.sampler import SelectedStep
from hmnet.training.fit import in_order, train_on
from hmnet.training.hooks.hook import Hook
from hmnet.training.optimizer import Rate, make_optimizer
from hmnet.training.record import Record
from hmnet.training.step import StepConfig, train_step
from relevance.jobs.telling import duration

TIMED = 2


@dataclass(frozen=True)
class Job:
    """All that pre-training needs, ready before anything is written.

    Attributes:
        config: The settings, their precision resolved.
        model: Before its first step, on its device.
        tokenizer: The backbone's.
        corpus: The documents.
        source: Makes batches of their inputs.
        notes: What the user should know.
    """

    config: PretrainingConfig
    model: PretrainingModel
    tokenizer: PreTrainedTokenizerBase
    corpus: EncodedCorpus
    source: PretrainingSource
    notes: tuple[str, ...]

    @classmethod
    def prepare(cls, config: PretrainingConfig) -> "Job":
        """Load, encode and check everything.

        Args:
            config: The settings, as `check_pretraining` gives them.

        Returns:
            The job.

        Raises:
            RelevanceError: If the backbone or a corpus cannot be read, inputs are longer than the
                backbone takes, or the corpus is too small for a batch or has no pairs.
        """
        start = begin(config.backbone, config.seed)
        backbone, levels = start.backbone, config.levels(start.backbone.depth)
        check_max_length(backbone.base, config.max_length)
        if config.long_share:
            check_max_length(backbone.base, config.long_length, "long_length")
        tokenizer = read_tokenizer(start.folder)
        masking = Masking.of(tokenizer, config.mask_share, config.mask_cap)
        corpora = [named_corpus(text, config.data_dir) for text in config.corpus]
        corpus = encode_corpora(corpora, tokenizer)
        inputs = make_inputs(corpus, config)
        model = PretrainingModel(backbone, levels, config.seed)
        found = [] if start.is_random else load_classifiers(model, start.folder)
        form, swap = input_form(backbone.config), levels.bigram is not None
        place = torch.device(resolve_device(config.device))
        source = PretrainingSource(inputs, masking, form, swap, config.seed, place)
        notes = _notes(config, model, inputs, found if not start.is_random else None)
        return cls(config, model.to(place), tokenizer, corpus, source, notes)

    @property
    def precision(self) -> Precision:
        """Precision of forward and backward."""
        return cast("Precision", self.config.precision)

    @property
    def recipe(self) -> StepConfig:
        """Recipe of an update."""
        config = self.config
        rate = Rate(config.lr, config.warmup, config.schedule)
        return StepConfig(self.precision, rate, clip_norm=config.clip_norm)

    def optimizer(self) -> torch.optim.Optimizer:
        """A new optimizer of the model's weights."""
        return make_optimizer(
            self.model,
            self.config.lr,
            self.config.weight_decay,
            name=self.config.optimizer,
            amsgrad=self.config.amsgrad,
        )

    def fit(self, hooks: list[Hook]) -> Record:
        """Train, or go on where a checkpoint stands.

        Args:
            hooks: Hooks around the steps.

        Returns:
            Record of the training.
        """
        hooks = in_order(hooks)
        steps = make_steps(self.source.inputs, self.config)
        recipe, seed = self.recipe, self.config.seed
        return train_on(self.model, self.source, steps, self.optimizer(), recipe, hooks, seed)

    def seconds(self) -> float:
        """About how long all steps take, by a few of each length; the model is not the same then.

        Returns:
            Seconds, evaluation and checkpoints left out.
        """
        optimizer, total = self.optimizer(), 0.0
        steps = [step for chunk in make_steps(self.source.inputs, self.config) for step in chunk]
        self.model.train()
        for name in self.source.inputs.train:
            own = [step for step in steps if step[0].task == name]
            took = []
            for step in own[: TIMED + 1]:
                started = monotonic()
                parts = self.source.batches(SelectedStep.whole(step), 0)
                train_step(self.model, optimizer, parts, 0.0, self.recipe).loss.item()
                took.append(monotonic() - started)
            if took:
                total += len(own) * float(np.median(took[1:] or took))
        return total


def _notes(
    config: PretrainingConfig,
    model: PretrainingModel,
    inputs: Inputs,
    found: list[str] | None,
) -> tuple[str, ...]:
    """Where it begins, how often texts are seen, and which layers are run."""
    if found is None:
        start = f"{config.backbone} has no weights, so it begins with random ones."
    elif found:
        start = f"It goes on from {config.backbone}, with its classifiers of {', '.join(found)}."
    else:
        start = f"It goes on from {config.backbone}; the classifiers begin with random weights."
    lengths = {"short": config.max_length, "long": config.long_length}
    seen = ", ".join(
        f"{len(inputs.train[name])} {name} inputs of up to {lengths[name]} tokens"  # type: ignore[index]
        f" {times:.2f} times"
        for name, times in passes(inputs, config).items()
    )
    levels = model.levels
    return start, f"{config.steps} steps see {seen}.", f"Layers 1 to {levels.highest} are run."


def plan(config: PretrainingConfig) -> list[str]:
    """What pre-training would do, in lines; the corpus is encoded and a few steps are timed.

    Args:
        config: The settings, their precision resolved.

    Returns:
        Sizes of the corpus, inputs and passes, layers, parameters and time.

    Raises:
        RelevanceError: As `pretrain` does before the first step.
    """
    job = Job.prepare(config)
    corpus, dev = job.corpus, job.source.inputs.dev
    tokens = len(corpus.ids)
    parameters = sum(weight.numel() for weight in job.model.parameters())
    return [
        f"corpus   {len(corpus)} documents, {len(corpus.sentences) - 1} sentences, {tokens} tokens",
        *(f"note     {note}" for note in job.notes),
        f"dev      {len(dev) if dev is not None else 0} inputs",
        f"model    {parameters} parameters",
        f"time     about {duration(job.seconds())} on {job.source.device}",
    ]
