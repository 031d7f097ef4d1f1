"""CA-MTL: what is where by the switches and the wiring, and how many parameters that makes."""

from pathlib import Path

import pytest
import torch
from transformers import BertConfig

from hmnet.backbones.backbone import Backbone, load_backbone
from hmnet.inserts.camtl import ConditionalModules
from hmnet.inserts.insert import Host, adapter_modules
from hmnet.methods.method import find_method
from hmnet.models.count import Count, count_parameters
from hmnet.models.multitask import MultiTaskModel
from relevance.choice import choose
from relevance.errors import RelevanceError
from relevance.tasks.find import find_tasks

TASKS = find_tasks(["RTE", "CB", "SST-2"])
FULL = {
    0: {"alignment", "attention"},
    1: {"attention"},
    2: {"attention", "norms"},
    3: {"attention", "norms", "bottleneck"},
}
SKIPS = {0: {"alignment", "attention", "skip"}, 1: {"attention", "skip"}}


@pytest.fixture(scope="module")
def backbone(tiny_bert: Path) -> Backbone:
    return load_backbone(str(tiny_bert))


def made(backbone: Backbone, text: str, max_length: int = 8) -> ConditionalModules:
    return choose(adapter_modules, text).build(Host(backbone, ["A", "B"], max_length, 0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("camtl", FULL),
        ("camtl:variant=released", FULL),
        ("camtl:attention=off", {j: parts - {"attention"} for j, parts in FULL.items()}),
        ("camtl:alignment=off", FULL | {0: {"attention"}}),
        ("camtl:norm=off", FULL | {2: {"attention"}, 3: {"attention", "bottleneck"}}),
        ("camtl:bottleneck=off", FULL | {3: {"attention", "norms"}}),
        (
            "camtl:wiring=large",
            SKIPS | {j: {"attention", "norms", "skip"} for j in (2, 3)},
        ),
    ],
)
def test_what_is_in_which_layer(
    backbone: Backbone, text: str, expected: dict[int, set[str]]
) -> None:
    assert dict(enumerate(set(parts) for parts in made(backbone, text).layers)) == expected


def test_nothing_on_is_one_line(backbone: Backbone) -> None:
    with pytest.raises(RelevanceError) as error:
        made(backbone, "camtl:attention=off,alignment=off,norm=off,bottleneck=off")
    assert str(error.value) == (
        "Method 'camtl' with everything off is hard sharing. Leave something on, or take"
        ' `method="multi"`.'
    )


def test_blocks_may_start_at_random(backbone: Backbone) -> None:
    plain, drawn, again = (
        made(backbone, text)
        for text in ("camtl", *2 * ["camtl:attention_start=random,alignment=off"])
    )
    for depth, layer in enumerate(drawn.layers):
        blocks = layer["attention"].blocks
        assert 0.5 < blocks.std() / backbone.config.initializer_range < 1.5
        assert torch.equal(blocks, again.layers[depth]["attention"].blocks)
        assert not plain.layers[depth]["attention"].blocks.any()
    assert not torch.equal(*(drawn.layers[depth]["attention"].blocks for depth in (0, 1)))
    for task in ("A", "B"):
        assert torch.equal(plain.embedding(task), drawn.embedding(task))
    with pytest.raises(RelevanceError, match="draws what attention=off leaves out"):
        made(backbone, "camtl:attention_start=random,attention=off")


def test_blocks_need_a_length_of_half_the_width(backbone: Backbone) -> None:
    assert made(backbone, "camtl", 8).layers[0]["attention"].blocks.shape == (2, 4, 4)
    assert made(backbone, "camtl:attention=full-block", 9)
    assert made(backbone, "camtl:attention=off", 9)
    with pytest.raises(RelevanceError, match="16 // 9 = 1 blocks and needs two"):
        made(backbone, "camtl", 9)


def test_an_input_longer_than_the_runs_is_an_error(tiny_bert: Path) -> None:
    ((_, plan),) = find_method("camtl").build(max_length=8).plans(TASKS, 4)
    model = MultiTaskModel.from_backbone(str(tiny_bert), TASKS, plan)
    inputs = {"input_ids": torch.ones(1, 9).long(), "attention_mask": torch.ones(1, 9).long()}
    with pytest.raises(RelevanceError, match="The input has 9 tokens, but this model's"):
        model("RTE", inputs)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders that hold the configurations of BERT-base and BERT-large, and nothing else."""
    root = tmp_path_factory.mktemp("bert")
    large = BertConfig(
        hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096
    )
    for name, config in {"base": BertConfig(), "large": large}.items():
        config.save_pretrained(root / name)
    return {name: str(root / name) for name in ("base", "large")}


def counted(folder: str, text: str, depth: int, freeze: str | None = None) -> Count:
    method = find_method(text)
    ((_, plan),) = method.build().plans(TASKS, depth)
    frozen = freeze or method.defaults.get("freeze", "0")
    return count_parameters(folder, TASKS, plan, frozen=frozen)


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_parameters_of_bert_base_by_hand(bert: dict[str, str], variant: str) -> None:
    d, length, side, blocks = 768, 128, 22, 6
    paper = variant == "paper"
    film = d + 1  # of one modulated value: a row of weights and a bias
    attention = blocks * side**2 + film * 2 * (side**2 if paper else side)
    alignment = d**2 * paper + film * 2 * d
    norm = film * (2 if paper else 1) * d
    bottleneck = (d + 1) * 256 + 257 * d + film * 2 * (256 + d if paper else d)
    expected = len(TASKS) * d + 12 * attention + alignment + 6 * 2 * norm + bottleneck
    assert blocks == d // length
    count = counted(bert["base"], f"camtl:variant={variant}", 12)
    assert count["inserted"] == expected
    assert count["overall"] - counted(bert["base"], "multi", 12)["overall"] == expected
    own = (len(TASKS) - 1) * d
    heads = {task.name: 590_592 + 769 * task.outputs for task in TASKS}
    for task, head in heads.items():
        assert count["active"][task] == count["backbone"] + head + expected - own
        upper = 6 * 7_087_872
        assert count["trained_active"][task] == upper + head + expected - own
    assert count["trained"] == 6 * 7_087_872 + sum(heads.values()) + expected


@pytest.mark.parametrize(
    ("size", "depth", "text", "times", "share"),
    [
        ("base", 12, "camtl:variant=released", 1.10, 0.49),
        ("base", 12, "camtl", 1.25, 0.64),
        ("large", 24, "camtl:wiring=large", 1.45, 0.90),
        ("base", 12, "pals", 1.05, 1.05),
        ("base", 12, "adapters", 1.07, 0.07),
    ],
)
def test_parameters_against_the_backbones(
    bert: dict[str, str], size: str, depth: int, text: str, times: float, share: float
) -> None:
    """With three tasks, heads left out; what the guide says."""
    count = counted(bert[size], text, depth)
    heads = count["overall"] - count["inserted"] - count["backbone"]
    assert 1 + count["inserted"] / count["backbone"] == pytest.approx(times, abs=0.01)
    assert (count["trained"] - heads) / count["backbone"] == pytest.approx(share, abs=0.01)
