"""Tasks read the levels that their backbone was pre-trained with, and run no layers above."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from hmnet.backbones.backbone import Backbone, load_backbone
from hmnet.backbones.levels import STORED, Concat, Levels, levels_of
from hmnet.kinds._reading import check_concat, read_depth
from hmnet.models.blueprint import Blueprint
from hmnet.models.build import from_blueprint
from hmnet.models.count import count_parameters
from hmnet.models.export import export
from hmnet.models.multitask import MultiTaskModel
from hmnet.pretraining.export import export as export_encoder
from hmnet.pretraining.model import PretrainingModel
from hmnet.sharing.plan import fully_shared
from relevance.errors import RelevanceError
from relevance.tasks.task import Task
from toys import toy

TONE = toy("TONE", text=("sentence",), labels=("bad", "good"))
SPAN = toy(
    "QUIZ", kind="span", text=("question", "context"), labels=(), metrics=("span_f1",), gain=()
)
TAGS = toy(
    "NAMES", kind="tokens", text=("tokens",), labels=("O", "B-x"), metrics=("entity_f1",), gain=()
)
ALL = (TONE, SPAN, TAGS)


def pretrained(encoder: Path, out: Path, **levels: Any) -> Path:
    """A folder as `hmnet pretrain` writes it, of a tiny encoder with four layers."""
    model = PretrainingModel(load_backbone(str(encoder)), Levels(**levels))
    export_encoder(model, AutoTokenizer.from_pretrained(encoder), out)
    return out


def made(folder: Path, *tasks: Task, concat: Concat = "none", **given: Any) -> MultiTaskModel:
    backbone = load_backbone(str(folder))
    depth = read_depth(backbone.config, tasks, concat)
    plan = fully_shared([task.name for task in tasks], depth)
    blueprint = Blueprint(tasks=tasks, plan=plan, concat=concat, **{"pooling": "native", **given})
    return from_blueprint(backbone.up_to(depth), blueprint).eval()


def states(folder: Path, inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
    """Vectors of all tokens below the first layer and behind each."""
    base = load_backbone(str(folder)).without_pooler().eval()
    found: tuple[Tensor, ...] = base(**inputs, output_hidden_states=True).hidden_states
    return found


@pytest.fixture
def inputs(tiny_bert: Path) -> dict[str, Tensor]:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    texts = ["the dog runs", "no", "a woman plays the guitar in the city"]
    return dict(tokenizer(texts, padding=True, return_tensors="pt"))


def runs_of(model: MultiTaskModel, task: str, inputs: dict[str, Tensor]) -> list[str]:
    """Names of the layers that a task's forward pass runs."""
    ran: list[str] = []
    handles = [
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
        for name, module in model.pool.items()
        if name.startswith("shared/") and name != "shared/outside"
    ]
    with torch.no_grad():
        model(task, inputs)
    for handle in handles:
        handle.remove()
    return ran


@pytest.mark.parametrize(("mlm", "nsp"), [(4, 2), (2, 4), (3, 3), (3, None)])
def test_a_task_runs_up_to_its_own_level_and_reads_it(
    tiny_bert: Path, tmp_path: Path, inputs: dict[str, Tensor], mlm: int, nsp: int | None
) -> None:
    folder = pretrained(tiny_bert, tmp_path / "encoder", mlm=mlm, nsp=nsp)
    model = made(folder, *ALL, pooling="cls")
    before = states(folder, inputs)
    for task, level in ((TONE, nsp or mlm), (TAGS, mlm), (SPAN, mlm)):
        assert runs_of(model, task.name, inputs) == [f"shared/{n}" for n in range(level)]
        vectors = before[level]
        layer = model.head(task.name).linear
        if task is TONE:
            wanted = layer(vectors[:, 0])
        else:
            kind = model.head(task.name).kind
            assert kind is not None
            wanted = kind.logits(layer(vectors), inputs["attention_mask"])
        with torch.no_grad():
            torch.testing.assert_close(model(task.name, inputs), wanted)


def test_layers_that_no_task_reads_are_neither_made_nor_counted(
    tiny_bert: Path, tmp_path: Path, inputs: dict[str, Tensor]
) -> None:
    folder = pretrained(tiny_bert, tmp_path / "encoder", mlm=4, nsp=2)
    model = made(folder, TONE)
    assert model.plan.depth == model.config.num_hidden_layers == 2
    counted = count_parameters(str(folder), [TONE], model.plan)
    assert counted["overall"] == sum(weight.numel() for weight in model.parameters())
    both = made(folder, TONE, TAGS)
    counted = count_parameters(str(folder), [TONE, TAGS], both.plan)
    assert counted["active"]["TONE"] < counted["active"]["NAMES"]
    with torch.no_grad(), both.activation_cache():
        answers = {task: both(task, inputs) for task in both.tasks}
    with torch.no_grad():
        for task, answer in answers.items():
            assert torch.equal(both(task, inputs), answer)


