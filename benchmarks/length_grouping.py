"""What packing rows of about the same length together saves, in padding and in time.

    python benchmarks/length_grouping.py --data-dir ../shared/data

Padding is counted over all batches of a task. Steps are timed on the same rows both ways: those of
one group of batches, every n-th batch of it, in the loop that `hmnet train` runs, on one thread.
Plain and grouped steps take turns, and it is CPU time that counts, so that another load on the
machine changes little.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

TASKS = ("SST-2", "QQP", "MRPC", "MultiRC")
BATCH_SIZE, MAX_LENGTH, LR = 32, 96, 2e-5
TURN = 5  # steps of one way before the other has its turn


def padding_share(lengths: np.ndarray, batches: Sequence[np.ndarray]) -> float:
    """Share of the tokens that the model reads which are padding."""
    read = sum(len(rows) * int(lengths[rows].max()) for rows in batches)
    return 1 - int(lengths.sum()) / read


def measured(
    name: str, data_dir: Path, max_train: int, steps: int
) -> tuple[dict[str, float], dict[str, float], int]:
    """Padding's share and seconds per step, plain and grouped, and how many steps were timed."""
    import torch

    from hmnet.backbones.backbone import load_backbone
    from hmnet.backbones.folder import resolve_backbone
    from hmnet.data.tokenizer import read_tokenizer
    from hmnet.models.build import assemble
    from hmnet.precision import resolve_precision
    from hmnet.prepared import prepare
    from hmnet.samplers._packing import MEGABATCH, pack
    from hmnet.samplers.sampler import TaskBatch
    from hmnet.settings.config import TrainingSettings
    from hmnet.sharing.plan import fully_shared
    from hmnet.training.loop import train
    from hmnet.training.optimizer import Rate, make_optimizer
    from hmnet.training.step import StepConfig
    from hmnet.training.task_source import TaskSource
    from relevance.tasks.data import DataOptions
    from relevance.tasks.find import find_tasks
    from relevance.tasks.load import load_task

    torch.set_num_threads(1)
    (task,) = find_tasks([name])
    rows = load_task(task, DataOptions(data_dir, max_train, 1))
    prepared = prepare(rows, read_tokenizer(resolve_backbone("minilm")), MAX_LENGTH, scored=0)
    encoded = prepared.train.encoded
    packed = {
        way: pack(name, encoded.lengths, batch_size=BATCH_SIZE, seed=0, length_grouped=grouped)
        for way, grouped in (("plain", False), ("grouped", True))
    }
    group = min(MEGABATCH, len(encoded) // (4 * BATCH_SIZE))  # its rows are the same both ways
    chosen = np.linspace(0, group - 1, min(steps, group)).round().astype(int)
    backbone = load_backbone("minilm")
    model = assemble(backbone, [task], fully_shared([name], backbone.depth))
    optimizer = make_optimizer(model, LR, TrainingSettings().weight_decay)
    recipe = StepConfig(resolve_precision("auto", "cpu"), rate=Rate(LR))

    def seconds(way: str, places: np.ndarray) -> float:
        epoch = [[TaskBatch(name, packed[way][place])] for place in places]
        started = time.process_time()
        train(model, TaskSource(model, [prepared], recipe), [epoch], optimizer, recipe)
        return time.process_time() - started

    for way in packed:
        seconds(way, chosen[:2])  # the first steps of a process are slow
    taken = dict.fromkeys(packed, 0.0)
    for start in range(0, len(chosen), TURN):
        for way in packed:
            taken[way] += seconds(way, chosen[start : start + TURN])
    shares = {way: padding_share(encoded.lengths, batches) for way, batches in packed.items()}
    return shares, {way: total / len(chosen) for way, total in taken.items()}, len(chosen)


def main() -> None:
    """Print a line per task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--max-train", type=int, default=6400, help="200 batches: groups of 50")
    parser.add_argument("--steps", type=int, default=10, help="timed per task and way")
    options = parser.parse_args()
    print("task       padding plain  grouped   steps   steps/s plain  grouped   times as fast")
    for name in TASKS:
        padding, taken, steps = measured(name, options.data_dir, options.max_train, options.steps)
        print(
            f"{name:10s} {padding['plain']:13.1%} {padding['grouped']:8.1%} {steps:7d}"
            f" {1 / taken['plain']:15.2f} {1 / taken['grouped']:8.2f}"
            f" {taken['plain'] / taken['grouped']:15.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
