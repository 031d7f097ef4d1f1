"""Time and memory of answering a large test set: `hmnet predict --split test` and `hmnet submit`.

    python benchmarks/many_rows.py --rows 20000 200000

QQP, whose own test set has 390,965 rows, with generated questions of 3 to 12 words and a random
encoder of three layers, 16 wide, so that what is around the model counts and not the model. The
process is one per size and command; its peak is the largest resident set.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hmnet.backbones.tiny import write_tiny_encoder

WORDS = tuple(f"word{number}" for number in range(500))
TRAINED = 64  # rows


def questions(count: int) -> Iterator[tuple[str, str]]:
    """Pairs of generated questions."""
    rng = random.Random(0)  # noqa: S311
    for _ in range(count):
        first, second = (" ".join(rng.choices(WORDS, k=rng.randint(3, 12))) for _ in range(2))
        yield first, second


def write(folder: Path, rows: int) -> None:
    """The files of QQP: few rows to train on, many to answer."""
    (folder / "qqp").mkdir(exist_ok=True)
    for split in ("train", "dev"):
        with (folder / "qqp" / f"{split}.jsonl").open("w") as file:
            for number, (first, second) in enumerate(questions(TRAINED)):
                row = {"sentence1": first, "sentence2": second, "label": number % 2}
                file.write(json.dumps(row) + "\n")
    with (folder / "qqp" / "test.tsv").open("w") as file:
        file.write("id\tsentence1\tsentence2\n")
        for number, pair in enumerate(questions(rows)):
            file.write("\t".join((str(number), *pair)) + "\n")


def run(folder: Path, *arguments: object) -> tuple[int, str]:
    """Lines of what a command of `hmnet` writes, and what it took."""
    command = [sys.executable, "-m", "hmnet", *map(str, arguments), "--device", "cpu"]
    started_s = time.perf_counter()
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit((folder / "err").read_text())
    seconds = time.perf_counter() - started_s
    cpu_s, peak_mb = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    with (folder / "out").open("rb") as file:
        lines = sum(1 for _ in file)
    return lines, f"{seconds:6.1f} s, CPU {cpu_s:6.1f} s, peak {peak_mb:5.0f} MB"


def main() -> None:
    """Print a line for every size and command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 200_000])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["RELEVANCE_CACHE"] = str(folder / "cache")
        write(folder, 1)
        write_tiny_encoder(folder / "encoder", WORDS)
        data = ("--data-dir", folder)
        own = ("--backbone", folder / "encoder", "--method", "multi", "--epochs", 1)
        run(
            folder,
            "train",
            "--tasks",
            "QQP",
            *data,
            *own,
            "--max-length",
            32,
            "--out",
            folder / "run",
        )
        for rows in given.rows:
            write(folder, rows)
            asked = ("predict", folder / "run", "--task", "QQP", "--split", "test")
            lines, took = run(folder, *asked)
            if lines != rows:
                raise SystemExit(f"{lines:,} answers to {rows:,} rows")
            print(f"{rows:7,} rows, predict {took}", flush=True)
            asked = ("submit", folder / "run", "--benchmark", "glue", "--allow-missing")
            _, took = run(folder, *asked, *data, "--out", folder / f"zip-{rows}")
            print(f"{rows:7,} rows, submit  {took}", flush=True)


if __name__ == "__main__":
    main()
