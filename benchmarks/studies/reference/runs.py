r"""The reference study: eight tasks alone and in all pairs, six seeds, as one csv of runs.

    python benchmarks/studies/reference/runs.py DATA OUT \
        --runs benchmarks/studies/reference/runs.csv

MiniLM's lowest two layers, embeddings frozen, mean pooling, 2,000 training rows (RTE 1,992), at
most 1,000 held-out rows, length 48, lr 3e-4 falling to 0 over six epochs; `epochs.py` shows that
these are enough. STS-B is trained on standardised labels: on its own scale a study with it measures
its loss more than its texts. Every seed is 8 runs alone and 28 joint runs.

The file has a row per target, partner (empty: alone), seed and metric, as `relevance import` reads
it, so that estimators, stability and budgets are judged on it by `benchmarks/replay.py`. Seeds that
the file has are not run again; a seed that was stopped goes on where it was.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from gains import TASKS

from cli.app import bad_input_ends
from relevance.matrices.imported import read_runs

BACKBONE = "minilm2"
TRAINING = (
    "--pooling mean --freeze embeddings --max-length 48 --lr 3e-4 --epochs 6 --batch-size 32"
    " --max-train 2000 --max-dev 1000 --length-grouped --regression-loss standardised"
)

METRICS = ("gain", "primary", "loss")


@bad_input_ends("runs.py")
def main() -> None:
    """Run the seeds that are missing and write the file after each of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=Path, required=True, help="csv file of finished seeds")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(6)))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    found = None
    if options.runs.exists():
        read_runs(options.runs)  # which says in one line what is wrong with it
        found = pd.read_csv(options.runs)
    backbone = encoder(options.out)
    for seed in options.seeds:
        if found is None or seed not in set(found["seed"]):
            matrix = options.out / f"seed-{seed}.json"
            measure(seed, backbone, matrix, options)
            found = pd.concat([found, rows(json.loads(matrix.read_text()), seed)])
            found.to_csv(options.runs, index=False)
            print(f"seed {seed} done", flush=True)


def encoder(out: Path) -> Path:
    """The folder of MiniLM's lowest two layers, which is written unless it is there."""
    folder = out / BACKBONE
    if not (folder / "config.json").is_file():
        script = Path(__file__).with_name("lowest_layers.py")
        subprocess.run([sys.executable, script, "2", folder], check=True)
    return folder


def measure(seed: int, backbone: Path, matrix: Path, options: argparse.Namespace) -> None:
    """Run all jobs of one seed; finished ones lie in the cache."""
    arguments = ["--tasks", ",".join(TASKS), "--data-dir", options.data, "--backbone", backbone]
    arguments += [*TRAINING.split(), "--seeds", seed, "--single-seeds", 1, "--out", matrix]
    arguments += ["--gpus", 0, "--jobs", options.jobs]
    command("relevance", "pairwise", *arguments, out=options.out)


def command(*arguments: object, out: Path, may_fail: bool = False, **environment: str) -> int:
    """Run a command of the project, whose cache lies in `out`; gives its exit status.

    Where it fails and may not, this script ends with its status: it has said why.
    """
    places = {"RELEVANCE_CACHE": str(out.absolute() / "cache"), **environment}
    status = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], check=False, env=os.environ | places
    ).returncode
    if status and not may_fail:
        raise SystemExit(status)
    return status


def rows(matrix: dict[str, Any], seed: int) -> pd.DataFrame:
    """Scores of one seed, a row per target, partner and metric."""
    names = matrix["tasks"]
    found = [
        (task, partner, seed, metric, value)
        for metric, (single,) in matrix["single"].items()
        if metric in METRICS
        for partner, scores in zip(("", *names), (single, *matrix["joint"][metric][0]), strict=True)
        for task, value in zip(names, scores, strict=True)
        if value is not None and task != partner
    ]
    return pd.DataFrame(found, columns=["task", "partner", "seed", "metric", "score"])


if __name__ == "__main__":
    main()
