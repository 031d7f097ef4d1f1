"""How well the scheduler packs the 91 jobs of the paper's 13 tasks: makespan against lower bound.

    python benchmarks/packing.py

The rule is the scheduler's own, run on a clock that costs nothing. No schedule beats the lower
bound: the mean load of a device, or the longest job where that is more.

What a job takes follows from the full sizes of its tasks: rows (the paper's Table 4) times words in
a row, 20 more for what a row costs however short it is. What it really takes differs from that as
much as recorded runs of one study differed from each other: `durations.csv`, 8 tasks of one size
with 3 seeds, MiniLM on a shared CPU. `--cache DIR` records the finished runs of another folder, and
shows how those would have been packed.
"""

import argparse
import csv
import json
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from random import Random
from statistics import median

from relevance.packing import lower_bound, makespan
from relevance.scheduling import Job

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


def record(cache: Path, out: Path) -> None:
    """Write the durations of all finished runs of a cache folder."""
    runs = []
    for path in cache.glob("jobs/*/result.json"):
        inputs = json.loads((path.parent / "inputs.json").read_text())
        names = " & ".join(task["name"] for task in inputs["tasks"])
        seconds = json.loads(path.read_text())["result"]["seconds"]
        runs.append((names, inputs["seed"], f"{seconds:.2f}"))
    with out.open("w", newline="") as file:
        csv.writer(file).writerows([("tasks", "seed", "seconds"), *sorted(runs)])


def recorded(path: Path) -> dict[str, float]:
    """Seconds by run."""
    with path.open(newline="") as file:
        runs = csv.DictReader(file)
        return {f"{run['tasks']}, seed {run['seed']}": float(run["seconds"]) for run in runs}


def deviations(seconds: dict[str, float]) -> list[float]:
    """What each run took as a multiple of the median of its kind, single or joint."""
    kinds = defaultdict(list)
    for name, each in seconds.items():
        kinds[" & " in name].append(each)
    return [each / median(kinds[" & " in name]) for name, each in seconds.items()]


def expected() -> dict[str, float]:
    """What the 91 jobs take by their sizes, in words read."""
    sizes = ROWS_AND_WORDS.items()
    alone = {name: float(rows * (words + WORDS_OF_A_ROW)) for name, (rows, words) in sizes}
    pairs = combinations(alone, 2)
    return alone | {f"{one} & {other}": alone[one] + alone[other] for one, other in pairs}


def show(title: str, costs: dict[str, float], durations: dict[str, float]) -> None:
    """Print the ratio of makespan to lower bound for several numbers of devices."""
    jobs = [Job(name, nothing, cost) for name, cost in costs.items()]
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
    costs = expected()
    drawn = Random(0).choices(deviations(seconds), k=len(costs))  # noqa: S311  # no secret
    really = {name: costs[name] * factor for name, factor in zip(costs, drawn, strict=True)}
    show("As long as their sizes say", costs, costs)
    show("Off by what recorded runs were off", costs, really)
    show("The recorded runs themselves", seconds, seconds)


if __name__ == "__main__":
    main()
