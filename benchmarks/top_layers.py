"""Joint training over frozen lower layers against full training: seconds of all jobs of a study.

    python benchmarks/top_layers.py --data-dir ../shared/data --rows 512 --epochs 2

Ten tasks, each alone and in every pair with one seed, by one worker: first full training, then with
the lower four of MiniLM's six layers frozen and their outputs computed once a task, which is in the
seconds; the memory for them is what `--memory` says, 0 for a mapped file. The last line is JSON.
`--joint` takes some of the 45 pairs, spread evenly: outputs are then computed for fewer jobs, so
that the factor is lower than that of the whole study.
"""

import argparse
import json
import os
import tempfile
import time
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

TASKS = ("RTE", "MRPC", "QQP", "STS-B", "SST-2", "CoLA", "QNLI", "SNLI", "MNLI", "BoolQ")
FROZEN = 4
GB = 10**9


def seconds(trainer: Any, runs: list[tuple[str, ...]], device: str) -> float:
    """Seconds of the jobs, the first of which reads data and backbone."""
    started = time.perf_counter()
    for number, run in enumerate(runs):
        trainer(run, 0, device)
        print(
            f"{number + 1:3} of {len(runs)} {' & '.join(run):20}"
            f" {time.perf_counter() - started:8.1f} s",
            flush=True,
        )
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--backbone", default="minilm")
    parser.add_argument("--rows", type=int, default=512, help="training rows a task")
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
        taken = {"full": seconds(full, runs, options.device)}
        taken["top_layers"] = seconds(top, runs, options.device)
    factor = taken["full"] / taken["top_layers"]
    counted = {"tasks": len(names), "single": len(names), "joint": len(chosen)}
    print(json.dumps({**taken, "factor": round(factor, 2), **counted, "rows": options.rows}))


if __name__ == "__main__":
    main()
