"""SkillNet-style models: the plain backbone at the start, then each task in its own skills."""

from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoTokenizer, BertConfig

from hmnet.methods.method import methods
from hmnet.models.count import count_parameters
from hmnet.models.export import export
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.skillnet import SkillLayer, SkillMean
from hmnet.sharing.plan import SharingPlan, fully_shared
from hmnet.sharing.skill_table import Skills, SkillTable
from hmnet.training.optimizer import make_optimizer
from hmnet.training.step import Batch, StepConfig, train_step
from relevance.errors import RelevanceError
from relevance.tasks.find import PAPER_TASKS, find_tasks
from relevance.tasks.task import Task

Batches = Callable[[Path], dict[str, Tensor]]
NAMES = ("one", "two", "three", "idle")
ACTIVE = {
    "RTE": ("one", "two", "three"),
    "CB": ("one", "two"),
    "my.task": ("three",),
    "STS-B": ("one", "two", "three"),
}


@pytest.fixture
def skillnet() -> SharingPlan:
    """Three skills, two, one, and again the same three."""
    shared = fully_shared(tuple(ACTIVE), 4)
    skills = Skills(names=NAMES, active=ACTIVE)
    return SharingPlan(outside=shared.outside, layers=shared.layers, skills=skills)


def build(backbone: Path, tasks: list[Task], plan: SharingPlan) -> MultiTaskModel:
    return MultiTaskModel.from_backbone(str(backbone), tasks, plan)


def part_ways(model: MultiTaskModel) -> None:
    """Make the copies differ, as training would."""
    with torch.no_grad():
        for layer in model.pool.values():
            if isinstance(layer, SkillLayer):
                for weight in layer.blocks.parameters():
                    weight.add_(torch.randn_like(weight), alpha=0.1)


def test_every_path_starts_as_the_plain_backbone_bit_for_bit(
    backbone: Path, tasks: list[Task], skillnet: SharingPlan, batch_for: Batches
) -> None:
    plain = build(backbone, tasks, fully_shared(tuple(ACTIVE), 4))
    model, inputs = build(backbone, tasks, skillnet), batch_for(backbone)
    for task in ACTIVE:
        assert torch.equal(model(task, inputs), plain(task, inputs)), task


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7])
def test_the_mean_of_equal_blocks_is_exact_and_that_of_others_a_mean(count: int) -> None:
    linear, hidden = nn.Linear(64, 64), torch.randn(2, 5, 64)
    assert torch.equal(SkillMean([linear] * count)(hidden), linear(hidden))
    blocks = [nn.Linear(64, 64) for _ in range(count)]
    expected = torch.stack([block(hidden) for block in blocks]).mean(0)
    torch.testing.assert_close(SkillMean(blocks)(hidden), expected)


def test_a_bert_layer_is_what_the_paper_says(
    tiny_bert: Path, tasks: list[Task], skillnet: SharingPlan, batch_for: Batches
) -> None:
    """LayerNorm(attention + mean over active skills of W2 gelu(W1 attention))."""
    model = build(tiny_bert, tasks, skillnet)
    part_ways(model)
    layer = model.pool["shared/0"]
    view = layer.activating(("one", "three"))
    hidden = torch.randn(2, 5, 16)
    seen = []
    hook = view.attention.register_forward_hook(lambda *call: seen.append(call[-1][0]))
    answer = view(hidden)
    hook.remove()
    made = []
    for number in (0, 2):
        intermediate, dense = layer.blocks[number]
        made.append(dense(nn.functional.gelu(intermediate.dense(seen[0]))))
    expected = view.output.LayerNorm(seen[0] + (made[0] + made[1]) / 2)
    torch.testing.assert_close(answer[0] if isinstance(answer, tuple) else answer, expected)


def test_a_step_changes_the_tasks_own_skills_and_what_all_share(
    backbone: Path, tasks: list[Task], skillnet: SharingPlan, batch_for: Batches
) -> None:
    model, inputs = build(backbone, tasks, skillnet).train(), batch_for(backbone)
    optimizer = make_optimizer(model, lr=1e-2, weight_decay=0.5)
    for task, label in (("RTE", 0), ("CB", 2)):
        before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        train_step(
            model, optimizer, [Batch(task, inputs, torch.full((3,), label))], 1e-2, StepConfig()
        )
        changed = {n for n, w in model.named_parameters() if not torch.equal(w, before[n])}
        blocks = {name.split(".blocks.")[1].split(".")[0] for name in changed if ".blocks." in name}
        assert blocks == {str(NAMES.index(skill)) for skill in ACTIVE[task]}
        assert {name.split(".")[1] for name in changed} == {
            *(f"shared/{part}" for part in (0, 1, 2, 3, "outside")),
            f"{task}/head",
        }


