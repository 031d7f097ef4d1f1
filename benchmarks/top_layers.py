"""Joint training over frozen lower layers against full training: seconds of all jobs of a study.

    python benchmarks/top_layers.py --data-dir ../shared/data --rows 128 --epochs 2

Ten tasks, each alone and in every pair with one seed, by one worker: every job once in full and
once with the lower four of MiniLM's six layers frozen, in turns, so that other processes slow both.
Outputs of the lower layers are computed once a task, which is in the seconds; the memory for them
is what `--memory` says, 0 for a mapped file. The last line is JSON; `factor` is of the time passed,
`factor_cpu` of the time of the processor, which other processes change less. `--joint` takes some
of the 45 pairs, spread evenly: outputs are then computed for fewer jobs, so that the factor is
lower than that of the whole study. Every line says for how many minutes it goes on, too few while
only single runs, the first ten, are made.
"""

import argparse
import json
import os
import tempfile
import time
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

TASKS = ("RTE", "MRPC", "QQP", "STS-B", "SST-2", "CoLA", "QNLI", "SNLI", "MNLI", "BoolQ")
FROZEN = 4
GB = 10**9


@dataclass
class Taken:
    """Seconds of all jobs of one way so far."""

    wall: float = 0.0
    cpu: float = 0.0

    def run(self, trainer: Any, tasks: tuple[str, ...], device: str) -> None:
        """Run one job and add its seconds."""
        wall, cpu = time.perf_counter(), time.process_time()
        trainer(tasks, 0, device)
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--backbone", default="minilm")
    parser.add_argument("--rows", type=int, default=128, help="training rows a task")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--length", type=int, default=48)
    parser.add_argument("--tasks", type=int, default=len(TASKS), help="so many of the ten")
    parser.add_argument("--joint", type=int, help="pairs of them; all by default")
    parser.add_argument("--threads", type=int, help="of torch; all by default")
    parser.add_argument("--memory", type=float, default=4.0, help="GB")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["RELEVANCE_CACHE"] = cache
        import torch

        import hmnet
        from hmnet.sharing.freeze import Freeze
        from relevance.tasks.find import find_tasks

        if options.threads:
            torch.set_num_threads(options.threads)
        names = TASKS[: options.tasks]
        settings = {
            "backbone": options.backbone,
            "data_dir": options.data_dir,
            "max_train": options.rows,
            "max_dev": options.rows // 4,
            "epochs": options.epochs,
            "max_length": options.length,
        }
        full = hmnet.make_trainer(find_tasks(list(names)), settings, device=options.device)
        pairs = list(combinations(names, 2))
        step = len(pairs) / (options.joint or len(pairs))
        chosen = [pairs[int(number * step)] for number in range(options.joint or len(pairs))]
        runs = [*((name,) for name in names), *chosen]
        full((names[0],), 0, options.device)  # neither pays for what a process reads once
        for name in names:
            full.prepared(name)
        frozen = full.settings.model_copy(update={"freeze": Freeze(last=FROZEN)})
        top = replace(full, settings=frozen).top_layers(int(options.memory * GB))
        taken = {"full": Taken(), "top_layers": Taken()}
        began = time.perf_counter()
        for number, run in enumerate(runs):
            # who goes first changes from job to job
            for name, trainer in (("full", full), ("top_layers", top))[:: -1 if number % 2 else 1]:
                taken[name].run(trainer, run, options.device)
            told = "  ".join(f"{name} {each.wall:7.1f} s" for name, each in taken.items())
            left = (time.perf_counter() - began) / (number + 1) * (len(runs) - number - 1) / 60
            done = f"{number + 1:3} of {len(runs)} {' & '.join(run):16}"
            print(f"{done} {told}  {left:.0f} min left", flush=True)
    long, short = taken["full"], taken["top_layers"]
    factors = {
        "factor": round(long.wall / short.wall, 2),
        "factor_cpu": round(long.cpu / short.cpu, 2),
    }
    times = {name: round(each.wall, 1) for name, each in taken.items()}
    counted = {"tasks": len(names), "single": len(names), "joint": len(chosen)}
    print(json.dumps({**times, **factors, **counted, "rows": options.rows}))


if __name__ == "__main__":
    main()
