"""Asking one batch of texts for all tasks: shared layers run once against every path whole.

    python benchmarks/predict_all.py

The paper's 13 tasks on MiniLM with three clusters (Table 3's), both ways in turn in one process.
"""

import statistics
import time

import torch

from hmnet.backbones.backbone import load_backbone
from hmnet.models.build import assemble
from hmnet.sharing.plan import default_layers, hierarchical
from relevance.clustering.methods.kmeans import kmeans
from relevance.matrices.matrix import load_matrix
from relevance.tasks.find import PAPER_TASKS, find_tasks

ROUNDS = 7
ROWS, LENGTH = 16, 64


def main() -> None:
    """Time both ways and print medians and the ratio."""
    spec = kmeans(load_matrix("paper:table3"), 3)
    backbone = load_backbone("minilm")
    plan = hierarchical(spec, *default_layers(backbone.depth))
    model = assemble(backbone, find_tasks(PAPER_TASKS), plan).eval()
    ids = torch.randint(1000, 20000, (ROWS, LENGTH), generator=torch.Generator().manual_seed(0))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def answers() -> list[torch.Tensor]:
        return [model(task, inputs) for task in model.tasks]

    times: dict[str, list[float]] = {"every path whole": [], "shared layers once": []}
    with torch.inference_mode():
        for _ in range(ROUNDS):
            started = time.perf_counter()
            whole = answers()
            times["every path whole"].append(time.perf_counter() - started)
            started = time.perf_counter()
            with model.activation_cache():
                once = answers()
            times["shared layers once"].append(time.perf_counter() - started)
    if not all(map(torch.equal, whole, once)):
        raise SystemExit("The two ways disagree.")
    layers = len({name for row in plan.layers.values() for name in row})
    print(
        f"13 tasks: {layers} layer runs instead of {13 * backbone.depth}, logits equal to the bit"
    )
    for name, taken in times.items():
        print(f"{name:20s} {1000 * statistics.median(taken):7.0f} ms")
    whole_s, once_s = (statistics.median(taken) for taken in times.values())
    print(f"{whole_s / once_s:.2f} times as fast")


if __name__ == "__main__":
    main()
