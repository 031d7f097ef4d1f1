"""Answering lines: `hmnet predict` against `transformers.pipeline`, its memory, its first answer.

    python benchmarks/predict.py --data-dir ../shared/data [--memory-only]

Texts of SST-2, CoLA and IMDB in one file, MiniLM, 128 tokens at most, fp32 and bf16, both on all
cores, each way in fresh processes that read the file and write the answers. The pipeline has the
checkpoint that `hmnet export` writes and is given batches of several sizes; the size that is best
on a tenth of the lines counts. For all three tasks, in bf16 alone, it has three checkpoints, one
after another.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

TASKS = ("SST-2", "CoLA", "IMDB")
MAX_LENGTH = 128
BATCH_SIZES = (1, 8, 32, 128)
HMNET = (sys.executable, "-m", "hmnet", "predict")
PIPELINE = """
import json, sys
from transformers import pipeline
folder, source, out, size, length, dtype = sys.argv[1:]
ask = pipeline("text-classification", folder, device="cpu", top_k=None, dtype=dtype)
texts = (json.loads(line)["text"][0] for line in open(source))
with open(out, "w") as file:
    for answer in ask(texts, batch_size=int(size), truncation=True, max_length=int(length)):
        print(json.dumps(answer), file=file)
"""
LOAD = """
import sys, torch, transformers
transformers.AutoTokenizer.from_pretrained(sys.argv[1])
transformers.AutoModelForSequenceClassification.from_pretrained(sys.argv[1])
"""


class Cost(NamedTuple):
    """What a process took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def cost(command: Sequence[object]) -> Cost:
    """Run a command to its end."""
    started = time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {command!r:.200}")
    seconds = time.perf_counter() - started
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def make_run(folder: Path, backbone: str, data_dir: Path) -> None:
    """A run of the tasks, hardly trained, and the checkpoint of each."""
    import hmnet

    run = hmnet.train(
        out=folder,
        tasks=TASKS,
        method="multi",
        backbone=backbone,
        data_dir=data_dir,
        max_train=32,
        max_dev=8,
        max_length=MAX_LENGTH,
        epochs=1,
        on_event=lambda _: None,
    )
    for task in TASKS:
        run.export(task, exported(folder, task))


def exported(run: Path, task: str) -> Path:
    """Where the checkpoint of a task is."""
    return run.with_name(f"{run.name}-{task}")


def make_lines(path: Path, count: int, data_dir: Path) -> Path:
    """Texts of all tasks, shuffled, as many as wanted."""
    from relevance.tasks.data import DataOptions
    from relevance.tasks.find import find_tasks
    from relevance.tasks.load import load_task

    loaded = [load_task(task, DataOptions(data_dir, None, 1)) for task in find_tasks(TASKS)]
    texts = [text for task in loaded for text in task.train.texts[0]]
    # an array of texts would take as much for each as for the longest: 11 GB
    texts = [texts[place] for place in np.random.default_rng(0).permutation(len(texts))]
    with path.open("w") as file:
        for number in range(count):
            print(json.dumps({"id": number, "text": [texts[number % len(texts)]]}), file=file)
    return path


def speed(run: Path, few: Path, lines: Path, out: Path, rounds: int) -> None:
    """Print seconds for a file of lines, one task and all, and the ratios at each precision."""

    def ask(task: str, precision: str) -> float:
        options = ["--task", task, "--precision", precision, "--input", lines, "--out", out]
        return cost([*HMNET, run, *options]).wall_s

    def ask_pipeline(tasks: Sequence[str], source: Path, size: int, dtype: str) -> float:
        given = [source, out, size, MAX_LENGTH, dtype]
        return sum(
            cost([sys.executable, "-c", PIPELINE, exported(run, task), *given]).wall_s
            for task in tasks
        )

    for precision, dtype in (("fp32", "float32"), ("bf16", "bfloat16")):
        tried = {size: ask_pipeline(TASKS[:1], few, size, dtype) for size in BATCH_SIZES}
        best = min(tried, key=lambda size: tried[size])
        said = ", ".join(f"{size} {seconds:.1f} s" for size, seconds in tried.items())
        print(f"{precision}: pipeline on {few.stem} lines by batch size: {said}", flush=True)
        asked = {"SST-2": TASKS[:1], "all": TASKS}
        for name, tasks in list(asked.items())[: 2 if precision == "bf16" else 1]:
            pairs = [
                (ask(name, precision), ask_pipeline(tasks, lines, best, dtype))
                for _ in range(rounds)
            ]
            ours, theirs = map(statistics.median, zip(*pairs, strict=True))
            ratio = statistics.median(other / own for own, other in pairs)
            print(
                f"{precision}, {name}: hmnet {ours:.1f} s, pipeline of {best} {theirs:.1f} s,"
                f" {ratio:.2f} times as fast",
                flush=True,
            )


