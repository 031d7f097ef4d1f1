"""Hundreds of generated tasks: both matrices that need no encoder, and their groups.

    python benchmarks/many_tasks.py

Tasks have 200 rows of 20 words each, drawn by Zipf's law from the tokenizer's whole words; in every
one of ten topics other words are frequent. Files are written before anything is timed. Every number
of tasks runs in a fresh process on two cores at most; then the largest once more through the
command line, every command a process of its own. Steps are in seconds of CPU time, which other
work on the machine does not change.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tomli_w

from relevance.disk.files import write_text
from relevance.tasks.task import Source, Task
from relevance.text.tokenizer_files import read_tokenizer

ROWS, WORDS_PER_ROW, TOPICS = 200, 20, 10
SHARE_OF_TOPIC = 0.4
CORES = 2


def write_tasks(folder: Path, count: int, tokenizer: str) -> Path:
    """Write the tasks' rows and the TOML file that defines them."""
    known = read_tokenizer(tokenizer).get_vocab()
    words = np.array(sorted(word for word in known if word.isalpha() and len(word) > 2))
    frequency = 1 / np.arange(1, len(words) + 1)
    frequency /= frequency.sum()
    orders = [np.random.default_rng(order).permutation(len(words)) for order in range(TOPICS + 1)]
    tasks = []
    for number in range(count):
        random = np.random.default_rng((1, number))
        ranks = random.choice(len(words), (ROWS, WORDS_PER_ROW), p=frequency)
        of_topic = random.random(ranks.shape) < SHARE_OF_TOPIC
        rows = words[np.where(of_topic, orders[number % TOPICS][ranks], orders[TOPICS][ranks])]
        lines = [
            json.dumps({"sentence": " ".join(row), "label": place % 2}) + "\n"
            for place, row in enumerate(rows)
        ]
        name = f"T{number}"
        write_text(folder / f"{name}.jsonl", "".join(lines))
        tasks.append(
            Task(
                name=name,
                family=f"topic_{number % TOPICS}",
                kind="classification",
                text=("sentence",),
                labels=("no", "yes"),
                metrics=("accuracy",),
                source=Source(train=f"{name}.jsonl", dev=f"{name}.jsonl"),
            ).model_dump(mode="json", exclude_defaults=True)
        )
    path = folder / f"tasks-{count}.toml"
    write_text(path, tomli_w.dumps({"task": tasks}))
    return path


@contextmanager
def timed(steps: dict[str, float], name: str) -> Iterator[None]:
    """Note how much CPU time a block takes."""
    start_s = time.process_time()
    yield
    steps[name] = time.process_time() - start_s


def whole_job(tasks_file: Path, backbone: str) -> dict[str, float]:
    """Both matrices and their groups, with files, in this process."""
    steps: dict[str, float] = {}
    with timed(steps, "start"):
        from sklearn.metrics import adjusted_rand_score

        from hmnet.backbones.token_vectors import read_token_vectors
        from relevance.clustering.methods.kmeans import kmeans
        from relevance.measures.token_embedding import TokenEmbedding
        from relevance.measures.vocabulary import Vocabulary
        from relevance.tasks.find import find_tasks
        from relevance.text.tokenizers import load_tokenizer
    with timed(steps, "tasks"):
        tasks = find_tasks([str(tasks_file)])
    with timed(steps, "vocabulary"):
        overlap = Vocabulary(load_tokenizer(backbone)).measure(tasks)
    with timed(steps, "embedding"):
        cosines = TokenEmbedding(lambda: read_token_vectors(backbone)).measure(tasks)
    with timed(steps, "clusters"):
        specs = [kmeans(matrix, TOPICS) for matrix in (overlap, cosines)]
    with timed(steps, "files"):
        for name, result in zip("abcd", (overlap, cosines, *specs), strict=True):
            result.save(tasks_file.with_name(f"{name}.json"))
    truth = [task.family for task in tasks]
    for name, spec in zip(("ari vocabulary", "ari embedding"), specs, strict=True):
        steps[name] = adjusted_rand_score(truth, [spec.cluster_of(task.name) for task in tasks])
    return steps


def run(command: list[str]) -> tuple[str, str]:
    """A process of its own on two cores: what it prints, and in words what it took."""
    with tempfile.TemporaryFile("w+") as out:
        start_s = time.perf_counter()
        process = subprocess.Popen(command, stdout=out)
        os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:CORES])
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start_s
        if status:
            sys.exit(f"{' '.join(command)} failed")
        out.seek(0)
        cpu_s, peak_gb = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6
        return out.read(), f"{seconds:5.1f} s, CPU {cpu_s:5.1f} s, peak {peak_gb:.2f} GB"


def through_the_command_line(tasks_file: Path, backbone: str) -> None:
    """The same job as a user types it, and a heat map."""
    relevance = str(Path(sys.executable).parent / "relevance")
    made = {
        name: str(tasks_file.with_name(name)) for name in ("v.json", "e.json", "c.json", "h.png")
    }
    tasks = ["--tasks", str(tasks_file)]
    groups = ["--k", str(TOPICS), "--out", made["c.json"]]
    commands = {
        "vocab": [*tasks, "--tokenizer", backbone, "--out", made["v.json"]],
        "estimate token-embedding": [*tasks, "--backbone", backbone, "--out", made["e.json"]],
        "cluster (vocabulary)": [made["v.json"], *groups],
        "cluster (token-embedding)": [made["e.json"], *groups],
        "heatmap": [made["v.json"], "--out", made["h.png"]],
    }
    start_s = time.perf_counter()
    for name, options in commands.items():
        words = name.partition(" (")[0].split()
        _, took = run([relevance, *words, *options])
        print(f"relevance {name:26} {took}", flush=True)
    print(f"together {time.perf_counter() - start_s:.1f} s")


def main() -> None:
    """Print a line for every number of tasks, then one for every command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 200, 500])
    parser.add_argument("--backbone", default="minilm")
    parser.add_argument("--tasks-file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.tasks_file is not None:
        print(json.dumps(whole_job(given.tasks_file, given.backbone)))
        return
    with tempfile.TemporaryDirectory() as folder:
        files = {size: write_tasks(Path(folder), size, given.backbone) for size in given.sizes}
        for size, path in files.items():
            options = ["--backbone", given.backbone, "--tasks-file", str(path)]
            out, took = run([sys.executable, __file__, *options])
            steps = json.loads(out)
            rand = [steps.pop(f"ari {name}") for name in ("vocabulary", "embedding")]
            shown = ", ".join(f"{name} {taken:.1f}" for name, taken in steps.items())
            print(
                f"{size:4} tasks {took}; {shown}; topics found {rand[0]:.2f}, {rand[1]:.2f}",
                flush=True,
            )
        through_the_command_line(files[max(files)], given.backbone)


if __name__ == "__main__":
    main()
