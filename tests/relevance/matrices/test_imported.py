"""Runs made elsewhere: by hand, against the formulas of studies, and against published answers."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from relevance.clustering.cluster import cluster
from relevance.clustering.worth import group_worth
from relevance.comparison.judging import compare_with
from relevance.comparison.ranking_metrics import ceiling
from relevance.errors import RelevanceError
from relevance.gains.formulas import gains
from relevance.gains.reliability import between_seeds_by_target, reliabilities
from relevance.matrices.imported import RunColumns, import_runs
from relevance.matrices.intervals import covers_zero, half_widths
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

TASKWEB = Path("../shared/outside/taskweb/runs.csv.gz")
TASKS = ("A", "B", "C")


def write(path: Path, *rows: str, header: str = "source,target,seed,score") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_scores_become_what_a_source_adds_beside_the_others(tmp_path: Path) -> None:
    rows = ["A,B,0,.5", "A,B,1,.7", "C,B,0,.4", "B,A,0,.9", "C,A,0,.7"]
    matrix = import_runs(write(tmp_path / "mine.csv", *rows))
    assert (matrix.measure, matrix.unit, matrix.tasks) == ("mine", "points", ("A", "C", "B"))
    # B has .6 with A and .4 with C, A has .7 with C and .9 with B
    expected = [[0, np.nan, 0.1], [-0.1, 0, -0.1], [0.1, np.nan, 0]]
    np.testing.assert_allclose(matrix.values, expected)
    assert matrix.per_seed is not None
    np.testing.assert_allclose(matrix.per_seed[:, 0, 2], [0, 0.2])
    assert matrix.standard_errors is not None  # sd of .5 and .7, by the root of two
    np.testing.assert_allclose(
        matrix.standard_errors, [[0, np.nan, 0.1], [np.nan, 0, np.nan], [np.nan, np.nan, 0]]
    )
    assert matrix.provenance["warnings"] == [
        "C is never a target.",
        "3 of 4 pairs have fewer seeds than the 2 of the others: 1 at least.",
    ]
    square = import_runs(str(tmp_path / "mine.csv"), square=True)
    assert square.tasks == ("A", "B")
    path = tmp_path / "matrix.json"
    matrix.save(path)
    assert load_matrix(path) == matrix


def study(path: Path, *, joint_form: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Write a file of four seeds and give back scores alone and together."""
    random = np.random.default_rng(3)
    single = random.uniform(0.5, 0.6, size=(4, 3))
    joint = single[:, None, :] + random.uniform(-0.1, 0.3, size=(4, 3, 3))
    runs = [(seed, s, t) for seed, s, t in product(range(4), range(3), range(3)) if s != t]
    if joint_form:
        rows = [f"{TASKS[t]},{TASKS[s]},{seed},{joint[seed, s, t]}" for seed, s, t in runs]
        rows += [f"{TASKS[t]},,{seed},{single[seed, t]}" for seed in range(4) for t in range(3)]
        write(path, *rows, header="task,partner,seed,score")
    else:
        rows = [
            f"{TASKS[s]},{TASKS[t]},{seed},{joint[seed, s, t]},{single[seed, t]}"
            for seed, s, t in runs
        ]
        write(path, *rows, header="source,target,seed,score,baseline")
    return single, joint


@pytest.mark.parametrize("joint_form", [False, True])
def test_with_scores_alone_the_gains_are_those_of_a_study(tmp_path: Path, joint_form: bool) -> None:
    single, joint = study(tmp_path / "runs.csv", joint_form=joint_form)
    matrix = import_runs(tmp_path / "runs.csv").select(TASKS)
    per_seed, errors = gains(single, joint)
    np.testing.assert_allclose(matrix.values, per_seed.mean(axis=0))
    assert matrix.per_seed is not None
    assert matrix.standard_errors is not None
    np.testing.assert_allclose(matrix.per_seed, per_seed)
    np.testing.assert_allclose(matrix.standard_errors, errors)
    assert (matrix.unit, matrix.seeds) == ("ratio", (0, 1, 2, 3))
    expected = reliabilities({"gain": single.tolist()}, {"gain": joint.tolist()})
    assert matrix.reliability is not None
    assert expected is not None
    for part, values in expected["gain"].items():
        assert matrix.reliability["gain"][part] == pytest.approx(values)


