"""A matrix with predicted cells: what is in it, and that everything shows them as such."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relevance.clustering.methods.kmeans import KMeans
from relevance.clustering.stability import grouped
from relevance.errors import RelevanceError
from relevance.figures.bars import lay_out as lay_out_bars
from relevance.figures.heatmap_layout import lay_out
from relevance.marks import marks
from relevance.matrices.intervals import half_widths
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.posterior.predict import predict, summary
from relevance.report.html import matrix_html
from relevance.report.tables import matrix_table

TASKS = tuple("ABCDEF")
OWN = np.eye(6, dtype=bool)


def measured(seeds: int = 3, **changes: object) -> RelevanceMatrix:
    """Gains of six tasks; A was never trained with F, and C and D with one seed only."""
    rng = np.random.default_rng(0)
    truth = 0.05 * rng.normal(size=(6, 1)) + 0.05 * rng.normal(size=(6, 6))
    per_seed = truth + 0.02 * rng.normal(size=(seeds, 6, 6))
    per_seed[:, OWN] = 0.0
    per_seed[:, 0, 5] = per_seed[:, 5, 0] = np.nan
    per_seed[1:, 2, 3] = np.nan
    content = {
        "values": np.nanmean(per_seed[:, ~OWN & np.isfinite(per_seed[0])], axis=0),
        "per_seed": per_seed,
        "seeds": tuple(range(seeds)),
        "provenance": {"noise": "seeds", "warnings": ["a warning"]},
    }
    values = np.zeros((6, 6))
    values[~OWN & np.isfinite(per_seed[0])] = content["values"]
    values[0, 5] = values[5, 0] = np.nan
    return RelevanceMatrix(
        **{**content, "values": values, "tasks": TASKS, "measure": "joint-training", **changes}
    )


def test_every_cell_has_a_value_and_a_deviation_and_those_not_measured_are_named(
    tmp_path: Path,
) -> None:
    found = predict(measured())
    assert np.isfinite(found.values).all()
    assert not np.diagonal(found.values).any()
    assert (found.standard_errors[~OWN] > 0).all()
    assert np.argwhere(found.predicted).tolist() == [[0, 5], [5, 0]]
    unsure = found.standard_errors
    assert min(unsure[0, 5], unsure[5, 0]) > unsure[~OWN & ~found.predicted].max()
    assert unsure[2, 3] > np.median(unsure[~OWN & ~found.predicted])
    assert found.provenance["model"]["measured"] == 28
    assert found.provenance["warnings"] == ["a warning"]
    found.save(tmp_path / "found.json")
    assert load_matrix(tmp_path / "found.json") == found
    # In whatever order tasks are picked, it is the same cells.
    assert np.argwhere(found.select(["F", "B", "A"]).predicted).tolist() == [[0, 2], [2, 0]]


def test_intervals_are_those_of_the_normal_distribution() -> None:
    found = predict(measured())
    np.testing.assert_allclose(half_widths(found), 1.96 * found.standard_errors, rtol=1e-3)


def test_one_seed_has_values_but_no_deviations() -> None:
    found = predict(measured(1))
    assert found.standard_errors is None
    assert "noise" not in found.provenance
    assert "noise" not in found.provenance["model"]
    assert "one seed does not tell noise" in summary(found)[-1]


def test_repeated_single_runs_tell_the_noise_of_one_seed() -> None:
    alone = 0.5 + 0.005 * np.random.default_rng(1).normal(size=(3, 6))
    found = predict(measured(1, single={"gain": alone.tolist()}))
    noise = np.array(list(found.provenance["model"]["noise"].values()))
    assert 0.003 < np.median(noise) < 0.03
    # The noise of the baseline is in every cell of its column.
    of_baseline = alone.std(0, ddof=1) / alone.mean(0) / np.sqrt(3)
    assert (found.standard_errors[~OWN].reshape(6, 5) > of_baseline.min()).all()


def test_repeated_single_runs_tell_the_noise_where_no_pair_has_two_of_the_seeds() -> None:
    alone = 0.5 + 0.005 * np.random.default_rng(1).normal(size=(3, 6))
    once = np.array(measured(2).per_seed)
    once[1, ~OWN] = np.nan
    unknown = np.where(OWN, 0.0, np.nan)
    of_two = predict(
        measured(2, per_seed=once, standard_errors=unknown, single={"gain": alone.tolist()})
    )
    of_one = predict(replace(measured(1), per_seed=once[:1], single={"gain": alone.tolist()}))
    np.testing.assert_allclose(of_two.values, of_one.values)
    np.testing.assert_allclose(of_two.standard_errors, of_one.standard_errors)


def test_repeated_single_runs_count_beside_the_seeds_of_pairs() -> None:
    """One pair with two seeds tells little; its luck does not set aside the single runs."""
    alone = 0.5 + 0.005 * np.random.default_rng(1).normal(size=(8, 6))
    runs = np.array(measured(2).per_seed)
    runs[1, ~OWN] = np.nan
    runs[1, 1, 2] = runs[0, 1, 2]  # two seeds that happen to be the same
    found = predict(measured(2, per_seed=runs, single={"gain": alone.tolist()}))
    noise = np.array(list(found.provenance["model"]["noise"].values()))
    expected = alone.std(axis=0, ddof=1) / alone.mean(axis=0)
    np.testing.assert_allclose(noise, expected, rtol=0.6)
    without = predict(measured(2, per_seed=runs)).provenance["model"]["noise"]
    assert np.abs(np.log(noise / expected)).max() < np.abs(np.log(without["C"] / expected[2]))


def test_marks_of_collapse_stay_and_are_picked_with_the_tasks() -> None:
    joint = np.full((3, 6, 6), 0.5)
    joint[1, 0, 1] = 0.0  # one seed of B beside A
    gains = measured(joint={"gain": joint.tolist()})
    assert np.argwhere(marks(gains).collapsed).tolist() == [[0, 1]]
    found = predict(gains)
    assert found.joint is None
    assert np.argwhere(marks(found).collapsed).tolist() == [[0, 1]]
    assert np.argwhere(marks(found.select(["B", "A"])).collapsed).tolist() == [[1, 0]]


def test_marks_of_no_better_than_the_majority_class_stay(tmp_path: Path) -> None:
    joint = np.full((3, 6, 6), 0.6)
    joint[:, 0, 1] = 0.4  # B beside A answers worse than the majority class does
    single, majority = np.full((3, 6), 0.55), np.full(6, 0.5)
    single[:, 1] = 0.45
    scores = {"single": single, "joint": joint, "majority": majority}
    gains = measured(**{name: {"gain": table.tolist()} for name, table in scores.items()})
    assert np.argwhere(marks(gains).beaten).tolist() == [[0, 1]]
    predict(gains).save(tmp_path / "predicted.json")
    found = load_matrix(tmp_path / "predicted.json")
    assert found.majority is None
    assert np.argwhere(marks(found).beaten).tolist() == [[0, 1]]
    assert np.argwhere(marks(found.select(["C", "B", "A"])).beaten).tolist() == [[2, 1]]
    assert not marks(predict(measured())).beaten.any()


def test_standard_errors_over_seeds_will_do_without_values_of_seeds() -> None:
    errors = np.where(OWN, 0.0, 0.01)
    found = predict(measured(per_seed=None, standard_errors=errors))
    noise = np.array(list(found.provenance["model"]["noise"].values()))
    np.testing.assert_allclose(noise, 0.01 * np.sqrt(3), rtol=0.3)


def test_an_estimate_gets_a_weight_and_needs_cells_in_common() -> None:
    gains = measured()
    rng = np.random.default_rng(2)
    told = np.nan_to_num(gains.values) + 0.005 * rng.normal(size=(6, 6))
    estimate = RelevanceMatrix(told, TASKS, "vocabulary")
    found = predict(gains, [estimate.select(TASKS[::-1])])
    assert found.provenance["model"]["weights"]["vocabulary"] > 0.03
    assert "vocabulary +" in summary(found)[1]
    other = RelevanceMatrix(np.eye(2), ("A", "X"), "taxonomy")
    with pytest.raises(RelevanceError, match="taxonomy knows 0 of the matrix's measured cells"):
        predict(gains, [other])


def test_predicted_matrices_and_empty_ones_are_refused() -> None:
    with pytest.raises(RelevanceError, match="itself one of predictions"):
        predict(predict(measured()))
    with pytest.raises(RelevanceError, match="itself one of predictions"):
        predict(predict(measured(1)))
    empty = RelevanceMatrix(np.where(OWN, 0.0, np.nan), TASKS, "joint-training")
    with pytest.raises(RelevanceError, match="has 0 measured cells off the diagonal"):
        predict(empty)


def test_tables_and_figures_set_them_in_brackets() -> None:
    found = predict(measured())
    text = matrix_table(found, "markdown", decimals=1)
    assert text.count("(") == 2
    assert "in brackets: predicted, not measured, 2 of 30 cells" in text
    layout = lay_out(found)
    assert [text for row in layout.texts for text in row if text.startswith("(")] == [
        layout.texts[0][5],
        layout.texts[5][0],
    ]
    assert any("predicted, not measured" in note for note in layout.notes)
    assert matrix_html(found).count(">(") == 2
    bars = lay_out_bars(found, "A")
    assert [bar.task for bar in bars.by_others if bar.predicted] == ["F"]
    assert "in brackets: predicted, not measured" in bars.notes
    assert "(" not in matrix_table(measured(), "markdown", decimals=1)
    negative = replace(found, values=np.where(found.predicted, -0.01, found.values))
    assert "($-$1.0)" in matrix_table(negative, "latex", decimals=1)


def test_it_can_be_clustered_where_the_measured_one_cannot() -> None:
    with pytest.raises(RelevanceError, match="`relevance predict MATRIX --out FILE` predicts it"):
        KMeans().cluster(measured(), 2)
    spec = grouped(predict(measured()), KMeans(), 2)
    assert spec.stability is not None
    assert spec.stability.adjusted_rand is None
