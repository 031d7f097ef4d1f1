"""Finished matrices by another metric or normalisation, without running anything again."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from commands import done, refused
from relevance.gains.gain_choice import METRICS, NORMALISATIONS, GainChoice
from relevance.gains.study_scores import StudyScores
from relevance.matrices.gains_matrix import gains_matrix
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

pytestmark = pytest.mark.process  # no process, but long: it resamples for many commands

TASKS = ("A", "B", "C")
RNG = np.random.default_rng(0)
SINGLE = {metric: RNG.uniform(0.6, 0.7, (6, 3)) for metric in METRICS}
JOINT = {metric: RNG.uniform(0.6, 0.8, (2, 3, 3)) for metric in METRICS}


def study(metric: str = "gain", normalise: str = "relative", seeds: int = 2) -> RelevanceMatrix:
    return gains_matrix(
        StudyScores(
            TASKS,
            range(seeds),
            {name: table[: 3 * seeds] for name, table in SINGLE.items()},
            {name: table[:seeds] for name, table in JOINT.items()},
        ),
        GainChoice(metric, normalise),
        provenance={"single_seeds": list(range(3 * seeds))},
        evaluation_noise=np.full((3, 3), 0.01),
    )


def shown(*arguments: object) -> np.ndarray:
    out = done("relevance", "table", *arguments, "--format", "csv").out
    _, *rows = csv.reader(line for line in io.StringIO(out) if not line.startswith("#"))
    return np.array([[float(cell or "nan") for cell in row[1:]] for row in rows]) / 100


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("normalise", NORMALISATIONS)
def test_every_choice_from_one_file(tmp_path: Path, metric: str, normalise: str) -> None:
    file = tmp_path / "gains.json"
    study().save(file)
    options = ["--metric", metric, "--normalise", normalise]
    if (metric, normalise) == ("loss", "absolute"):
        assert "so --metric loss goes with --normalise relative" in refused(
            "relevance", "table", file, *options
        )
        return
    np.testing.assert_allclose(shown(file, *options), study(metric, normalise).values)
    merged = tmp_path / "merged.json"
    done("relevance", "merge", file, "--out", merged)
    np.testing.assert_allclose(shown(merged, *options), study(metric, normalise).values)


def test_what_is_left_out_is_as_measured(tmp_path: Path) -> None:
    file = tmp_path / "gains.json"
    study("primary", "absolute").save(file)
    np.testing.assert_allclose(shown(file), study("primary", "absolute").values)
    np.testing.assert_allclose(shown(file, "--metric", "gain"), study("gain", "absolute").values)
    np.testing.assert_allclose(shown(file, "--metric", "loss"), study("loss").values)


@pytest.mark.parametrize("command", ["heatmap", "bars", "cluster"])
def test_the_other_commands(tmp_path: Path, command: str) -> None:
    file, out = tmp_path / "gains.json", tmp_path / "out.svg"
    study().save(file)
    more = {"bars": ["--task", "A"], "heatmap": [], "cluster": ["--k", 2]}[command]
    outcome = done("relevance", command, file, *more, "--metric", "loss", "--out", out)
    assert "within target (which source helps it more): reliability " in outcome.err
    if command == "cluster":
        groups = done("relevance", command, _saved(study("loss"), tmp_path), *more).out
        assert json.loads(out.read_text())["inertia"] == json.loads(groups)["inertia"]
    else:
        assert "held-out loss" in out.read_text()


def _saved(matrix: RelevanceMatrix, folder: Path) -> Path:
    matrix.save(folder / "loss.json")
    return folder / "loss.json"


def test_one_seed_has_intervals_for_its_own_choice_only(tmp_path: Path) -> None:
    study(seeds=1).save(tmp_path / "one.json")
    own = done("relevance", "table", tmp_path / "one.json")
    assert own.err == ""
    other = done("relevance", "table", tmp_path / "one.json", "--normalise", "absolute")
    assert other.err == (
        "relevance: note: One seed: the file's intervals belong to relative gains by gain, so these"
        " have none. `relevance pairwise --metric gain --normalise absolute` makes them from the"
        " finished runs.\n"
    )


def test_a_file_that_lacks_what_is_needed(tmp_path: Path) -> None:
    assert refused("relevance", "table", "paper:table3", "--metric", "loss") == (
        "paper:table3: This joint-training matrix holds no scores of single and joint training,"
        " which --metric and --normalise go by. The JSON that `relevance pairwise` writes does."
    )
    file = tmp_path / "gains.json"
    study().save(file)
    content = json.loads(file.read_text())
    del content["joint"]["loss"]
    file.write_text(json.dumps(content))
    assert refused("relevance", "table", file, "--metric", "loss") == (
        f"{file}: The matrix keeps no scores by 'loss', only by gain, primary. Measure it again"
        " with `relevance pairwise`."
    )
    assert "within target" in done("relevance", "table", file, "--normalise", "error").err


def test_an_old_file_of_gains_over_a_baseline_near_zero(tmp_path: Path) -> None:
    """Single runs of .038 and -.013 made +1065 % of a joint run of .146."""
    file = tmp_path / "gains.json"
    single = np.array([[0.5, 0.6, 0.038], [0.51, 0.61, -0.013]])
    joint = np.full((2, 3, 3), 0.55)
    joint[:, :, 2] = 0.146
    tables = [dict.fromkeys(METRICS, table) for table in (single, joint)]
    gains_matrix(StudyScores(TASKS, (0, 1), *tables)).save(file)
    content = json.loads(file.read_text())
    for source in (0, 1):
        content["values"][source][2] = 10.65
    file.write_text(json.dumps(content))
    assert load_matrix(file).values[0, 2] == 10.65
    outcome = done("relevance", "table", file)
    assert "1065" not in outcome.out
    assert outcome.err.startswith(
        "relevance: note: C: the mean single-task gain is 0.0125 ± 0.3240 (95 % interval), too near"
        " 0: its relative gains are undefined; --normalise absolute is defined,"
    )
    assert refused("relevance", "cluster", file, "--k", 2) == (
        "The matrix has no value for A -> C, B -> C. All runs are there, but the baseline is too"
        " near 0 to divide by: take --normalise absolute, which runs nothing, or measure more"
        " --single-seeds."
    )
    assert shown(file, "--normalise", "absolute")[0, 2] == pytest.approx(0.1335)
    done("relevance", "cluster", file, "--k", 2, "--normalise", "absolute")
    today, reference = tmp_path / "today.json", tmp_path / "reference.csv"
    gains_matrix(StudyScores(TASKS, (0, 1), *tables)).save(today)
    reference.write_text("task,A,B,C\nA,0,0.1,0.3\nB,0.2,0,0.1\nC,0.4,0.1,0\n")
    compared = done("relevance", "compare", today, "--reference", reference)
    assert "take --normalise absolute, which runs nothing" in compared.out
    assert "`normalise" not in compared.out
    old = done("relevance", "compare", file, "--reference", reference)
    assert old.out.replace("gains.json", "today.json") == compared.out