def test_without_scores_alone_nothing_is_said_of_training_alone(tmp_path: Path) -> None:
    study(tmp_path / "gains.csv")
    columns = RunColumns(baseline="none")
    scores = import_runs(tmp_path / "gains.csv", columns=columns)
    groups = cluster(scores, 2)
    assert group_worth(scores, groups) is None
    assert group_worth(import_runs(tmp_path / "gains.csv"), groups) is not None
    (note,) = cluster(scores, 2, method="predicted-gain").provenance["notes"][:1]
    assert "gains in groups (no gain)" in note


def test_a_baseline_near_zero_leaves_gains_undefined(tmp_path: Path) -> None:
    header = "source,target,seed,score,baseline"
    rows = [f"{s},{t},{seed},.5,{b}" for s, t in ("AB", "BA") for seed, b in ((0, 0.1), (1, -0.1))]
    matrix = import_runs(write(tmp_path / "runs.csv", *rows, header=header))
    assert np.isnan(matrix.off_diagonal()).all()
    assert "A: the mean single-task gain is 0.0000" in " ".join(matrix.provenance["warnings"])


def test_impossible_and_empty_scores_are_counted_and_left_out(tmp_path: Path) -> None:
    header = "source,target,seed,score,metric"
    rows = ["A,B,0,-.5,accuracy", "A,B,1,.5,accuracy", "B,A,0,-.5,pearson", "B,A,1,,pearson"]
    path = write(tmp_path / "runs.csv", *rows, header=header)
    kept, dropped = import_runs(path), import_runs(path, drop=True)
    one = "1 of 4 scores are outside what their metric can be: 1 of B."
    assert kept.provenance["warnings"][:2] == [
        f"{one} `drop=True` leaves them out.",
        "1 of 4 scores are empty: 1 of A.",
    ]
    assert dropped.provenance["warnings"][0] == f"{one} They are left out."
    assert kept.joint is not None
    assert dropped.joint is not None
    assert kept.joint["gain"][0][0][1] == -0.5
    cased = write(tmp_path / "cased.csv", *(row.title() for row in rows), header=header)
    assert import_runs(cased).provenance["warnings"] == kept.provenance["warnings"]
    assert dropped.joint["gain"][0][0][1] is None


@pytest.mark.parametrize(
    ("rows", "header", "options", "message"),
    [
        (["A,B,0"], "source,target,seed", {}, "score"),
        (["A,B,0,x"], None, {}, r"row 2: column 'score' should be a finite number, got 'x'"),
        (["A,B,0,inf"], None, {}, r"finite number, got 'inf'"),
        (["A,B,0,1_0"], None, {}, r"finite number, got '1_0'"),
        (
            ["A,B,0.5,.1"],
            None,
            {},
            r"row 2: column 'seed' should be a whole number of 18 digits at most, got '0.5'",
        ),
        (["A,,0,.5"], None, {}, r"row 2: column 'target' is empty"),
        (["A,B,0,.1"], "source, target,seed,score", {}, r"Rename ' target' to 'target'\."),
        (["A,B,0,.1"], "source,target,Seed,score", {}, r"Rename 'Seed' to 'seed'\."),
        (
            ["A,B,0,.5", "B,A,0,1e308"],  # no command would read the matrix again
            None,
            {},
            r"row 3: the score 1e\+308 of 'A' is too large to be meant\. Correct it",
        ),
        (["A,B,0,.1", "A,B,0,.1"], None, {}, r"rows 2 and 3 both have a score of 'B' with 'A'"),
        (["A,B,0,67", "B,A,0,70"], None, {}, "look like percentages"),
        (
            ["A,B,0,.6,60", "B,A,0,.7,70"],
            "source,target,seed,score,baseline",
            {},
            "most baselines are above 1, so they look like percentages",
        ),
        (
            ["A,B,0,.6,.6", "B,A,0,.7,-2", "A,C,0,.1,.1"],
            "source,target,seed,score,baseline",
            {},
            "row 3: the baseline of 'A' is -2, outside what its metric can be",
        ),
        (["RTE,CB,0,.6", "cb,RTE,0,.5"], None, {}, "'cb' and 'CB' are one name, but for case"),
        (["caf\u00e9,B,0,.6", "B,cafe\u0301,0,.5"], None, {}, "are one name"),
        ([f"A,B,{10**20},.6"], None, {}, "should be a whole number of 18 digits at most"),
        ([], None, {}, "no rows"),
        (["A,B,0,.1"], None, {"setting": "x"}, "no column 'setting'"),
        (
            ["A,B,0,.1,x", "A,B,0,.2,y"],
            "source,target,seed,score,setting",
            {},
            "several of 'setting': x, y",
        ),
        (
            ["A,B,0,.1,f1", "A,B,0,.2,acc"],
            "source,target,seed,score,metric",
            {},
            "several of 'metric': acc, f1",
        ),
        (["A,B,0,.1,x"], "source,target,seed,score,setting", {"setting": "z"}, "z"),
        (
            ["A,B,0,.1,.2", "C,B,0,.1,.3"],
            "source,target,seed,score,baseline",
            {},
            r"row 3: 'B' alone has 0.3 with seed 0 here and 0.2 in a row before",
        ),
    ],
)
def test_bad_files_are_told_in_one_line(tmp_path, rows, header, options, message) -> None:
    path = write(tmp_path / "runs.csv", *rows, header=header or "source,target,seed,score")
    with pytest.raises(RelevanceError, match=message) as told:
        import_runs(path, **options)
    assert "\n" not in str(told.value)


