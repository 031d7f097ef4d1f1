"""Four generated tasks in files of every format, and a run that is trained on them."""

import json
import random
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from commands import done
from relevance.jobs.attempts import Outcome, attempt
from relevance.jobs.workers import Worker
from small_tasks import definitions, write_rows

WORDS = ["the", "a", "film", "story", "city", "river", "woman", "man", "dog", "cat", "guitar"]
SUFFIXES = {"TONE": ".csv", "SAME": ".parquet", "GRADE": ".jsonl", "FACT": ".tsv"}
CLUSTERS = {"clusters": [["TONE", "GRADE"], ["SAME", "FACT"]]}


def make_row(task: str, rng: random.Random) -> dict[str, Any]:
    """A row whose label a word of its text gives away."""
    text = " ".join(rng.choices(WORDS, k=rng.randint(2, 6)))
    if task == "tone":
        label = rng.choice(["bad", "good"])
        return {"sentence": f"{label} {text}", "label": label}
    if task == "grade":
        good = rng.randrange(5)
        return {"sentence": f"{'good ' * good}{text}", "label": 1.0 + good}
    word = rng.choice(WORDS)
    label = rng.randrange(3 if task == "same" else 2)
    other = {0: f"no {text}", 1: f"{word} {text}", 2: text}[label]
    if task == "fact":
        return {"question": f"is it {word}", "passage": other, "label": label}
    return {"sentence1": f"{word} {text}", "sentence2": other, "label": label}


@pytest.fixture(scope="session")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TOML file with TONE, SAME, GRADE and FACT: 40 training and 12 dev rows each."""
    folder = tmp_path_factory.mktemp("tasks")
    for name, suffix in SUFFIXES.items():
        task = name.lower()
        for split, count in (("train", 40), ("dev", 12)):
            rng = random.Random(f"{task} {split}")  # noqa: S311
            write_rows(
                folder / task / f"{split}{suffix}", [make_row(task, rng) for _ in range(count)]
            )
    (folder / "tasks.toml").write_text(definitions(SUFFIXES))
    return folder / "tasks.toml"


@pytest.fixture(scope="session")
def halves(tasks: Path) -> tuple[Path, Path]:
    """A TOML file with TONE and SAME, and one with GRADE and FACT."""
    paths = tasks.with_name("first.toml"), tasks.with_name("second.toml")
    for path, half in zip(paths, (["TONE", "SAME"], ["GRADE", "FACT"]), strict=True):
        path.write_text(definitions({name: SUFFIXES[name] for name in half}))
    return paths


@pytest.fixture(scope="session")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spec of two clusters, written by hand."""
    path = tmp_path_factory.mktemp("clusters") / "clusters.json"
    path.write_text(json.dumps(CLUSTERS))
    return path


@pytest.fixture(scope="session")
def quick(tasks: Path, tiny_bert: Path) -> list[str]:
    """Options for training all four tasks within a second."""
    given: Mapping[str, object] = {
        "--tasks": tasks,
        "--backbone": tiny_bert,
        "--epochs": 1,
        "--batch-size": 16,
        "--max-length": 32,
        "--lr": 1e-3,
        "--precision": "fp32",
    }
    return [str(part) for option in given.items() for part in option]


class InlineWorker(Worker):
    """Does its jobs in the test's own process, which saves starting one."""

    def submit(self, call: Callable[[str], None]) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        future.set_result(attempt(call, "cpu"))
        return future


@pytest.fixture
def _inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs of a study run in the test's own process."""
    monkeypatch.setattr("relevance.jobs.engines.local.Worker", InlineWorker)


@dataclass(frozen=True)
class Study:
    """A finished study of all four tasks: 4 single and 6 joint runs."""

    options: list[str]
    cache: Path
    out: Path


@pytest.fixture(scope="session")
def finished_study(quick: list[str], tmp_path_factory: pytest.TempPathFactory) -> Study:
    """What `relevance pairwise` left; tests copy it before they change it."""
    root = tmp_path_factory.mktemp("study")
    options = [*quick, "--single-seeds", "1", "--normalise", "absolute", "--gpus", "0"]
    study = Study(options, root / "cache", root / "gains.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELEVANCE_CACHE", str(study.cache))
        patch.setattr("relevance.jobs.engines.local.Worker", InlineWorker)
        done("relevance", "pairwise", *study.options, "--out", study.out)
    return study


@pytest.fixture
def study(finished_study: Study, tmp_path: Path) -> Study:
    """A copy of the finished study, its cache being the test's own."""
    shutil.copytree(finished_study.cache, tmp_path / "cache")
    return replace(finished_study, cache=tmp_path / "cache")


@pytest.fixture(scope="session")
def trained(quick: list[str], clusters: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with method hmnet; tests leave it as it is."""
    root = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELEVANCE_CACHE", str(root / "cache"))
        done(
            "hmnet",
            "train",
            *quick,
            "--clusters",
            clusters,
            "--device",
            "cpu",
            "--out",
            root / "run",
        )
    return root / "run"
