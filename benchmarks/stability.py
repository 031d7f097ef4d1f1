"""Is the stability that is printed what a replication finds? Judged on runs with eight seeds.

    python benchmarks/stability.py ../shared/outside/taskweb/runs.csv.gz
    python benchmarks/stability.py benchmarks/studies/reference/runs.csv --metric gain

Each setting's seeds are divided into two halves in all ways, eight into fours in 35; of an odd
number one is left out. What is printed for the groups of
one half is compared with the index between the groups of both. Scores that no metric can have are
left out, pairs without runs are at the mean of their target.
"""

import argparse
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from recorded import recorded, settings_of

from cli.app import bad_input_ends
from relevance.clustering.agreement import adjusted_rand
from relevance.clustering.methods.kmeans import KMeans
from relevance.clustering.stability import stability
from relevance.gains.reliability import known_mean
from relevance.matrices.matrix import RelevanceMatrix

STARTS = KMeans(restarts=50)


def of_seeds(matrix: RelevanceMatrix, chosen: list[int], lowest: float) -> RelevanceMatrix:
    """The matrix that a study of some of the seeds would have given."""
    scores = np.asarray(matrix.joint["gain"], dtype=float)[chosen]
    scores[scores < lowest] = np.nan
    per_seed = scores - known_mean(known_mean(scores, 0), 0)
    per_seed[:, np.eye(scores.shape[-1], dtype=bool)] = 0.0
    mean = np.nan_to_num(known_mean(per_seed, 0))
    alone = {name: np.asarray(found)[chosen] for name, found in (matrix.single or {}).items()}
    return replace(
        matrix,
        values=mean,
        per_seed=per_seed,
        standard_errors=None,
        seeds=tuple(chosen),
        single=alone or None,
    )


@bad_input_ends("stability.py")
def main() -> None:
    """Print what is said and what is found, by setting and k, and the mean difference."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--metric", help="whose scores are meant, where the file has several")
    parser.add_argument("--splits", type=int, default=35)
    parser.add_argument("--lowest", type=float, default=-0.2, help="lowest score that can be")
    options = parser.parse_args()
    misses, founds = [], []
    for setting in settings_of(options.runs):
        matrix = recorded(options.runs, setting=setting, metric=options.metric, square=True)
        half = len(matrix.seeds) // 2
        seeds = range(2 * half)
        halves = [one for one in combinations(seeds, half) if 0 in one]
        pairs = [(list(one), [s for s in seeds if s not in one]) for one in halves]
        for k in (2, 3, 4):
            said, found = [], []
            for one, other in pairs[:: max(1, len(pairs) // options.splits)]:
                first, second = (of_seeds(matrix, part, options.lowest) for part in (one, other))
                spec = STARTS.cluster(first, k)
                told = stability(first, spec, STARTS, k)
                if told is not None and told.adjusted_rand is not None:
                    said.append(told.adjusted_rand)
                found.append(adjusted_rand(spec, STARTS.cluster(second, k)))
            line = f"{setting or 'runs':14} k = {k}: found {np.mean(found):.2f}, printed"
            if not said:
                print(f"{line} unknown", flush=True)
                continue
            print(f"{line} {np.mean(said):.2f}", flush=True)
            misses.append(abs(np.mean(said) - np.mean(found)))
            founds.append(np.mean(found))
    if not founds:
        return
    constant = np.abs(np.array(founds) - np.mean(founds)).mean()
    print(f"mean difference {np.mean(misses):.3f}; of the best constant {constant:.3f}")


if __name__ == "__main__":
    main()
