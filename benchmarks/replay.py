"""What a budget would have found out, replayed on recorded runs, directed or joint.

    python benchmarks/replay.py --runs ../shared/outside/taskweb/runs.csv.gz --setting t5b

    python benchmarks/replay.py --runs benchmarks/studies/reference/runs.csv --metric gain

With `--keep FOLDER` finished draws are kept there, and a stopped replay goes on with the others.
In every draw half of the seeds, at most four, may be learned from, in whatever order the choice of
runs asks for; the mean of the others, at most four, is the truth. A file of joint runs (`task`,
`partner`) gives both directions of a pair at once. The last line is JSON:

- `gains`, 30 % of one seed's runs: mean over targets of Spearman's correlation with the truth, of
  posterior means; of a whole seed's values; and of 30 % drawn at random, as source effect and
  shrinkage, and as the source effect alone. `ratio` is to the whole seed, `difference` to source
  effect and shrinkage.
- `sources`, 30 %: regret of the best source named, in standard deviations over the target's
  sources; and of the best one measured in random order at 45 and 60 %.
- `groups`, 200 %: adjusted Rand index with the groups of the truth, k = 3, and that of two whole
  seeds; 100 % and one seed where no more may be learned from. Rows are values less the target's
  mean, 0 on the diagonal, of tasks that are both.

`seconds` are those of one draw.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from recorded import recorded
from scipy.stats import rankdata
from sklearn.metrics import adjusted_rand_score

import relevance
from cli.app import bad_input_ends
from relevance.budget.choice import balanced, choose
from relevance.budget.rounds import round_size
from relevance.budget.state import Candidates
from relevance.clustering.methods.kmeans import best_labels
from relevance.gains.reliability import known_mean
from relevance.posterior.fit import Fit, fit
from relevance.tasks.read import column_names

MOST_SEEDS = 4
GAINS, SOURCES, GROUPS = 0.3, 0.3, 2.0
K, STARTS = 3, 50


@dataclass
class Recorded:
    """Runs of some seeds, revealed one after another.

    Attributes:
        values: [seed, source, target], NaN where there is none.
        cells: The cells of every run, one or two, as numbers source by source.
        random: Decides which of its seeds a run shows first.
    """

    values: np.ndarray
    cells: np.ndarray
    random: np.random.Generator

    def __post_init__(self) -> None:
        """Put the seeds of each run in an order."""
        flat = self.values.reshape(len(self.values), -1)[:, self.cells]
        there = np.isfinite(flat).any(axis=2)
        order = np.argsort(self.random.random(there.shape) + ~there, axis=0)
        self.ordered = np.take_along_axis(flat, order[:, :, None], axis=0)
        self.most = there.sum(axis=0)
        self.made = np.zeros(len(self.cells), dtype=int)

    def candidates(self) -> Candidates:
        """Runs that may still be made."""
        return Candidates(self.cells, self.most - self.made, self.made, np.ones(len(self.cells)))

    def shown(self) -> np.ndarray:
        """Values of the runs made so far, NaN elsewhere."""
        made = np.arange(len(self.values))[:, None] < self.made
        found = np.full((len(self.values), self.values[0].size), np.nan)
        found[:, self.cells] = np.where(made[:, :, None], self.ordered, np.nan)
        return found.reshape(self.values.shape)

    def spend(self, share: float, aim: str, seed: int) -> Fit:
        """Make runs for a share of the runs of one seed, chosen for an aim."""
        left = round(share * len(self.cells))
        start = None
        shape = self.values.shape[1:]
        while left > 0 and (self.most > self.made).any():
            made = int(self.made.sum())
            size = min(left, round_size(max(shape) * 2 // self.cells.shape[1], made))
            if made:
                found = fit(self.shown(), start=start)
                start = found.parameters
                chosen = choose(found, self.candidates(), size, aim, seed=seed)
            else:
                chosen = balanced(self.candidates(), shape, size, seed=seed)
            np.add.at(self.made, chosen, 1)
            left -= len(chosen)
        return fit(self.shown(), start=start)


def read(
    path: Path, setting: str | None, lowest: float, *, square: bool, metric: str | None = None
) -> tuple:
    """Values by seed, and the cells of every run."""
    matrix = recorded(path, setting=setting, metric=metric, square=square, drop=True)
    scores = np.asarray(matrix.joint["gain"], dtype=float)
    values = np.where(scores < lowest, np.nan, matrix.per_seed)
    values[:, np.eye(len(matrix.tasks), dtype=bool)] = np.nan
    names = column_names(path)
    known = np.isfinite(values).any(axis=0)
    if {"task", "partner"} <= set(names) and "source" not in names:
        first, second = np.nonzero(np.triu(known | known.T))
        size = len(known)
        return values, np.stack([first * size + second, second * size + first], axis=1)
    return values, np.flatnonzero(known)[:, None]


def correlation(values: np.ndarray, truth: np.ndarray) -> float:
    """Mean over targets of Spearman's correlation within each; 0 where all values are the same."""
    found = []
    for one, other in zip(values.T, truth.T, strict=True):
        known = np.isfinite(other)
        if known.sum() < 3 or np.ptp(other[known]) == 0:
            continue
        ranks = np.stack([rankdata(np.nan_to_num(one[known])), rankdata(other[known])])
        ranks -= ranks.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(ranks, axis=1)
        found.append(ranks[0] @ ranks[1] / lengths.prod() if lengths.all() else 0.0)
    return float(np.mean(found))


