"""SMART against closed forms of a linear model, and against the paper's algorithm, row by row."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import AutoTokenizer

from hmnet.answer_scale import AnswerScale
from hmnet.data.batching import collate
from hmnet.data.encoder import Encoder
from hmnet.kinds.kind import kind_of
from hmnet.models.multitask import MultiTaskModel
from hmnet.regularizers.smart import Smart, divergence, scaled_to_row
from hmnet.sharing.plan import hierarchical
from hmnet.training.step import Batch, StepConfig, train_step
from relevance.clustering.spec import ClusterSpec
from relevance.tasks.task import Task

SHARED: dict[str, Any] = {"family": "f", "text": ("sentence1", "sentence2")}
LABELLED: dict[str, Any] = {"kind": "classification", "metrics": ("accuracy",)}
PAIR = Task(name="PAIR", labels=("a", "b"), **LABELLED, **SHARED)
THREE = Task(name="THREE", labels=("a", "b", "c"), **LABELLED, **SHARED)
LIKE = Task(name="LIKE", kind="regression", range=(0, 5), metrics=("pearson",), **SHARED)
FIRST = ["the dog runs", "no", "a woman plays"]
SECOND = ["the cat", "yes", "who is it in the city"]
IDS = torch.tensor([[1, 2, 0], [3, 3, 1]])


class LinearPath(nn.Module):
    """Logits are a linear map of the sum of a row's word embeddings."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.words = nn.Embedding(4, 3)
        self.map = nn.Linear(3, outputs, bias=False)

    def forward(self, input_ids: Any = None, inputs_embeds: Any = None) -> Tensor:
        embedded = self.words(input_ids) if inputs_embeds is None else inputs_embeds
        return self.map(embedded.sum(dim=1))


class LinearModel(MultiTaskModel):
    """One task and that path."""

    def __init__(self, task: Task) -> None:
        nn.Module.__init__(self)
        self.definitions = {task.name: task}
        self.kinds = {task.name: kind_of(task)}
        self.only = LinearPath(task.outputs)

    def embed(self, task: str, ids: Tensor) -> Tensor:
        return self.only.words(ids)

    def path(self, task: str) -> nn.Module:
        return self.only


def ascended(task: Task, smart: Smart) -> tuple[LinearModel, Tensor, Tensor, Tensor]:
    """The model, its clean logits, and a perturbation before and after a step of ascent."""
    torch.manual_seed(0)
    model = LinearModel(task)
    logits = model(task.name, {"input_ids": IDS})
    noise = smart.start(model.embed(task.name, IDS))
    return model, logits, noise, smart.ascend(model, task.name, {"input_ids": IDS}, logits, noise)


def gradient_by_hand(model: LinearModel, logits: Tensor, noise: Tensor, task: Task) -> Tensor:
    """Of the divergence of each row with respect to the embedding of each of its tokens."""
    weights = model.only.map.weight.detach()
    moved = logits.detach() + noise.sum(dim=1) @ weights.T
    if task.kind == "regression":
        of_logits = 2 * 5**2 * (moved - logits.detach())  # LIKE goes from 0 to 5
    else:
        log_p, log_q = logits.detach().log_softmax(1), moved.log_softmax(1)
        p, q = log_p.exp(), log_q.exp()
        backward = (q * (log_q - log_p)).sum(dim=1, keepdim=True)
        of_logits = (q - p) + q * (log_q - log_p - backward)
    return (of_logits @ weights)[:, None].expand_as(noise)


