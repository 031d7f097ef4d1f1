"""Four tasks in two clusters, and batches for any family."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import AutoTokenizer

from hmnet.sharing.plan import SharingPlan, fully_shared, hierarchical, separate
from relevance.clustering.spec import ClusterSpec
from relevance.tasks.task import Task
from toys import GRADED, toy

FAMILY_NAMES = ("bert", "roberta", "distilbert", "electra", "deberta-v2", "modernbert")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes a `family` runs for all six, in the fast tier for BERT alone."""
    if "family" in metafunc.fixturenames:
        bert, *others = FAMILY_NAMES
        slow = [pytest.param(family, marks=pytest.mark.process) for family in others]
        metafunc.parametrize("family", [bert, *slow])


@pytest.fixture
def backbone(family: str, tiny_backbones: dict[str, Path]) -> Path:
    """The tiny encoder of the test's family."""
    return tiny_backbones[family]


@pytest.fixture
def tasks() -> list[Task]:
    """Two, three and two labels, and one regression on [1, 5]; the third has a dot in its name."""
    sizes = {"RTE": 2, "CB": 3, "my.task": 2}
    return [
        *(
            toy(
                name,
                text=("sentence1", "sentence2"),
                labels=tuple(f"label {code}" for code in range(size)),
            )
            for name, size in sizes.items()
        ),
        toy("STS-B", **GRADED, text=("sentence1", "sentence2"), range=(1, 5)),
    ]


@pytest.fixture
def spec() -> ClusterSpec:
    """Two clusters of the four tasks."""
    return ClusterSpec(clusters=(("RTE", "my.task"), ("CB", "STS-B")))


@pytest.fixture
def plan(spec: ClusterSpec) -> SharingPlan:
    """{2, 1, 1} layers of a backbone of four."""
    return hierarchical(spec, 2, 1, 1)


@pytest.fixture
def plans(tasks: list[Task], plan: SharingPlan) -> list[SharingPlan]:
    """One of every kind."""
    names = [task.name for task in tasks]
    return [plan, fully_shared(names, 4), separate(names, 4)]


@pytest.fixture
def batch_for() -> Callable[[Path], dict[str, Tensor]]:
    """Three pairs of texts of different lengths, as the backbone in a folder takes them."""

    def make(folder: Path) -> dict[str, Tensor]:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        first = ["the dog runs", "no", "a woman plays the guitar in the city"]
        second = ["the cat sleeps", "yes", "who is it"]
        return dict(tokenizer(first, second, padding=True, return_tensors="pt"))

    return make


@pytest.fixture(scope="session")
def binary_task() -> Callable[[str], Task]:
    """A task with two labels under any name."""

    return toy


@pytest.fixture(autouse=True)
def _own_random_state() -> None:
    """What a test draws depends on no other test."""
    torch.manual_seed(0)