def regret(values: np.ndarray, truth: np.ndarray, random: np.random.Generator) -> float:
    """Mean over targets of what the source named is behind the best; NaN values are not named."""
    found = []
    for one, other in zip(values.T, truth.T, strict=True):
        known = np.isfinite(other)
        if known.sum() < 3 or np.ptp(other[known]) == 0:
            continue
        usable = np.where(known & np.isfinite(one), one, -np.inf)
        if np.isfinite(usable).any():
            named = int(np.argmax(usable))
        else:
            named = int(random.choice(np.flatnonzero(known)))
        found.append((other[known].max() - other[named]) / other[known].std())
    return float(np.mean(found))


def at_random(values: np.ndarray, cells: np.ndarray, share: float, random) -> np.ndarray:
    """One seed's values of runs drawn at random, NaN elsewhere."""
    drawn = random.permutation(len(cells))[: round(share * len(cells))]
    found = np.full(values.size, np.nan)
    found[cells[drawn]] = values.ravel()[cells[drawn]]
    return found.reshape(values.shape)


def centred(values: np.ndarray) -> np.ndarray:
    """Less the mean of each target; 0 where unknown."""
    return np.nan_to_num(values - known_mean(values, 0))


def source_effect(values: np.ndarray, kept: float) -> np.ndarray:
    """Source effect and shrinkage: of what is measured, in standard deviations of its target.

    A source's effect is its mean with one cell more at 0; of what a cell has beyond it, the share
    `kept` counts.
    """
    within = values - known_mean(values, 0)
    count = np.isfinite(within).sum(axis=0)
    spread = np.sqrt(np.nansum(within**2, axis=0) / np.maximum(count - 1, 1))
    least = 0.2 * np.median(spread[spread > 0])
    scaled = within / np.maximum(spread, least)
    known = np.isfinite(scaled)
    effect = np.nansum(scaled, axis=1) / (known.sum(axis=1) + 1)
    rest = np.where(known, scaled - effect[:, None], 0.0)
    return effect[:, None] + kept * rest


def groups(values: np.ndarray) -> np.ndarray:
    """Labels of k-means on values less the mean of their target."""
    return best_labels(centred(values), K, seed=0, restarts=STARTS)[0]


