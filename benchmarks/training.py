"""Steps per second of `hmnet train` against a bare loop and against `transformers.Trainer`.

    python benchmarks/training.py --data-dir ../shared/data

Each way trains in a fresh process, the ways in turn; medians over the rounds. `hmnet train` packs
rows of like length, at its default precision, `auto`. The bare loop is forward, backward and a
fused AdamW over the same model and the same batches, which it finds ready in memory. The Trainer
fine-tunes one task with the same batch size and dynamic padding: once with its own defaults, fp32
and random batches among them, and once in bf16 with batches grouped by length.

What the hardware would allow is the rate of one large matrix product in the same precision; the
share of it counts the products of forward and backward passes, padding included.

    python benchmarks/training.py --data-dir ../shared/data --against ../before --rounds 5

compares this tree with another checkout instead, each by the `hmnet train` of its own: two runs a
measurement, of few and of many steps of SST-2 on one thread, whose difference in CPU seconds is
what steps cost, without imports and preparation. Both trees train at the same time, as one step
takes 15 % more or less from minute to minute on a machine that others use too.

    python benchmarks/training.py --data-dir ../shared/data --profile

says instead what kinds of operations the steps of `hmnet train` spend their time in.

    python benchmarks/training.py --data-dir DATA --backbone MINILM --device cuda --steps 300

compares on a GPU, where both ways compute in bf16, with another encoder's folder if need be.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

TASKS = ("RTE", "CB", "MRPC", "STS-B", "SST-2", "BoolQ")
CLUSTERS = (("RTE", "CB"), ("MRPC", "STS-B"), ("SST-2", "BoolQ"))
ALONE = ("SST-2", "BoolQ")  # the shortest and the longest inputs
MAX_LENGTH = 256
BATCH_SIZE = 32
LR = 1e-4


BACKBONE = os.environ.get("BENCHMARK_BACKBONE", "minilm")
DEVICE = os.environ.get("BENCHMARK_DEVICE", "cpu")
"""Of a measurement in a fresh process, which its parent tells by its environment."""


def prepared(tasks: tuple[str, ...], data_dir: Path, steps: int) -> dict[str, Any]:
    """Backbone, plan, encoded rows and schedule, as `hmnet train` makes them."""
    from hmnet.backbones.backbone import load_backbone
    from hmnet.backbones.folder import resolve_backbone
    from hmnet.data.tokenizer import read_tokenizer
    from hmnet.prepared import lengths_of, prepare
    from hmnet.settings.config import RunConfig
    from hmnet.sharing.plan import default_layers, fully_shared, hierarchical
    from hmnet.training.fit import make_schedule
    from relevance.clustering.spec import ClusterSpec
    from relevance.tasks.data import DataOptions
    from relevance.tasks.find import find_tasks
    from relevance.tasks.load import load_task

    rows = BATCH_SIZE * steps // len(tasks)
    settings = RunConfig(
        tasks=tasks,
        epochs=1,
        batch_size=BATCH_SIZE,
        max_length=MAX_LENGTH,
        lr=LR,
        length_grouped=True,
    )
    tokenizer = read_tokenizer(resolve_backbone(BACKBONE))
    options = DataOptions(data_dir, max_train=rows, max_dev=1)
    found = [
        prepare(load_task(task, options), tokenizer, MAX_LENGTH, scored=0)
        for task in find_tasks(tasks)
    ]
    backbone = load_backbone(BACKBONE)
    spec = ClusterSpec(clusters=CLUSTERS)
    return {
        "backbone": backbone,
        "tasks": found,
        "plan": fully_shared(tasks, backbone.depth)
        if len(tasks) == 1
        else hierarchical(spec, *default_layers(backbone.depth)),
        "epochs": make_schedule(settings, lengths_of(found), 0),
        "settings": settings.resolved(DEVICE),
    }


def ours(
    tasks: tuple[str, ...], data_dir: Path, steps: int, around: Any = None
) -> dict[str, float]:
    """Steps per second of the loop that `hmnet train` runs, checkpoints included."""
    from hmnet.models.build import build_model
    from hmnet.training.fit import fit
    from hmnet.training.hooks.checkpoints import Checkpoints
    from hmnet.training.hooks.progress import Report

    made = prepared(tasks, data_dir, steps)
    settings = made["settings"]
    model = build_model(
        made["backbone"], made["tasks"], made["plan"], settings, seed=0, device=DEVICE
    )
    total = sum(map(len, made["epochs"]))
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(Path(folder) / "checkpoint", 0, settings.checkpoint_s)
        hooks = [Report(lambda _: None), checkpoints]
        started = time.perf_counter()
        with around or nullcontext():
            fit(model, made["tasks"], made["epochs"], settings, 0, hooks)
        finish()
        speed = total / (time.perf_counter() - started)
    if DEVICE != "cpu":
        return {"steps_per_s": speed}
    batches = [batch for epoch in made["epochs"] for step in epoch for batch in step]
    return {
        "steps_per_s": speed,
        "flops_per_step": products(model, made["tasks"], batches[:: max(1, len(batches) // 15)]),
        "peak_flops": peak(settings.precision == "bf16"),
    }


def finish() -> None:
    """Wait for a GPU, which computes after Python has gone on."""
    import torch

    if DEVICE != "cpu":
        torch.cuda.synchronize()


KINDS = {  # beginnings of operations' names; the first that fits counts
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm", "mkldnn::", "aten::linear"),
    "attention": ("aten::_scaled_dot_product", "aten::_flash", "aten::_softmax"),
    "casts and copies": ("aten::copy_", "aten::_to_copy", "aten::cat", "aten::clone"),
    "optimizer": ("aten::_fused_adam", "Optimizer", "aten::_foreach"),
    "dropout": ("aten::random", "aten::bernoulli", "aten::native_dropout", "FastDropout"),
    "norms and activations": ("aten::native_layer_norm", "aten::gelu", "aten::tanh"),
    "embeddings": ("aten::embedding", "aten::index"),
}


def profile(tasks: tuple[str, ...], data_dir: Path, steps: int) -> None:
    """Print the shares of the steps' time by kind of operation, and the dearest operations."""
    import torch

    profiled = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])
    ours(tasks, data_dir, steps, profiled)
    taken = {event.key: event.self_cpu_time_total for event in profiled.key_averages()}
    total = sum(taken.values())
    shares = dict.fromkeys([*KINDS, "all else"], 0.0)
    for name, spent in taken.items():
        kind = next((kind for kind, begin in KINDS.items() if name.startswith(begin)), "all else")
        shares[kind] += spent / total
    print(f"{','.join(tasks)}: " + ", ".join(f"{kind} {s:.0%}" for kind, s in shares.items()))
    for name, spent in sorted(taken.items(), key=lambda item: -item[1])[:12]:
        print(f"    {name:50s} {spent / total:5.1%}")


