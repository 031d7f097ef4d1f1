r"""`relevance pairwise` on the CPU with one worker on all cores against one worker per core.

    python benchmarks/study_workers.py --data-dir ../shared/data

or several workers on one GPU:

    python benchmarks/study_workers.py --data-dir DATA --gpu --workers 1 2 4 8 --rounds 1 \
        --tasks RTE,MRPC,SST-2,QNLI,CoLA

All run the same study with caches of their own, in turn; medians over the rounds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SETTINGS = ("--max-dev", "100", "--epochs", "1", "--max-length", "64", "--single-seeds", "1")


def seconds(options: argparse.Namespace, jobs: int) -> float:
    """Wall time of the study with an empty cache of finished jobs."""
    command = [sys.executable, "-m", "relevance", "pairwise", *SETTINGS, "--tasks", options.tasks]
    command += ["--data-dir", str(options.data_dir), "--backbone", options.backbone]
    command += ["--max-train", str(options.rows)]
    command += ["--gpus", "1", "--jobs-per-gpu"] if options.gpu else ["--gpus", "0", "--jobs"]
    with tempfile.TemporaryDirectory() as cache:
        started = time.perf_counter()
        subprocess.run(
            [*command, str(jobs)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "RELEVANCE_CACHE": cache},
        )
        return time.perf_counter() - started


def main() -> None:
    """Run both in turn and print medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", default="RTE,MRPC,SST-2")
    parser.add_argument("--backbone", default="minilm")
    parser.add_argument("--rows", type=int, default=256, help="training rows of each task")
    parser.add_argument("--gpu", action="store_true", help="workers of one GPU")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--workers", type=int, nargs="+", default=[1, cores])
    options = parser.parse_args()
    workers = options.workers
    times: dict[int, list[float]] = {jobs: [] for jobs in workers}
    for _ in range(options.rounds):
        for jobs in workers:
            times[jobs].append(seconds(options, jobs))
    median = {jobs: statistics.median(taken) for jobs, taken in times.items()}
    for jobs in workers:
        ratio = median[workers[0]] / median[jobs]
        print(f"{jobs} workers: {median[jobs]:6.1f} s, {ratio:.2f} times as fast as {workers[0]}")


if __name__ == "__main__":
    main()