@pytest.mark.parametrize("concat", ["cls", "nsp"])
@pytest.mark.parametrize(("mlm", "nsp"), [(4, 2), (2, 4), (3, 3)])
@pytest.mark.parametrize("pooling", ["native", "cls"])
def test_joined_with_zeros_it_answers_as_without_and_else_reads_the_nsp_level(
    tiny_bert: Path,
    tmp_path: Path,
    inputs: dict[str, Tensor],
    concat: Concat,
    mlm: int,
    nsp: int,
    pooling: Any,
) -> None:
    folder = pretrained(tiny_bert, tmp_path / "encoder", mlm=mlm, nsp=nsp)
    plain, joined = (made(folder, *ALL, concat=c, pooling=pooling) for c in ("none", concat))
    highest = max(mlm, nsp)
    assert runs_of(joined, "QUIZ", inputs) == [f"shared/{n}" for n in range(highest)]
    assert runs_of(joined, "TONE", inputs) == [f"shared/{n}" for n in range(nsp)]
    width = 2 if concat == "nsp" else 16
    for task in ("QUIZ", "NAMES"):
        [layer] = [m for m in joined.head(task).modules() if getattr(m, "in_features", 0) > 16]
        assert layer.in_features == 16 + width
        with torch.no_grad():
            otherwise = joined(task, inputs)
            layer.weight[:, 16:] = 0
            # A wider product adds up in another order.
            torch.testing.assert_close(joined(task, inputs), plain(task, inputs))
            layer.weight[:] = 0
            layer.weight[:, 16:] = 1
            read = joined.head(task).joined
            values = read(states(folder, inputs)[nsp][:, 0]).sum(1)  # type: ignore[misc]
            real = inputs["attention_mask"].bool()
            found = joined(task, inputs)
            found = found.transpose(1, 2) if task == "NAMES" else found
            wanted = values[:, None, None].expand_as(found) + layer.bias
            torch.testing.assert_close(found[real], wanted[real])
        assert not torch.equal(otherwise, plain(task, inputs))
    assert torch.equal(joined("TONE", inputs), plain("TONE", inputs))


def test_the_nsp_classifier_that_was_pre_trained_stays_and_trains(
    tiny_bert: Path, tmp_path: Path, inputs: dict[str, Tensor]
) -> None:
    folder = pretrained(tiny_bert, tmp_path / "encoder", mlm=4, nsp=2)
    model = made(folder, TONE, SPAN, concat="nsp")
    classifier = model.head("QUIZ").joined.classifier  # type: ignore[union-attr]
    given = load_backbone(str(folder)).next_sentence
    assert given is not None
    assert given.keys() == classifier.state_dict().keys()  # type: ignore[union-attr]
    for name, weight in classifier.state_dict().items():  # type: ignore[union-attr]
        assert torch.equal(weight, given[name])
    model("QUIZ", inputs).square().sum().backward()
    assert all(w.grad is not None and w.grad.any() for w in classifier.parameters())  # type: ignore[union-attr]
    model.save_pretrained(tmp_path / "model")
    again = MultiTaskModel.from_pretrained(tmp_path / "model")
    with torch.no_grad():
        for task in ("TONE", "QUIZ"):
            assert torch.equal(again(task, inputs), model(task, inputs))


def test_a_plain_checkpoint_of_a_task_has_the_layers_that_it_reads(
    tiny_bert: Path, tmp_path: Path, inputs: dict[str, Tensor]
) -> None:
    folder = pretrained(tiny_bert, tmp_path / "encoder", mlm=4, nsp=2)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), made(folder, TONE, SPAN)
    for task, auto, depth in (
        (TONE, AutoModelForSequenceClassification, 2),
        (SPAN, AutoModelForQuestionAnswering, 4),
    ):
        export(model, task, tokenizer, tmp_path / task.name)
        theirs, loaded = auto.from_pretrained(tmp_path / task.name, output_loading_info=True)
        assert not loaded["missing_keys"]
        assert not loaded["unexpected_keys"]
        assert theirs.config.num_hidden_layers == depth
        assert not hasattr(theirs.config, STORED)
        with torch.no_grad():
            answer = theirs.eval()(**inputs)
            ours = model(task.name, inputs)
        first = answer.logits if task is TONE else answer.start_logits
        assert torch.equal(
            ours if task is TONE else ours[..., 0],
            first.masked_fill(
                torch.zeros_like(first, dtype=torch.bool)
                if task is TONE
                else inputs["attention_mask"] == 0,
                -1e4,
            ),
        )
    with pytest.raises(RelevanceError, match=r"`concat=cls` joins .* no plain checkpoint"):
        export(made(folder, SPAN, concat="cls"), SPAN, tokenizer, tmp_path / "no")