def products(model: Any, tasks: Any, batches: Any) -> float:
    """Floating-point operations of the matrix products of one step, the mean over some batches."""
    from torch.utils.flop_counter import FlopCounterMode

    from hmnet.data.batching import collate

    data = {task.name: task.train.encoded for task in tasks}
    with FlopCounterMode(display=False) as counted:
        for task, rows in batches:
            model(task, collate(data[task], rows, **model.input_form(task))).sum().backward()
    return counted.get_total_flops() / len(batches)


def peak(bf16: bool) -> float:
    """Floating-point operations a second of one large matrix product, the best of some."""
    import torch

    size, best = 2048, 0.0
    one = torch.randn(size, size, dtype=torch.bfloat16 if bf16 else torch.float32)
    for _ in range(10):
        started = time.perf_counter()
        torch.mm(one, one)
        best = max(best, 2 * size**3 / (time.perf_counter() - started))
    return best


def bare(tasks: tuple[str, ...], data_dir: Path, steps: int) -> dict[str, float]:
    """Steps per second of forward, backward and AdamW alone."""
    import torch

    from hmnet.data.batching import collate, input_form
    from hmnet.models.build import assemble

    made = prepared(tasks, data_dir, steps)
    definitions = [task.definition for task in made["tasks"]]
    data = {task.name: task.train.encoded for task in made["tasks"]}
    model = assemble(made["backbone"], definitions, made["plan"]).train()
    batches = [
        (
            task,
            collate(data[task], rows, **input_form(model.config)),
            torch.from_numpy(model.kinds[task].targets(data[task], rows)),
        )
        for epoch in made["epochs"]
        for ((task, rows),) in epoch
    ]
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, fused=True)
    bf16 = made["settings"].precision == "bf16"
    started = time.perf_counter()
    for task, inputs, wanted in batches:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            logits = model(task, inputs).float()
        if wanted.is_floating_point():
            loss = torch.nn.functional.mse_loss(logits.squeeze(-1), wanted)
        else:
            loss = torch.nn.functional.cross_entropy(logits, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"steps_per_s": len(batches) / (time.perf_counter() - started)}


