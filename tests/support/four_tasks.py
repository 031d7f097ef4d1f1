"""Four tasks of different shapes and an untrained model with clusters for them."""

from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import hierarchical
from relevance.clustering.spec import ClusterSpec
from relevance.tasks.data import Split
from relevance.tasks.task import Task
from toys import GRADED, toy

TONE = toy("TONE", family="sentiment", labels=("bad", "good"), metrics=("accuracy", "f1"))
SAME = toy(
    "SAME",
    family="pairs",
    text=("sentence1", "sentence2"),
    labels=("same", "other", "none"),
    gain=("accuracy", "macro_f1"),
)
GRADE = toy(
    "GRADE",
    **GRADED | {"metrics": ("pearson", "spearman")},
    family="sentiment",
    text=("text",),
    range=(1, 5),
)
QA = toy(
    "QA",
    family="qa",
    text=("paragraph", "question", "answer"),
    labels=("false", "true"),
    metrics=("f1a", "question_em"),
    truncate="paragraph",
    group=("idx",),
)
TEXTS = ["a good film", "", "the dog runs in the city", "no", "who plays the guitar", "very dull"]


@pytest.fixture
def tasks() -> dict[str, Task]:
    return {task.name: task for task in (TONE, SAME, GRADE, QA)}


@pytest.fixture
def splits(tasks: dict[str, Task]) -> dict[str, Split]:
    rng = np.random.default_rng(0)
    return {
        name: Split(
            texts=tuple(TEXTS[place:] + TEXTS[:place] for place in range(len(task.text))),
            labels=rng.uniform(1, 5, 6) if task.range else rng.permutation(6) % task.outputs,
            groups=np.arange(6) // 2 if task.group else None,
        )
        for name, task in tasks.items()
    }


@pytest.fixture(scope="session")
def model(tiny_bert: Path) -> MultiTaskModel:
    spec = ClusterSpec(clusters=(("TONE", "GRADE"), ("SAME", "QA")))
    plan = hierarchical(spec, 2, 1, 1)
    return MultiTaskModel.from_backbone(str(tiny_bert), (TONE, SAME, GRADE, QA), plan)


@pytest.fixture(scope="session")
def tokenizer(tiny_bert: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny_bert)