@pytest.mark.parametrize("task", [PAIR, THREE, LIKE], ids=lambda task: task.name)
def test_the_papers_step_is_the_scaled_gradient_in_the_ball(task: Task) -> None:
    smart = Smart(variant="paper", epsilon=0.03, sigma=0.05, step_size=0.02)
    model, logits, noise, moved = ascended(task, smart)
    gradient = gradient_by_hand(model, logits, noise, task)
    free = noise + 0.02 * gradient / gradient.abs().amax(dim=(1, 2), keepdim=True)
    assert (free.abs() > 0.03).any()
    assert (free.abs() < 0.03).any()
    torch.testing.assert_close(moved, free.clamp(-0.03, 0.03), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("task", [PAIR, THREE, LIKE], ids=lambda task: task.name)
def test_the_references_step_is_scaled_to_one_per_token(task: Task) -> None:
    smart = Smart(epsilon=1e-3, sigma=0.05, step_size=0.5)
    model, logits, noise, moved = ascended(task, smart)
    free = noise + 0.5 * gradient_by_hand(model, logits, noise, task)
    expected = free / (free.abs().amax(dim=2, keepdim=True) + 1e-3)
    torch.testing.assert_close(moved, expected, atol=1e-6, rtol=1e-4)


def test_at_the_reports_values_the_reference_is_noise_of_size_one() -> None:
    _, _, noise, moved = ascended(PAIR, Smart())
    torch.testing.assert_close(moved.abs().amax(dim=2), torch.ones(2, 3), atol=0.5, rtol=0)
    assert F.cosine_similarity(moved, noise, dim=2).min() > 0.99


def test_a_row_without_gradient_keeps_its_perturbation() -> None:
    gradient = torch.tensor([[[0.0, 0.0]], [[2.0, -4.0]]])
    assert scaled_to_row(gradient).tolist() == [[[0.0, 0.0]], [[0.5, -1.0]]]


def test_divergence_is_symmetric_kl_or_the_squared_error() -> None:
    torch.manual_seed(0)
    one, other = torch.randn(4, 3), torch.randn(4, 3)
    p, q = one.softmax(1), other.softmax(1)
    expected = (p * (p / q).log()).sum(1) + (q * (q / p).log()).sum(1)
    for pair in ((one, other), (other, one)):
        torch.testing.assert_close(divergence(*pair, regression=False), expected)
    assert torch.equal(divergence(one, one, regression=False), torch.zeros(4))
    assert divergence(torch.ones(2, 1), torch.zeros(2, 1), regression=True).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("unit", [5.0, 2.5, 0.5])
def test_the_term_of_a_regression_is_on_the_scale_of_its_loss(unit: float) -> None:
    smart = Smart(weight=0.3, variant="paper", epsilon=0.03, sigma=0.05, step_size=0.02)
    model, logits, _, moved = ascended(LIKE, smart)  # each row's step does not depend on the scale
    model.kinds = {"LIKE": kind_of(LIKE, scale=AnswerScale(offset=1, spread=5, unit=unit))}
    torch.manual_seed(0)
    LinearModel(LIKE)  # draws what came before the perturbation above
    term = smart(model, "LIKE", {"input_ids": IDS}, logits)
    apart = moved.sum(dim=1) @ model.only.map.weight.detach().T
    expected = 0.3 * (unit * apart).square().mean()
    torch.testing.assert_close(term.detach(), expected, atol=1e-7, rtol=1e-3)


def model_of(folder: Path, head: str, pooling: Any) -> MultiTaskModel:
    tasks = (PAIR, THREE, LIKE)
    plan = hierarchical(ClusterSpec(clusters=(("PAIR", "LIKE"), ("THREE",))), 2, 1, 1)
    return MultiTaskModel.from_backbone(str(folder), tasks, plan, head=head, pooling=pooling)


def batch_of(model: MultiTaskModel, folder: Path, task: str) -> dict[str, Tensor]:
    encoded = Encoder.of(AutoTokenizer.from_pretrained(folder)).encode([FIRST, SECOND], 40)
    return collate(encoded, np.arange(3), **model.input_form(task))


def paper_term(
    model: MultiTaskModel, task: Task, inputs: dict[str, Tensor], start: Tensor, steps: int
) -> float:
    """Algorithm 1, lines 6 to 10, for one row after the other, without any of our own parts.

    The model is the plain function f that gives answers to embeddings.
    """
    table = model.path(task.name)
    words = next(m for m in table.modules() if isinstance(m, nn.Embedding)).weight.detach()
    total = 0.0
    for row in range(3):
        others = {k: v[row : row + 1] for k, v in inputs.items() if k != "input_ids"}
        x = words[inputs["input_ids"][row]]

        def answer(embedded: Tensor, others: Any = others) -> Tensor:
            out = table(inputs_embeds=embedded[None], **others)[0]
            return out if task.kind == "regression" else torch.softmax(out, dim=0)

        def loss(one: Tensor, other: Tensor) -> Tensor:
            if task.kind == "regression":
                return (5 * one - 5 * other) ** 2  # LIKE goes from 0 to 5
            terms = [a * (a / b).log() + b * (b / a).log() for a, b in zip(one, other, strict=True)]
            return sum(terms)

        clean = answer(x).detach()
        moved = x + start[row]
        for _ in range(steps):
            moved = moved.detach().requires_grad_()
            loss(clean, answer(moved)).backward()
            gradient = moved.grad
            moved = moved.detach() + 5e-3 * gradient / max(abs(g) for g in gradient.flatten())
            moved = x + torch.minimum(torch.maximum(moved - x, -E), E)
        total += loss(clean, answer(moved)).item()
    return total / 3


E = torch.tensor(1e-2)


@pytest.mark.parametrize(("head", "pooling"), [("native", "native"), ("siamese", "mean")])
@pytest.mark.parametrize("task", [PAIR, THREE, LIKE], ids=lambda task: task.name)
def test_the_term_is_that_of_the_paper(
    tiny_bert: Path, head: str, pooling: str, task: Task
) -> None:
    model = model_of(tiny_bert, head, pooling).eval()
    inputs = batch_of(model, tiny_bert, task.name)
    smart = Smart(weight=1.0, variant="paper", epsilon=1e-2, sigma=8e-3, step_size=5e-3, steps=2)
    torch.manual_seed(1)
    start = smart.start(model.embed(task.name, inputs["input_ids"]))
    if head == "siamese":  # both texts are perturbed, as one row
        assert start.shape[:2] == (3, 2)
    torch.manual_seed(1)
    term = smart(model, task.name, inputs, model(task.name, inputs))
    expected = paper_term(model, task, inputs, start, steps=2)
    assert expected > 1e-9
    assert term.item() == pytest.approx(expected, rel=2e-2)
    model.zero_grad()


def test_the_papers_term_is_next_to_nothing_at_the_reports_radius(tiny_bert: Path) -> None:
    model = model_of(tiny_bert, "native", "native").eval()
    inputs = batch_of(model, tiny_bert, "PAIR")
    clean = model("PAIR", inputs)
    assert Smart(weight=1.0, variant="paper")(model, "PAIR", inputs, clean) < 1e-9
    assert Smart(weight=1.0)(model, "PAIR", inputs, clean) > 1e-6


def test_the_term_teaches_through_both_answers(tiny_bert: Path) -> None:
    """A gradient that left one answer out would be about half of the difference quotient's."""
    model = model_of(tiny_bert, "native", "native").eval()
    inputs = batch_of(model, tiny_bert, "THREE")
    smart = Smart(weight=1.0, sigma=1.0, step_size=0.0)
    weight = model.pool["THREE/head"].shell.classifier.weight

    def term() -> Tensor:
        torch.manual_seed(2)
        return smart(model, "THREE", inputs, model("THREE", inputs))

    (gradient,) = torch.autograd.grad(term(), weight)
    direction = gradient / gradient.norm()
    values = []
    for step in (1e-2, -1e-2):
        weight.data.add_(direction, alpha=step)
        values.append(term().item())
        weight.data.add_(direction, alpha=-step)
    assert (values[0] - values[1]) / 2e-2 == pytest.approx(gradient.norm().item(), rel=2e-2)


def test_the_average_follows_a_weights_own_updates() -> None:
    torch.manual_seed(0)
    model = LinearModel(THREE)
    smart = Smart(weight=0.0, proximal=2.0, momentum=0.75)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    batch = Batch("THREE", {"input_ids": IDS}, torch.tensor([0, 2]))
    first = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    _, none = train_step(model, optimizer, [batch], 0.5, StepConfig(regularizer=smart))
    assert none == 0  # the first iterate is its own average
    for name, weight in model.named_parameters():
        assert not torch.equal(weight, first[name])
        torch.testing.assert_close(smart.state[name], 0.75 * first[name] + 0.25 * weight)
    average = {name: weight.clone() for name, weight in smart.state.items()}
    of_average = average["only.words.weight"][IDS].sum(dim=1) @ average["only.map.weight"].T
    expected = 2 * divergence(model("THREE", batch.inputs), of_average, regression=False).mean()
    _, term = train_step(model, optimizer, [batch], 0.5, StepConfig(regularizer=smart))
    assert term > 1e-6
    torch.testing.assert_close(term, expected.detach())
