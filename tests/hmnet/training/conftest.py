"""Three small generated tasks in files, and what training needs of them in memory."""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from hmnet.backbones.backbone import Backbone, load_backbone
from hmnet.data.encoded import Encoded
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import encode_split
from hmnet.samplers.sampler import Step
from hmnet.settings.config import RunConfig, TrainingSettings
from hmnet.sharing.plan import fully_shared
from hmnet.training.fit import fit, make_schedule
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.load import load_task
from relevance.tasks.task import Task

WORDS = [
    "the",
    "a",
    "film",
    "story",
    "dull",
    "great",
    "city",
    "river",
    "woman",
    "man",
    "dog",
    "cat",
]
TASKS = """
[[task]]
name = "TONE"
family = "sentiment"
kind = "classification"
text = ["sentence"]
labels = ["bad", "good"]
metrics = ["accuracy", "f1"]
source = { train = "tone/train.jsonl", dev = "tone/dev.jsonl" }

[[task]]
name = "SAME"
family = "pairs"
kind = "classification"
text = ["sentence1", "sentence2"]
labels = ["same", "other", "none"]
metrics = ["accuracy"]
source = { train = "same/train.jsonl", dev = "same/dev.jsonl", extra = { dev_other = "same/other.jsonl" } }

[[task]]
name = "GRADE"
family = "sentiment"
kind = "regression"
text = ["sentence"]
range = [1, 5]
metrics = ["pearson", "spearman"]
source = { train = "grade/train.jsonl", dev = "grade/dev.jsonl" }
"""  # noqa: E501
SETTINGS = TrainingSettings(
    epochs=2, batch_size=8, max_length=24, lr=1e-3, precision="fp32", pooling="native"
)


@dataclass(frozen=True)
class World:
    """All that `fit` needs: tasks, their training rows, and a backbone."""

    tasks: tuple[Task, ...]
    data: dict[str, Encoded]
    backbone: Backbone
    settings: TrainingSettings = SETTINGS

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(task.name for task in self.tasks)

    @property
    def epochs(self) -> list[list[Step]]:
        lengths = {task: encoded.lengths for task, encoded in self.data.items()}
        return make_schedule(self.settings, lengths, seed=0)

    def fit(self, **options: Any) -> MultiTaskModel:
        """Train all tasks on one encoder."""
        plan = options.pop("plan", fully_shared(self.names, self.backbone.depth))
        settings = options.pop("settings", self.settings)
        return fit(
            self.backbone,
            self.tasks,
            plan,
            self.data,
            self.epochs,
            settings,
            **{"seed": 0, "device": "cpu"} | options,
        )


def sentence(rng: random.Random, *words: str) -> str:
    text = [*words, *rng.choices(WORDS, k=rng.randint(2, 6))]
    rng.shuffle(text)
    return " ".join(text)


def row(task: str, rng: random.Random) -> dict[str, Any]:
    if task == "tone":
        label = rng.randrange(2)
        return {"sentence": sentence(rng, ("bad", "good")[label]), "label": label}
    if task == "same":
        label = rng.randrange(3)
        first = rng.choice(WORDS)
        second = (first, rng.choice(WORDS), "no")[label]
        return {
            "sentence1": sentence(rng, first),
            "sentence2": sentence(rng, second),
            "label": label,
        }
    good = rng.randrange(5)
    return {"sentence": sentence(rng, *["good"] * good), "label": 1.0 + good}


def write_rows(path: Path, task: str, count: int, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row(task, rng)) + "\n" for _ in range(count)))


@pytest.fixture(scope="session")
def task_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TOML file with TONE (37 training rows), SAME (20) and GRADE (24)."""
    folder = tmp_path_factory.mktemp("tasks")
    for seed, (task, count) in enumerate([("tone", 37), ("same", 20), ("grade", 24)]):
        write_rows(folder / task / "train.jsonl", task, count, seed)
        write_rows(folder / task / "dev.jsonl", task, 12, seed + 10)
    write_rows(folder / "same" / "other.jsonl", "same", 6, 20)
    file = folder / "tasks.toml"
    file.write_text(TASKS)
    return file


@pytest.fixture
def world(task_file: Path, tiny_bert: Path) -> World:
    """Tasks, their encoded training rows and the tiny BERT."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    tasks = find_tasks([str(task_file)])
    data = {
        task.name: encode_split(task, load_task(task, DataOptions()).train, tokenizer, 24)
        for task in tasks
    }
    return World(tasks, data, load_backbone(str(tiny_bert)))


@pytest.fixture
def config(task_file: Path, tiny_bert: Path) -> RunConfig:
    """A run of all three tasks that takes about a second."""
    return RunConfig(
        tasks=(str(task_file),),
        backbone=str(tiny_bert),
        method="multi",
        device="cpu",
        **SETTINGS.model_dump(),
    )
