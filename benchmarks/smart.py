"""How far SMART's perturbation is from random noise after its ascent, and what a step costs.

    python benchmarks/smart.py --data-dir ../shared/data

MiniLM is fine-tuned on three tasks first. Then, batch by batch and with dropout at work as in
training: the cosine of each token's perturbation before and after K steps of ascent (padding left
out), and the divergence that it causes beside that of the same noise without any ascent, scaled
alike, and of dropout alone. Steps are timed in turn, plain and regularized, all in fp32, by the
processor time of this process: the machine may be busy with others.
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812  what everybody calls it

TASKS = ("SST-2", "QQP", "STS-B")
MAX_LENGTH = 48
BATCH_SIZE = 16
STEPS_OF_ASCENT = (1, 2, 5)


def fine_tuned(data_dir: Path, steps: int) -> tuple[Any, list[Any]]:
    """The model after so many steps in all, and a few further batches of each task."""
    from hmnet.backbones.backbone import load_backbone
    from hmnet.backbones.folder import resolve_backbone
    from hmnet.data.batching import collate
    from hmnet.data.tokenizer import read_tokenizer
    from hmnet.models.build import build_model
    from hmnet.prepared import lengths_of, prepare
    from hmnet.settings.config import TrainingSettings
    from hmnet.sharing.plan import fully_shared
    from hmnet.training.fit import fit, make_schedule
    from hmnet.training.step import Batch
    from relevance.tasks.data import DataOptions
    from relevance.tasks.find import find_tasks
    from relevance.tasks.load import load_task

    rows = BATCH_SIZE * steps // len(TASKS)
    tokenizer = read_tokenizer(resolve_backbone("minilm"))
    options = DataOptions(data_dir, max_train=rows, max_dev=2 * BATCH_SIZE)
    tasks = [
        prepare(load_task(task, options), tokenizer, MAX_LENGTH, scored=1)
        for task in find_tasks(TASKS)
    ]
    settings = TrainingSettings(
        epochs=1, batch_size=BATCH_SIZE, lr=1e-4, max_length=MAX_LENGTH, pooling="mean"
    ).resolved("cpu")
    backbone = load_backbone("minilm")
    plan = fully_shared(TASKS, backbone.depth)
    model = build_model(backbone, tasks, plan, settings, seed=0, device="cpu")
    fit(model, tasks, make_schedule(settings, lengths_of(tasks), 0), settings, 0)
    batches = []
    for task in tasks:
        dev = task.held_out.encoded
        labels = torch.from_numpy(model.kinds[task.name].targets(dev, np.arange(len(dev))))
        for rows_of in torch.arange(len(dev)).split(BATCH_SIZE):
            inputs = collate(dev, rows_of.numpy(), **model.input_form(task.name))
            batches.append(Batch(task.name, inputs, labels[rows_of]))
    return model.train(), batches


def directions(model: Any, batches: list[Any]) -> None:
    """Print cosines with the noise at the start, and divergences."""
    from hmnet.regularizers.smart import Smart, divergence
    from hmnet.training.dropout import fast_dropout

    smart = Smart()
    cosines: dict[int, list[float]] = {steps: [] for steps in STEPS_OF_ASCENT}
    caused: dict[str, dict[str, list[float]]] = {}

    def note(what: str, batch: Any, logits: Any, noise: Any) -> None:
        others = {k: v for k, v in batch.inputs.items() if k != "input_ids"}
        with torch.no_grad():
            words = model.embed(batch.task, batch.inputs["input_ids"])
            moved = model(batch.task, {**others, "inputs_embeds": words + noise})
            apart = divergence(logits, moved, regression=batch.labels.is_floating_point()).mean()
        caused.setdefault(what, {}).setdefault(batch.task, []).append(apart.item())

    for batch in batches:
        with fast_dropout(torch.device("cpu")):
            logits = model(batch.task, batch.inputs).detach()
            words = model.embed(batch.task, batch.inputs["input_ids"]).detach()
            start = noise = smart.start(words)
            note("dropout alone", batch, logits, torch.zeros_like(start))
            unit = start / start.abs().amax(dim=-1, keepdim=True)
            note("noise of size 1, no ascent", batch, logits, unit)
            mask = batch.inputs["attention_mask"].bool()
            for steps in range(1, max(STEPS_OF_ASCENT) + 1):
                noise = smart.ascend(model, batch.task, batch.inputs, logits, noise)
                if steps in cosines:
                    found = F.cosine_similarity(noise, start, dim=-1)[mask]
                    cosines[steps].append(found.mean().item())
                    note(f"reference, K = {steps}", batch, logits, noise)
            paper = Smart(variant="paper")
            note(
                "paper, K = 1",
                batch,
                logits,
                paper.ascend(model, batch.task, batch.inputs, logits, start),
            )
    size = statistics.fmean(words.abs().amax(dim=-1)[mask].tolist())
    print(f"largest entry of a word's embedding, mean over the last batch: {size:.3f}")
    print("cosine with the noise at the start, mean over tokens:")
    for steps, values in cosines.items():
        print(f"  K = {steps}   {statistics.fmean(values):.4f}   (lowest batch {min(values):.4f})")
    print(f"divergence from the clean answers: {'':16}", *(f"{task:>8}" for task in TASKS))
    for what, by_task in caused.items():
        means = (f"{statistics.fmean(by_task[task]):8.5f}" for task in TASKS)
        print(f"  {what:48}", *means)


def cost(model: Any, batches: list[Any], rounds: int) -> None:
    """Print the processor time of a regularized step as a multiple of a plain one."""
    from hmnet.regularizers.smart import Smart
    from hmnet.training.optimizer import make_optimizer
    from hmnet.training.step import StepConfig, train_step

    optimizer = make_optimizer(model, 1e-5, 0.0)
    ways = {"plain": None} | {f"smart, K = {steps}": Smart(steps=steps) for steps in (1, 2)}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):  # the first one warms up
        for name, regularizer in ways.items():
            started = time.process_time()
            train_step(model, optimizer, [batches[0]], 1e-5, StepConfig(regularizer=regularizer))
            if number:
                seconds[name].append(time.process_time() - started)
    plain = statistics.median(seconds["plain"])
    for name, taken in seconds.items():
        print(f"{name:14} {1000 * statistics.median(taken):6.0f} ms")
    for name in list(ways)[1:]:
        print(f"{name} costs {statistics.median(seconds[name]) / plain:.2f} plain steps")


def main() -> None:
    """Fine-tune, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=42)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    model, batches = fine_tuned(arguments.data_dir, arguments.steps)
    directions(model, batches)
    cost(model, batches, arguments.rounds)


if __name__ == "__main__":
    main()
