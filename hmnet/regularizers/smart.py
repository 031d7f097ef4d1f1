"""SMART: small changes of the words' embeddings, and of the weights, should change no answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F  # noqa: N812  what everybody calls it

from hmnet.models.multitask import MultiTaskModel
from hmnet.regularizers.regularizer import Inputs, Outputs, Regularizer
from relevance.tasks.kinds.kind import check_per_row
from relevance.tasks.task import Task

Embeddings: TypeAlias = Float[Tensor, "*row token width"]
PerRow: TypeAlias = Float[Tensor, " batch"]
OfRow: TypeAlias = Float[Tensor, "row *text token width"]
Above0 = Annotated[float, Field(gt=0, allow_inf_nan=False)]
From0 = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(kw_only=True)
class Smart(Regularizer):
    """Smoothness-inducing adversarial regularization, and a Bregman proximal term where wanted.

    Word embeddings are perturbed, before the backbone adds positions and normalises, so those come
    once. The perturbation starts from N(0, sigma²) and takes `steps` steps of gradient ascent on
    the divergence from the clean answers: symmetric KL, or squared error for regression. Where a
    task reads two texts one by one, both are perturbed. The term is the mean divergence over the
    batch, through both answers and not through the perturbation.

    The variant `paper` divides the gradient by its largest absolute value in the row, takes a step
    of `step_size`, and projects every token's perturbation to the ball of radius `epsilon` in the
    infinity norm. The variant `reference` is what public codes do: a step along the gradient as it
    is, then every token's perturbation is divided by its own largest absolute value (plus
    `epsilon`), without projection, so it has size 1 in the end, far more than the paper's.

    Dropout stays on in every pass and is drawn anew for each, as in public codes: a part of the
    divergence is that between two draws. The proximal term compares the answers with those of an
    average of the last iterates; for the first update from an iterate its gradient is zero without
    momentum, dropout aside. The average moves with a weight's own updates.

    Attributes:
        weight: Weight of the divergence under perturbation, the paper's lambda_s.
        epsilon: Radius of the ball, or what is added to the norm in `reference`.
        sigma: Standard deviation of the perturbation at its start.
        step_size: Step size of gradient ascent, the paper's eta.
        steps: Steps of gradient ascent, 1 at least.
        variant: `reference` or `paper`.
        proximal: Weight of the proximal term, the paper's mu; 0 for none.
        momentum: Share of the average that an update keeps, the paper's beta.
        state: The average of the last iterates, by the weights' names in the model.

    Source:
        Jiang et al. (2020), "SMART: Robust and Efficient Fine-Tuning for Pre-trained Natural
        Language Models through Principled Regularized Optimization", sections 3.1 and 3.2,
        algorithm 1.
    """

    weight: From0 = 0.02
    epsilon: Above0 = 1e-6
    sigma: Above0 = 1e-5
    step_size: From0 = 1e-3
    steps: Annotated[int, Field(ge=1)] = 1
    variant: Literal["reference", "paper"] = "reference"
    proximal: From0 = 0.0
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.99

    @property
    def is_idle(self) -> bool:
        """Whether both weights are 0."""
        return self.weight == self.proximal == 0

    def __call__(
        self, model: MultiTaskModel, task: str, inputs: Inputs, logits: Outputs
    ) -> Float[Tensor, ""]:
        """The term for the loss of a batch.

        Args:
            model: The model in training mode, called in fp32.
            task: Name of the batch's task.
            inputs: Inputs of the model.
            logits: Logits of the model for them.

        Returns:
            The weighted divergences: nats, or squared errors on the scale of the task's loss.
        """
        term = logits.new_zeros(())
        if self.weight:
            noise = self.start(model.embed(task, inputs["input_ids"]))
            for _ in range(self.steps):
                noise = self.ascend(model, task, inputs, logits, noise)
            perturbed = model(task, _perturbed(model, task, inputs, noise))
            term = term + self.weight * _apart(model, task, logits, perturbed).mean()
        if self.proximal:
            before = self._answer_of_average(model, task, inputs)
            term = term + self.proximal * _apart(model, task, logits, before).mean()
        return term

    def start(self, embeddings: Embeddings) -> Embeddings:
        """A perturbation as it is before any ascent, drawn from torch's default generator.

        Args:
            embeddings: Embeddings to perturb.

        Returns:
            Normal noise of the same shape.
        """
        return torch.randn_like(embeddings, requires_grad=False) * self.sigma

    def ascend(
        self, model: MultiTaskModel, task: str, inputs: Inputs, logits: Outputs, noise: Embeddings
    ) -> Embeddings:
        """One step of gradient ascent on the divergence from the clean answers.

        Args:
            model: The model, whose weights get no gradient from this.
            task: Name of a task.
            inputs: Inputs of the model.
            logits: The clean answers.
            noise: The perturbation so far.

        Returns:
            The next perturbation.
        """
        # Neither earlier steps nor the clean answers are differentiated: the term's gradient goes
        # through both answers at the end, and not through how the perturbation was found.
        noise = noise.detach().requires_grad_()
        perturbed = model(task, _perturbed(model, task, inputs, noise))
        # A sum, not a mean: the step of a row must not depend on how many rows the batch has.
        distance = _apart(model, task, logits.detach(), perturbed).sum()
        (gradient,) = torch.autograd.grad(distance, noise)
        noise = noise.detach()
        if self.variant == "paper":
            moved = noise + self.step_size * scaled_to_row(gradient)
            return moved.clamp(-self.epsilon, self.epsilon)
        moved = noise + self.step_size * gradient
        return moved / (moved.abs().amax(dim=-1, keepdim=True) + self.epsilon)

    def check(self, tasks: Sequence[Task]) -> None:
        """Refuse tasks with more than one answer to a row, of which padding would be some."""
        check_per_row(tasks, '`regularizer="smart"`', "Leave out the task or the regularizer.")

    def after_update(self, model: MultiTaskModel) -> None:
        """Let the average of the iterates follow the weights that a step has changed."""
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if weight.grad is not None and name in self.state:
                    self.state[name].lerp_(weight, 1 - self.momentum)

    def _answer_of_average(self, model: MultiTaskModel, task: str, inputs: Inputs) -> Outputs:
        """Answers of the average of the last iterates; it begins as the first iterate."""
        names = {weight: name for name, weight in model.named_parameters()}
        path = model.path(task)
        average = {}
        for local, weight in path.named_parameters():
            if weight.requires_grad:
                name = names[weight]
                self.state.setdefault(name, weight.detach().clone())
                average[local] = self.state[name]
        with torch.no_grad():
            # a weight that several layers use is listed once, and has to be put back once
            logits: Tensor = functional_call(path, average, (), dict(inputs), tie_weights=False)
        return logits


def divergence(one: Outputs, other: Outputs, *, regression: bool) -> PerRow:
    """Divergence of two answers to each row; symmetric, and 0 for equal ones.

    Args:
        one: Logits, one column per label, or one for regression.
        other: Logits of the other answer, of the same shape.
        regression: Whether they are values and not logits.

    Returns:
        Symmetric KL divergence KL(p|q) + KL(q|p) in nats, or the squared error.

    Source:
        Jiang et al. (2020), section 3.1.
    """
    if regression:
        return (one - other).square().squeeze(-1)
    log_p, log_q = F.log_softmax(one, dim=-1), F.log_softmax(other, dim=-1)
    return ((log_p.exp() - log_q.exp()) * (log_p - log_q)).sum(dim=-1)


def _apart(model: MultiTaskModel, task: str, one: Outputs, other: Outputs) -> PerRow:
    """The divergence of a task's answers, squared errors on the scale that its loss is taken on."""
    kind = model.kinds[task]
    return divergence(one, other, regression=kind.scale is not None) * kind.unit**2


def scaled_to_row(gradient: OfRow) -> OfRow:
    """A gradient whose largest absolute value in each row is 1; a row of zeros stays.

    Args:
        gradient: Gradient of every row's embeddings.

    Returns:
        The gradient of each row divided by its infinity norm.
    """
    largest = gradient.abs().amax(dim=tuple(range(1, gradient.ndim)), keepdim=True)
    return gradient / largest.clamp_min(torch.finfo(gradient.dtype).tiny)


def _perturbed(
    model: MultiTaskModel, task: str, inputs: Inputs, noise: Embeddings
) -> dict[str, Tensor]:
    """The inputs with perturbed word embeddings in the place of token ids."""
    others = {name: values for name, values in inputs.items() if name != "input_ids"}
    return {**others, "inputs_embeds": model.embed(task, inputs["input_ids"]) + noise}
