"""How well the scheduler packs the 91 jobs of the paper's 13 tasks: makespan against lower bound.

    python benchmarks/packing.py

The rule is the scheduler's own, run on a clock that costs nothing. No schedule beats the lower
bound: the mean load of a device, or the longest job where that is more.

Jobs take what they took in a study of 320 rows a task on a shared CPU, `durations.csv`; they start
in the order of these durations, or of their training rows, which is what the scheduler goes by
before any job is done. Then the same for tasks at full size, where a job takes what its rows and
words let expect.
`--cache DIR` records the finished runs of another folder.
"""

import argparse
import csv
import json
from itertools import combinations
from math import inf
from pathlib import Path

from relevance.jobs.job import Job
from relevance.jobs.makespan import lower_bound, makespan

RECORDED = Path(__file__).with_name("durations.csv")
DEVICES = (1, 2, 4, 8, 16, 32)
ROWS_AND_WORDS = {
    "MNLI": (393_000, 30),
    "QNLI": (108_000, 37),
    "RTE": (2_500, 52),
    "WNLI": (634, 28),
    "CB": (250, 63),
    "SNLI": (549_000, 20),
    "IMDB": (25_000, 230),
    "SST-2": (67_000, 9),
    "QQP": (364_000, 22),
    "STS-B": (7_000, 20),
    "MRPC": (3_700, 44),
    "BoolQ": (9_400, 104),
    "MultiRC": (5_100, 281),
}
WORDS_OF_A_ROW = 20
LONGEST = 96
ROWS = 320


def record(cache: Path, out: Path) -> None:
    """Write the durations of all finished runs of a cache folder."""
    runs = []
    for path in cache.glob("jobs/*/result.json"):
        inputs = json.loads((path.parent / "inputs.json").read_text())
        names = " & ".join(sorted(task["name"] for task in inputs["tasks"]))
        seconds = json.loads(path.read_text())["result"]["seconds"]
        runs.append((names, inputs["seed"], f"{seconds:.2f}"))
    with out.open("w", newline="") as file:
        csv.writer(file).writerows([("tasks", "seed", "seconds"), *sorted(runs)])


def recorded(path: Path) -> dict[str, float]:
    """Seconds by run of the first seed."""
    with path.open(newline="") as file:
        runs = csv.DictReader(file)
        return {run["tasks"]: float(run["seconds"]) for run in runs if run["seed"] == "0"}


def rows_of(limit: float = inf) -> dict[str, float]:
    """Training rows of the 91 jobs, of a task at most so many: what the scheduler expects."""
    return _with_pairs({name: min(rows, limit) for name, (rows, _) in ROWS_AND_WORDS.items()})


def words_of() -> dict[str, float]:
    """Words that the 91 jobs read at full size, so much for every row besides."""
    return _with_pairs(
        {
            name: rows * (min(words, LONGEST) + WORDS_OF_A_ROW)
            for name, (rows, words) in ROWS_AND_WORDS.items()
        }
    )


def _with_pairs(alone: dict[str, float]) -> dict[str, float]:
    return alone | {
        " & ".join(sorted(pair)): alone[pair[0]] + alone[pair[1]] for pair in combinations(alone, 2)
    }


def show(title: str, costs: dict[str, float], durations: dict[str, float]) -> None:
    """Print the ratio of makespan to lower bound for several numbers of devices."""
    jobs = [Job(name, nothing, costs[name]) for name in durations]
    print(f"\n{title}: {len(jobs)} jobs")
    for devices in DEVICES:
        ends = makespan(jobs, devices, lambda job: durations[job.name])
        least = lower_bound(list(durations.values()), devices)
        print(f"{devices:3} devices: {ends / least:.3f} of the lower bound")


def nothing(device: str) -> None:
    """The call of a job that is only planned."""


def main() -> None:
    """Show how jobs are packed whose durations are known, and those that turn out otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--out", type=Path, default=RECORDED)
    options = parser.parse_args()
    if options.cache is not None:
        record(options.cache, options.out)
    seconds = recorded(options.out)
    show("Recorded, in the order of what they take", seconds, seconds)
    show("Recorded, in the order of their rows", rows_of(ROWS), seconds)
    show("Tasks at full size, in the order of their rows", rows_of(), words_of())


if __name__ == "__main__":
    main()
