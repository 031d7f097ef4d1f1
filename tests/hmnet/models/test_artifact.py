"""All tasks in one file: the logits of each path, and each layer that tasks share once."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor
from torch.export import ExportedProgram
from transformers import AutoTokenizer

from hmnet.methods.method import find_method
from hmnet.models import artifact
from hmnet.models.artifact import export_together
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.traced import APART
from hmnet.runs.loading import loading
from hmnet.sharing.plan import hierarchical
from model_world import FAMILY_NAMES
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.tasks.task import Task
from toys import GRADED, toy

CLOSE = 1e-4
SHAPES = ((1, 4), (3, 40))  # neither is that of the example that is traced
FEED_FORWARD = ("intermediate_dense_weight", "lin1_weight", "wi_weight")  # one in each layer
PAIR = ("sentence1", "sentence2")
JOINED = (toy("SST-2"), toy("STS-B", **GRADED, text=PAIR, range=(1, 5)))
EACH_KIND = (
    toy("linear", text=PAIR, labels=("no", "<img src=x onerror=alert(1)>")),  # is a node's name too
    toy("TAGS", kind="tokens", labels=("O", "B-X", "I-X"), metrics=("entity_f1",)),
    toy("SPAN", kind="span", labels=(), text=("question", "context"), metrics=("span_em",)),
)
EVERY_FAMILY = pytest.mark.parametrize(
    "model_type",
    [f if f == "bert" else pytest.param(f, marks=pytest.mark.heavy) for f in FAMILY_NAMES],
)


def encoder(model_type: str, layers: int, folder: Path, make_backbone: Any) -> Path:
    setting = "n_layers" if model_type == "distilbert" else "num_hidden_layers"
    backbone: Path = make_backbone(model_type, folder / "backbone", **{setting: layers})
    return backbone


def made(
    folder: Path, groups: tuple[tuple[Task, ...], ...], *layers: int, **choice: Any
) -> MultiTaskModel:
    """A model of shared, group and task layers, all of different weights."""
    spec = ClusterSpec(clusters=tuple(tuple(task.name for task in group) for group in groups))
    tasks = [task for group in groups for task in group]
    plan = hierarchical(spec, *layers)
    model = MultiTaskModel.from_backbone(str(folder), tasks, plan, **choice)
    with torch.no_grad():  # layers of equal weights would be merged like those that are shared
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)
    return model


def rows(
    model: MultiTaskModel, shape: tuple[int, int]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Random inputs of a program with padding, and what the paths of all tasks say to them."""
    inputs, expected = {}, {}
    ids = torch.randint(5, 30, shape)
    mask = (torch.arange(shape[1]) < torch.linspace(shape[1], 3, shape[0])[:, None]).long()
    for task in model.tasks:
        form = model.input_form(task)
        own = {"input_ids": ids.where(mask > 0, form["pad_id"]), "attention_mask": mask}
        if form["with_segments"]:
            own["token_type_ids"] = (torch.arange(shape[1]) > 2).long() * mask
        if form["apart"]:
            own = {name: values[:, None].repeat(1, 2, 1) for name, values in own.items()}
        inputs |= {name + APART * form["apart"]: values for name, values in own.items()}
        with torch.no_grad():
            expected[task] = model(task, own)
    return inputs, expected


def written(model: MultiTaskModel, backbone: Path, out: Path, form: Any) -> Path:
    models = dict.fromkeys(model.tasks, model)
    tokenizer = AutoTokenizer.from_pretrained(backbone)
    tasks = list(model.definitions.values())
    export_together(models, tasks, tokenizer, out, form=form, max_length=64)
    return out


def check_torch(model: MultiTaskModel, folder: Path) -> ExportedProgram:
    """Ask the program of torch; the program."""
    loaded = torch.export.load(folder / "model.pt2")
    program = loaded.module()
    for shape in SHAPES:
        inputs, expected = rows(model, shape)
        torch.testing.assert_close(program(**inputs), expected, rtol=0, atol=CLOSE)
    return loaded


def check_onnx(model: MultiTaskModel, folder: Path) -> onnx.ModelProto:
    """Ask onnxruntime by the tasks' names; the graph."""
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    for shape in SHAPES:
        inputs, expected = rows(model, shape)
        names = list(expected)
        found = session.run(names, {name: values.numpy() for name, values in inputs.items()})
        for name, logits in zip(names, found, strict=True):
            torch.testing.assert_close(torch.as_tensor(logits), expected[name], rtol=0, atol=CLOSE)
    return onnx.load(folder / "model.onnx")


@EVERY_FAMILY
def test_onnx_says_what_the_paths_say(
    model_type: str, make_backbone: Callable[..., Path], tmp_path: Path, capfd: Any
) -> None:
    backbone = encoder(model_type, 2, tmp_path, make_backbone)
    model = made(backbone, (JOINED,), 1, 0, 1)
    capfd.readouterr()
    folder = written(model, backbone, tmp_path / "out", "onnx")
    assert capfd.readouterr() == ("", "")
    graph = check_onnx(model, folder).graph
    operations = Counter(node.op_type for node in graph.node)
    assert operations["Softmax"] == 3  # one shared layer and two of tasks, where paths have four
    assert [output.name for output in graph.output] == ["SST-2", "STS-B"]
    axes = [[d.dim_param for d in each.type.tensor_type.shape.dim] for each in graph.input]
    assert axes == [["batch", "length"]] * len(graph.input)
    assert str(Path.home()) not in str(graph)
    told = json.loads((folder / "tasks.json").read_text())
    assert told["opset"] == 18
    assert list(told["inputs"]) == [each.name for each in graph.input]
    assert told["tasks"]["SST-2"]["threshold"] == {"label": "yes", "probability": 0.5}
    assert told["tasks"]["STS-B"]["scale"] == {"offset": 1.0, "spread": 4.0}
    assert AutoTokenizer.from_pretrained(folder)("the dog")["input_ids"]


