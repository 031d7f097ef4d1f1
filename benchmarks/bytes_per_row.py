"""Bytes that a training row takes, by stage: read, encoded, in a batch.

    python benchmarks/bytes_per_row.py DATA --tasks QQP MultiRC SQuAD ReCoRD --rows 2048

Counted as Python and NumPy allocate them, without the libraries that read files, as the difference
between one half of the rows and all of them. `held` is what stays, `peak` the most on the way.
"""

import argparse
import os
import tempfile
import tracemalloc
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hmnet.backbones.folder import resolve_backbone
from hmnet.data.tokenizer import read_tokenizer
from hmnet.prepared import prepare
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.load import load_task, split_file
from relevance.tasks.read import read_rows
from relevance.tasks.task import Source

Made = TypeVar("Made")


def traced(make: Callable[[], Made]) -> tuple[Made, np.ndarray]:
    """What a function makes, and the bytes that it holds and held at most."""
    tracemalloc.start()
    made = make()
    found = np.array(tracemalloc.get_traced_memory())
    tracemalloc.stop()
    return made, found


def main() -> None:
    """Print a line for each task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--tasks", nargs="+", default=["QQP", "MultiRC", "SQuAD", "ReCoRD"])
    parser.add_argument("--rows", type=int, default=2048)
    parser.add_argument("--max-length", type=int, default=128)
    given = parser.parse_args()
    tokenizer = read_tokenizer(resolve_backbone("minilm"))
    for task in find_tasks(given.tasks):
        file = split_file(task, "train", given.data)
        if file is None:
            raise SystemExit(f"{given.data} has no training rows of {task.name}")
        rows = list(islice(read_rows(file), given.rows))
        took = {}
        with tempfile.TemporaryDirectory() as name:
            os.environ["RELEVANCE_CACHE"] = name
            for count in (8, len(rows) // 2, len(rows)):  # the first for what is imported
                path = Path(name) / f"{count}.parquet"
                pq.write_table(pa.Table.from_pylist(rows[:count]), path)
                own = task.model_copy(update={"source": Source(train=str(path), dev=str(path))})
                data, read = traced(lambda own=own: load_task(own, DataOptions()))
                _, encoded = traced(lambda data=data: prepare(data, tokenizer, given.max_length, 0))
                took[count] = np.concatenate([read / 2, encoded])  # the same file is dev too
        half, every = len(rows) // 2, len(rows)
        read, most, held, peak = (took[every] - took[half]) / (every - half)
        print(
            f"{task.name:8} {every:6,} rows: read {read:6,.0f} held, {most:6,.0f} peak;"
            f" encoded {held:6,.0f} held, {peak:6,.0f} peak",
            flush=True,
        )


if __name__ == "__main__":
    main()
