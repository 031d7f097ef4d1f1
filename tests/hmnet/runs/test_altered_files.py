"""400 altered files of every kind: what reads them succeeds, or says in one line what is wrong.

Each seed stands for one alteration. A seed that has ever found a fault stays.
"""

import json
import random
import shutil
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from altering import altered
from hmnet.analysis.curves import curves
from hmnet.backbones.backbone import load_backbone
from hmnet.evaluation.lines import read_lines
from hmnet.evaluation.predict import predict
from hmnet.runs.checked import check_run
from hmnet.runs.folder import Run, load_run
from hmnet.runs.scores import read_scores
from hmnet.runs.train import train_run
from hmnet.settings.config import RunConfig
from hmnet.sharing.skill_table import BUILT_IN, SkillTable
from hmnet.training.checkpoint import Position, find_checkpoint, load_checkpoint, save_checkpoint
from relevance.clustering.methods.kmeans import kmeans
from relevance.clustering.spec import ClusterSpec
from relevance.disk.files import write_json
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.report.tables import matrix_table
from relevance.studies.store import JobStore
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.load import load_task
from relevance.text.tokenizers import load_tokenizer

pytestmark = pytest.mark.filterwarnings("ignore")
SPEC = ClusterSpec(clusters=(("TONE", "GRADE"), ("SAME",)))
INPUTS = {"task": "RTE", "seed": 0}


@dataclass(frozen=True)
class World:
    """Valid files of every kind.

    Attributes:
        folder: Holds all of them.
        config: Settings of its runs.
    """

    folder: Path
    config: RunConfig


def write_matrices(folder: Path) -> None:
    """A matrix of gains with the scores behind it, as JSON, and its values as CSV."""
    tasks, rng = ("TONE", "SAME", "GRADE"), np.random.default_rng(0)
    scores = rng.uniform(0.4, 0.9, (2, 3, 3))
    gains = scores / scores[:, [0], :] - 1
    matrix = RelevanceMatrix(
        gains.mean(axis=0),
        tasks,
        "joint-training",
        seeds=(0, 1),
        per_seed=gains,
        standard_errors=gains.std(axis=0),
        single={"primary": scores[:, 0].tolist()},
        joint={"primary": scores.tolist()},
        majority={"primary": [0.5, 0.4, 0.0]},
        cost={"seconds": 3.0},
        provenance={"single_seeds": [0, 1]},
    )
    matrix.save(folder / "matrix.json")
    matrix.save(folder / "matrix.csv")
    SPEC.save(folder / "spec.json")


def write_data(folder: Path, task_file: Path) -> None:
    """Rows of one task in every form that they are read from, and its definition."""
    rows = pd.read_json(task_file.parent / "tone" / "train.jsonl", lines=True)
    folder.mkdir()
    for name in ("train", "dev"):
        rows.to_json(folder / f"{name}.jsonl", orient="records", lines=True)
        rows.to_csv(folder / f"{name}.csv", index=False)
        rows.to_csv(folder / f"{name}.tsv", index=False, sep="\t")
        rows.to_parquet(folder / f"{name}.parquet")
    definition = task_file.read_text().partition('[[task]]\nname = "SAME"')[0]
    for form in ("jsonl", "csv", "tsv", "parquet"):
        text = definition.replace("tone/", "").replace(".jsonl", f".{form}")
        (folder / f"{form}.toml").write_text(text)


def tensors() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return model, optimizer


