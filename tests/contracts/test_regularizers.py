"""What holds for every regularizer: a finite term that leaves the model alone until the update."""

from pathlib import Path
from typing import Any

import pytest
import torch

from hmnet.models.multitask import MultiTaskModel
from hmnet.regularizers.regularizer import Regularizer, regularizers
from hmnet.sharing.plan import fully_shared
from hmnet.training.optimizer import make_optimizer
from hmnet.training.step import Batch, StepConfig, train_step
from relevance.choice import choose
from relevance.tasks.task import Task

SHARED: dict[str, Any] = {"family": "f", "text": ("sentence",)}
TASKS = (
    Task(
        name="TONE",
        kind="classification",
        labels=("bad", "good"),
        metrics=("accuracy",),
        **SHARED,
    ),
    Task(name="GRADE", kind="regression", range=(0, 1), metrics=("pearson",), **SHARED),
)
INPUTS = {
    "input_ids": torch.tensor([[2, 40, 41, 3], [2, 42, 3, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]),
}
LABELS = {"TONE": torch.tensor([0, 1]), "GRADE": torch.tensor([0.5, 1.0])}
every_regularizer = pytest.mark.parametrize("name", regularizers.names())


@pytest.fixture
def model(tiny_bert: Path) -> MultiTaskModel:
    torch.manual_seed(0)
    plan = fully_shared([task.name for task in TASKS], 4)
    return MultiTaskModel.from_backbone(str(tiny_bert), TASKS, plan).train()


@pytest.fixture
def regularizer(name: str) -> Regularizer:
    return choose(regularizers, name).build()


@every_regularizer
def test_the_term_is_finite_and_teaches_every_weight_of_the_path(
    model: MultiTaskModel, regularizer: Regularizer, name: str
) -> None:
    for task in model.tasks:
        term = regularizer(model, task, INPUTS, model(task, INPUTS))
        assert term.shape == ()
        assert term.dtype == torch.float32
        assert torch.isfinite(term)
        assert term >= 0
        assert all(weight.grad is None for weight in model.parameters())
        term.backward()
        assert all(weight.grad is not None for weight in model.path_parameters(task))
        model.zero_grad()


@every_regularizer
def test_it_does_something_unless_it_is_told_not_to(regularizer: Regularizer, name: str) -> None:
    assert not regularizer.is_idle


@every_regularizer
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_step_of_two_tasks_tells_loss_and_term_apart(
    model: MultiTaskModel, regularizer: Regularizer, name: str, precision: Any
) -> None:
    optimizer = make_optimizer(model, 1e-3, 0.0)
    batches = [Batch(task, INPUTS, LABELS[task]) for task in model.tasks]
    recipe = StepConfig(precision, regularizer=regularizer)
    loss, term = train_step(model, optimizer, batches, 1e-3, recipe)
    assert torch.isfinite(loss)
    assert torch.isfinite(term)
    assert not loss.requires_grad
    assert not term.requires_grad
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
