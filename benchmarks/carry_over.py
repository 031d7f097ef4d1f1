"""Does relevance that was measured with one model hold for another? On recorded runs.

    python benchmarks/carry_over.py ../shared/outside/taskweb/runs.csv.gz

Spearman's correlation within targets of the means over all seeds of every two settings, mean over
targets; on the diagonal that of two halves of a setting's own seeds, mean over all splits.
"""

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
from replay import correlation, read

from relevance.gains.reliability import known_mean

SETTINGS = ("t5b", "gpt2m", "t5b-lora", "t5l-pfeiffer")
LOWEST = -0.2


def with_itself(values: np.ndarray) -> float:
    """Mean correlation of two halves of the seeds."""
    seeds = range(len(values))
    found = []
    for half in combinations(seeds, len(values) // 2):
        if 0 in half:  # every split once
            other = [seed for seed in seeds if seed not in half]
            found.append(
                correlation(known_mean(values[list(half)], 0), known_mean(values[other], 0))
            )
    return float(np.mean(found))


def main() -> None:
    """Print the upper half of the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS))
    options = parser.parse_args()
    found = {name: read(options.runs, name, LOWEST, square=True)[0] for name in options.settings}
    print(" " * 14 + "".join(f"{name:>14}" for name in found))
    for place, (name, values) in enumerate(found.items()):
        cells = [" " * 14] * place + [f"{with_itself(values):14.2f}"]
        for other in list(found.values())[place + 1 :]:
            cells.append(f"{correlation(known_mean(values, 0), known_mean(other, 0)):14.2f}")
        print(f"{name:14}" + "".join(cells))


if __name__ == "__main__":
    main()
