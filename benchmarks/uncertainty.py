"""What an update costs under uncertainty sampling, against plain training of the same batch size.

    python benchmarks/uncertainty.py --data-dir ../shared/data

Eight GLUE tasks on MiniLM, every layer shared and nothing frozen, one thread, fp32. Plain training
has one task and one batch in an update. Uncertainty sampling asks the model about a batch of each
of the T tasks first; a backward pass counts as two forward ones, so T + 3 passes stand against 3.
"""

import argparse
import time
from pathlib import Path

import torch

from hmnet.backbones.backbone import load_backbone
from hmnet.backbones.folder import resolve_backbone
from hmnet.data.tokenizer import read_tokenizer
from hmnet.models.build import build_model
from hmnet.prepared import PreparedTask, lengths_of, prepare
from hmnet.settings.config import TrainingSettings
from hmnet.sharing.plan import fully_shared
from hmnet.training.fit import fit, make_schedule
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.load import load_task

TASKS = ("CoLA", "SST-2", "MRPC", "STS-B", "QQP", "MNLI", "QNLI", "RTE")
SETTINGS = TrainingSettings(
    epochs=1, batch_size=32, max_length=64, lr=1e-4, precision="fp32", pooling="mean"
)


def update_s(tasks: list[PreparedTask], sampler: str) -> float:
    """CPU seconds of an update, on average over an epoch."""
    settings = SETTINGS.model_copy(update={"sampler": sampler})
    backbone = load_backbone("minilm")
    plan = fully_shared(TASKS, backbone.depth)
    model = build_model(backbone, tasks, plan, settings, seed=0, device="cpu")
    epochs = make_schedule(settings, lengths_of(tasks), 0)
    started = time.process_time()  # of the CPU: others on the machine do not count
    fit(model, tasks, epochs, settings, 0)
    return (time.process_time() - started) / sum(map(len, epochs))


def main() -> None:
    """Time both and print their ratio beside what passes alone would give."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=6, help="batches of each task")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = read_tokenizer(resolve_backbone("minilm"))
    rows = DataOptions(options.data_dir, max_train=options.steps * SETTINGS.batch_size, max_dev=1)
    tasks = [
        prepare(load_task(task, rows), tokenizer, SETTINGS.max_length, scored=0)
        for task in find_tasks(TASKS)
    ]
    plain = update_s(tasks, "packed")
    chosen = update_s(tasks, f"uncertainty:share={1 / len(tasks)}")
    count = len(tasks)
    passes = (count + 3) / 3
    print(f"plain         {1000 * plain:7.0f} ms of CPU an update")
    print(f"uncertainty   {1000 * chosen:7.0f} ms of CPU an update, {chosen / plain:.2f} x")
    print(
        f"passes alone  (T + 3) / 3 = {passes:.2f} x; measured {chosen / plain / passes:.2f} of it"
    )
    print(f"a candidate costs {chosen / plain / count:.2f} of a row that is trained plainly")


if __name__ == "__main__":
    main()
