"""Published estimates, of sources of which one is no target, beside the public runs of TaskWeb."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from relevance.comparison.judging import compare_with
from relevance.gains.reliability import known_mean
from relevance.matrices.imported import import_runs
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

OUTSIDE = Path("../shared/outside")
ESTIMATES = ("llm", "roe", "taskshop_llm_t5l", "taskshop_roe_t5l")

pytestmark = pytest.mark.skipif(not OUTSIDE.exists(), reason="needs public matrices and runs")


@pytest.fixture(scope="module")
def runs() -> RelevanceMatrix:
    return import_runs(OUTSIDE / "taskweb/runs.csv.gz", setting="t5l-pfeiffer", drop=True)


@pytest.mark.parametrize("name", ESTIMATES)
def test_a_rectangle_of_estimates_is_judged_as_the_paper_computes_it(
    name: str, runs: RelevanceMatrix
) -> None:
    estimate = load_matrix(OUTSIDE / f"taskweb/estimate_{name}.csv")
    assert set(estimate.tasks) == set(runs.tasks)
    assert estimate.provenance["warnings"] == ["squad_v2 is never a target."]
    assert estimate.known.sum() == 22 * 21 - 21
    (row,) = compare_with(runs, [estimate], [name]).rows
    assert (row.pairs, row.left_out) == (441, 21)
    truth, named = runs.select(estimate.tasks), estimate.values
    scores = known_mean(np.asarray(truth.joint["gain"], dtype=float), axis=0)
    ndcgs, regrets = [], []
    for column in np.flatnonzero(estimate.known.any(axis=0)):
        sources = estimate.known[:, column]
        score, order = scores[sources, column], np.argsort(-named[sources, column])
        gains, places = 2.0 ** rankdata(score) - 1, np.log2(np.arange(len(order)) + 2)
        ndcgs.append((gains[order] / places).sum() / (np.sort(gains)[::-1] / places).sum())
        best = np.sort(score)[-5:].mean()
        regrets.append((best - score[order[:5]].mean()) / best)
    assert row.ndcg == pytest.approx(np.mean(ndcgs), abs=3e-3)  # ties share their places
    assert row.regret == pytest.approx(np.mean(regrets), abs=1e-4)


@pytest.mark.parametrize(("sentences", "published"), [("00630", 0.82), ("05000", 0.95)])
def test_short_runs_tell_what_long_ones_do(sentences: str, published: float) -> None:
    short, long = (load_matrix(OUTSIDE / f"xpos/xpos_{n}.csv") for n in (sentences, "10000"))
    pairs = zip(short.values.T, long.values.T, short.known.T, strict=True)
    found = [spearmanr(one[known], other[known]).statistic for one, other, known in pairs]
    assert np.mean(found) == pytest.approx(published, abs=0.015)
