"""Inputs of a corpus as what a training learns from, and how well objectives are answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from hmnet.data.batching import InputForm
from hmnet.precision import Precision, autocast
from hmnet.pretraining.batches import make_batch
from hmnet.pretraining.inputs import Inputs
from hmnet.pretraining.masking import Masking
from hmnet.pretraining.model import Answered, PretrainingBatch, PretrainingModel
from hmnet.pretraining.pairs import Pairs
from hmnet.samplers.sampler import SelectedStep, generator
from hmnet.training.dropout import fast_dropout
from hmnet.training.hooks.progress import ObjectiveScore
from hmnet.training.step import Losses, StepConfig

Answers = dict[str, Answered]
DEV_INPUTS, DEV_BATCH = 1024, 32


@dataclass(frozen=True)
class PretrainingPart:
    """A batch with the losses of its objectives.

    Attributes:
        task: `short` or `long`.
        batch: The inputs and what is asked.
        note: Told what was answered.
        weight: Weight in a step.
    """

    task: str
    batch: PretrainingBatch
    note: Callable[[Answers], None]
    weight: float = 1.0

    @property
    def device(self) -> torch.device:
        """Device of the tensors."""
        return self.batch.mlm.device

    def losses(self, model: PretrainingModel, recipe: StepConfig) -> Losses:
        """The plain sum of the objectives' means.

        Args:
            model: The model in training mode.
            recipe: Its precision counts.

        Returns:
            The sum; no regularizer adds to it.
        """
        with autocast(recipe.precision, self.device), fast_dropout(self.device):
            answers = model(self.batch)
        self.note(answers)
        loss = torch.stack([answer.loss for answer in answers.values()]).sum()
        return Losses(loss, torch.zeros((), device=self.device))


@dataclass(frozen=True)
class PretrainingSource:
    """Makes batches: what is swapped and masked is drawn anew at every step, by its number.

    Attributes:
        inputs: The inputs.
        masking: How tokens are masked.
        form: Form of inputs for the encoder.
        swap: Whether neighbours are swapped.
        seed: Seed of all draws.
        device: Device of the tensors.
        answered: Answers of steps that nobody has asked for yet, by the number of the step.
    """

    inputs: Inputs
    masking: Masking
    form: InputForm
    swap: bool
    seed: int
    device: torch.device
    answered: dict[int, dict[str, Tensor]] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the corpus does; how inputs are made of it is up to settings."""
        return next(iter(self.inputs.train.values())).corpus.fingerprint

    @property
    def versions(self) -> Mapping[str, int]:
        """How steps are drawn has not changed."""
        return {}

    @property
    def scorer(self) -> None:
        """Steps are never chosen by the model."""

    def batches(self, selected: SelectedStep, step: int) -> list[PretrainingPart]:
        """The one batch of a step.

        Args:
            selected: The inputs.
            step: Number of steps done before.

        Returns:
            The batch.
        """

        def note(answers: Answers) -> None:
            self.answered[step + 1] = {
                name: torch.stack([each.loss.detach(), each.correct / max(each.asked, 1)])
                for name, each in answers.items()
            }

        [(name, rows)] = selected.step
        pairs = next(pairs for known, pairs in self.inputs.train.items() if known == name)
        rng = generator(self.seed, "hide", step)
        return [PretrainingPart(name, self._batch(pairs, rows, rng), note)]

    def scores_of(self, step: int) -> dict[str, ObjectiveScore]:
        """Loss and accuracy of each objective in a step; they are given once.

        Args:
            step: Number of the step, from 1.

        Returns:
            By objective: `mlm`, `nsp`, `bigram`, as far as there are any.
        """
        found = self.answered.pop(step)
        return {name: ObjectiveScore(*values.tolist()) for name, values in found.items()}

    def dev_scores(self, model: PretrainingModel, precision: Precision) -> dict[str, float]:
        """Score a model on what is held out, which is swapped and masked alike every time.

        Args:
            model: The model; it is in training mode afterwards.
            precision: Precision of the forward pass.

        Returns:
            `mlm_loss`, `mlm_accuracy` and so on, means over what is asked; empty where nothing is
            held out.
        """
        pairs = self.inputs.dev
        if pairs is None:
            return {}
        sums: dict[str, np.ndarray] = {}
        chosen = np.linspace(0, len(pairs) - 1, min(len(pairs), DEV_INPUTS)).round().astype(int)
        model.eval()
        with torch.no_grad(), autocast(precision, self.device):
            for start in range(0, len(chosen), DEV_BATCH):
                rng = generator(0, "dev", start)
                answers = model(self._batch(pairs, chosen[start : start + DEV_BATCH], rng))
                for name, (loss, correct, asked) in answers.items():
                    own = np.array([loss.item() * asked if asked else 0.0, int(correct), asked])
                    sums[name] = sums.get(name, 0) + own
        model.train()
        scores = {}
        for name, (loss, correct, asked) in sums.items():
            scores[f"{name}_loss"] = float(loss / asked)
            scores[f"{name}_accuracy"] = float(correct / asked)
        return scores

    def _batch(self, pairs: Pairs, rows: np.ndarray, rng: np.random.Generator) -> PretrainingBatch:
        return make_batch(
            pairs, rows, self.masking, self.form, rng, swap=self.swap, device=self.device
        )