@pytest.mark.skipif(not TASKWEB.exists(), reason="needs the public runs of TaskWeb")
@pytest.mark.parametrize(
    ("setting", "pooled", "of_targets"),
    [
        ("gpt2m", 0.83, 0.70),
        ("t5b-lora", 0.53, 0.59),
        ("t5l-pfeiffer", 0.55, 0.63),
        ("t5b", 0.19, 0.54),
    ],
)
def test_two_seeds_of_taskweb_correlate_as_published(
    setting: str, pooled: float, of_targets: float
) -> None:
    matrix = import_runs(TASKWEB, setting=setting)
    assert matrix.reliability is not None
    assert matrix.per_seed is not None
    within = matrix.reliability["gain"]["within_target"]
    assert round(within["between_seeds"], 2) == pooled
    assert round(between_seeds_by_target(matrix.per_seed) or 0, 2) == of_targets
    assert ceiling(matrix) == pytest.approx(within["of_mean"] ** 0.5)
    assert "squad_v2 is never a target." in matrix.provenance["warnings"]
    square = import_runs(TASKWEB, setting=setting, square=True)
    assert len(square.tasks) == 21
    likeness = RelevanceMatrix(square.values, square.tasks, "same")
    (row,) = compare_with(square, [likeness], ["same"]).rows
    assert (row.ndcg, row.regret) == (pytest.approx(1), pytest.approx(0))


def test_intervals_go_by_the_seeds_that_have_both_runs(tmp_path: Path) -> None:
    """Of runs that differ by noise alone 95 % of the intervals hold no gain at all.

    Four joint runs of a cell and two alone leave one degree of freedom; with three, as of the joint
    runs, 83 % of the intervals did.
    """
    random, tasks = np.random.default_rng(0), range(40)
    lines = ["source,target,seed,score"]
    for target in tasks:
        lines += [f",T{target},{seed},{random.normal(0.5, 0.003):.5f}" for seed in (0, 1)]
        lines += [
            f"T{source},T{target},{seed},{random.normal(0.5, 0.02):.5f}"
            for source in tasks
            for seed in range(4)
            if source != target
        ]
    (tmp_path / "runs.csv").write_text("\n".join(lines))
    matrix = import_runs(tmp_path / "runs.csv")
    other = ~np.eye(len(tasks), dtype=bool)
    assert covers_zero(matrix)[other].mean() == pytest.approx(0.955, abs=0.015)
    part = matrix.select(["T3", "T1"])
    place = matrix.tasks.index("T3"), matrix.tasks.index("T1")
    assert half_widths(part)[0, 1] == half_widths(matrix)[place]
