"""`relevance estimate` with every cheap estimator, on a tiny encoder."""

import json
from pathlib import Path

import numpy as np
import pytest

from commands import done, refused
from relevance.matrices.matrix import load_matrix
from relevance.measures._estimator import Estimator
from relevance.measures.measure import measures

ESTIMATORS = [name for name in measures.names() if issubclass(measures.find(name), Estimator)]
QUICK = ("--epochs", 1, "--max-steps-per-task", 2, "--batch-size", 8, "--max-length", 24)


@pytest.mark.process
@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_matrix_that_says_how_it_was_made(
    name: str, tasks: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    out = tmp_path / "m.json"
    options = ("--tasks", tasks, "--backbone", tiny_bert, *QUICK, "--seed", 7, "--out", out)
    assert done("relevance", "estimate", name, *options).err == f"wrote {out}\n"
    matrix = load_matrix(out)
    assert matrix.measure == name
    assert np.isfinite(matrix.values).all()
    assert len(set(matrix.off_diagonal().tolist())) > 1
    assert matrix.seeds == (7,)
    assert matrix.cost["seconds"] >= matrix.cost["wall_seconds"] > 0
    assert matrix.provenance["training"]["max_steps_per_task"] == 2
    assert matrix.provenance["backbone"] == str(tiny_bert)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "option"), [("short-runs", ("--share", 0.5)), ("top-layers", ("--memory", 0.5))]
)
def test_joint_training_for_less(
    name: str, option: tuple[object, ...], tasks: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    out = tmp_path / "m.json"
    options = ("--tasks", tasks, "--backbone", tiny_bert, *QUICK, "--seed", 7, "--out", out)
    done("relevance", "estimate", name, *options, *option)
    matrix = load_matrix(out)
    assert matrix.measure == name
    assert matrix.seeds == (7,)
    assert matrix.single is not None
    assert matrix.cost["seconds"] > 0
    assert matrix.provenance.get("share") == (0.5 if name == "short-runs" else None)
    assert done("relevance", "table", out, "--metric", "loss").out
    # workers, budget and plan as pairwise has them, and what was run is found again
    further = (*options, *option, "--jobs", 1, "--budget", "1run")
    planned = done("relevance", "estimate", name, *further, "--dry-run").out
    assert "0 jobs to run" in planned
    done("relevance", "estimate", name, *further)
    some = load_matrix(out)
    assert some.provenance["budget"] == "1runs for gains"
    assert some.joint is not None
    scored = np.array(some.joint["loss"], dtype=float)  # None, where there is no run, as NaN
    assert np.isfinite(scored).sum() == 2, "both directions of one joint run"


def test_options_of_other_measures(tasks: Path, tiny_bert: Path) -> None:
    options = ("--tasks", tasks, "--backbone", tiny_bert, *QUICK)
    for option, owner in (("share", "short-runs"), ("memory", "top-layers")):
        message = refused("relevance", "estimate", "logme", *options, f"--{option}", 0.5)
        assert message == f"--{option} is for {owner}; logme has no use for it."
    for given in (("--jobs", 2), ("--budget", "30%"), ("--dry-run",)):
        message = refused("relevance", "estimate", "logme", *options, *given)
        assert message == (
            f"{given[0]} is for measures that train every pair: joint-training, short-runs and"
            " top-layers; logme has no use for it."
        )
    message = refused(
        "relevance", "estimate", "short-runs", *options, "--jobs", 1, "--device", "cpu"
    )
    assert message == "--device is for one run. A study takes --gpus N or --jobs N."
    message = refused("relevance", "estimate", "short-runs", *options, "--share", 0)
    assert message == "--share must be above 0 and at most 1, got 0."
    message = refused("relevance", "estimate", "top-layers", *options, "--memory", -1)
    assert message == "--memory must be at least 0 GB, got -1."
    message = refused("relevance", "estimate", "top-layers", *options, "--regularizer", "smart")
    assert "--regularizer" in message
    assert "which measure 'top-layers' does not run" in message


def test_several_seeds_on_a_device(tasks: Path, tiny_bert: Path) -> None:
    options = ("--backbone", tiny_bert, *QUICK, "--seeds", "0,1", "--device", "cpu")
    matrix = json.loads(done("relevance", "estimate", "embedding", "--tasks", tasks, *options).out)
    assert matrix["seeds"] == [0, 1]
    per_seed = np.array(matrix["per_seed"])
    np.testing.assert_allclose(per_seed.mean(axis=0), matrix["values"])
    assert not np.array_equal(per_seed[0], per_seed[1])


def test_a_device_that_is_not_here(tasks: Path, tiny_bert: Path) -> None:
    options = ("--tasks", tasks, "--backbone", tiny_bert, "--device", "cuda:99")
    message = refused("relevance", "estimate", "embedding", *options)
    assert message.startswith("--device cuda:99: this machine has ")


def test_help_names_every_measure() -> None:
    text = done("relevance", "estimate", "--help").out
    assert [name for name in measures.names() if name not in text] == []