def test_memory_serves_tasks_of_the_same_skills_only(
    backbone: Path, tasks: list[Task], skillnet: SharingPlan, batch_for: Batches
) -> None:
    model, inputs = build(backbone, tasks, skillnet), batch_for(backbone)
    part_ways(model)
    with torch.no_grad():
        expected = {task: model(task, inputs) for task in ACTIVE}
    runs: list[str] = []
    for task in ACTIVE:
        for part in model.path(task).modules():
            if isinstance(part, SkillMean) and not part._forward_hooks:
                part.register_forward_hook(lambda *_, task=task: runs.append(task))
    with model.activation_cache():
        remembered = {task: model(task, inputs) for task in (*ACTIVE, *reversed(ACTIVE))}
    for task in ACTIVE:
        assert torch.equal(remembered[task], expected[task]), task
    assert runs == [task for task in ("RTE", "CB", "my.task") for _ in range(4)]


def test_saved_and_loaded_it_answers_the_same(
    tmp_path: Path, tiny_bert: Path, tasks: list[Task], skillnet: SharingPlan, batch_for: Batches
) -> None:
    model, inputs = build(tiny_bert, tasks, skillnet), batch_for(tiny_bert)
    part_ways(model)
    model.save_pretrained(tmp_path / "model")
    loaded = MultiTaskModel.from_pretrained(tmp_path / "model")
    assert loaded.plan == model.plan
    for task in ACTIVE:
        assert torch.equal(loaded(task, inputs), model(task, inputs))


def test_it_cannot_be_exported(
    tmp_path: Path, tiny_bert: Path, tasks: list[Task], skillnet: SharingPlan
) -> None:
    model, tokenizer = build(tiny_bert, tasks, skillnet), AutoTokenizer.from_pretrained(tiny_bert)
    with pytest.raises(RelevanceError) as error:
        export(model, tasks[0], tokenizer, tmp_path / "out")
    assert str(error.value) == (
        "Task 'RTE' runs through the mean of its skills' feed-forward blocks, which no plain"
        " checkpoint can express. Models of hmnet, multi and single can be exported."
    )


def test_a_layer_of_another_make_is_refused() -> None:
    with pytest.raises(RelevanceError) as error:
        SkillLayer(nn.TransformerEncoderLayer(8, 2), ["one"])
    assert str(error.value).startswith(
        "TransformerEncoderLayer does not keep its feed-forward block where method 'skillnet' looks"
    )


@pytest.fixture(scope="module")
def bert_base(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("bert-base")
    BertConfig().save_pretrained(folder)
    return str(folder)


@pytest.mark.process
def test_bert_base_with_seven_skills_has_the_papers_450_million(bert_base: str) -> None:
    """Counted by hand: attention and norms once, the two projections seven times."""
    embeddings, pooler = (30522 + 512 + 2 + 2) * 768, 769 * 768
    block = 769 * 3072 + 3073 * 768
    rest = 4 * 769 * 768 + 2 * 2 * 768
    tasks = find_tasks(PAPER_TASKS)
    (part,) = methods.find("skillnet")().plans(tasks, 12)
    count = count_parameters(bert_base, tasks, part.plan)
    heads = sum(pooler + 769 * task.outputs for task in tasks)
    assert count["overall"] == embeddings + 12 * (rest + 7 * block) + heads
    assert (count["overall"] - 12 * pooler) / 1e6 == pytest.approx(450, abs=1)  # one pooler
    shared = embeddings + 12 * rest + pooler + 2 * 769
    assert count["active"]["SST-2"] == shared + 12 * 2 * block
    assert count["active"]["RTE"] == shared + 12 * 3 * block
    assert count["active"]["BoolQ"] == shared + 12 * 4 * block
    # the paper's: from 166M, 223M on average
    assert round(min(count["active"].values()) / 1e6, 1) == 166.2
    assert round(fmean(count["active"].values()) / 1e6, 1) == 222.8


def test_two_skills_activate_the_papers_166_million(bert_base: str) -> None:
    tasks = find_tasks(["RTE", "SST-2"])
    families = {"natural_language_inference": ("a", "b"), "sentiment_classification": ("b", "c")}
    table = SkillTable(skills=tuple("abcdefg"), families=families)
    (part,) = methods.find("skillnet")(skills=table).plans(tasks, 12)
    count = count_parameters(bert_base, tasks, part.plan)
    assert {round(active / 1e6) for active in count["active"].values()} == {166}
    assert round(count["overall"] / 1e6) == 450
