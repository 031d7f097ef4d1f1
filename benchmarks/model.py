"""Do the intervals of the model of a matrix hold, and what does it make of a few runs?

    python benchmarks/model.py [--sets 200] [--runs ../shared/outside/taskweb/runs.csv.gz]
    python benchmarks/model.py --sets 0 --runs benchmarks/studies/reference/runs.csv --metric gain

Coverage: sets of runs are drawn from levels, source effects, pair effects and noise; the model is
fitted to each anew, and counted is how often its 90 % intervals hold the true cell. With one seed,
as a budget leaves it, a fifth of the cells have a second one, and three single runs of every target
tell its noise too. Recorded runs: of each setting half of the seeds, four of eight, are learned
from, and counted is how often the mean of the others lies in its predictive interval; and cells of
one seed are drawn at random, and the cells that the model expects are compared with the mean of
others, four at most, rank by rank within targets. The last line is all of it as JSON.
"""

import argparse
import json
from itertools import combinations
from pathlib import Path
from statistics import fmean

import numpy as np
from jaxtyping import Float
from recorded import recorded, settings_of
from scipy.stats import spearmanr

from cli.app import bad_input_ends
from relevance.gains.reliability import known_mean
from relevance.posterior.fit import Repeats, fit

NORMAL = 1.6449
SIZES, SEEDS, SHARES = (8, 20), (1, 2, 4), (0.3, 0.6, 1.0)
SINGLES, SECOND = 3, 0.2
LOWEST, HIGHEST = 0.87, 0.93
RECORDED = (0.80, 0.97)


def simulated(
    tasks: int, seeds: int, share: float, rng: np.random.Generator, together: float = 0.0
) -> tuple[
    Float[np.ndarray, "seed source target"], Float[np.ndarray, "source target"], Repeats | None
]:
    """Runs of a share of the cells, the truth, and single runs where there is one seed.

    The noise of both directions of a pair correlates at `together`.
    """
    source, noise = rng.uniform(0.2, 1.0), rng.uniform(0.3, 1.2)
    alike = rng.integers(2)  # in half of the sets all targets have one scale and one noise
    scale = np.exp(rng.normal(size=tasks) * (0.0 if alike else 0.4))
    noises = noise * scale * np.exp(rng.normal(size=tasks) * (0.0 if alike else 0.3))
    effects = source * rng.normal(size=(tasks, 1)) + rng.normal(size=(tasks, tasks))
    truth = 2 * rng.normal(size=tasks) + scale * effects
    own = rng.normal(size=(max(seeds, 2), tasks, tasks))
    angle = np.arcsin(together) / 2
    runs = truth + noises * (np.cos(angle) * own + np.sin(angle) * own.transpose(0, 2, 1))
    cells = np.argwhere(~np.eye(tasks, dtype=bool))
    left = rng.permutation(cells)[round(share * len(cells)) :]
    runs[:, left[:, 0], left[:, 1]] = np.nan
    if seeds > 1:
        return runs, truth, None
    runs[1, rng.random((tasks, tasks)) > SECOND] = np.nan
    single = noises * rng.normal(size=(SINGLES, tasks))
    freedom = np.full(tasks, SINGLES - 1.0)
    return runs, truth, Repeats(single.var(axis=0, ddof=1) * freedom, freedom)


def coverage(sets: int, together: float) -> list[dict[str, float | str]]:
    """Shares of true cells that intervals hold, by size, seeds and share of cells measured."""
    found: list[dict[str, float | str]] = []
    for tasks in SIZES:
        for seeds in SEEDS:
            for share in SHARES:
                rng = np.random.default_rng(0)
                held = {"measured": [], "unmeasured": []}
                off_diagonal = ~np.eye(tasks, dtype=bool)
                for _ in range(sets):
                    runs, truth, repeats = simulated(tasks, seeds, share, rng, together)
                    told = fit(runs, repeats=repeats).posterior()
                    inside = np.abs(told.mean - truth) <= NORMAL * told.deviation
                    measured = np.isfinite(runs[0]) & off_diagonal
                    held["measured"].extend(inside[measured])
                    held["unmeasured"].extend(inside[off_diagonal & ~measured])
                row = {"tasks": tasks, "seeds": seeds, "share": share}
                row |= {name: float(np.mean(cells)) for name, cells in held.items() if cells}
                print(row, flush=True)
                found.append(row)
    return found


