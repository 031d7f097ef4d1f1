"""One artifact for 13 tasks against 13 files of one task, and against asking in torch.

    python benchmarks/export_all.py [--rounds 5] [--rows 8] [--length 32]

The paper's 13 tasks on MiniLM with three clusters (Table 3's) and random heads. All ways answer the
same rows in turn in one process, on one thread: the artifact and the single ones in onnxruntime,
and torch as `hmnet predict` asks, each shared layer once. A file of one task is cut out of the
artifact, which takes a second and leaves the operations of that task's path.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import onnx
import onnx.utils
import onnxruntime
import torch

from hmnet.backbones.backbone import load_backbone
from hmnet.backbones.folder import resolve_backbone
from hmnet.data.tokenizer import read_tokenizer
from hmnet.models.artifact import export_together
from hmnet.models.build import assemble
from hmnet.sharing.plan import default_layers, hierarchical
from relevance.clustering.methods.kmeans import kmeans
from relevance.matrices.matrix import load_matrix
from relevance.tasks.find import PAPER_TASKS, find_tasks

CLOSE = 1e-4


def session(path: Path) -> onnxruntime.InferenceSession:
    """A file of ONNX in onnxruntime, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def cut(whole: Path, file: Path, task: str) -> None:
    """Write what the output of one task is calculated by."""
    inputs = [each.name for each in onnx.load(whole).graph.input]
    onnx.utils.extract_model(whole, file, inputs, [task], check_model=False, infer_shapes=False)


def layers_in(path: Path) -> int:
    """Layers that a graph runs: each has one softmax, in its attention."""
    return Counter(node.op_type for node in onnx.load(path).graph.node)["Softmax"]


def median_ms(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Milliseconds of each way, asked in turn; the first round does not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, ask in ways.items():
            started = time.perf_counter()
            ask()
            times[name].append(1000 * (time.perf_counter() - started))
    return {name: statistics.median(taken[1:]) for name, taken in times.items()}


def main() -> None:
    """Export, ask and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--length", type=int, default=32)
    given = parser.parse_args()
    torch.set_num_threads(1)
    backbone, tasks = load_backbone("minilm"), find_tasks(PAPER_TASKS)
    plan = hierarchical(kmeans(load_matrix("paper:table3"), 3), *default_layers(backbone.depth))
    model = assemble(backbone, tasks, plan).eval()
    with torch.no_grad():  # layers that begin as copies of one would be one in the graph
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=1e-3)
    tokenizer = read_tokenizer(resolve_backbone("minilm"))
    with tempfile.TemporaryDirectory() as folder:
        started, out = time.perf_counter(), Path(folder) / "all"
        models = dict.fromkeys(model.tasks, model)
        export_together(models, tasks, tokenizer, out, form="onnx", max_length=128)
        print(f"exported in {time.perf_counter() - started:.0f} s", flush=True)
        whole = out / "model.onnx"
        files = {task: out / f"{task}.onnx" for task in model.tasks}
        for task, file in files.items():
            cut(whole, file, task)
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
                return [model(task, inputs) for task in model.tasks]

        ways = {
            "one artifact": lambda: together.run(list(model.tasks), fed),
            "13 files": lambda: [single[task].run([task], fed)[0] for task in model.tasks],
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
        times = median_ms(ways, given.rounds)
    print(f"load of the machine {os.getloadavg()[0]:.1f}; logits equal within {apart:.0e}")
    print(f"layers: {runs[0]} in the artifact, {runs[1]} in the 13 files")
    print(f"size: {sizes[0]:.0f} MB and {sizes[1]:.0f} MB")
    for name, taken in times.items():
        print(f"{name:27s} {taken / given.rows:7.1f} ms a text for all tasks")


if __name__ == "__main__":
    main()
