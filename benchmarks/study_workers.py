"""`relevance pairwise` on the CPU with one worker on all cores against one worker per core.

    python benchmarks/study_workers.py --data-dir ../shared/data

Both run the same study with caches of their own, in turn; medians over the rounds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDY = "--tasks RTE,MRPC,SST-2 --backbone minilm --max-train 256 --max-dev 100 --epochs 1"
SETTINGS = f"{STUDY} --max-length 64 --single-seeds 1".split()


def seconds(data_dir: Path, jobs: int) -> float:
    """Wall time of the study with an empty cache of finished jobs."""
    command = [str(Path(sys.executable).parent / "relevance"), "pairwise", *SETTINGS]
    with tempfile.TemporaryDirectory() as cache:
        started = time.perf_counter()
        subprocess.run(
            [*command, "--data-dir", str(data_dir), "--gpus", "0", "--jobs", str(jobs)],
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
    options = parser.parse_args()
    workers = (1, len(os.sched_getaffinity(0)))
    times: dict[int, list[float]] = {jobs: [] for jobs in workers}
    for _ in range(options.rounds):
        for jobs in workers:
            times[jobs].append(seconds(options.data_dir, jobs))
    median = {jobs: statistics.median(taken) for jobs, taken in times.items()}
    for jobs in workers:
        print(f"--jobs {jobs}: {median[jobs]:6.1f} s")
    one, many = workers
    print(f"--jobs {many} is {median[one] / median[many]:.2f} times as fast as --jobs {one}")


if __name__ == "__main__":
    main()