def test_a_norm_on_the_top_is_not_for_inner_levels(
    tiny_backbones: dict[str, Path], tmp_path: Path
) -> None:
    folder = pretrained(tiny_backbones["modernbert"], tmp_path / "encoder", mlm=4, nsp=2)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = dict(tokenizer(["the dog runs", "no"], padding=True, return_tensors="pt"))
    model = made(folder, TONE, TAGS, pooling="cls")
    base = load_backbone(str(folder)).base.eval()
    with torch.no_grad():
        top = base(**inputs).last_hidden_state
        raw = base(**inputs, output_hidden_states=True).hidden_states[2]
        layer = model.head("TONE").linear
        torch.testing.assert_close(model("TONE", inputs), layer(raw[:, 0]))
        tokens = model.head("NAMES").linear(top)
        kind = model.head("NAMES").kind
        assert kind is not None
        torch.testing.assert_close(
            model("NAMES", inputs), kind.logits(tokens, inputs["attention_mask"])
        )
    with pytest.raises(RelevanceError, match="reads layer 2 without the norm"):
        export(made(folder, TONE, TAGS), TONE, tokenizer, tmp_path / "no")


def test_without_levels_all_is_as_it_was(tiny_bert: Path) -> None:
    backbone = load_backbone(str(tiny_bert))
    assert backbone.levels is None
    assert backbone.next_sentence is None
    assert backbone.up_to(1) is backbone
    assert read_depth(backbone.config, ALL) == backbone.depth
    written = made(tiny_bert, TONE).blueprint
    assert written.concat == "none"


@pytest.mark.parametrize(
    "stored",
    [
        3,
        {"mlm": 3},
        {"mlm": 0, "nsp": None, "bigram": None, "concat": "none"},
        {"mlm": "2", "nsp": 1, "bigram": None, "concat": "none"},
        {"mlm": 2, "nsp": True, "bigram": None, "concat": "none"},
        {"mlm": 2, "nsp": 1, "bigram": None, "concat": "all"},
    ],
)
def test_levels_that_are_none_are_refused(tiny_bert: Path, stored: Any) -> None:
    config = load_backbone(str(tiny_bert)).config
    setattr(config, STORED, stored)
    with pytest.raises(RelevanceError, match=f"has {STORED} = .*, expected layers from 1"):
        levels_of(config)


def test_what_cannot_be_joined_or_read_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    folder = pretrained(tiny_bert, tmp_path / "encoder", mlm=4, nsp=2)
    leveled, plain = (load_backbone(str(one)).config for one in (folder, tiny_bert))
    check_concat(leveled, ALL, "nsp")
    check_concat(plain, ALL, "none")
    with pytest.raises(RelevanceError, match="the backbone has no layer for that"):
        check_concat(plain, ALL, "cls")
    with pytest.raises(RelevanceError, match="none of these tasks labels parts of a text"):
        check_concat(leveled, [TONE], "cls")
    lower = load_backbone(str(folder)).up_to(2)
    assert isinstance(lower, Backbone)
    with pytest.raises(RelevanceError, match="'QUIZ' reads layer 4 of its backbone"):
        read_depth(lower.config, [SPAN])


@pytest.mark.parametrize("concat", ["cls", "nsp"])
def test_what_is_joined_moves_all_places_of_a_span_alike_but_not_tags(
    tiny_bert: Path, tmp_path: Path, inputs: dict[str, Tensor], concat: Concat
) -> None:
    """A span is a choice among the tokens of a row, all of which a linear head reads it with."""
    folder = pretrained(tiny_bert, tmp_path / "encoder", mlm=4, nsp=2)
    plain, joined = made(folder, SPAN, TAGS), made(folder, SPAN, TAGS, concat=concat)
    answers = [model("QUIZ", inputs).softmax(dim=1) for model in (plain, joined)]
    torch.testing.assert_close(*answers)
    tags = [model("NAMES", inputs).softmax(dim=1) for model in (plain, joined)]
    assert not torch.allclose(*tags, atol=1e-4)
    targets = torch.tensor([[1, 2], [1, 1], [3, 4]])
    torch.nn.functional.cross_entropy(joined("QUIZ", inputs), targets).backward()
    columns = joined.head("QUIZ").shell.qa_outputs.weight.grad
    width = joined.config.hidden_size
    assert columns[:, :width].abs().max() > 1e-4
    assert columns[:, width:].abs().max() < 1e-7
