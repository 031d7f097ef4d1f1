"""What batches of rows of like length do to scores, at equal steps, paired by seed.

    python benchmarks/studies/length_grouped.py DATA OUT --scores length_grouped.csv

Six tasks, each trained alone on 1,000 rows of its own: MiniLM, four epochs, plain and grouped
batches, six seeds. Started again it goes on where it was stopped; scores that the csv file has are
not made again. JOBS runs at a time, one thread each.

Grouped batches may become the default where the 90 % interval of the mean difference over tasks
lies within .005 of 0 and no task's 95 % interval leaves 0, after Holm's correction.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

TASKS = ("MNLI", "SNLI", "QQP", "QNLI", "SST-2", "STS-B")
WAYS = {"plain": "--no-length-grouped", "grouped": "--length-grouped"}
SEEDS = range(6)
SETTINGS = (
    "--method single --backbone minilm --pooling mean --max-train 1000 --max-dev 2000"
    " --max-length 96 --batch-size 32 --epochs 4 --lr 1e-4 --device cpu"
)
MARGIN = 0.005


def train(way: str, seed: int, data_dir: Path, out: Path) -> None:
    """One run of all tasks, unless it is there."""
    folder = out / way / f"seed-{seed}"
    command = [
        sys.executable,
        "-m",
        "hmnet",
        "train",
        "--tasks",
        ",".join(TASKS),
        *SETTINGS.split(),
    ]
    command += ["--data-dir", str(data_dir), WAYS[way], "--seed", str(seed), "--resume"]
    with (out / f"{way}-{seed}.log").open("w") as log:
        subprocess.run(
            [*command, "--out", str(folder)],
            check=True,
            stdout=log,
            stderr=log,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )


def scores_of(way: str, seed: int, out: Path) -> pd.DataFrame:
    """The primary scores of a run, a row per task."""
    import hmnet

    run = hmnet.load(out / way / f"seed-{seed}")
    primary = {task.name: task.metrics[0] for task in run.tasks}
    rows = [
        (score.task, way, seed, score.value)
        for score in run.scores
        if score.metric == primary[score.task] and score.split == "dev"
    ]
    return pd.DataFrame(rows, columns=["task", "way", "seed", "score"])


def judge(scores: pd.DataFrame) -> None:
    """Print differences with their intervals, and what follows from them."""
    table = scores.pivot(index=["seed", "task"], columns="way", values="score")
    gained = (table["grouped"] - table["plain"]).unstack("task")[list(TASKS)]
    p = {task: float(stats.ttest_1samp(gained[task], 0).pvalue) for task in TASKS}
    print("task     plain grouped  difference   95 % interval       p")
    for task in TASKS:
        column = gained[task]
        low, high = interval(column, 0.95)
        means = table.xs(task, level="task").mean()
        print(
            f"{task:7} {100 * means['plain']:6.2f} {100 * means['grouped']:7.2f}"
            f" {100 * column.mean():11.2f}   {100 * low:+.2f} to {100 * high:+.2f} {p[task]:8.3f}"
        )
    of_seeds = gained.mean(axis=1)
    low, high = interval(of_seeds, 0.90)
    spread = f"90 % interval {100 * low:+.2f} to {100 * high:+.2f}"
    print(f"mean difference {100 * of_seeds.mean():.2f}, {spread}")
    differs = min(p.values()) < 0.05 / len(p)  # Holm's first step, without which no other is taken
    within = low > -MARGIN and high < MARGIN
    print(f"within {100 * MARGIN:.1f} points: {within}; some task differs: {differs}")


def interval(values: pd.Series, level: float) -> tuple[float, float]:
    """Student's interval of a mean."""
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def main() -> None:
    """Train what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scores", type=Path, required=True, help="csv file of finished runs")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    found = pd.read_csv(options.scores) if options.scores.exists() else pd.DataFrame()
    there = set() if found.empty else set(zip(found["way"], found["seed"], strict=True))
    missing = [(way, seed) for seed in SEEDS for way in WAYS if (way, seed) not in there]
    with ThreadPoolExecutor(options.jobs) as pool:
        running = [
            (pool.submit(train, way, seed, options.data, options.out), way, seed)
            for way, seed in missing
        ]
        for run, way, seed in running:
            run.result()
            found = pd.concat([found, scores_of(way, seed, options.out)])
            found.to_csv(options.scores, index=False)
    judge(found)


if __name__ == "__main__":
    main()
