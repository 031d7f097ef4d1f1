"""Asking all tasks at once: each shared layer runs once, and the answers stay the same bits."""

import gc
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from hmnet.models.activation_cache import activation_cache
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import SharingPlan, fully_shared, hierarchical, separate
from relevance.clustering.spec import ClusterSpec
from relevance.tasks.task import Task

Batches = Callable[[Path], dict[str, Tensor]]


def answers(model: MultiTaskModel, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    return {task: model(task, inputs) for task in model.tasks}


def count_runs(model: MultiTaskModel) -> Counter[str]:
    """Counts how often each layer really runs, by its attention, which memory would skip."""
    runs: Counter[str] = Counter()
    for name in model.plan.depths:
        layer = model.pool[name.replace(".", "/")]
        attention = next(part for key, part in layer.named_children() if "att" in key)
        attention.register_forward_hook(lambda *_, name=name: runs.update([name]))
    return runs


def test_the_papers_model_runs_40_layers_instead_of_156(
    tmp_path: Path,
    make_backbone: Callable[..., Path],
    batch_for: Batches,
    binary_task: Callable[[str], Task],
) -> None:
    names = [f"T{number}" for number in range(13)]
    clusters = (tuple(names[:6]), tuple(names[6:10]), tuple(names[10:]))
    tasks = [binary_task(name) for name in names]
    folder = make_backbone("bert", tmp_path / "deep", num_hidden_layers=12)
    plan = hierarchical(ClusterSpec(clusters=clusters), 8, 2, 2)
    model = MultiTaskModel.from_backbone(str(folder), tasks, plan)
    inputs, runs = batch_for(folder), count_runs(model)
    with torch.no_grad():
        expected = answers(model, inputs)
    assert runs.total() == 156
    runs.clear()
    with model.activation_cache():
        remembered = answers(model, inputs)
    assert runs.total() == len(runs) == 8 + 3 * 2 + 13 * 2 == 40
    assert all(torch.equal(remembered[task], expected[task]) for task in names)


@pytest.mark.parametrize("pooling", ["native", "mean"])
def test_answers_are_the_same_bits(
    backbone: Path, tasks: list[Task], plans: list[SharingPlan], batch_for: Batches, pooling: str
) -> None:
    inputs = batch_for(backbone)
    whole = {
        name: value[:, : int(inputs["attention_mask"].sum(1).min())]
        for name, value in inputs.items()
    }
    for plan in plans:
        model = MultiTaskModel.from_backbone(str(backbone), tasks, plan, pooling=pooling)
        runs = count_runs(model)
        batches = [inputs, whole, inputs | {"attention_mask": torch.ones_like(inputs["input_ids"])}]
        with torch.no_grad():
            expected = [answers(model, batch) for batch in batches]
        runs.clear()
        with model.activation_cache():
            remembered = [answers(model, batch) for batch in batches]
        assert set(runs.values()) == {len(batches)}
        assert len(runs) == len(plan.depths)
        for one, other in zip(remembered, expected, strict=True):
            assert all(torch.equal(one[task], other[task]) for task in model.tasks)


def test_equal_inputs_need_not_be_the_same_tensors(
    backbone: Path, tasks: list[Task], batch_for: Batches
) -> None:
    model = MultiTaskModel.from_backbone(
        str(backbone), tasks, fully_shared([task.name for task in tasks], 4)
    )
    runs = count_runs(model)
    with model.activation_cache():
        for task in model.tasks:
            model(task, batch_for(backbone))
    assert set(runs.values()) == {1}


def test_afterwards_nothing_is_remembered_or_kept(
    tiny_bert: Path, tasks: list[Task], plan: SharingPlan, batch_for: Batches
) -> None:
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan)
    inputs, runs = batch_for(tiny_bert), count_runs(model)
    kept = []
    hook = model.pool["shared/1"].register_forward_hook(
        lambda _module, _args, output: kept.append(weakref.ref(output))
    )
    with model.activation_cache():
        model("CB", inputs)
        assert kept[0]() is not None
    hook.remove()
    gc.collect()
    assert kept[0]() is None
    assert not any("forward" in vars(module) for module in model.modules())
    model("CB", inputs).sum().backward()
    assert runs["shared.0"] == 2


def test_an_error_inside_also_ends_it(tiny_bert: Path, tasks: list[Task]) -> None:
    model = MultiTaskModel.from_backbone(
        str(tiny_bert), tasks, separate([task.name for task in tasks], 4)
    )
    with pytest.raises(KeyError), model.activation_cache():
        raise KeyError
    assert not any("forward" in vars(module) for module in model.modules())
    assert torch.is_grad_enabled()


def test_training_has_no_memory() -> None:
    with (
        pytest.raises(RuntimeError, match=r"call model\.eval\(\) first"),
        activation_cache([nn.ReLU()]),
    ):
        pass