@pytest.fixture(scope="module")
def world(
    task_file: Path, make_backbone: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> World:
    folder = tmp_path_factory.mktemp("world")
    encoder = make_backbone("bert", folder / "encoder", num_hidden_layers=2)
    config = RunConfig(
        tasks=(str(task_file),), backbone=str(encoder), method="hmnet", layers=(1, 1, 0),
        max_steps_per_task=1, epochs=1, batch_size=4, max_train=8, max_dev=4, max_length=24,
        device="cpu", precision="fp32", data_dir=folder,
    )  # fmt: skip
    train_run(config, SPEC, folder / "run")
    alone = config.model_copy(update={"method": "single", "layers": None})
    train_run(alone, None, folder / "parts")
    for manifest in folder.rglob("manifest.json"):
        manifest.unlink()  # or there would be no more to see than that a file was altered
    addition = {"run": "old", "tasks": {"TONE": {}}, "fraction": 1.0, "settings": {"epochs": 1}}
    write_json(folder / "added" / "added.json", "hmnet.added/1", {"additions": [addition]})
    save_checkpoint(folder / "checkpoint", *tensors(), Position(0, 1, ""))
    write_matrices(folder)
    write_data(folder / "data", task_file)
    JobStore(folder).write(INPUTS, {"results": {}, "seconds": 1.0})
    shutil.copy(BUILT_IN, folder / "skills.toml")
    lines = [{"sentence": "a dull story"}, {"text": ["a great city"]}]
    (folder / "lines.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return World(folder, config)


def read_run(world: World) -> None:
    load_run(world.folder / "run")


def ask_run(world: World, name: str = "run") -> None:
    run = load_run(world.folder / name)
    model, tasks = run.model_for("TONE"), [run.task("TONE")]
    with (world.folder / "lines.jsonl").open("rb") as lines:
        answers = predict(
            {"TONE": model},
            tasks,
            read_lines(tasks, lines),
            run.tokenizer,
            max_length=24,
            batch_size=2,
        )
        assert all(answer["task"] == "TONE" for answer in answers)


def resume_run(world: World) -> None:
    check_run(world.config, SPEC, world.folder / "run", resume=True)


def resume_checkpoint(world: World) -> None:
    if found := find_checkpoint(world.folder / "checkpoint"):
        load_checkpoint(found[0], *tensors())


def use_matrix(world: World, name: str) -> None:
    matrix = load_matrix(world.folder / name)
    matrix_table(matrix, "markdown")
    if not np.isnan(matrix.values).any():
        kmeans(matrix, 2)


def read_data(world: World, form: str) -> None:
    (task,) = find_tasks([str(world.folder / "data" / f"{form}.toml")])
    load_task(task, DataOptions())


def read_job(world: World) -> None:
    """What is not as it was written counts as not done."""
    result = JobStore(world.folder).read(INPUTS)
    assert result in (None, {"results": {}, "seconds": 1.0})
    JobStore(world.folder).write(INPUTS, {"results": {}, "seconds": 1.0})


def use_encoder(world: World) -> None:
    load_backbone(str(world.folder / "encoder"))


def use_tokenizer(world: World) -> None:
    load_tokenizer(str(world.folder / "encoder"))


Read = Callable[[World], None]
KINDS: dict[str, tuple[Read, int]] = {
    "run/config.toml": (resume_run, 20),
    "run/clusters.json": (resume_run, 12),
    "run/scores.csv": (lambda world: read_scores(world.folder / "run" / "scores.csv"), 15),
    "run/training.json": (lambda world: load_run(world.folder / "run").timing(), 15),
    "run/log.jsonl": (lambda world: curves(load_run(world.folder / "run")), 15),
    "run/model/plan.json": (ask_run, 25),
    "run/model/backbone_config.json": (ask_run, 15),
    "run/model/weights.safetensors": (ask_run, 12),
    "run/model/tokenizer.json": (ask_run, 15),
    "run/model/tokenizer_config.json": (ask_run, 10),
    "lines.jsonl": (ask_run, 10),
    "parts/model/parts.json": (lambda world: ask_run(world, "parts"), 8),
    "added/added.json": (lambda world: Run(world.folder / "added", world.config).additions(), 10),
    "checkpoint/state.json": (resume_checkpoint, 15),
    "checkpoint/model.safetensors": (resume_checkpoint, 5),
    "matrix.json": (lambda world: use_matrix(world, "matrix.json"), 25),
    "matrix.csv": (lambda world: use_matrix(world, "matrix.csv"), 20),
    "spec.json": (lambda world: ClusterSpec.load(world.folder / "spec.json"), 15),
    "data/jsonl.toml": (lambda world: read_data(world, "jsonl"), 20),
    "data/train.jsonl": (lambda world: read_data(world, "jsonl"), 12),
    "data/train.csv": (lambda world: read_data(world, "csv"), 12),
    "data/train.tsv": (lambda world: read_data(world, "tsv"), 12),
    "data/train.parquet": (lambda world: read_data(world, "parquet"), 12),
    "encoder/config.json": (use_encoder, 15),
    "encoder/tokenizer.json": (use_tokenizer, 15),
    "skills.toml": (lambda world: SkillTable.load(world.folder / "skills.toml"), 12),
    "jobs/result.json": (read_job, 12),
    "jobs/inputs.json": (read_job, 5),
}


FAULTY = {
    "run/scores.csv": (1061, 1074),
    "parts/model/parts.json": (1062, 1083),
    "matrix.json": (1093,),
    "matrix.csv": (1030, 1050),
    "data/train.tsv": (1149,),
}
"""Seeds beyond the usual ones that have once found a fault."""


@pytest.mark.parametrize("kind", KINDS)
def test_altered_files_are_read_or_refused_in_one_line(world: World, kind: str) -> None:
    read, count = KINDS[kind]
    path = world.folder / kind
    if kind.startswith("jobs/"):
        path = JobStore(world.folder).folder(INPUTS) / path.name
    whole = path.read_bytes()
    others = [world.folder / other for other in KINDS if (world.folder / other).is_file()]
    contents = [other.read_bytes() for other in others if other != path]
    read(world)
    faults = []
    for seed in [*range(count), *FAULTY.get(kind, ())]:
        rng = random.Random(f"{kind} {seed}")  # noqa: S311
        path.write_bytes(altered(whole, rng, contents))
        try:
            read(world)
        except RelevanceError as error:
            if "\n" in str(error) or len(str(error)) > 1000:
                faults.append(f"seed {seed}: {str(error)[:2000]}")
        except Exception:
            faults.append(f"seed {seed}: {traceback.format_exc()[-1500:]}")
    path.write_bytes(whole)
    assert not faults, "\n".join(faults)