@EVERY_FAMILY
def test_torch_says_what_the_paths_say(
    model_type: str, make_backbone: Callable[..., Path], tmp_path: Path
) -> None:
    backbone = encoder(model_type, 3, tmp_path, make_backbone)
    model = made(backbone, (JOINED, (toy("my.task"),)), 1, 1, 1)
    folder = written(model, backbone, tmp_path / "out", "torch")
    loaded = check_torch(model, folder)
    given = [each for node in loaded.graph.nodes for each in node.all_input_nodes]
    read = Counter(each.name for each in given if each.op == "placeholder")
    layers = [read[name] for name in read if name.lower().endswith(FEED_FORWARD)]
    assert layers == [1] * 6  # one shared, two of groups and three of tasks, where paths have nine


def test_several_models_are_one_program_without_the_weights_of_tasks_left_out(
    tiny_bert: Path, tmp_path: Path
) -> None:
    """As with method single, and with `--task` for some of the tasks."""
    tasks = (JOINED[0], toy("my.task"))
    models = {task.name: made(tiny_bert, ((task, JOINED[1]),), 1, 1, 2) for task in tasks}
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    export_together(models, tasks, tokenizer, tmp_path / "out", form="torch", max_length=64)
    loaded = torch.export.load(tmp_path / "out" / "model.pt2")
    inputs, _ = rows(models["SST-2"], (2, 5))
    with torch.no_grad():
        expected = {name: model(name, inputs) for name, model in models.items()}
    torch.testing.assert_close(loaded.module()(**inputs), expected, rtol=0, atol=CLOSE)
    paths = [dict.fromkeys(model.path(name).parameters()) for name, model in models.items()]
    most = sum(weight.numel() for path in paths for weight in path)
    assert sum(weight.numel() for weight in loaded.state_dict.values()) <= most


def test_conditional_attention_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    ((_, plan),) = find_method("camtl").build(max_length=8).plans(list(JOINED), 4)
    model = MultiTaskModel.from_backbone(str(tiny_bert), list(JOINED), plan)
    with pytest.raises(RelevanceError, match=r"^Method 'camtl' cuts .* to one length\. Ask"):
        written(model, tiny_bert, tmp_path / "out", "torch")
    assert not (tmp_path / "out").exists()


@pytest.mark.heavy
def test_tags_answers_and_texts_apart(make_backbone: Callable[..., Path], tmp_path: Path) -> None:
    backbone = encoder("bert", 2, tmp_path, make_backbone)
    model = made(backbone, (EACH_KIND,), 1, 0, 1, pooling="mean", head="linear,linear=siamese")
    told = written(model, backbone, tmp_path / "out", "onnx") / "tasks.json"
    graph = check_onnx(model, told.parent).graph
    assert Counter(node.op_type for node in graph.node)["Softmax"] == 3 + 2  # two ways of reading
    tasks = json.loads(told.read_text())["tasks"]
    code = loading(EACH_KIND, "onnx", apart=True)
    values = {"FOLDER": str(told.parent), "texts": ["the dog", "no"], "others": ["a cat", "yes"]}
    exec(code, values)  # noqa: S102  as a reader of the card does
    given = {
        name: torch.as_tensor(values["given"][name + APART])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    }
    with torch.no_grad():
        expected = model("linear", given)
    torch.testing.assert_close(
        torch.as_tensor(values["logits"]["linear"]), expected, rtol=0, atol=CLOSE
    )
    assert tasks["linear"]["reads"].startswith("inputs that end in _apart")
    assert [tasks[name]["axes"][1] for name in ("TAGS", "SPAN")] == ["output", "token"]


def test_missing_packages_and_names_of_inputs(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made_flat(tiny_bert, "input_ids")
    with pytest.raises(RelevanceError, match=r"^Task 'input_ids' has the name of an input of "):
        written(model, tiny_bert, tmp_path / "out", "torch")
    monkeypatch.setattr(artifact, "PACKAGES", ("onnx", "no_such_package"))
    with pytest.raises(RelevanceError) as caught:
        written(model, tiny_bert, tmp_path / "out", "onnx")
    assert str(caught.value) == (
        '`format="onnx"` needs packages that are not installed: no_such_package. Install them with'
        ' `pip install "relevance-hmnet[onnx]"`, or take `format="torch"`.'
    )
    assert not (tmp_path / "out").exists()


def made_flat(folder: Path, name: str) -> MultiTaskModel:
    plan = hierarchical(ClusterSpec(clusters=((name,),)), 4, 0, 0)
    return MultiTaskModel.from_backbone(str(folder), [toy(name)], plan)
