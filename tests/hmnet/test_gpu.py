"""What only a GPU can show; `HMNET_TEST_DEVICE=cpu` runs the same on a machine without one."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import hmnet
import relevance
from commands import done
from hmnet.measuring.probe import EncoderProbe
from hmnet.precision import resolve_precision
from relevance.tasks.generated import generate_tasks

pytestmark = [pytest.mark.gpu, pytest.mark.process]
SMALL = {"epochs": 1, "max_steps_per_task": 4, "batch_size": 8, "max_length": 24}


@pytest.fixture
def device() -> str:
    named = os.environ.get("HMNET_TEST_DEVICE", "cuda")
    if named == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU")
    return named


@pytest.fixture
def tasks(tmp_path: Path) -> str:
    return str(generate_tasks(tmp_path / "tasks", families=2, train_rows=64, dev_rows=32))


@pytest.mark.parametrize("precision", ["fp32", "auto"])
def test_the_same_job_gives_the_same_scores(
    device: str, tasks: str, tiny_bert: Path, precision: str
) -> None:
    found = relevance.find_tasks([tasks])
    settings = {"backbone": str(tiny_bert), "precision": precision, **SMALL}
    trainer = hmnet.make_trainer(found, settings, device=device)
    names = tuple(task.name for task in found[:2])
    one, other = (trainer(names, 0, device) for _ in range(2))
    for name in names:
        assert np.isfinite(one[name].loss)
        assert one[name].loss == pytest.approx(other[name].loss, abs=1e-3)


def test_features_are_those_of_the_cpu(device: str, tasks: str, tiny_bert: Path) -> None:
    found = relevance.find_tasks([tasks])
    settings = {"backbone": str(tiny_bert), "precision": "fp32", **SMALL}
    names = [task.name for task in found]
    there, here = (
        EncoderProbe(hmnet.make_trainer(found, settings, device=where), where)
        for where in (device, "cpu")
    )
    one, other = (probe.features(names, rows=16, seed=0) for probe in (there, here))
    for name in names:
        np.testing.assert_allclose(one[name].values, other[name].values, atol=5e-3)


def test_a_run_trained_there_answers_as_on_the_cpu(
    device: str, tasks: str, tiny_bert: Path, tmp_path: Path
) -> None:
    settings = {"backbone": str(tiny_bert), "method": "multi", **SMALL}
    hmnet.train(
        tasks=[tasks], out=tmp_path / "run", device=device, on_event=lambda _: None, **settings
    )
    name = relevance.find_tasks([tasks])[0].name
    asked = tmp_path / "asked.jsonl"
    asked.write_text("".join(f'{{"text": ["{text}"]}}\n' for text in ("a dull film", "a story")))
    answers = [
        done("hmnet", "predict", tmp_path / "run", "--task", name, "--input", asked, *where)
        for where in (("--device", device), ("--device", "cpu"))
    ]
    there, here = ([json.loads(line) for line in each.out.splitlines()] for each in answers)
    for one, other in zip(there, here, strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=0.02)


def test_two_workers_share_a_device(
    device: str, tasks: str, tiny_bert: Path, tmp_path: Path
) -> None:
    many = "--gpus 1 --jobs-per-gpu 2" if device == "cuda" else "--gpus 0 --jobs 2"
    options = ["--tasks", tasks, "--backbone", str(tiny_bert), *many.split()]
    options += [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    done("relevance", "pairwise", *options, "--out", tmp_path / "gains.json")
    matrix = relevance.load_matrix(tmp_path / "gains.json")
    losses = np.asarray((matrix.joint or {})["loss"], dtype=float)[0]
    assert np.isfinite(losses[~np.eye(len(losses), dtype=bool)]).all()


def test_auto_is_bf16_where_the_gpu_is_fast_at_it(device: str) -> None:
    expected = {"bf16"} if device == "cuda" else {"bf16", "fp32"}
    assert resolve_precision("auto", device) in expected