def within(
    one: Float[np.ndarray, "source target"], other: Float[np.ndarray, "source target"]
) -> float:
    """Mean over targets of the rank correlation within a target."""
    found = []
    for column, truth in zip(one.T, other.T, strict=True):
        both = np.isfinite(column) & np.isfinite(truth)
        if both.sum() > 2 and np.ptp(truth[both]) > 0:
            # A column without differences names no source before another.
            flat = np.ptp(column[both]) == 0
            found.append(0.0 if flat else spearmanr(column[both], truth[both]).statistic)
    return fmean(found)


def scores_of(
    path: Path, setting: str | None, metric: str | None
) -> Float[np.ndarray, "seed source target"]:
    """Scores of a setting, NaN where there is none or it cannot be."""
    matrix = recorded(path, setting=setting, metric=metric, drop=True)
    joint = np.asarray(matrix.joint["gain"], dtype=float)
    joint[:, np.eye(len(matrix.tasks), dtype=bool)] = np.nan
    return joint


def predicted(scores: Float[np.ndarray, "seed source target"]) -> dict[str, float]:
    """How often predictive intervals of half of the seeds hold the mean of the others."""
    every = range(len(scores))
    held = []
    for one in [one for one in combinations(every, len(scores) // 2) if 0 in one]:
        for learned in (one, tuple(sorted({*every} - {*one}))):
            rest = [seed for seed in every if seed not in learned]
            told = fit(scores[list(learned)]).posterior()
            truth = scores[rest].mean(0)
            wide = NORMAL * told.predictive(len(rest))
            there = np.isfinite(truth)
            held.append((np.abs(told.mean - truth) <= wide)[there].mean())
    return {"held": fmean(held)}


def expected(
    scores: Float[np.ndarray, "seed source target"], draws: int, share: float
) -> dict[str, float]:
    """Rank correlation of expected cells with the mean of other seeds, within targets."""
    rng = np.random.default_rng(0)
    found: dict[str, list[float]] = {"model": [], "raw": [], "whole": []}
    for _ in range(draws):
        order = rng.permutation(len(scores))
        one, truth = scores[order[0]], known_mean(scores[order[1:5]], 0)
        cells = np.argwhere(np.isfinite(one))
        few = np.full_like(one, np.nan)
        rows, columns = rng.permutation(cells)[: round(share * len(cells))].T
        few[rows, columns] = one[rows, columns]
        level = known_mean(few, 0)
        found["raw"].append(within(np.where(np.isfinite(few), few, level), truth))
        found["whole"].append(within(one, truth))
        found["model"].append(within(fit(few[None]).mean, truth))
    return {name: fmean(values) for name, values in found.items()}


@bad_input_ends("model.py")
def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument(
        "--together",
        type=float,
        default=0.0,
        help="correlation of the noise of both directions of a pair in simulated sets",
    )
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--metric", help="whose scores are meant, where the file has several")
    options = parser.parse_args()
    result: dict[str, object] = {}
    if options.sets:
        rows = coverage(options.sets, options.together)
        shares = [row[name] for row in rows for name in ("measured", "unmeasured") if name in row]
        result |= {"coverage": rows, "least": min(shares), "most": max(shares)}
    if options.runs:
        recorded = {}
        for setting in settings_of(options.runs):
            scores = scores_of(options.runs, setting, options.metric)
            found = predicted(scores) | expected(scores, options.draws, 0.3)
            recorded[setting or "runs"] = found
            print(setting or "runs", found, flush=True)
        result["recorded"] = recorded
        means = {n: fmean(row[n] for row in recorded.values()) for n in ("model", "raw", "whole")}
        result["recorded_mean"] = means
    print(json.dumps(result))


if __name__ == "__main__":
    main()