def split(values: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Seeds to learn from, and the mean of as many others."""
    learn, rest = halves(values[random.permutation(len(values))])
    return learn, known_mean(rest, 0)


def halves(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first half, and what comes after it, four seeds at most of each."""
    half = min(MOST_SEEDS, len(values) // 2)
    return values[:half], values[half : half + MOST_SEEDS]


def of_gains(values: np.ndarray, cells: np.ndarray, seed: int) -> dict[str, float]:
    """One draw for `gains`."""
    random = np.random.default_rng(seed)
    learn, truth = split(values, random)
    found = Recorded(learn, cells, random).spend(GAINS, "gains", seed)
    drawn = at_random(learn[0], cells, GAINS, random)
    return {
        "correlation": correlation(found.mean, truth),
        "whole_seed": correlation(centred(learn[0]), truth),
        "source_effect": correlation(source_effect(drawn, 0.5), truth),
        "effect_alone": correlation(source_effect(drawn, 0.0), truth),
        "random_as_it_is": correlation(centred(drawn), truth),
    }


def of_sources(values: np.ndarray, cells: np.ndarray, seed: int) -> dict[str, float]:
    """One draw for `sources`."""
    random = np.random.default_rng(seed)
    learn, truth = split(values, random)
    possible = np.isfinite(learn).any(axis=0)
    found = Recorded(learn, cells, random).spend(SOURCES, "sources", seed)
    named = {"regret": np.where(possible, found.mean, np.nan)}
    for share in (0.3, 0.45, 0.6):
        named[f"random_{share:.0%}"] = at_random(learn[0], cells, share, random)
    return {name: regret(values, truth, random) for name, values in named.items()}


def of_groups(values: np.ndarray, cells: np.ndarray, seed: int) -> dict[str, float]:
    """One draw for `groups`."""
    random = np.random.default_rng(seed)
    learn, truth = split(values, random)
    own = np.eye(len(truth), dtype=bool)
    found = Recorded(learn, cells, random).spend(GROUPS, "groups", seed)
    of_truth = groups(truth)
    return {
        "agreement": adjusted_rand_score(of_truth, groups(np.where(own, np.nan, found.mean))),
        "two_seeds": adjusted_rand_score(of_truth, groups(known_mean(learn[:2], 0))),
    }


AIMS: dict[str, Callable[..., dict[str, float]]] = {
    "gains": of_gains,
    "sources": of_sources,
    "groups": of_groups,
}


def kept_draws(options: argparse.Namespace, aim: str) -> Path:
    """The file of finished draws, of these runs and of the code that makes them."""
    package = Path(relevance.__file__).parent
    code = [path for name in ("posterior", "budget") for path in (package / name).glob("*.py")]
    own = [Path(__file__), Path(__file__).with_name("recorded.py")]
    files = [*own, package / "clustering/methods/kmeans.py", *sorted(code), options.runs]
    told = hashlib.sha256(f"{options.setting} {options.metric} {options.lowest}".encode())
    for path in files:
        told.update(path.read_bytes())
    options.keep.mkdir(parents=True, exist_ok=True)
    name = options.setting or options.runs.stem
    return Path(options.keep / f"{name}-{aim}-{told.hexdigest()[:8]}.jsonl")


def all_draws(
    path: Path | None, number: int, draw: Callable[[int], dict[str, float]]
) -> list[dict[str, float]]:
    """Draws that were kept, then the others, each kept as it is finished."""
    lines = path.read_text().splitlines() if path and path.is_file() else []
    found = [json.loads(line) for line in lines][:number]
    for seed in range(len(found), number):
        start = time.perf_counter()
        found.append(draw(seed))
        found[-1]["seconds"] = time.perf_counter() - start
        if path:
            with path.open("a") as file:
                file.write(json.dumps(found[-1]) + "\n")
    return found


@bad_input_ends("replay.py")
def main() -> None:
    """Print the means over draws."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--setting")
    parser.add_argument("--metric", help="whose scores are meant, where the file has several")
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--for", dest="aims", nargs="*", default=list(AIMS), choices=list(AIMS))
    parser.add_argument("--lowest", type=float, default=-0.2, help="lowest score that can be")
    parser.add_argument("--keep", type=Path, help="folder of finished draws")
    options = parser.parse_args()
    told: dict[str, object] = {"setting": options.setting, "draws": options.draws}
    for aim in options.aims:
        values, cells = read(
            options.runs,
            options.setting,
            options.lowest,
            square=aim == "groups",
            metric=options.metric,
        )
        told["seeds"] = dict(zip(("learned", "truth"), map(len, halves(values)), strict=True))
        path = kept_draws(options, aim) if options.keep else None
        draws = all_draws(path, options.draws, partial(AIMS[aim], values, cells))
        means = {name: float(np.mean([one[name] for one in draws])) for name in draws[0]}
        if aim == "gains":
            means["ratio"] = means["correlation"] / means["whole_seed"]
            means["difference"] = means["correlation"] - means["source_effect"]
        told[aim] = {name: round(value, 4) for name, value in means.items()}
        print(aim, told[aim], flush=True)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
