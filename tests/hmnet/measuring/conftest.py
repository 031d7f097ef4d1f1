"""Four small generated tasks, and a probe of a tiny encoder for them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hmnet.measuring.joint_trainer import JointTrainer
from hmnet.measuring.probe import EncoderProbe
from hmnet.settings.config import TrainingSettings
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.task import Task
from toys import GRADED, table

PAIR = {"family": "pairs", "text": ("sentence1", "sentence2")}
TASKS = "\n".join(
    (
        table("TONE", "tone.csv", family="sentiment", labels=("bad", "good")),
        table("SAME", "same.csv", **PAIR, labels=("same", "other", "none")),
        table("GRADE", "grade.csv", **GRADED, family="sentiment", range=(1, 5)),
        table("MATCH", "match.csv", **GRADED | PAIR, range=(0, 5)),
    )
)
WORDS = ["film", "story", "dog", "cat", "city", "river", "woman", "man", "guitar", "the"]
SETTINGS = TrainingSettings(
    epochs=1, max_steps_per_task=3, batch_size=8, max_length=24, lr=1e-3, precision="fp32"
)


def sentence(number: int) -> str:
    """Two to six words, other ones for other numbers."""
    return " ".join(WORDS[(number * step + step) % 10] for step in range(1, 3 + number % 5))


@pytest.fixture(scope="session")
def probe_tasks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Task, ...]:
    """TONE (60 rows), SAME (40), GRADE (50) and MATCH (30), a fifth of each held out."""
    folder = tmp_path_factory.mktemp("probe")
    rows = {
        "tone": ["sentence,label"]
        + [f"{('dull', 'great')[i % 2]} {sentence(i)},{i % 2}" for i in range(60)],
        "same": ["sentence1,sentence2,label"]
        + [f"{sentence(i)},{sentence(i + i % 3)},{i % 3}" for i in range(40)],
        "grade": ["sentence,label"]
        + [f"{'good ' * (i % 5)}{sentence(i)},{1 + i % 5}" for i in range(50)],
        "match": ["sentence1,sentence2,label"]
        + [f"{sentence(i)},{sentence(i + i % 6)},{5 - i % 6}" for i in range(30)],
    }
    for name, lines in rows.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (folder / "tasks.toml").write_text(TASKS)
    return find_tasks([str(folder / "tasks.toml")])


@pytest.fixture
def make_probe(probe_tasks: tuple[Task, ...], tiny_bert: Path) -> Callable[..., EncoderProbe]:
    """`make_probe(backbone=..., **settings)`: the probe of a tiny encoder, BERT unless told."""

    def make(backbone: Path = tiny_bert, **settings: Any) -> EncoderProbe:
        trainer = JointTrainer(
            {task.name: task for task in probe_tasks},
            DataOptions(),
            str(backbone),
            SETTINGS.model_copy(update=settings),
        )
        return EncoderProbe(trainer)

    return make


@pytest.fixture
def probe(make_probe: Callable[..., EncoderProbe]) -> EncoderProbe:
    """The probe of the tiny BERT."""
    return make_probe()
