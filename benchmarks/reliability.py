"""What makes joint-training gains reliable, and what it costs.

    python benchmarks/reliability.py --data-dir ../shared/data

Trains eight tasks alone and in pairs on MiniLM with three seeds, and a part of them again with
averaged weights, or finds these runs in the cache; then works out, from the same runs, how well the
gains of one seed agree with those of another: by metric, by number of baselines, by held-out rows
and by which weights are scored. Within a target: after the column's mean is taken off.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from hmnet.measuring.joint_trainer import make_trainer
from relevance.disk.files import cache_dir
from relevance.gains.formulas import own_baseline_gains, scores
from relevance.gains.gain_choice import METRICS, GainChoice
from relevance.gains.reliability import reliability, seeds_needed
from relevance.interfaces.trainer import Result
from relevance.jobs.job import Event, Schedule
from relevance.report.tables import table
from relevance.studies.runs import FinishedRun
from relevance.studies.store import JobStore
from relevance.studies.study import Study, single_run_seeds
from relevance.tasks.data import DataOptions, TaskData
from relevance.tasks.find import find_tasks
from relevance.tasks.load import load_task
from relevance.tasks.metrics import score
from relevance.tasks.task import Task

TASKS = ("MNLI", "SNLI", "MRPC", "QQP", "STS-B", "SST-2", "SST-5", "CoLA")
AVERAGED = ("SNLI", "QQP", "STS-B", "SST-2")
SEEDS = (0, 1, 2)
SETTINGS = {
    "backbone": "minilm",
    "pooling": "mean",
    "epochs": 1,
    "max_length": 48,
    "lr": 2e-4,
}
MAX_TRAIN, MAX_DEV = 1024, 500
FEW_ROWS = 125
BASELINES = 2
WANTED = 0.7

Table = dict[str, Float[np.ndarray, "..."]]


@dataclass(frozen=True)
class Runs:
    """All finished runs of some tasks, and what they were scored on."""

    study: Study
    finished: Mapping[str, FinishedRun]
    data: Mapping[str, TaskData]

    def tables(self, rows: int | None) -> tuple[Table, Table]:
        """Scores of single and joint runs on the first so many held-out rows."""
        single, joint = self.study.results(self.finished)
        tasks = self.study.tasks

        def of(task: Task, result: Result | None) -> list[float]:
            if result is None:
                return [np.nan] * len(METRICS)
            return list(scores(task, self._on(task, result, rows)).values())

        alone = [[of(t, r) for t, r in zip(tasks, row, strict=True)] for row in single]
        together = [
            [[of(t, r) for t, r in zip(tasks, row, strict=True)] for row in of_seed]
            for of_seed in joint
        ]
        return _by_metric(alone), _by_metric(together)

    def seconds(self) -> tuple[float, float]:
        """Of all single and of all joint runs."""
        single = sum(run.seconds for run in self.finished.values() if len(run.results) == 1)
        return single, sum(run.seconds for run in self.finished.values()) - single

    def _on(self, task: Task, result: Result, rows: int | None) -> Result:
        """A result on the first rows only."""
        split = (
            self.data[task.name]
            .evaluation["holdout"]
            .take(np.arange(min(rows or len(result.losses), len(result.losses))))
        )
        predictions = np.asarray(result.predictions[: len(split)], dtype=split.labels.dtype)
        losses = result.losses[: len(split)]
        return Result(score(task, split, predictions), float(np.mean(losses)))


def _by_metric(outcomes: Sequence[Any]) -> Table:
    return dict(zip(METRICS, np.moveaxis(np.asarray(outcomes), -1, 0), strict=True))


def finished_runs(names: Sequence[str], data_dir: Path, average: float, jobs: int) -> Runs:
    """Do what is missing of a study, and find the rest."""
    tasks = find_tasks(names)
    options = DataOptions(data_dir, MAX_TRAIN, MAX_DEV)
    settings = {**SETTINGS, "data_dir": data_dir, "max_train": MAX_TRAIN, "max_dev": MAX_DEV}
    data = {task.name: load_task(task, options, gain_split="holdout") for task in tasks}
    study = Study(
        tasks,
        make_trainer(tasks, {**settings, "average": average}, device="cpu"),
        JobStore(cache_dir()),
        SEEDS,
        single_run_seeds(SEEDS, BASELINES * len(SEEDS)),
        {name: one.fingerprint for name, one in data.items()},
        {name: float(len(one.train)) for name, one in data.items()},
    )

    def on_event(event: Event) -> None:
        if event.kind in ("done", "failed"):
            left = f"{event.left_s / 60:.0f} min left" if event.left_s is not None else ""
            print(f"{event.done} of {event.total} runs, {left}", file=sys.stderr, flush=True)

    finished, failed = study.run(Schedule(jobs_per_device=jobs, threads=1), on_event)
    if failed:
        raise SystemExit(f"{len(failed)} runs failed: {failed}")
    return Runs(study, finished, data)


def row(
    runs: Runs,
    metric: str,
    baselines: int,
    rows: int | None,
    weights: str,
    cost: Runs | None = None,
) -> dict[str, Any]:
    """One line of the table; `cost` are runs that take as long, if not these themselves."""
    single, joint = runs.tables(rows)
    number = len(SEEDS) * baselines
    gains = own_baseline_gains(single[metric][:number], joint[metric], GainChoice(metric))
    found = reliability(gains)
    single_s, joint_s = (cost or runs).seconds()
    seed_s = joint_s / len(SEEDS) + single_s * baselines / len(runs.study.single_seeds)
    within = found["within_target"]["between_seeds"]
    needed = None if within is None else seeds_needed(within, WANTED)
    return {
        "tasks": len(runs.study.tasks),
        "metric": metric,
        "baselines": baselines,
        "held-out rows": rows or MAX_DEV,
        "weights": weights,
        "all cells": _shown(found["all_cells"]),
        "column effect": _shown(found["column_effect"]),
        "within target": _shown(found["within_target"]),
        "worker s a seed": round(seed_s),
        f"seeds for {WANTED}": "none would do" if needed is None else needed,
        f"worker s for {WANTED}": "" if needed is None else round(needed * seed_s),
    }


def _shown(part: Mapping[str, float | None]) -> str:
    one, mean = part["between_seeds"], part["of_mean"]
    return "" if one is None or mean is None else f"{one:.2f} ({mean:.2f})"


def main() -> None:
    """Train what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    data_dir = options.data_dir.absolute()
    whole = finished_runs(TASKS, data_dir, 0.0, options.jobs)
    rows = [
        row(whole, metric, baselines, held_out, "last")
        for metric in ("gain", "loss")
        for baselines in (1, BASELINES)
        for held_out in (FEW_ROWS, None)
    ]
    last = finished_runs(AVERAGED, data_dir, 0.0, options.jobs)
    mean = finished_runs(AVERAGED, data_dir, 0.5, options.jobs)
    for part, weights in ((last, "last"), (mean, "mean of the last half")):
        # both train the same steps, so a difference in time is that of the machine's other work
        rows += [row(part, metric, BASELINES, None, weights, last) for metric in ("gain", "loss")]
    print("between two seeds (of the mean of three, by Spearman-Brown)\n")
    print(table(rows, "markdown"))


if __name__ == "__main__":
    main()
