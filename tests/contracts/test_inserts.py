"""What holds for every insert: a model that starts as its backbone, and new modules that learn."""

from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import AutoTokenizer

from hmnet.backbones.backbone import Backbone, load_backbone
from hmnet.inserts.insert import adapter_modules
from hmnet.methods.method import find_method
from hmnet.models.build import assemble
from hmnet.models.export import export
from hmnet.models.freezing import freeze
from hmnet.models.multitask import MultiTaskModel
from hmnet.precision import autocast
from hmnet.regularizers.smart import Smart
from hmnet.sharing.freeze import Freeze
from hmnet.sharing.plan import SharingPlan
from hmnet.training.dropout import fast_dropout
from relevance.errors import RelevanceError
from relevance.tasks.task import Task
from toys import toy

FURTHER = (
    "camtl:variant=released",
    "camtl:wiring=large",
    "camtl:variant=released,wiring=large",
    "camtl:attention=full-block",
    "camtl:attention=off",
)
LENGTH = 8
NEAR = {"adapters": 5e-2}  # its paper starts it near the backbone, all others start as it
every_form = pytest.mark.parametrize("text", [*adapter_modules.names(), *FURTHER])
every_insert = pytest.mark.parametrize(
    "text", [*adapter_modules.names(), "camtl:variant=released,wiring=large"]
)
both_kinds = pytest.mark.parametrize("kind", ["bert", "roberta"])


def a_task(name: str, outputs: int) -> Task:
    labels = tuple(f"l{code}" for code in range(outputs))
    return toy(name, text=("a", "b"), labels=labels)


TASKS = [a_task("TWO", 2), a_task("my.three", 3), a_task("FOUR", 4)]


def plan_of(text: str, tasks: list[Task]) -> SharingPlan:
    ((_, plan),) = find_method(text).build(max_length=LENGTH).plans(tasks, 4)
    return plan


@cache
def backbone_in(folder: Path) -> Backbone:
    return load_backbone(str(folder))


def make(folder: Path, text: str, tasks: list[Task] = TASKS) -> MultiTaskModel:
    return assemble(backbone_in(folder), tasks, plan_of(text, tasks)).eval()


def shaken(model: MultiTaskModel) -> MultiTaskModel:
    """As after some training: no new weight is where it started."""
    assert model.insert is not None
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.insert.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.1)
    return model


