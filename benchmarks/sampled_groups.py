"""How good groups are that were chosen by pairs and some trained groups, where all are known.

    python benchmarks/sampled_groups.py ../shared/outside/mtgnet/ETT_ETTm1 --groups 20

`PREFIX_x.csv` says who is in each of all groups of some tasks, `PREFIX_y.csv` what each of them
gains there. In every draw as many groups of three or more as are said are drawn at random; with
these and all pairs `--method predicted-gain` chooses the groups. The last line is JSON: the mean
over tasks of what they gain in the best grouping; in that chosen by pairs; in those chosen by
pairs and drawn groups, mean over draws; and the last two as shares of the first.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from relevance.clustering.measured_groups import MeasuredGroup
from relevance.clustering.methods.predicted_gain import PredictedGain
from relevance.clustering.partition import best_partition, members
from relevance.matrices.matrix import RelevanceMatrix


def read(prefix: str) -> np.ndarray:
    """Gain of every task in every group, [group, task]; 0 where it is not in it."""
    inside = np.loadtxt(Path(f"{prefix}_x.csv")).astype(int)
    count = inside.shape[1]
    if len(inside) != 2**count - 1:
        raise SystemExit(f"{prefix}_x.csv has {len(inside)} groups of {count} tasks, not all.")
    gains = np.zeros((2**count, count))
    gains[inside @ (1 << np.arange(count))] = np.loadtxt(Path(f"{prefix}_y.csv"))
    return gains


def pairs_of(gains: np.ndarray) -> RelevanceMatrix:
    """The gains of pairs as a matrix."""
    count = gains.shape[1]
    values = np.zeros((count, count))
    for source in range(count):
        for target in set(range(count)) - {source}:
            values[source, target] = gains[1 << source | 1 << target, target]
    return RelevanceMatrix(values, tuple(f"T{task}" for task in range(count)), "joint-training")


def trained(gains: np.ndarray, matrix: RelevanceMatrix, budget: int, drawn: list[int]) -> float:
    """What the grouping chosen by pairs and some groups gains when it is trained."""
    measured = tuple(
        MeasuredGroup(
            frozenset(matrix.tasks[task] for task in members(group)),
            {matrix.tasks[task]: float(gains[group, task]) for task in members(group)},
        )
        for group in drawn
    )
    spec = PredictedGain(subsets=measured).cluster(matrix, budget)
    chosen = [sum(1 << matrix.tasks.index(t) for t in group) for group in spec.clusters]
    return float(gains[chosen].sum()) / len(matrix.tasks)


def main() -> None:
    """Print the shares of the best grouping."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("prefix")
    parser.add_argument("--groups", type=int, default=20)
    parser.add_argument("--k", type=int, default=2)
    parser.add_argument("--draws", type=int, default=100)
    options = parser.parse_args()
    gains = read(options.prefix)
    matrix = pairs_of(gains)
    of_groups = gains.sum(axis=1)
    best = float(of_groups[list(best_partition(of_groups, options.k))].sum()) / len(matrix.tasks)
    large = np.flatnonzero(np.bitwise_count(np.arange(len(gains))) > 2)
    found = []
    for seed in range(options.draws):
        drawn = np.random.default_rng(seed).choice(large, options.groups, replace=False)
        found.append(trained(gains, matrix, options.k, drawn.tolist()))
    by_pairs = trained(gains, matrix, options.k, [])
    told = {
        "groups": options.groups,
        "k": options.k,
        "draws": options.draws,
        "best": best,
        "pairs": by_pairs,
        "surrogate": float(np.mean(found)),
        "pairs_share": by_pairs / best,
        "surrogate_share": float(np.mean(found)) / best,
        "worst_share": float(np.min(found)) / best,
    }
    print(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in told.items()}))


if __name__ == "__main__":
    main()
