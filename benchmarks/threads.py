"""What a busy machine does to a study: idle, beside one and beside four spinning processes.

    python benchmarks/threads.py --before OLD_TREE --after . --rounds 5

Both trees run the same tiny study with one worker on all cores, in turns; medians over the rounds
of the clock's time and of CPU time. Without `--before` the present tree alone.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USERS = dict(os.environ)  # as it was: importing the present tree sets a policy of its own
STUDY = "--max-train 160 --max-dev 120 --max-length 32 --epochs 8 --lr 2e-3 --single-seeds 1"


def main() -> None:
    """Print a line per load and tree, and the ratios of the two trees."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--before", type=Path, help="source tree to compare with")
    parser.add_argument("--after", type=Path, default=Path())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--spinning", type=int, nargs="+", default=[0, 1, 4])
    options = parser.parse_args()
    trees = {"after": options.after.resolve()}
    if options.before:
        trees = {"before": options.before.resolve(), **trees}
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder))
        for load in options.spinning:
            taken: dict[str, list[tuple[float, float]]] = {name: [] for name in trees}
            with spinning(load):
                for _ in range(options.rounds):
                    for name, tree in trees.items():
                        taken[name].append(study(tree, world))
            median = {
                name: [statistics.median(column) for column in zip(*rows, strict=True)]
                for name, rows in taken.items()
            }
            for name, (wall, cpu) in median.items():
                print(f"beside {load}: {name:6} {wall:6.1f} s, CPU {cpu:6.1f} s", flush=True)
            if options.before:
                pairs = zip(taken["before"], taken["after"], strict=True)
                ratios = sorted(one[0] / other[0] for one, other in pairs)
                middle = statistics.median(ratios)
                print(
                    f"beside {load}: {middle:.2f} times as fast"
                    f" (of {options.rounds} pairs {ratios[0]:.2f} to {ratios[-1]:.2f})",
                    flush=True,
                )


def make_world(folder: Path) -> list[str]:
    """Generated tasks and a tiny encoder, as options of a study."""
    from hmnet.backbones.tiny import write_tiny_encoder
    from relevance.tasks.generated import NOTES, TALES, WORDS, generate_tasks

    tasks = generate_tasks(folder / "tasks", families=2)
    texts = [*WORDS, *(text for pair in (*TALES, *NOTES) for text in pair)]
    encoder = write_tiny_encoder(folder / "encoder", texts, width=24)
    return ["--tasks", str(tasks), "--backbone", str(encoder), *STUDY.split()]


def study(tree: Path, options: list[str]) -> tuple[float, float]:
    """Seconds of the clock and of the processor that a study takes, with nothing cached."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**USERS, "PYTHONPATH": str(tree), "RELEVANCE_CACHE": cache}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        subprocess.run(
            [
                sys.executable,
                "-c",
                "from cli.relevance import main; main()",
                "pairwise",
                "--gpus",
                "0",
                "--jobs",
                "1",
                *options,
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=cache,
        )
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextmanager
def spinning(count: int) -> Iterator[None]:
    """Keep that many cores busy."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()  # so that its time is not counted as the next study's


if __name__ == "__main__":
    main()