@cache
def batch(folder: Path, length: int = LENGTH) -> dict[str, Tensor]:
    """Three pairs; the first two fill the length, and the third is padded where it is above 7."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    first, second = ["the dog runs in the city", "no no no no no", "a"], ["is it", "yes", "b"]
    inputs = tokenizer(first, second, padding=True, return_tensors="pt")
    return {name: values[:, :length] for name, values in inputs.items()}


@both_kinds
@every_form
def test_it_starts_as_the_pretrained_backbone(
    tiny_backbones: dict[str, Path], kind: str, text: str
) -> None:
    folder = tiny_backbones[kind]
    model, plain = make(folder, text), make(folder, "multi")
    for length in (LENGTH, 3):
        inputs = batch(folder, length)
        for task in model.tasks:
            torch.testing.assert_close(
                model(task, inputs), plain(task, inputs), rtol=0, atol=NEAR.get(text, 1e-6)
            )
    own, pretrained = model.state_dict(), plain.state_dict()
    assert all(torch.equal(own[name], pretrained[name]) for name in pretrained)
    assert {name.split(".")[0] for name in own.keys() - pretrained.keys()} == {"insert"}


@both_kinds
@every_form
def test_after_two_steps_all_that_is_new_has_learned_and_all_that_is_frozen_is_as_it_was(
    tiny_backbones: dict[str, Path], kind: str, text: str
) -> None:
    folder = tiny_backbones[kind]
    model = make(folder, text).train()
    default = find_method(text).defaults.get("freeze", "0")
    freeze(model, Freeze.parse(default).layers(4), backbone_in(folder).layer_list)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    optimizer = torch.optim.AdamW(trained.values(), lr=1e-3)
    without = {name for name in trained if name.startswith("insert.")}
    assert without == {f"insert.{name}" for name, _ in model.insert.named_parameters()}
    for _ in range(2):
        optimizer.zero_grad()
        for number, task in enumerate(model.tasks):
            labels = torch.tensor([0, 1, number])
            model.kinds[task].losses(model(task, batch(folder)), labels).mean().backward()
        without -= {name for name in without if (trained[name].grad != 0).any()}
        optimizer.step()
    assert without == set()
    for name, weight in model.state_dict().items():
        assert name in trained or torch.equal(weight, before[name]), name
    assert ("pool.shared/0.attention.self.query.weight" in trained) == (default == "0")
    assert "pool.TWO/head.shell.classifier.weight" in trained or kind == "roberta"


@every_insert
def test_a_row_answers_alone_as_in_company(tiny_bert: Path, text: str) -> None:
    model, inputs = shaken(make(tiny_bert, text)), batch(tiny_bert)
    real = inputs["attention_mask"].sum(-1).tolist()
    assert min(real) < LENGTH == max(real)
    for task in model.tasks:
        together = model(task, inputs)
        for row, length in enumerate(real):
            alone = {name: values[row : row + 1, :length] for name, values in inputs.items()}
            torch.testing.assert_close(model(task, alone)[0], together[row])


@every_insert
def test_eager_attention_answers_the_same(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    model, inputs = shaken(make(tiny_bert, text)), batch(tiny_bert)
    expected = model("TWO", inputs)
    monkeypatch.setattr(model.config, "_attn_implementation", "eager")
    torch.testing.assert_close(model("TWO", inputs), expected)


@every_insert
def test_it_runs_and_learns_under_bf16(tiny_bert: Path, text: str) -> None:
    model, inputs = shaken(make(tiny_bert, text)), batch(tiny_bert)
    device = torch.device("cpu")
    with autocast("bf16", device):
        rounded = model("TWO", inputs)
    torch.testing.assert_close(rounded.float(), model("TWO", inputs), rtol=0.1, atol=0.1)
    model.train()
    with autocast("bf16", device), fast_dropout(device):
        logits = model("TWO", inputs)
        loss = model.kinds["TWO"].losses(logits, torch.tensor([0, 1, 1])).mean()
    loss.backward()
    gradients = [weight.grad for weight in model.path_parameters("TWO")]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


@every_insert
def test_saved_and_loaded_it_answers_the_same(tmp_path: Path, tiny_bert: Path, text: str) -> None:
    model, inputs = shaken(make(tiny_bert, text)), batch(tiny_bert)
    model.save_pretrained(tmp_path / "model")
    loaded = MultiTaskModel.from_pretrained(tmp_path / "model")
    assert loaded.plan == model.plan
    for task in model.tasks:
        assert torch.equal(loaded(task, inputs), model(task, inputs))


@every_insert
def test_new_weights_depend_on_no_other_task(tiny_bert: Path, text: str) -> None:
    whole, part = make(tiny_bert, text), make(tiny_bert, text, TASKS[1:])
    more = dict(whole.insert.named_parameters())
    for name, weight in part.insert.named_parameters():
        assert torch.equal(weight, more.pop(name)), name
    assert all("TWO" in name for name in more)


@every_insert
def test_a_path_holds_nothing_of_another_tasks_own(tiny_bert: Path, text: str) -> None:
    model = make(tiny_bert, text)
    paths = {task: set(model.path_parameters(task)) for task in model.tasks}
    assert set().union(*paths.values()) == set(model.parameters())
    own = {name for name, weight in model.named_parameters() if weight in paths["TWO"]}
    assert not any("three" in name or "FOUR" in name for name in own)


@every_insert
def test_layers_that_remember_answer_the_same(tiny_bert: Path, text: str) -> None:
    model, inputs = shaken(make(tiny_bert, text)), batch(tiny_bert)
    with torch.no_grad():
        expected = {task: model(task, inputs) for task in model.tasks}
    with model.activation_cache():
        for task in (*model.tasks, *reversed(model.tasks)):
            assert torch.equal(model(task, inputs), expected[task])


@every_insert
def test_it_cannot_be_exported(tmp_path: Path, tiny_bert: Path, text: str) -> None:
    model, tokenizer = make(tiny_bert, text), AutoTokenizer.from_pretrained(tiny_bert)
    with pytest.raises(RelevanceError) as error:
        export(model, TASKS[0], tokenizer, tmp_path / "out")
    assert str(error.value) == (
        f"Task 'TWO' runs through modules that method '{text.partition(':')[0]}' puts into the"
        " layers, which no plain checkpoint can express. Models of hmnet, multi and single can be"
        " exported."
    )


@pytest.mark.parametrize("name", adapter_modules.names())
@pytest.mark.parametrize("kind", ["distilbert", "deberta-v2", "modernbert"])
def test_layers_of_another_make_are_refused(
    tiny_backbones: dict[str, Path], kind: str, name: str
) -> None:
    with pytest.raises(RelevanceError) as error:
        make(tiny_backbones[kind], name)
    assert str(error.value).endswith(
        f"is not built as method '{name}' needs it. Use a backbone such as BERT, RoBERTa or"
        " ELECTRA, or another `method`."
    )


def test_a_plan_holds_modules_as_a_value_and_their_text_in_json() -> None:
    plan = plan_of("camtl:attention=full-block,alignment=off", TASKS)
    assert plan.inserted is not None
    assert plan.inserted.modules.parameters == {"attention": "full-block", "alignment": "off"}
    written = plan.model_dump(mode="json")
    assert written["inserted"]["modules"] == "camtl:attention=full-block,alignment=off"
    assert SharingPlan.model_validate(written) == plan
    written["inserted"]["modules"] = "camtl:attention=none"
    with pytest.raises(RelevanceError, match="attention"):
        SharingPlan.model_validate(written)


def test_a_plan_from_before_there_were_inserts_is_read() -> None:
    plan = plan_of("multi", TASKS)
    older = plan.model_dump(mode="json")
    del older["inserted"]
    assert SharingPlan.model_validate(older) == plan


@pytest.mark.parametrize("text", adapter_modules.names())
def test_asking_an_average_of_the_weights_leaves_every_weight_in_its_place(
    text: str, tiny_bert: Path
) -> None:
    """PALs hang under every layer, so their weights are on a path more than once."""
    model = MultiTaskModel.from_backbone(str(tiny_bert), TASKS, plan_of(text, TASKS)).train()
    before = dict(model.named_parameters())
    inputs = {
        "input_ids": torch.tensor([[2, 40, 41, 3]]),
        "attention_mask": torch.ones(1, 4, dtype=torch.long),
    }
    smart = Smart(weight=0.0, proximal=1.0)
    for task in model.tasks:
        smart(model, task, inputs, model(task, inputs))
    after = dict(model.named_parameters())
    assert before.keys() == after.keys()
    assert all(after[name] is weight for name, weight in before.items())
