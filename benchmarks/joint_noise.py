"""Does the noise of both directions of a pair correlate, as one joint run gives both?

    python benchmarks/joint_noise.py benchmarks/studies/six_tasks/gains.json [MORE ...]

Takes matrices of gains with scores of joint runs, two seeds at least, or csv files of such runs (as
`relevance import` reads them). What each seed's score differs by from the mean over seeds, in
standard deviations of its target, is multiplied with that of the other direction. The spread by
chance is that of seeds put into another order for one of the directions, pair by pair.
"""

import argparse
from pathlib import Path

import numpy as np
from jaxtyping import Float
from recorded import recorded

import relevance
from cli.app import bad_input_ends
from relevance.errors import RelevanceError

ORDERS = 2000


def scores(path: Path, metric: str) -> Float[np.ndarray, "seed source target"]:
    """Scores of joint runs, NaN where there is none."""
    if path.suffix == ".json":
        matrix, metric_there = relevance.load_matrix(path), metric
    else:
        matrix, metric_there = recorded(path, metric=metric), "gain"
    joint = (matrix.joint or {}).get(metric_there)
    if joint is None or len(joint) < 2:
        raise RelevanceError(f"{path} has no scores by '{metric}' of two seeds or more.")
    return np.asarray(joint, dtype=float)


def directions(
    joint: Float[np.ndarray, "seed source target"],
) -> tuple[Float[np.ndarray, "seed pair"], Float[np.ndarray, "seed pair"]]:
    """Noise of both directions of the pairs that every seed knows, in that of their targets."""
    joint = np.where(np.isfinite(joint).all(axis=0), joint, np.nan)
    rest = joint - joint.mean(axis=0)
    rest[:, np.eye(rest.shape[1], dtype=bool)] = np.nan
    rest /= np.sqrt(np.nanmean(rest**2, axis=(0, 1)))
    first, second = np.triu_indices(rest.shape[1], 1)
    one, other = rest[:, first, second], rest[:, second, first]
    there = np.isfinite(one * other).all(axis=0)
    return one[:, there], other[:, there]


@bad_input_ends("joint_noise.py")
def main() -> None:
    """Print the correlation of every file, and of all of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--metric", default="gain", help="gain, primary or loss")
    options = parser.parse_args()
    random = np.random.default_rng(0)
    every = []
    for path in options.files:
        one, other = directions(scores(path, options.metric))
        if not one.size:
            raise RelevanceError(f"{path}: no pair has both directions in every seed.")
        found = float((one * other).mean())
        orders = [random.permuted(other, axis=0) for _ in range(ORDERS)]
        chance = float(np.std([(one * each).mean() for each in orders]))
        print(
            f"{path}: {one.shape[1]} pairs, {len(one)} seeds: {found:.2f} (by chance {chance:.2f})"
        )
        every.append((found, chance**-2))
    means, weights = zip(*every, strict=True)
    together = np.average(means, weights=weights)
    print(f"all, weighed by what chance does: {together:.2f} ({np.sum(weights) ** -0.5:.2f})")


if __name__ == "__main__":
    main()
