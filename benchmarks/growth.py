"""How time and memory grow from 10 to 100 and 1,000 tasks or runs.

    python benchmarks/growth.py --figure benchmarks/growth.png

Every point is a fresh process, of which imports are a part. A study trains nothing: its trainer
answers at once, so that what is left is what a run costs beside training; it has 4, 13 and 44
tasks, which are 10, 91 and 990 runs. Runs to compare are copies of one that was trained, with other
seeds and scores. The exponent is that of the last step: 1 where ten times as much takes ten times
as long, 2 where the output, such as a matrix, is a hundred times as large.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import relevance
from relevance.interfaces.trainer import Result

STUDY_TASKS = {10: 4, 100: 13, 1000: 44}
ROWS = 100


def matrix(folder: Path, count: int, seed: int) -> Path:
    """Gains of tasks in five groups, with noise, as csv."""
    random = np.random.default_rng([seed, count])
    groups = np.arange(count) % 5
    values = (groups[:, None] == groups) * 0.5 + random.normal(0, 0.2, (count, count))
    np.fill_diagonal(values, 1.0)
    names = [f"T{number}" for number in range(count)]
    path = folder / f"{count}-{seed}.csv"
    pd.DataFrame(values, names, names).to_csv(path, index_label="task", float_format="%.4f")
    return path


@dataclass(frozen=True)
class InstantTrainer:
    """Scores drawn by the names of the tasks, at once."""

    fingerprint: str = "instant"

    def __call__(self, tasks: tuple[str, ...], seed: int, _device: str) -> dict[str, Result]:
        """Results for the tasks on 100 rows."""
        results = {}
        for task in tasks:
            random = np.random.default_rng([seed, *" ".join((task, *tasks)).encode()])
            right = (random.random(ROWS) < 0.8).astype(float)
            metrics = {"accuracy": float(right.mean())}
            results[task] = Result(metrics, 0.5, right.tolist(), [0.5] * ROWS)
        return results


def write_tasks(folder: Path, count: int) -> Path:
    """Tasks of 100 rows each, with the TOML file that defines them."""
    for split in ("train", "dev"):
        lines = [json.dumps({"sentence": f"text {row}", "label": row % 2}) for row in range(ROWS)]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    entry = """
[[task]]
name = "T{}"
family = "one"
kind = "classification"
text = ["sentence"]
labels = ["no", "yes"]
metrics = ["accuracy"]
source = {{ train = "train.jsonl", dev = "dev.jsonl" }}
"""
    path = folder / f"tasks-{count}.toml"
    path.write_text("".join(entry.format(number) for number in range(count)))
    return path


def study(tasks: Path) -> None:
    """All single and joint runs of some tasks."""
    relevance.measure(
        "joint-training",
        relevance.find_tasks([str(tasks)]),
        trainer=InstantTrainer(),
        schedule=relevance.Schedule(("cpu",), 1),
    )


def make_run(folder: Path) -> None:
    """A small trained run of four generated tasks."""
    import hmnet
    from relevance.tasks.generated import NOTES, TALES, WORDS

    tasks = relevance.generate_tasks(folder / "tasks", families=2)
    texts = [*WORDS, *(text for pair in (*TALES, *NOTES) for text in pair)]
    encoder = hmnet.write_tiny_encoder(folder / "encoder", texts)
    hmnet.train(
        out=folder / "run",
        tasks=[str(tasks)],
        method="multi",
        backbone=str(encoder),
        max_train=32,
        max_length=32,
        epochs=1,
        on_event=lambda _: None,
    )


def copies(run: Path, count: int, out: Path) -> list[str]:
    """The run again under other seeds, with other scores."""
    random = np.random.default_rng(0)
    folders = []
    for seed in range(count):
        folder = out / f"seed-{seed}"
        shutil.copytree(run, folder, ignore=shutil.ignore_patterns("model"))
        (folder / "model").symlink_to(run / "model")
        changed = {
            "config.toml": re.sub("(?m)^seed = 0$", f"seed = {seed}", read(folder / "config.toml")),
            "scores.csv": re.sub(
                r",0,[\d.]+$",
                lambda _, seed=seed: f",{seed},{random.uniform(0.5, 0.9):.6f}",
                read(folder / "scores.csv"),
                flags=re.MULTILINE,
            ),
        }
        manifest = json.loads(read(folder / "manifest.json"))
        for name, text in changed.items():
            (folder / name).write_text(text)
            manifest["sha256"][name] = hashlib.sha256(text.encode()).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(manifest))
        folders.append(str(folder))
    return folders


def read(path: Path) -> str:
    """A file's text."""
    return path.read_text(encoding="utf-8")


def cost(command: list[str], folder: Path) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of a command with an empty cache."""
    with tempfile.TemporaryDirectory() as cache, (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd=folder,
            env=os.environ | {"RELEVANCE_CACHE": cache, "OMP_NUM_THREADS": "1"},
        )
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command!r:.300}: {read(folder / 'log')[-2000:]}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def commands(folder: Path, count: int) -> dict[str, list[str]]:
    """What is measured, by name, with its inputs made."""
    one, other = matrix(folder, count, 0), matrix(folder, count, 1)
    command = {name: [sys.executable, "-m", name] for name in ("relevance", "hmnet")}
    spec = str(folder / f"spec-{count}.json")
    tasks = write_tasks(folder, STUDY_TASKS[count])
    runs = copies(folder / "run", count, folder / f"runs-{count}")
    return {
        "study, runs": [sys.executable, __file__, "--study", str(tasks)],
        "hmnet compare, runs": [*command["hmnet"], "compare", *runs],
        "relevance cluster --k 5, tasks": [
            *[*command["relevance"], "cluster", str(one), "--k", "5", "--out", spec]
        ],
        "relevance compare, tasks": [*command["relevance"], "compare", str(one), str(other)],
        "relevance table, tasks": [*command["relevance"], "table", str(one)],
    }


def draw(taken: dict[str, list[tuple[float, float]]], counts: list[int], path: Path) -> None:
    """Time and memory over the count, a line for each command."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, place, what in zip(
        figure.subplots(1, 2), (0, 1), ("CPU seconds", "peak memory, MB"), strict=True
    ):
        for name, points in taken.items():
            axes.plot(counts, [point[place] for point in points], marker="o", label=name)
        axes.set(xscale="log", yscale="log", xlabel="tasks or runs", ylabel=what)
        axes.grid(alpha=0.3)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
    axes.set(yscale="linear", ylim=(0, None))  # memory: less than a power of ten lies between
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Print a line per command, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--figure", type=Path, required=True)
    parser.add_argument("--counts", type=int, nargs="+", default=list(STUDY_TASKS))
    options = parser.parse_args()
    taken: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # in a process of its own: a child's peak counts what its parent had in memory when it began
        subprocess.run([sys.executable, __file__, "--make-run", name], check=True)
        for count in options.counts:
            for what, command in commands(folder, count).items():
                taken.setdefault(what, []).append(cost(command, folder))
                seconds, megabytes = taken[what][-1]
                print(f"{count:5} {what:32} {seconds:7.1f} s {megabytes:6.0f} MB", flush=True)
    if len(options.counts) > 1:
        step = np.log(options.counts[-1] / options.counts[-2])
        for what, points in taken.items():
            exponents = np.log(np.divide(points[-1], points[-2])) / step
            print(f"{what:32} time ^{exponents[0]:.2f}, memory ^{exponents[1]:.2f}")
    draw(taken, options.counts, options.figure)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--study"]:
        study(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["--make-run"]:
        make_run(Path(sys.argv[2]))
    else:
        main()
