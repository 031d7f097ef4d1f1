"""What holds for every head, each of its poolings and each kind of task that it takes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hmnet.data.batching import collate
from hmnet.data.encoder import Encoder
from hmnet.data.tokenizer import read_tokenizer
from hmnet.heads.head import heads
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import fully_shared
from relevance.errors import RelevanceError
from relevance.tasks.task import Task

COLUMNS = (
    ["the dog runs", "no", "a woman plays the guitar"],
    ["the cat sleeps in the city", "yes", "who"],
    ["what is it", "not a river", "a"],
)


def a_task(name: str, texts: int, labels: int) -> Task:
    kind: dict[str, Any] = {"kind": "regression", "range": (1, 5), "metrics": ("pearson",)}
    if labels:
        names = tuple(f"l{code}" for code in range(labels))
        kind = {"kind": "classification", "labels": names, "metrics": ("accuracy",)}
    return Task(name=name, family="f", text=tuple(f"text{n}" for n in range(texts)), **kind)


TASKS = (
    a_task("THREE", 1, 3),
    a_task("GRADE", 1, 0),
    a_task("PAIR", 2, 2),
    a_task("LIKE", 2, 0),
    a_task("QA", 3, 2),
    a_task("NEAR", 3, 0),
)
FORMS = [(name, pooling) for name in heads.names() for pooling in heads.find(name).poolings]
every_form = pytest.mark.parametrize(("name", "pooling"), FORMS)


def takes(name: str, task: Task) -> bool:
    try:
        heads.find(name).check(task)
    except RelevanceError:
        return False
    return True


@pytest.fixture
def tasks(name: str) -> list[Task]:
    """Those that the head takes."""
    return [task for task in TASKS if takes(name, task)]


@pytest.fixture
def model(name: str, pooling: Any, tasks: list[Task], tiny_bert: Path) -> MultiTaskModel:
    plan = fully_shared([task.name for task in tasks], 4)
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan, head=name, pooling=pooling)
    return model.eval()


@pytest.fixture
def batch(model: MultiTaskModel, tiny_bert: Path) -> Any:
    """`batch(task, rows)`: what the model reads of some rows of that task."""
    encoder = Encoder.of(read_tokenizer(tiny_bert))

    def make(task: Task, rows: list[int]) -> dict[str, torch.Tensor]:
        encoded = encoder.encode(COLUMNS[: len(task.text)], 40)
        return collate(encoded, np.array(rows), **model.input_form(task.name))

    return make


@every_form
def test_it_takes_two_tasks_at_least(tasks: list[Task], name: str, pooling: str) -> None:
    assert len(tasks) > 1


@every_form
def test_logits_have_one_column_per_output(
    model: MultiTaskModel, tasks: list[Task], batch: Any, name: str, pooling: str
) -> None:
    for task in tasks:
        logits = model(task.name, batch(task, [0, 1, 2]))
        assert logits.shape == (3, task.outputs)
        assert torch.isfinite(logits).all()


@every_form
def test_rows_and_padding_do_not_mix(
    model: MultiTaskModel, tasks: list[Task], batch: Any, name: str, pooling: str
) -> None:
    for task in tasks:
        together = model(task.name, batch(task, [0, 1, 2]))
        for row in range(3):
            alone = model(task.name, batch(task, [row]))[0]
            torch.testing.assert_close(together[row], alone, atol=1e-5, rtol=1e-4)


@every_form
def test_words_may_come_as_their_embeddings(
    model: MultiTaskModel, tasks: list[Task], batch: Any, name: str, pooling: str
) -> None:
    for task in tasks:
        inputs = batch(task, [0, 1])
        embedded = {key: value for key, value in inputs.items() if key != "input_ids"}
        embedded["inputs_embeds"] = model.embed(task.name, inputs["input_ids"])
        assert torch.equal(model(task.name, embedded), model(task.name, inputs))


@every_form
def test_a_head_learns_from_its_own_task_alone(
    model: MultiTaskModel, tasks: list[Task], batch: Any, name: str, pooling: str
) -> None:
    one, other, *_ = (task.name for task in tasks)
    model(one, batch(tasks[0], [0, 1, 2])).sum().backward()
    with_gradient = {
        parameter for parameter, weight in model.named_parameters() if weight.grad is not None
    }
    own = {parameter for parameter, _ in model.named_parameters() if f"{one}/head" in parameter}
    assert own
    assert own <= with_gradient
    assert not any(f"{other}/head" in parameter for parameter in with_gradient)


@every_form
def test_it_survives_being_saved(
    model: MultiTaskModel,
    tasks: list[Task],
    batch: Any,
    name: str,
    pooling: str,
    tmp_path: Path,
) -> None:
    model.save_pretrained(tmp_path / "model")
    loaded = MultiTaskModel.from_pretrained(tmp_path / "model")
    for task in tasks:
        inputs = batch(task, [0, 1, 2])
        assert torch.equal(loaded(task.name, inputs), model(task.name, inputs))
