"""Peak memory and time of PCGrad against plain training, six tasks in every step.

    python benchmarks/surgery.py --data-dir ../shared/data

MiniLM, {4, 1, 1} layers, three clusters of two tasks, fp32. Plain training is one task a step; then
a step has one batch of each task, their gradients summed or joined by PCGrad. Each way runs in a
fresh process, and its peak is the most memory that was resident at one time, torch included.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TASKS = ("RTE", "CB", "MRPC", "STS-B", "SST-2", "BoolQ")
CLUSTERS = (("RTE", "CB"), ("MRPC", "STS-B"), ("SST-2", "BoolQ"))
WAYS = ("one task a step", "six tasks, summed", "six tasks, pcgrad")
MAX_LENGTH = 64
BATCH_SIZE = 8
LR = 1e-4


def prepared(data_dir: Path, steps: int) -> dict[str, Any]:
    """The model, its optimizer and the batches of every task."""
    import numpy as np
    import torch

    from hmnet.backbones.backbone import load_backbone
    from hmnet.backbones.folder import resolve_backbone
    from hmnet.data.batching import collate
    from hmnet.data.tokenizer import read_tokenizer
    from hmnet.kinds.kind import kind_of
    from hmnet.models.build import assemble
    from hmnet.prepared import encode_split
    from hmnet.sharing.plan import default_layers, hierarchical
    from hmnet.training.optimizer import make_optimizer
    from hmnet.training.step import Batch
    from relevance.clustering.spec import ClusterSpec
    from relevance.tasks.data import DataOptions
    from relevance.tasks.find import find_tasks
    from relevance.tasks.load import load_task

    tokenizer = read_tokenizer(resolve_backbone("minilm"))
    options = DataOptions(data_dir, max_train=BATCH_SIZE * steps, max_dev=1)
    backbone = load_backbone("minilm")
    plan = hierarchical(ClusterSpec(clusters=CLUSTERS), *default_layers(backbone.depth))
    model = assemble(backbone, find_tasks(TASKS), plan).train()
    batches = {}
    for task in find_tasks(TASKS):
        rows = encode_split(task, load_task(task, options).train, tokenizer, MAX_LENGTH)
        labels = torch.from_numpy(kind_of(task).targets(rows, np.arange(len(rows))))
        batches[task.name] = [
            Batch(
                task.name,
                collate(rows, range(start, start + BATCH_SIZE), **model.input_form(task.name)),
                labels[start : start + BATCH_SIZE],
            )
            for start in range(0, BATCH_SIZE * steps, BATCH_SIZE)
        ]
    return {"model": model, "batches": batches, "optimizer": make_optimizer(model, LR, 0.01)}


def megabytes(weights: Iterable[Any]) -> float:
    """Size of fp32 weights."""
    return sum(weight.numel() for weight in weights) * 4 / 2**20


def measure(way: str, data_dir: Path, steps: int) -> dict[str, float]:
    """Train this way and say what it took."""
    import torch

    from hmnet.surgery.pcgrad import PCGrad
    from hmnet.training.step import StepConfig, train_step
    from hmnet.training.task_gradients import TaskGradients

    torch.set_num_threads(1)
    made = prepared(data_dir, steps)
    apart = TaskGradients(made["model"], PCGrad()) if way.endswith("pcgrad") else None
    together = [list(step) for step in zip(*made["batches"].values(), strict=True)]
    schedule = together if way != WAYS[0] else [[batch] for step in together for batch in step]
    started = time.process_time()  # of the CPU: others on the machine do not count
    for step in schedule:
        train_step(made["model"], made["optimizer"], step, LR, StepConfig(task_gradients=apart))
    seconds = time.process_time() - started
    levels = TaskGradients(made["model"], PCGrad()).levels.values()
    return {
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "cpu_ms_per_batch": 1000 * seconds / (steps * len(TASKS)),
        "weights_mb": megabytes(made["model"].parameters()),
        "shared_mb": megabytes(weight for level in levels for weight in level),
    }


def in_fresh_process(way: str, data_dir: Path, steps: int) -> dict[str, float]:
    """One measurement."""
    command = [sys.executable, __file__, "--data-dir", str(data_dir), "--steps", str(steps)]
    done = subprocess.run(
        [*command, "--way", way],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TRANSFORMERS_VERBOSITY": "error"},
    )
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def main() -> None:
    """Measure all ways and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4, help="of six batches each")
    parser.add_argument("--way", choices=WAYS, help="measure this one here (used by the benchmark)")
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measure(options.way, options.data_dir, options.steps)))
        return
    print("| way | peak MB | against plain | CPU ms per batch |\n| :-- | --: | --: | --: |")
    plain = None
    for way in WAYS:
        found = in_fresh_process(way, options.data_dir, options.steps)
        plain = plain or found["peak_mb"]
        peak, ms = found["peak_mb"], found["cpu_ms_per_batch"]
        print(f"| {way} | {peak:.0f} | {peak / plain:.2f} | {ms:.0f} |", flush=True)
    print(f"weights {found['weights_mb']:.0f} MB, {found['shared_mb']:.0f} MB of them shared")


if __name__ == "__main__":
    main()
