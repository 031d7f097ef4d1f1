"""Parameter counts against closed forms, from a config.json alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import BertConfig

from hmnet.models.count import count_parameters
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import SharingPlan, fully_shared, hierarchical, separate
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.tasks.task import Task

NAMES = tuple(f"T{number}" for number in range(13))
EMBEDDINGS = (30522 + 512 + 2) * 768 + 2 * 768
LAYER = 4 * (768 + 1) * 768 + (768 + 1) * 3072 + (3072 + 1) * 768 + 2 * 2 * 768
POOLER = (768 + 1) * 768
CLASSIFIER = (768 + 1) * 2


@pytest.fixture(scope="module")
def bert_base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder that holds the configuration of BERT-base and nothing else."""
    folder = tmp_path_factory.mktemp("bert-base")
    BertConfig().save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def thirteen(binary_task: Callable[[str], Task]) -> list[Task]:
    return [binary_task(name) for name in NAMES]


def clustered(count: int) -> ClusterSpec:
    return ClusterSpec(clusters=tuple(NAMES[start::count] for start in range(count)))


def test_the_parts_of_bert_base() -> None:
    assert (EMBEDDINGS, LAYER, POOLER) == (23_837_184, 7_087_872, 590_592)


@pytest.mark.parametrize(("clusters", "layers", "millions"), [(3, 40, 315), (4, 42, 329)])
def test_the_papers_model(
    bert_base: str, thirteen: list[Task], clusters: int, layers: int, millions: int
) -> None:
    count = count_parameters(bert_base, thirteen, hierarchical(clustered(clusters), 8, 2, 2))
    assert count["overall"] == EMBEDDINGS + layers * LAYER + 13 * (POOLER + CLASSIFIER)
    assert round(count["overall"] / 1e6) == millions
    one_path = EMBEDDINGS + 12 * LAYER + POOLER + CLASSIFIER
    assert count["active"] == dict.fromkeys(NAMES, one_path)
    assert 109e6 < one_path < 110e6


@pytest.mark.process
def test_the_baselines(bert_base: str, thirteen: list[Task]) -> None:
    multi = count_parameters(bert_base, thirteen, fully_shared(NAMES, 12))
    single = count_parameters(bert_base, thirteen, separate(NAMES, 12))
    assert multi["overall"] == EMBEDDINGS + 12 * LAYER + 13 * (POOLER + CLASSIFIER)
    assert single["overall"] == sum(single["active"].values())
    assert single["active"] == multi["active"]


def test_a_linear_head_has_no_pooler(bert_base: str, thirteen: list[Task]) -> None:
    count = count_parameters(bert_base, thirteen, fully_shared(NAMES, 12), "mean")
    assert count["overall"] == EMBEDDINGS + 12 * LAYER + 13 * CLASSIFIER


@pytest.mark.parametrize("pooling", ["native", "cls"])
def test_the_count_is_that_of_the_model(
    backbone: Path, tasks: list[Task], plan: SharingPlan, pooling: str
) -> None:
    model = MultiTaskModel.from_backbone(str(backbone), tasks, plan, pooling=pooling)
    count = count_parameters(str(backbone), tasks, plan, pooling)
    assert count["overall"] == sum(value.numel() for value in model.state_dict().values())
    for task in model.tasks:
        assert count["active"][task] == sum(p.numel() for p in model.path_parameters(task))


def test_layers_that_do_not_fit(bert_base: str, thirteen: list[Task]) -> None:
    with pytest.raises(RelevanceError, match="plan has 6 layers, but the backbone has 12"):
        count_parameters(bert_base, thirteen, fully_shared(NAMES, 6))
