"""What a study costs beside its training steps: 12 jobs of at most 9 steps, part by part.

    python benchmarks/small_jobs.py --before OLD_TREE --rounds 5

First the whole study by `relevance pairwise` with one worker on all cores, in CPU seconds of all
its processes, medians over the rounds; with `--before` by another source tree too, in turns. Then
the parts: what the two processes, the study's and its worker's, import, and what the jobs do, all
in one process on one thread.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import wraps
from itertools import combinations
from pathlib import Path

SEEDS = 2
SETTINGS = {"max_length": 32, "epochs": 1, "batch_size": 32}
ROWS = {"max_train": 144, "max_dev": 120}  # 4.5 batches a task: 9 steps in a joint run
IMPORTS = {
    "torch": "import torch",
    "transformers, with what reads a model": "import torch; from transformers import BertModel",
    "all that a job needs": "import hmnet.measuring.joint_runs",
}
PARTS = {
    "load_task": "reading rows",
    "prepare": "encoding rows",
    "load_backbone": "reading the backbone",
    "weights_digest": "digest of its weights",
    "make_schedule": "drawing batches",
    "build_model": "building models",
    "fit": "training steps",
    "evaluate": "evaluation",
}


def make_world(folder: Path) -> tuple[Path, Path]:
    """Definitions of three generated tasks, and a tiny encoder."""
    from hmnet.backbones.tiny import write_tiny_encoder
    from relevance.tasks.find import find_tasks, write_tasks
    from relevance.tasks.generated import NOTES, TALES, WORDS, generate_tasks

    tasks = generate_tasks(folder / "tasks", families=2)
    write_tasks(tasks, find_tasks([str(tasks)])[:3])
    texts = [*WORDS, *(text for pair in (*TALES, *NOTES) for text in pair)]
    return tasks, write_tiny_encoder(folder / "encoder", texts, width=24)


def study(tree: Path, tasks: Path, encoder: Path) -> float:
    """CPU seconds of a study and its worker, with nothing cached."""
    options = {**SETTINGS, **ROWS, "seeds": ",".join(map(str, range(SEEDS))), "jobs": 1, "gpus": 0}
    options |= {"single_seeds": SEEDS, "tasks": tasks, "backbone": encoder}
    command = [sys.executable, "-c", "from cli.relevance import main; main()", "pairwise"]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    with tempfile.TemporaryDirectory() as cache:
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(tree), "RELEVANCE_CACHE": cache},
            cwd=cache,
        )
        return _cpu_seconds(process)


def _cpu_seconds(process: "subprocess.Popen[bytes]") -> float:
    _, status, used = os.wait4(process.pid, 0)  # what its own children took is in it
    if status:
        raise SystemExit(f"failed: {process.args!r}")
    return used.ru_utime + used.ru_stime


def print_parts(tasks: Path, encoder: Path) -> None:
    """CPU seconds of each part of the jobs, and what is left of them."""
    import torch

    from hmnet.measuring import joint_runs
    from hmnet.measuring.joint_trainer import make_trainer
    from relevance.tasks.find import find_tasks

    torch.set_num_threads(1)
    taken: Counter[str] = Counter()
    inner = [0.0]  # of the parts that run in the one under way

    def timed(name: str) -> None:
        part = getattr(joint_runs, name)

        @wraps(part)
        def measured(*arguments: object, **named: object) -> object:
            started, outer, inner[0] = time.process_time(), inner[0], 0.0
            try:
                return part(*arguments, **named)
            finally:
                seconds = time.process_time() - started
                taken[name] += seconds - inner[0]
                inner[0] = outer + seconds

        setattr(joint_runs, name, measured)

    for name in PARTS:
        timed(name)
    started = time.process_time()
    found = find_tasks([str(tasks)])
    settings = {**SETTINGS, **ROWS, "backbone": str(encoder)}
    trainer = make_trainer(found, settings, device="cpu")
    _ = trainer.fingerprint
    runs = [(task.name,) for task in found]
    runs += combinations([task.name for task in found], 2)
    for seed in range(SEEDS):
        for run in runs:
            trainer(run, seed, "cpu")
    total = time.process_time() - started
    for name, what in PARTS.items():
        print(f"{what:38} {taken[name]:6.2f} s")
    print(f"{'all else of ' + str(SEEDS * len(runs)) + ' jobs':38} {total - taken.total():6.2f} s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--before", type=Path, help="source tree to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    trees = {"this tree": Path(__file__).resolve().parents[1]}
    if options.before:
        trees["before"] = options.before.resolve()
    with tempfile.TemporaryDirectory() as folder:
        tasks, encoder = make_world(Path(folder))
        taken: dict[str, list[float]] = {name: [] for name in trees}
        for _ in range(options.rounds):
            for name, tree in trees.items():
                taken[name].append(study(tree, tasks, encoder))
        for name, seconds in taken.items():
            print(f"{'whole study, ' + name:38} {statistics.median(seconds):6.1f} s of CPU")
        for what, code in IMPORTS.items():
            imported = [
                _cpu_seconds(subprocess.Popen([sys.executable, "-c", code]))
                for _ in range(options.rounds)
            ]
            print(f"{'importing ' + what:38} {statistics.median(imported):6.2f} s a process")
        print_parts(tasks, encoder)


if __name__ == "__main__":
    main()
