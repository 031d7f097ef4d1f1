"""What holds for every head and each of its poolings."""

from pathlib import Path
from typing import Any

import pytest
import torch

from hmnet.heads.head import heads
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.plan import fully_shared
from relevance.tasks.task import Task

TASKS = (
    Task(
        name="THREE",
        family="f",
        kind="classification",
        text=("sentence",),
        labels=("a", "b", "c"),
        metrics=("accuracy",),
    ),
    Task(
        name="GRADE",
        family="f",
        kind="regression",
        text=("sentence",),
        range=(1, 5),
        metrics=("pearson",),
    ),
)
FORMS = [(name, pooling) for name in heads().names() for pooling in heads().find(name).poolings]
every_form = pytest.mark.parametrize(("name", "pooling"), FORMS)
INPUTS = {
    "input_ids": torch.tensor([[2, 40, 41, 3], [2, 42, 3, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]),
}


@pytest.fixture
def model(name: str, pooling: Any, tiny_bert: Path) -> MultiTaskModel:
    plan = fully_shared([task.name for task in TASKS], 4)
    model = MultiTaskModel.from_backbone(str(tiny_bert), TASKS, plan, head=name, pooling=pooling)
    return model.eval()


@every_form
def test_logits_have_one_column_per_output(model: MultiTaskModel, name: str, pooling: str) -> None:
    for task in TASKS:
        logits = model(task.name, INPUTS)
        assert logits.shape == (2, task.outputs)
        assert torch.isfinite(logits).all()


@every_form
def test_padding_changes_nothing(model: MultiTaskModel, name: str, pooling: str) -> None:
    alone = {key: value[1:, :3] for key, value in INPUTS.items()}
    for task in TASKS:
        padded = model(task.name, INPUTS)[1:]
        torch.testing.assert_close(model(task.name, alone), padded, atol=1e-5, rtol=1e-4)


@every_form
def test_a_head_learns_from_its_own_task_alone(
    model: MultiTaskModel, name: str, pooling: str
) -> None:
    model("THREE", INPUTS).sum().backward()
    with_gradient = {
        parameter for parameter, weight in model.named_parameters() if weight.grad is not None
    }
    own = [parameter for parameter in with_gradient if "THREE/head" in parameter]
    assert own
    assert not any("GRADE/head" in parameter for parameter in with_gradient)


@every_form
def test_it_survives_being_saved(
    model: MultiTaskModel, name: str, pooling: str, tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path / "model")
    loaded = MultiTaskModel.from_pretrained(tmp_path / "model")
    for task in TASKS:
        assert torch.equal(loaded(task.name, INPUTS), model(task.name, INPUTS))
