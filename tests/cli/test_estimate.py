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
