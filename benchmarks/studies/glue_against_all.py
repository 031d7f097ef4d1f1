"""Do the twelve other tasks at hand help GLUE's eight? Table 3.4 of El Hattami, as far as rows go.

    python benchmarks/studies/glue_against_all.py DATA OUT --scores glue_against_all.csv

MiniLM, mean pooling, length 128 (batches of rows of like length, longer contexts by windows), at
most 1,000 rows of a task: hard sharing (`multi`), HMNet in the groups of the manual taxonomy and
CA-MTL, in all of which everything is trained, on the eight tasks of GLUE that are counted and on
all of the thesis' 23 data sets of which there are rows; CA-MTL with uncertainty sampling for the
eight. Two seeds. The number of epochs is one for all runs: the most that fit into `--hours` of one
core, which is found out by a few steps of each task in every kind of run, kept in `OUT/plan.json`
and said. A run whose scores the csv file has is not made again, and the table at the end leaves it
out where its folder is not there. Started again it goes on where it was stopped. JOBS runs at a
time, one thread each.
"""

import argparse
import json
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

EIGHT = ("CoLA", "SST-2", "MRPC", "STS-B", "QQP", "MNLI", "QNLI", "RTE")
SEEDS = (0, 1)
SETTINGS: dict[str, Any] = {
    "backbone": "minilm",
    "pooling": "mean",
    "max_length": 128,
    "length_grouped": True,
    "batch_size": 16,
    "lr": 1e-4,
    "warmup": 0.1,
    "optimizer": "adam",
    "freeze": "0",
    "device": "cpu",
}
KINDS: dict[str, dict[str, Any]] = {
    "multi": {"method": "multi"},
    "hmnet": {"method": "hmnet"},
    "camtl": {"method": "camtl"},
    "uncertainty": {"method": "camtl", "sampler": "uncertainty"},
}
ROWS = tuple((kind, tasks) for tasks in ("8", "all") for kind in KINDS)[:-1]
"""Rows of the table: every kind for both lists of tasks, but for the last."""
FORWARD = 1 / 3  # of the time of a step, where a row is only scored
MRQA = {
    "TriviaQA": {"train": "TriviaQA-official1", "dev": "TriviaQA-dev"},
    "HotpotQA": {"train": "HotpotQA-train", "dev": "HotpotQA-dev"},
    "SQuAD@mrqa": {"train": "SQuAD-train", "dev": "SQuAD-dev"},
}
"""Files of these sets in `DATA/mrqa`, where others have a folder of their own."""


def data_folder(data: Path, folder: Path) -> Path:
    """A folder with links to the tasks' folders and files, under the names that are looked for."""
    folder.mkdir(parents=True, exist_ok=True)
    links = {each.name: each for each in data.iterdir() if each.is_dir()}
    for task, files in MRQA.items():
        (folder / task.lower()).mkdir(exist_ok=True)
        links |= {
            f"{task.lower()}/{split}.jsonl.gz": data / "mrqa" / f"{name}.jsonl.gz"
            for split, name in files.items()
        }
    for name, target in links.items():
        if target.exists() and not (folder / name).exists():
            (folder / name).symlink_to(target.absolute())
    return folder


def tasks_of(which: str, data: Path) -> tuple[str, ...]:
    """The eight tasks, or all of Table 3.4 with training and dev rows."""
    from relevance.tasks.find import find_tasks
    from relevance.tasks.load import split_file

    every = find_tasks(["camtl24"])
    there = [t.name for t in every if all(split_file(t, s, data) for s in ("train", "dev"))]
    return EIGHT if which == "8" else tuple(there)


def settings(kind: str, which: str, options: argparse.Namespace) -> dict[str, Any]:
    """Settings of a run but for its seed and epochs; clusters are those of the taxonomy."""
    import relevance

    tasks = tasks_of(which, options.out / "data")
    found: dict[str, Any] = {"tasks": tasks, "data_dir": options.out / "data"}
    found |= {"max_train": options.rows, "max_dev": options.dev_rows}
    if kind == "hmnet":
        matrix = relevance.measure("taxonomy", relevance.find_tasks(tasks))
        found["clusters"] = relevance.cluster(matrix)
    return {**SETTINGS, **KINDS[kind], **found, "name": f"{kind}-{which}"}


