"""The model against the plain backbone: equal at the start, and each step changes one path only."""

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_model
from torch import Tensor
from torch.nn import functional
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    BertModel,
    PreTrainedModel,
)

from hmnet.data.tokenizer import read_tokenizer
from hmnet.heads.native import NativePath
from hmnet.models.blueprint import WEIGHTS
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import SharingPlan, fully_shared, separate
from relevance.disk.files import replacing
from relevance.errors import RelevanceError
from relevance.tasks.task import Task

Batches = Callable[[Path], dict[str, Tensor]]
POOLINGS = ("native", "cls", "mean")


def plain_model(folder: Path, model: MultiTaskModel, task: Task) -> PreTrainedModel:
    """What a user of transformers alone would load, with the head of one of the model's tasks."""
    plain = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=task.outputs, dtype=torch.float32
    )
    path = model.path(task.name)
    assert isinstance(path, NativePath)
    head = {
        key: value
        for key, value in path.model.state_dict().items()
        if not key.startswith(f"{plain.base_model_prefix}.")
    }
    plain.load_state_dict(head, strict=False)
    return plain.eval()


def a_step(model: MultiTaskModel, task: str, inputs: dict[str, Tensor]) -> None:
    """One step of AdamW over all of the model, with a loss of one task."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    logits = model(task, inputs)
    labels = torch.zeros_like(logits).index_fill_(1, torch.tensor([0]), 1.0)
    functional.mse_loss(logits, labels).backward()
    optimizer.step()
    optimizer.zero_grad()


def snapshot(model: MultiTaskModel) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def test_each_path_is_the_plain_backbone_whatever_the_plan(
    backbone: Path, tasks: list[Task], plans: list[SharingPlan], batch_for: Batches
) -> None:
    inputs = batch_for(backbone)
    for plan in plans:
        model = MultiTaskModel.from_backbone(str(backbone), tasks, plan)
        for task in tasks:
            expected = plain_model(backbone, model, task)(**inputs).logits
            assert expected.shape == (3, task.outputs)
            assert torch.equal(model(task.name, inputs), expected)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_step_on_one_task_changes_its_path_alone(
    backbone: Path, tasks: list[Task], plan: SharingPlan, batch_for: Batches, pooling: str
) -> None:
    model = MultiTaskModel.from_backbone(str(backbone), tasks, plan, pooling=pooling).train()
    before = snapshot(model)
    a_step(model, "CB", batch_for(backbone))
    on_path = {id(parameter) for parameter in model.path_parameters("CB")}
    for name, parameter in model.named_parameters():
        changed = not torch.equal(parameter, before[name])
        assert changed == (id(parameter) in on_path), name


def test_only_the_active_path_gets_gradients(
    backbone: Path, tasks: list[Task], plan: SharingPlan, batch_for: Batches
) -> None:
    model = MultiTaskModel.from_backbone(str(backbone), tasks, plan)
    model("CB", batch_for(backbone)).sum().backward()
    with_gradient = {id(p) for p in model.parameters() if p.grad is not None}
    assert with_gradient == {id(parameter) for parameter in model.path_parameters("CB")}


def test_members_of_a_cluster_share_and_others_do_not(
    backbone: Path, tasks: list[Task], plan: SharingPlan, batch_for: Batches
) -> None:
    model = MultiTaskModel.from_backbone(str(backbone), tasks, plan)
    before = snapshot(model)
    a_step(model, "CB", batch_for(backbone))
    changed = {
        name.split(".")[1]
        for name, parameter in model.named_parameters()
        if not torch.equal(parameter, before[name])
    }
    assert changed == {"shared/outside", "shared/0", "shared/1", "cluster1/2", "CB/3", "CB/head"}
    shared = {task: {id(p) for p in model.path_parameters(task)} for task in model.tasks}
    cluster = {id(parameter) for parameter in model.pool["cluster1/2"].parameters()}
    assert [cluster <= shared[task] for task in model.tasks] == [False, True, False, True]


def test_separate_tasks_share_nothing(tiny_bert: Path, tasks: list[Task]) -> None:
    plan = separate([task.name for task in tasks], 4)
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan)
    counted = [id(parameter) for task in model.tasks for parameter in model.path_parameters(task)]
    assert len(counted) == len(set(counted)) == len(list(model.parameters()))


def test_every_weight_is_listed_once(
    backbone: Path, tasks: list[Task], plans: list[SharingPlan]
) -> None:
    for plan in plans:
        model = MultiTaskModel.from_backbone(str(backbone), tasks, plan)
        addresses = [value.data_ptr() for value in model.state_dict().values()]
        assert len(addresses) == len(set(addresses))
        total = sum(parameter.numel() for parameter in model.parameters())
        assert total == sum(value.numel() for value in model.state_dict().values())
        on_paths = {id(p) for task in model.tasks for p in model.path_parameters(task)}
        assert on_paths == {id(parameter) for parameter in model.parameters()}


def test_paths_follow_the_pool_wherever_it_goes(
    backbone: Path, tasks: list[Task], plan: SharingPlan, batch_for: Batches
) -> None:
    inputs = batch_for(backbone)
    model = MultiTaskModel.from_backbone(str(backbone), tasks, plan)
    other = MultiTaskModel.from_backbone(str(backbone), tasks, plan, seed=1)
    for name, parameter in other.named_parameters():
        torch.nn.init.normal_(parameter, std=0.1 + 0.01 * len(name))
    expected = {task: other(task, inputs) for task in model.tasks}
    model.double().float().load_state_dict(other.state_dict())
    model = copy.deepcopy(model)
    pool = {id(parameter) for parameter in model.parameters()}
    for task in model.tasks:
        assert {id(parameter) for parameter in model.path_parameters(task)} <= pool
        assert torch.equal(model(task, inputs), expected[task])


def test_paths_follow_the_pool_to_a_device_that_needs_new_parameters(
    backbone: Path, tasks: list[Task], plan: SharingPlan
) -> None:
    model = MultiTaskModel.from_backbone(str(backbone), tasks, plan).to("meta")
    on_paths = {id(p) for task in model.tasks for p in model.path_parameters(task)}
    assert on_paths == {id(parameter) for parameter in model.parameters()}
    assert all(parameter.is_meta for parameter in model.parameters())


def test_dropout_works_in_training_alone(
    backbone: Path, tasks: list[Task], plan: SharingPlan, batch_for: Batches
) -> None:
    inputs = batch_for(backbone)
    model = MultiTaskModel.from_backbone(str(backbone), tasks, plan).train()
    path = model.path("CB")
    dropouts = [part for part in path.modules() if isinstance(part, torch.nn.Dropout)]
    assert all(part.training for part in path.modules())
    assert any(part.p > 0 for part in dropouts) or path.model.config.model_type == "modernbert"
    if path.model.config.model_type != "modernbert":  # all its dropout is 0 by default
        assert not torch.equal(model("CB", inputs), model("CB", inputs))
    model.eval()
    assert not any(part.training for part in path.modules())
    assert torch.equal(model("CB", inputs), model("CB", inputs))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_changes_nothing(
    backbone: Path, tasks: list[Task], plan: SharingPlan, batch_for: Batches, pooling: str
) -> None:
    inputs = batch_for(backbone)
    model = MultiTaskModel.from_backbone(str(backbone), tasks, plan, pooling=pooling)
    together = model("CB", inputs)
    for row, length in enumerate(inputs["attention_mask"].sum(dim=1).tolist()):
        alone = {name: tensor[row : row + 1, :length] for name, tensor in inputs.items()}
        torch.testing.assert_close(model("CB", alone), together[row : row + 1])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_saved_model_needs_nothing_else(
    family: str,
    tiny_backbones: dict[str, Path],
    tmp_path: Path,
    tasks: list[Task],
    plan: SharingPlan,
    batch_for: Batches,
    pooling: str,
) -> None:
    inputs = batch_for(tiny_backbones[family])
    backbone = shutil.copytree(tiny_backbones[family], tmp_path / "backbone")
    model = MultiTaskModel.from_backbone(str(backbone), tasks, plan, pooling=pooling)
    a_step(model, "CB", inputs)
    model.save_pretrained(tmp_path / "model")
    shutil.rmtree(backbone)
    loaded = MultiTaskModel.from_pretrained(tmp_path / "model")
    assert (loaded.plan, loaded.tasks) == (plan, model.tasks)
    assert loaded.blueprint.pooling == pooling
    assert list(loaded.definitions.values()) == tasks
    assert loaded.state_dict().keys() == model.state_dict().keys()
    for task in model.tasks:
        assert torch.equal(loaded(task, inputs), model(task, inputs))


def test_two_may_save_into_one_folder(
    tiny_bert: Path, tmp_path: Path, tasks: list[Task], plan: SharingPlan
) -> None:
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan)
    with replacing(tmp_path / WEIGHTS) as one:
        save_model(model, str(one))
        model.save_pretrained(tmp_path)
    loaded = MultiTaskModel.from_pretrained(tmp_path).state_dict()
    assert all(torch.equal(loaded[name], weight) for name, weight in model.state_dict().items())


@pytest.mark.parametrize("kind", [AutoModel, AutoModelForSequenceClassification, BertModel])
def test_plain_transformers_refuses_what_is_no_plain_checkpoint(
    kind: Any, tiny_bert: Path, tmp_path: Path, tasks: list[Task], plan: SharingPlan
) -> None:
    """It would draw random weights instead, as all weights are called otherwise."""
    MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan).save_pretrained(tmp_path / "model")
    with pytest.raises((OSError, ValueError)):
        kind.from_pretrained(tmp_path / "model")


def test_weights_of_older_versions_are_read(
    tiny_bert: Path, tmp_path: Path, tasks: list[Task], plan: SharingPlan
) -> None:
    folder = tmp_path / "model"
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan)
    model.save_pretrained(folder)
    (folder / "weights.safetensors").rename(folder / "model.safetensors")
    loaded = MultiTaskModel.from_pretrained(folder)
    for name, weight in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight), name


def test_the_saved_files(
    tiny_bert: Path, tmp_path: Path, tasks: list[Task], plan: SharingPlan
) -> None:
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan)
    for _ in range(2):  # the second time over the first
        model.save_pretrained(tmp_path / "model")
    files = sorted(file.name for file in (tmp_path / "model").iterdir())
    assert files == ["backbone_config.json", "plan.json", "weights.safetensors"]
    plan_file = (tmp_path / "model" / "plan.json").read_text()
    assert '"schema": "hmnet.plan/1"' in plan_file
    assert '"source"' not in plan_file


def test_plain_transformers_takes_no_model_of_several_tasks(
    tiny_bert: Path, tmp_path: Path, tasks: list[Task], plan: SharingPlan
) -> None:
    """It would take the configuration and make up the weights."""
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan)
    model.save_pretrained(tmp_path)
    read_tokenizer(tiny_bert).save_pretrained(tmp_path)
    for auto in (AutoModel, AutoModelForSequenceClassification):
        with pytest.raises(ValueError, match=r"Unrecognized model in .* config\.json"):
            auto.from_pretrained(tmp_path)
    with pytest.raises(RelevanceError, match=r"is the model of a run, .* `hmnet export`"):
        MultiTaskModel.from_backbone(str(tmp_path), tasks, plan)
    assert read_tokenizer(tmp_path).get_vocab() == read_tokenizer(tiny_bert).get_vocab()


def test_models_of_older_versions_are_still_read(
    backbone: Path, tmp_path: Path, tasks: list[Task], plan: SharingPlan, batch_for: Batches
) -> None:
    """Their configuration has the name that transformers gives it."""
    model = MultiTaskModel.from_backbone(str(backbone), tasks, plan)
    model.save_pretrained(tmp_path)
    (tmp_path / "backbone_config.json").rename(tmp_path / "config.json")
    read_tokenizer(backbone).save_pretrained(tmp_path)
    inputs = batch_for(backbone)
    loaded = MultiTaskModel.from_pretrained(tmp_path)
    assert torch.equal(loaded("CB", inputs), model("CB", inputs))
    assert read_tokenizer(tmp_path).get_vocab() == read_tokenizer(backbone).get_vocab()


def test_task_names_may_be_words_that_torch_uses(
    tiny_bert: Path, batch_for: Batches, binary_task: Callable[[str], Task]
) -> None:
    names = ("keys", "forward", "shared", "a.b", "a", "b c", "日本")
    tasks = [binary_task(name) for name in names]
    for plan in (fully_shared(names, 4), separate(names, 4)):
        model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan)
        assert model.tasks == names
        assert all(model(name, batch_for(tiny_bert)).shape == (3, 2) for name in names)


def test_a_plan_for_another_depth(tiny_bert: Path, tasks: list[Task]) -> None:
    plan = fully_shared([task.name for task in tasks], 6)
    with pytest.raises(RelevanceError, match="plan has 6 layers, but the backbone has 4"):
        MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan)


def test_a_task_that_the_model_does_not_have(
    tiny_bert: Path, tasks: list[Task], plan: SharingPlan
) -> None:
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan)
    with pytest.raises(RelevanceError, match=r"Unknown task 'RTX'\. Did you mean 'RTE'\?"):
        model.path("RTX")
    with pytest.raises(ValueError, match="the tasks are others"):
        MultiTaskModel.from_backbone(str(tiny_bert), tasks[:2], plan)


@pytest.mark.parametrize("size", [0, 100, 5000])
def test_truncated_weights(
    tiny_bert: Path, tmp_path: Path, tasks: list[Task], plan: SharingPlan, size: int
) -> None:
    MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan).save_pretrained(tmp_path)
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    with pytest.raises(RelevanceError, match=r"weights\.safetensors cannot be loaded: "):
        MultiTaskModel.from_pretrained(tmp_path)
    weights.unlink()
    with pytest.raises(RelevanceError, match=r"weights\.safetensors cannot be loaded: "):
        MultiTaskModel.from_pretrained(tmp_path)


def test_a_folder_that_holds_no_model(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match=r"plan\.json: no such file"):
        MultiTaskModel.from_pretrained(tmp_path)


def test_a_folder_that_cannot_be_written(
    tiny_bert: Path, tmp_path: Path, tasks: list[Task], plan: SharingPlan
) -> None:
    (tmp_path / "file").write_text("")
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan)
    with pytest.raises(RelevanceError, match="cannot be written"):
        model.save_pretrained(tmp_path / "file" / "model")
