"""Three small generated tasks in files, and what training needs of them in memory."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from hmnet.backbones.backbone import Backbone, load_backbone
from hmnet.data.encoded import Encoded
from hmnet.models.build import build_model
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedTask, lengths_of, prepare
from hmnet.samplers.sampler import Step
from hmnet.settings.config import RunConfig, TrainingSettings
from hmnet.sharing.plan import fully_shared
from hmnet.training.fit import fit, make_schedule
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.hook import Hook
from hmnet.training.hooks.progress import Progress, Report
from hmnet.training.hooks.selection import Selection
from hmnet.training.hooks.uncertainty_log import UncertaintyLog
from hmnet.training.hooks.watching import Watching
from hmnet.training.ranks import ALONE
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.load import load_task
from relevance.tasks.task import Task
from small_tasks import definitions, write_rows

torch.set_num_threads(1)  # for tensors as small as those of the tests

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
SETTINGS = TrainingSettings(
    epochs=2, batch_size=8, max_length=24, lr=1e-3, precision="fp32", pooling="native"
)


@dataclass(frozen=True)
class World:
    """All that `fit` needs: tasks, their training rows, and a backbone."""

    prepared: tuple[PreparedTask, ...]
    backbone: Backbone
    settings: TrainingSettings = SETTINGS
    steps: list[list[Step]] | None = None  # by epoch, in the place of the sampler's

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(task.definition for task in self.prepared)

    @property
    def data(self) -> dict[str, Encoded]:
        return {task.name: task.train.encoded for task in self.prepared}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(task.name for task in self.tasks)

    @property
    def epochs(self) -> list[list[Step]]:
        return self.steps or make_schedule(self.settings, lengths_of(self.prepared), seed=0)

    def fit(self, **options: Any) -> MultiTaskModel:
        """Train all tasks on one encoder; options are parts of it that stay, or names of hooks."""
        plan = options.pop("plan", fully_shared(self.names, self.backbone.depth))
        settings, seed = options.pop("settings", self.settings), options.pop("seed", 0)
        device = options.pop("device", "cpu")
        model = build_model(self.backbone, self.prepared, plan, settings, seed=seed, device=device)
        on_end, ranks = options.pop("on_end", None), options.pop("ranks", ALONE)
        hooks = self._hooks(settings, **options)
        record = fit(model, self.prepared, self.epochs, settings, seed, hooks, ranks)
        if on_end:
            on_end(record)
        return model

    def _hooks(
        self,
        settings: TrainingSettings,
        *,
        on_step: Callable[[Progress], None] | None = None,
        selection: Selection | None = None,
        checkpoints: Checkpoints | None = None,
        watch: Callable[[MultiTaskModel, int], None] | None = None,
        log_uncertainty: bool = False,
    ) -> list[Hook]:
        hooks = (
            Report(on_step, with_term=settings.regularizer is not None),
            UncertaintyLog(self.prepared, settings.batch_size) if log_uncertainty else None,
            selection,
            Watching(watch) if watch else None,
            checkpoints,
        )
        return [hook for hook in hooks if hook is not None]


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


def generated(task: str, count: int, seed: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)  # noqa: S311
    return [row(task, rng) for _ in range(count)]


@pytest.fixture(scope="session")
def task_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TOML file with TONE (37 training rows), SAME (20) and GRADE (24)."""
    folder = tmp_path_factory.mktemp("tasks")
    for seed, (task, count) in enumerate([("tone", 37), ("same", 20), ("grade", 24)]):
        write_rows(folder / task / "train.jsonl", generated(task, count, seed))
        write_rows(folder / task / "dev.jsonl", generated(task, 12, seed + 10))
    write_rows(folder / "same" / "other.jsonl", generated("same", 6, 20))
    file = folder / "tasks.toml"
    more = ', extra = { dev_other = "same/other.jsonl" }'
    file.write_text(definitions(dict.fromkeys(["TONE", "SAME", "GRADE"], ".jsonl"), SAME=more))
    return file


@pytest.fixture(scope="session")
def world(task_file: Path, tiny_bert: Path) -> World:
    """Tasks, their encoded training rows and the tiny BERT; tests replace and never change them."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    tasks = find_tasks([str(task_file)])
    prepared = (prepare(load_task(task, DataOptions()), tokenizer, 24, 0) for task in tasks)
    return World(tuple(prepared), load_backbone(str(tiny_bert)))


@pytest.fixture(scope="session")
def config(task_file: Path, tiny_bert: Path) -> RunConfig:
    """A run of all three tasks that takes about a second."""
    return RunConfig(
        tasks=(str(task_file),),
        backbone=str(tiny_bert),
        method="multi",
        device="cpu",
        **SETTINGS.model_dump(),
    )