def memory(run: Path, few: Path, many: Path, out: Path) -> None:
    """Print peak memory for few and for ten times as many lines, and their ratio."""
    peaks = []
    for lines in (few, many):
        found = cost([*HMNET, run, "--task", "all", "--input", lines, "--out", out])
        peaks.append(found.peak_mb)
        print(
            f"{lines.stem} lines, tiny encoder: peak {found.peak_mb:.0f} MB, {found.wall_s:.0f} s",
            flush=True,
        )
    print(f"peak memory of ten times as many lines: {peaks[1] / peaks[0]:.2f} times")


def first_answer(run: Path, line: Path, rounds: int) -> None:
    """Print seconds until one line is answered, against loading the same checkpoint."""
    ask = [*HMNET, run, "--task", "SST-2", "--input", line]
    load = [sys.executable, "-c", LOAD, exported(run, "SST-2")]
    pairs = [(cost(ask), cost(load)) for _ in range(rounds)]
    for unit in ("wall_s", "cpu_s"):
        asked, loaded = zip(*((getattr(a, unit), getattr(b, unit)) for a, b in pairs), strict=True)
        ratio = statistics.median(a / b for a, b in zip(asked, loaded, strict=True))
        print(
            f"one line, {unit}: {statistics.median(asked):.2f}, loading alone"
            f" {statistics.median(loaded):.2f}, {ratio:.2f} times"
        )


def main() -> None:
    """Measure all and print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--memory-only", action="store_true", help="peak memory of --lines and ten times as many"
    )
    parser.add_argument("--make", help="folder to make the runs in (used by the benchmark)")
    options = parser.parse_args()
    if options.make:
        make(Path(options.make), options.data_dir, options.lines, options.memory_only)
        return
    with tempfile.TemporaryDirectory() as name:
        # in a process of its own: a child's peak counts what its parent had in memory at its start
        given = ["--data-dir", str(options.data_dir), "--lines", str(options.lines)]
        given += ["--memory-only"] if options.memory_only else []
        subprocess.run([sys.executable, __file__, *given, "--make", name], check=True)
        folder = Path(name)
        counts = (options.lines // 10, options.lines, 10 * options.lines)
        few, lines, many = (folder / f"{count}.jsonl" for count in counts)
        if not options.memory_only:
            first_answer(folder / "run", folder / "1.jsonl", max(5, options.rounds))
            speed(folder / "run", few, lines, folder / "out.jsonl", options.rounds)
        memory(folder / "tiny", lines, many, folder / "out.jsonl")


def make(folder: Path, data_dir: Path, lines: int, memory_only: bool) -> None:
    """Runs and lines."""
    from hmnet.backbones.tiny import write_tiny_encoder

    counts = (lines // 10, lines, 10 * lines, 1)
    few, *_ = [make_lines(folder / f"{count}.jsonl", count, data_dir) for count in counts]
    texts = [json.loads(line)["text"][0] for line in few.read_text().splitlines()]
    encoder = write_tiny_encoder(folder / "encoder", texts, max_length=MAX_LENGTH)
    if not memory_only:
        make_run(folder / "run", "minilm", data_dir)
    make_run(folder / "tiny", str(encoder), data_dir)


if __name__ == "__main__":
    main()
