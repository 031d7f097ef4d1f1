"""One artifact for 13 tasks against 13 files of one task, and against asking in torch.

    python benchmarks/export_all.py --data-dir ../shared/data [--rounds 3] [--rows 8] [--length 32]

A run of the paper's 13 tasks on MiniLM with three clusters (Table 3's), hardly trained. `hmnet
export` writes the artifact and then, task by task, the single files, each in a process of its own.
All ways answer the same rows in turn in one process, on one thread: the artifact and the single
files in onnxruntime, and torch as `hmnet predict` asks, each shared layer once.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import onnx
import onnxruntime
import torch

import hmnet
from relevance.clustering.methods.kmeans import kmeans
from relevance.matrices.matrix import load_matrix

CLOSE = 1e-4


def make_run(folder: Path, data_dir: Path) -> hmnet.TrainedRun:
    """A run in three groups, whose layers are no longer copies of each other."""
    return hmnet.train(
        out=folder,
        clusters=kmeans(load_matrix("paper:table3"), 3),
        method="hmnet",
        backbone="minilm",
        data_dir=data_dir,
        max_train=8,
        max_dev=8,
        epochs=1,
        on_event=lambda _: None,
    )


def exported(run: Path, out: Path, *which: str) -> Path:
    """The file that the command writes for all tasks, or for one."""
    command = [sys.executable, "-m", "hmnet", "export", str(run), *which]
    command += ["--format", "onnx", "--out", str(out), "--quiet"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return out / "model.onnx"


def session(path: Path) -> onnxruntime.InferenceSession:
    """A file of ONNX in onnxruntime, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def layers_in(path: Path) -> int:
    """Layers that a graph runs: each has one softmax, in its attention."""
    return Counter(node.op_type for node in onnx.load(path).graph.node)["Softmax"]


def milliseconds(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """What each way took in each round, asked in turn; the first round does not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, ask in ways.items():
            started = time.perf_counter()
            ask()
            times[name].append(1000 * (time.perf_counter() - started))
    return {name: taken[1:] for name, taken in times.items()}


def told(values: list[float]) -> str:
    """Median, smallest and largest."""
    return f"{statistics.median(values):7.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Train, export, ask and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3, help="repeats of asking; 1 is a trial")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--length", type=int, default=32)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = make_run(folder / "run", given.data_dir)
        model, tasks = run.model, [task.name for task in run.tasks]
        started = time.perf_counter()
        whole = exported(run.folder, folder / "all", "--all")
        print(f"artifact exported in {time.perf_counter() - started:.0f} s", flush=True)
        started = time.perf_counter()
        files = {task: exported(run.folder, folder / task, "--task", task) for task in tasks}
        print(f"{len(files)} files exported in {time.perf_counter() - started:.0f} s", flush=True)
        sizes = whole.stat().st_size / 1e6, sum(f.stat().st_size for f in files.values()) / 1e6
        runs = layers_in(whole), sum(map(layers_in, files.values()))
        together = session(whole)
        single = {name: session(file) for name, file in files.items()}
        ids = torch.randint(1000, 20000, (given.rows, given.length))
        inputs = {name: torch.ones_like(ids) for name in ("attention_mask", "token_type_ids")}
        inputs = {"input_ids": ids, **inputs}
        fed = {name: values.numpy() for name, values in inputs.items()}

        def in_torch() -> list[torch.Tensor]:
            with torch.inference_mode(), model.activation_cache():
                return [model(task, inputs) for task in tasks]

        ways = {
            "one artifact": lambda: together.run(tasks, fed),
            "13 files": lambda: [single[task].run([task], fed)[0] for task in tasks],
            "torch, shared layers once": in_torch,
        }
        answers = [[torch.as_tensor(each) for each in ask()] for ask in ways.values()]
        apart = max(
            float((one - other).abs().max())
            for others in answers[1:]
            for one, other in zip(answers[0], others, strict=True)
        )
        if apart > CLOSE:
            raise SystemExit(f"The ways disagree by {apart:.1e}.")
        times = milliseconds(ways, given.rounds)
    print(f"load of the machine {os.getloadavg()[0]:.1f}; logits equal within {apart:.0e}")
    print(f"layers: {runs[0]} in the artifact, {runs[1]} in the 13 files")
    print(f"size: {sizes[0]:.0f} MB and {sizes[1]:.0f} MB")
    print(f"a text for all tasks: median of {given.rounds} rounds (smallest to largest), and")
    print("that of its ratios to the artifact in the same round")
    first = times["one artifact"]
    for name, taken in times.items():
        ratios = [each / of for each, of in zip(taken, first, strict=True)]
        print(f"{name:25s} {told([t / given.rows for t in taken])} ms {told(ratios)} x")


if __name__ == "__main__":
    main()