def trainer(
    tasks: tuple[str, ...], data_dir: Path, steps: int, **arguments: Any
) -> dict[str, float]:
    """Steps per second of `transformers.Trainer` on one task."""
    from transformers import (
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    from hmnet.backbones.folder import resolve_backbone
    from hmnet.backbones.pretrained import read_model
    from hmnet.data.tokenizer import read_tokenizer
    from relevance.tasks.data import DataOptions
    from relevance.tasks.find import find_tasks
    from relevance.tasks.load import load_task

    (task,) = find_tasks(tasks)
    train = load_task(task, DataOptions(data_dir, BATCH_SIZE * steps, 1)).train
    folder = resolve_backbone(BACKBONE)
    tokenizer = read_tokenizer(folder)
    rows = [
        {**tokenizer(*texts, truncation=True, max_length=MAX_LENGTH), "labels": int(label)}
        for *texts, label in zip(*train.texts, train.labels, strict=True)
    ]
    auto = "AutoModelForSequenceClassification"
    model, _ = read_model(folder, auto, num_labels=task.outputs)
    with tempfile.TemporaryDirectory() as out:
        arguments = {"num_train_epochs": 1, "report_to": "none"} | arguments
        arguments["use_cpu"] = DEVICE == "cpu"
        arguments["per_device_train_batch_size"] = BATCH_SIZE
        collator = DataCollatorWithPadding(tokenizer)
        settings = TrainingArguments(out, **arguments)
        run = Trainer(model, settings, train_dataset=rows, data_collator=collator)
        started = time.perf_counter()
        steps_done = run.train().global_step
        finish()
        return {"steps_per_s": steps_done / (time.perf_counter() - started)}


BEST = {"bf16": True, "train_sampling_strategy": "group_by_length"}
WAYS = {"ours": ours, "bare": bare, "trainer": trainer, "tuned": partial(trainer, **BEST)}
NAMES = {
    "ours": "hmnet train",
    "bare": "bare loop",
    "trainer": "Trainer",
    "tuned": "Trainer, bf16, grouped",
}


def in_fresh_process(
    way: str, tasks: tuple[str, ...], data_dir: Path, steps: int
) -> dict[str, float]:
    """One measurement."""
    command = [sys.executable, __file__, "--data-dir", str(data_dir), "--steps", str(steps)]
    done = subprocess.run(
        [*command, "--way", way, "--tasks", ",".join(tasks)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "TRANSFORMERS_VERBOSITY": "error",
            "BENCHMARK_BACKBONE": BACKBONE,
            "BENCHMARK_DEVICE": DEVICE,
        },
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


FEW = 10  # steps of the run that is subtracted


def started(tree: Path, data_dir: Path, steps: int, folder: Path) -> "subprocess.Popen[bytes]":
    """`hmnet train` of a source tree, on one thread, for so many steps of SST-2."""
    command = [sys.executable, "-c", "from cli.hmnet import main; main()", "train"]
    command += ["--tasks", "SST-2", "--data-dir", str(data_dir.resolve()), "--max-dev", "1"]
    command += ["--max-train", str(BATCH_SIZE * steps), "--max-length", str(MAX_LENGTH)]
    command += ["--epochs", "1", "--batch-size", str(BATCH_SIZE), "--lr", str(LR)]
    command += ["--backbone", "minilm", "--method", "multi", "--device", "cpu"]
    folder.mkdir()
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    places = {"PYTHONPATH": str(tree.resolve()), "RELEVANCE_CACHE": str(folder / "cache")}
    return subprocess.Popen(
        [*command, "--out", str(folder / "run")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,  # where no package of this tree is found first
        env=os.environ | one_thread | places,
    )


def cpu_seconds(trees: list[Path], data_dir: Path, steps: int) -> list[float]:
    """What training takes by each tree, all at the same time and so under the same load."""
    with tempfile.TemporaryDirectory() as folder:
        running = [
            started(tree, data_dir, steps, Path(folder) / str(number))
            for number, tree in enumerate(trees)
        ]
        seconds = []
        for process in running:
            _, status, used = os.wait4(process.pid, 0)
            if status:
                raise SystemExit(f"training failed: {process.args!r}")
            seconds.append(used.ru_utime + used.ru_stime)
    return seconds


def against(other: Path, data_dir: Path, steps: int, rounds: int) -> None:
    """Print the median ratio of this tree's CPU time per step to another's, with its interval."""
    import numpy as np

    trees = [other, Path(__file__).resolve().parents[1]]
    found = []
    for number in range(rounds):
        few, many = (cpu_seconds(trees, data_dir, count) for count in (FEW, FEW + steps))
        found.append((np.array(many) - few) / steps)
        before, after = 1000 * found[-1]
        print(f"round {number + 1}: before {before:.1f} ms, after {after:.1f} ms", flush=True)
    before, after = np.transpose(found)
    ratios = after / before
    drawn = np.random.default_rng(0).choice(ratios, (10_000, rounds))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    print(
        f"CPU time per step, after / before: median {np.median(ratios):.3f},"
        f" 95 % interval of the median by bootstrap over {rounds} rounds {low:.3f} to {high:.3f}"
    )


def main() -> None:
    """Measure all ways in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--backbone", default=BACKBONE)
    parser.add_argument("--device", default=DEVICE, choices=["cpu", "cuda"])
    parser.add_argument("--alone", action="store_true", help="only against the Trainer")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help="measure this one here (used by the benchmark)")
    parser.add_argument("--tasks", help="of the one way")
    parser.add_argument("--against", type=Path, metavar="TREE", help="another checkout, see above")
    parser.add_argument("--profile", action="store_true", help="where the time goes, see above")
    options = parser.parse_args()
    globals().update(BACKBONE=options.backbone, DEVICE=options.device)
    if options.profile:
        for task in ALONE:
            profile((task,), options.data_dir, options.steps)
        return
    if options.against:
        against(options.against, options.data_dir, options.steps, options.rounds)
        return
    if options.way:
        tasks = tuple(options.tasks.split(","))
        print(json.dumps(WAYS[options.way](tasks, options.data_dir, options.steps)))
        return
    from hmnet.precision import resolve_precision

    auto = resolve_precision("auto", options.device)
    print(f"{os.cpu_count()} CPU cores, device {options.device}, precision auto = {auto}")
    alone = options.alone or options.device != "cpu"
    plans = [] if alone else [("ours", TASKS), ("bare", TASKS)]
    plans += [(way, (task,)) for task in ALONE for way in ("ours", "trainer", "tuned")]
    measured: dict[tuple[str, tuple[str, ...]], list[dict[str, float]]] = {
        plan: [] for plan in plans
    }
    for _ in range(options.rounds):
        for way, tasks in plans:
            found = in_fresh_process(way, tasks, options.data_dir, options.steps)
            measured[way, tasks].append(found)

    def median(way: str, tasks: tuple[str, ...], what: str = "steps_per_s") -> float:
        return statistics.median(found[what] for found in measured[way, tasks])

    for way, tasks in plans:
        line = f"{NAMES[way]:24s} {','.join(tasks):32s} {median(way, tasks):6.2f} steps/s"
        if way == "ours" and options.device == "cpu":
            limit = median(way, tasks, "peak_flops")
            rate = median(way, tasks) * median(way, tasks, "flops_per_step")
            line += f", {rate / 1e9:.0f} of {limit / 1e9:.0f} GFLOP/s ({rate / limit:.0%})"
        print(line)
    if not alone:
        print(f"of the bare loop: {median('ours', TASKS) / median('bare', TASKS):.1%}")
    for task in ALONE:
        for way in ("trainer", "tuned"):
            times = median("ours", (task,)) / median(way, (task,))
            print(f"against {NAMES[way]} on {task}: {times:.2f} times as fast")


if __name__ == "__main__":
    main()
