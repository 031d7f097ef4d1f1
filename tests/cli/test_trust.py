"""What the commands say about how far gains can be trusted."""

from pathlib import Path

import numpy as np
import pytest

from commands import done
from relevance.gains.gain_choice import METRICS
from relevance.gains.study_scores import StudyScores
from relevance.matrices.gains_matrix import gains_matrix
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

TASKS = ("A", "B", "C", "D")


def gains(seeds: int, noise: float) -> RelevanceMatrix:
    """Planted gains within targets under noise of each run."""
    random = np.random.default_rng(0)
    planted = random.normal(0, 0.05, (4, 4))
    single = 0.6 + random.normal(0, noise, (3 * seeds, 4))
    joint = 0.6 + planted + random.normal(0, noise, (seeds, 4, 4))
    return gains_matrix(
        StudyScores(
            TASKS,
            range(seeds),
            dict.fromkeys(METRICS, single),
            dict.fromkeys(METRICS, joint),
            dict.fromkeys(METRICS, [0.5] * 4),
        ),
        provenance={"single_seeds": list(range(3 * seeds))},
        evaluation_noise=np.full((4, 4), 0.01),
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gains.json"


def test_a_delivered_matrix_comes_with_its_reliability(file: Path) -> None:
    gains(3, 0.001).save(file)
    outcome = done("relevance", "merge", file)
    column, within = outcome.err.splitlines()
    assert column.startswith("column effect (how much a target gains at all): reliability 1.00 of")
    assert within.startswith("within target (which source helps it more): reliability 1.00 of")
    assert done("relevance", "cluster", file, "--k", 2).err.count("relevance: note:") == 0


def test_groups_of_unreliable_gains_are_not_to_be_trusted(file: Path) -> None:
    gains(3, 0.2).save(file)
    for command in (["merge", file], ["cluster", file, "--k", 2]):
        err = done("relevance", *command).err
        (line,) = [line for line in err.splitlines() if line.startswith("relevance: note: ")]
        assert line.startswith("relevance: note: The reliability within targets is ")
        assert ", below 0.5: groups made from these gains should not be trusted. " in line


def test_one_seed_is_said_to_hold_evaluation_noise_only(file: Path, tmp_path: Path) -> None:
    gains(1, 0.001).save(file)
    out = tmp_path / "merged.json"
    err = done("relevance", "merge", file, "--out", out).err
    assert err.splitlines()[1:] == [
        (
            "relevance: note: The standard errors come from one seed, by a bootstrap over held-out"
            " examples: they hold evaluation noise only, not that of training, which takes several"
            " seeds to tell."
        ),
        (
            "relevance: note: One seed tells nothing about how reliable gains are, so groups made"
            " from them should not be trusted. Add seeds, such as --seeds 0,1,2; runs that are done"
            " are kept."
        ),
    ]
    assert load_matrix(out).provenance["noise"] == "examples"
    shown = done("relevance", "table", out).out
    assert "interval for the noise of the evaluation alone covers 0" in shown