def seconds_of(kind: str, which: str, options: argparse.Namespace) -> float:
    """About how long an epoch takes, by a few steps of each task, and with it the scores."""
    from hmnet.runs.plan import plan_run
    from hmnet.settings.config import RunConfig
    from relevance.disk.files import validated

    one_thread()
    given = settings(kind, which, options)
    spec = given.pop("clusters", None)
    config = validated(RunConfig, given | {"epochs": 1}, "settings")
    plan = plan_run(config, spec, options.out / "planned")
    print(f"{kind}-{which}: {plan.seconds / 60:.1f} min an epoch", flush=True)
    return plan.seconds


def train(kind: str, which: str, seed: int, epochs: int, options: argparse.Namespace) -> None:
    """One run, unless it is there."""
    import hmnet

    one_thread()
    folder = options.out / f"{kind}-{which}" / f"seed-{seed}"
    given = settings(kind, which, options)
    hmnet.train(out=folder, resume=True, seed=seed, epochs=epochs, **given)


def one_thread() -> None:
    """Leave the other cores to the other runs."""
    import torch

    torch.set_num_threads(1)


def epochs_within(options: argparse.Namespace, pool: ProcessPoolExecutor) -> int:
    """The epochs of all runs: found out once, and kept."""
    place = options.out / "plan.json"
    if not place.exists():
        asked = [pool.submit(seconds_of, *row, options) for row in ROWS]
        place.write_text(json.dumps([one.result() for one in asked]))
    an_epoch_s = len(options.seeds) * sum(json.loads(place.read_text()))
    # scores cost about what an epoch of as many rows forward does
    scoring_s = FORWARD * an_epoch_s * options.dev_rows / options.rows
    epochs = int((3600 * options.hours - scoring_s) / an_epoch_s)
    print(
        f"{len(ROWS) * len(options.seeds)} runs: {an_epoch_s / 3600:.2f} h of one core an epoch and"
        f" {scoring_s / 3600:.2f} h for scores; {epochs} epoch(s) fit into {options.hours:g} h",
        flush=True,
    )
    if epochs < 1:
        raise SystemExit("Choose fewer --rows or more --hours, and remove plan.json.")
    return epochs


def scores_of(folder: Path) -> Iterator[tuple[Any, ...]]:
    """All scores of a finished run."""
    import hmnet

    for one in hmnet.load(folder).scores:
        yield one.task, one.split, one.metric, one.value


def main() -> None:
    """Train what is missing and print the table."""
    import pandas as pd

    import hmnet

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scores", type=Path, required=True, help="csv file of finished runs")
    parser.add_argument("--rows", type=int, default=1000, help="training rows of a task at most")
    parser.add_argument("--dev-rows", type=int, default=400)
    parser.add_argument("--hours", type=float, default=3.0, help="of one core, for all runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    data_folder(options.data, options.out / "data")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = pd.read_csv(options.scores) if options.scores.exists() else pd.DataFrame()
    there = set() if found.empty else set(zip(found["run"], found["seed"], strict=True))
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        epochs = epochs_within(options, pool)
        running = [
            (pool.submit(train, kind, which, seed, epochs, options), f"{kind}-{which}", seed)
            for seed in options.seeds
            for kind, which in ROWS
            if (f"{kind}-{which}", seed) not in there
        ]
        for run, name, seed in running:
            run.result()
            scores = scores_of(options.out / name / f"seed-{seed}")
            new = pd.DataFrame(scores, columns=["task", "split", "metric", "value"])
            own = pd.DataFrame({"run": name, "seed": seed, "epochs": epochs}, index=new.index)
            found = pd.concat([found, own.join(new)])
            found.to_csv(options.scores, index=False)
    folders = [options.out / f"{kind}-{which}" for kind, which in ROWS]
    runs = [run for folder in folders for run in sorted(folder.glob("seed-*"))]
    print(hmnet.compare(runs, layout="camtl", allow_different=True).to_table("markdown"))


if __name__ == "__main__":
    main()
