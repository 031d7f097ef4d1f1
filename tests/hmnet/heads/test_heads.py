"""Heads: initialised as the family does it, the same whatever else is trained, pooled rightly."""

from pathlib import Path

import pytest
import torch

from hmnet.backbones.backbone import load_backbone
from hmnet.heads.head import pool
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import fully_shared, separate
from relevance.tasks.task import Task
from toys import toy

POOLINGS = ("native", "mean")
CUT = 0.88  # what is left of a normal's deviation that is cut at two deviations


def task(name: str, outputs: int = 2) -> Task:
    labels = tuple(f"l{code}" for code in range(outputs))
    return toy(name, labels=labels)


def head(
    folder: Path, names: tuple[str, ...], *, pooling: str = "native", seed: int = 0
) -> dict[str, torch.Tensor]:
    model = MultiTaskModel.from_backbone(
        str(folder), [task(name) for name in names], separate(names, 4), pooling=pooling, seed=seed
    )
    return model.pool["B/head"].state_dict()


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_head_depends_on_seed_and_task_alone(tiny_bert: Path, pooling: str) -> None:
    alone = head(tiny_bert, ("B",), pooling=pooling)
    torch.rand(5)
    assert equal(alone, head(tiny_bert, ("A", "B", "C"), pooling=pooling))
    assert not equal(alone, head(tiny_bert, ("B",), pooling=pooling, seed=1))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_tasks_start_with_different_heads(tiny_bert: Path, pooling: str) -> None:
    tasks = [task("A"), task("B")]
    plan = fully_shared(("A", "B"), 4)
    before = torch.get_rng_state()
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan, pooling=pooling)
    assert torch.equal(torch.get_rng_state(), before)
    one, other = (model.pool[f"{name}/head"].state_dict() for name in ("A", "B"))
    assert not equal(one, other)


def test_the_pooler_starts_as_the_pretrained_one(tiny_bert: Path) -> None:
    weights = head(tiny_bert, ("B",))
    pretrained = load_backbone(str(tiny_bert)).copy_pooler().state_dict()
    assert all(torch.equal(weights[f"pooler.{name}"], pretrained[name]) for name in pretrained)


@pytest.mark.parametrize(
    ("family", "weight", "std"),
    [
        ("bert", "shell.classifier.weight", 0.2),
        ("roberta", "shell.classifier.out_proj.weight", 0.2),
        ("distilbert", "shell.pre_classifier.weight", 0.2),
        ("electra", "shell.classifier.dense.weight", 0.2),
        ("deberta-v2", "shell.pooler.dense.weight", 0.2),
        ("modernbert", "shell.classifier.weight", CUT * 16**-0.5),
        ("modernbert", "shell.head.dense.weight", CUT * 0.2 / 8**0.5),
    ],
)
def test_heads_start_as_their_family_does(
    tiny_backbones: dict[str, Path], family: str, weight: str, std: float
) -> None:
    tasks = [task("A", outputs=200)]
    plan = fully_shared(("A",), 4)
    model = MultiTaskModel.from_backbone(str(tiny_backbones[family]), tasks, plan)
    weights = model.pool["A/head"].state_dict()
    assert float(weights[weight].std()) == pytest.approx(std, rel=0.15)
    biases = [value for name, value in weights.items() if name.endswith("classifier.bias")]
    assert not any(bias.any() for bias in biases)


def test_the_mean_leaves_padding_out() -> None:
    hidden = torch.randn(2, 3, 4)
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]])
    torch.testing.assert_close(pool(hidden, mask, "mean")[0], hidden[0].mean(dim=0))
    torch.testing.assert_close(pool(hidden, mask, "mean")[1], hidden[1, 0])
    assert torch.equal(pool(hidden, mask, "cls"), hidden[:, 0])
