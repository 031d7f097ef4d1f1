"""The table of a comparison in every format, and what it says about itself."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from relevance.comparison.judging import compare_with
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.report.comparison import comparison_table, remarks

TASKS = ("A", "B", "C", "D")


def gains(seeds: int = 3, noise: float = 0.0) -> RelevanceMatrix:
    random = np.random.default_rng(0)
    truth = np.array([[0, 0.1, -0.2, 0.3], [0.3, 0, 0.4, 0.1], [-0.1, 0.2, 0, 0.1], [0, 0, 0.3, 0]])
    per_seed = truth + noise * random.normal(size=(seeds, 4, 4))
    return RelevanceMatrix(
        per_seed.mean(axis=0),
        TASKS,
        "joint-training",
        seeds=tuple(range(seeds)),
        single={"gain": [[1.0] * 4] * seeds},
        joint={"gain": (1 + per_seed).tolist()},
        cost={"seconds": 800.0},
        provenance={"metric": "gain", "normalise": "absolute"},
    )


def measure(name: str, sign: int = 1) -> RelevanceMatrix:
    return RelevanceMatrix(sign * gains().values, TASKS, name, cost={"seconds": 2.0})


def test_markdown() -> None:
    comparison = compare_with(
        gains(), [measure("good"), measure("bad", -1)], ["good", "bad_one"], k=2
    )
    head, _, good, bad, blank, *lines = comparison_table(comparison, "markdown").splitlines()
    assert [cell.strip() for cell in head.split("|")[1:-1]] == [
        "measure",
        "Spearman",
        "Kendall",
        "Spearman within",
        "Kendall within",
        "of ceiling",
        "precision",
        "NDCG",
        "regret (%)",
        "ARI",
        "seconds",
        "cost (%)",
    ]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in (good, bad)]
    assert cells[0] == ["good", *["**1.00**"] * 7, "**0.00**", "1.00", "2.00", "0.25"]
    # By hand: NDCG .6806 of three targets and .7148 of D, two of whose sources are tied; regrets
    # .4/1.3, .2/1.2, .6/1.4 and .2/1.3 of the best source's score.
    assert cells[1] == ["bad_one", *["-1.00"] * 5, "0.00", "0.69", "26.42", "1.00", "2.00", "0.25"]
    assert blank == ""
    assert lines[0].startswith("- Spearman, Kendall: rank correlation with the reference")
    tasks, negatives, lost, ceiling, groups = lines[1:]
    assert tasks == "- 4 tasks that all matrices share."
    assert negatives == (
        "- 2 of the reference's 12 pairs are negative, so the precision of chance is 0.17."
    )
    assert lost == "- Regret: what is lost by the source named best, against the truly best."
    assert ceiling == (
        "- Ceiling: over 3 seeds the reference's reliability within targets is 1.00, which lets a"
        " perfect measure reach a correlation within targets of 1.00."
    )
    assert groups.startswith("- Groups of the reference: A")
    assert groups.count(" / ") == 1


def test_latex_has_the_remarks_as_comments() -> None:
    text = comparison_table(compare_with(gains(), [measure("m_1")], ["m_1"]), "latex")
    comments = [line for line in text.splitlines() if line.startswith("% ")]
    assert len(comments) == 6
    assert r"m\_1 & 1.00 &" in text
    assert r"cost (\%)" in text
    assert r"\textbf" not in text  # one measure is no choice


def test_bold_is_left_out_where_there_is_nothing_to_choose() -> None:
    twins = compare_with(gains(), [measure("one"), measure("two")], ["one", "two"], k=2)
    text = comparison_table(twins, "markdown")
    assert "**" not in text
    assert "ARI: agreement of groups.\n" in text
    constant = RelevanceMatrix(np.ones((4, 4)), TASKS, "constant")
    known = compare_with(gains(), [measure("one"), constant], ["one", "constant"])
    text = comparison_table(known, "markdown")
    # of precision, NDCG and regret; the other measure has no correlation
    assert text.count("**") == 6
    three = [measure("one"), measure("two"), measure("bad", -1)]
    text = comparison_table(compare_with(gains(), three, ["one", "two", "bad"]), "markdown")
    assert text.count("| **1.00** | **1.00** |") >= 2
    assert "ARI: agreement of groups; bold: best.\n" in text


def test_csv_has_everything_in_full() -> None:
    comparison = compare_with(gains(), [measure("m", -1)], ["m"])
    (row,) = csv.DictReader(io.StringIO(comparison_table(comparison, "csv")))
    assert row["measure"] == "m"
    assert (row["pairs"], row["left_out"]) == ("12", "0")
    assert float(row["cost_share"]) == 2 / 800
    assert float(row["share_of_ceiling"]) == pytest.approx(-1)
    assert float(row["precision"]) == 0


def test_what_is_missing_is_told() -> None:
    values = gains().values.copy()
    values[0, 1] = np.nan
    partial = RelevanceMatrix(values, TASKS, "partial")
    constant = RelevanceMatrix(np.ones((5, 5)), (*TASKS, "E"), "constant")
    comparison = compare_with(gains(1), [partial, constant], ["partial", "constant"], k=2)
    assert remarks(comparison)[0] == (
        "4 tasks that all matrices share; left out: E. Seconds are those of all tasks of a matrix."
    )
    assert "No ceiling: the reference does not hold the scores of several seeds." in remarks(
        comparison
    )
    assert "partial: 1 of 12 pairs are unknown and left out." in remarks(comparison)
    assert "constant: no rank correlation, for want of pairs or of values that differ." in remarks(
        comparison
    )
    reasons = [line for line in remarks(comparison) if line.startswith("No groups of ")]
    assert [line.split(":")[0] for line in reasons] == [
        "No groups of partial",
        "No groups of constant",
    ]


def test_a_reference_without_reliability_sets_no_ceiling() -> None:
    first = np.random.default_rng(0).normal(size=(4, 4))
    noisy = RelevanceMatrix(
        np.zeros((4, 4)),
        TASKS,
        "joint-training",
        seeds=(0, 1),
        single={"gain": [[1.0] * 4] * 2},
        joint={"gain": [(1 + first).tolist(), (1 - first).tolist()]},
        provenance={"metric": "gain", "normalise": "absolute"},
    )
    comparison = compare_with(noisy, [measure("m")], ["m"])
    assert (
        "No ceiling: over 2 seeds the reference's reliability within targets is -1.00, so it cannot"
        " tell measures apart." in remarks(comparison)
    )
    assert "0 of the reference's 12 pairs are negative." in remarks(comparison)


def test_an_unknown_format_is_refused() -> None:
    paper = load_matrix("paper:table3")
    with pytest.raises(RelevanceError, match="Unknown format 'docx'"):
        comparison_table(compare_with(paper, [paper], ["paper"]), "docx")


def test_a_reference_of_noise_calls_no_measure_best() -> None:
    noise = replace(gains(), values=np.eye(4) * 0 + 0.01, standard_errors=np.ones((4, 4)))
    noise.values[0, 1] = 0.02
    judged = compare_with(noise, [measure("good"), measure("bad", -1)], ["good", "bad"], k=2)
    text = comparison_table(judged, "markdown")
    assert "**" not in text
    assert "bold" not in text
    assert remarks(judged)[1] == (
        "The reference is resting on marked cells: 12 of 12 (12 noise): it tells no measure from"
        " another, none is best."
    )
    known = noise.standard_errors.copy()
    known[0, 1] = 0.001
    partly = compare_with(
        replace(noise, standard_errors=known), [measure("good"), measure("bad", -1)], ["a", "b"]
    )
    assert "**" in comparison_table(partly, "markdown")
    assert remarks(partly)[1] == "The reference is resting on marked cells: 11 of 12 (11 noise)."
