"""`relevance vocab` on the paper's 13 tasks against encoding every text, both in one run.

python benchmarks/vocabulary.py --data-dir ../shared/data --tokenizer minilm

Each way runs in a fresh process, with the same files, loader, tokenizer and threads. Encoding every
text is `encode_batch` over all texts, then a union of sets.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from relevance.measures.vocabulary import Vocabulary, vocabulary_overlap
from relevance.tasks.data import DataOptions, Split
from relevance.tasks.find import PAPER_TASKS, find_tasks
from relevance.tasks.load import load_split
from relevance.text.tokenizer_files import read_tokenizer
from relevance.text.tokenizers import BORDERS, load_tokenizer

TEXTS_PER_BATCH = 1_000


def splits(data_dir: Path) -> Iterator[Split]:
    """The training splits, one in memory at a time."""
    for task in find_tasks(PAPER_TASKS):
        yield load_split(task, "train", data_dir, text_only=True)


def loading_alone(data_dir: Path, tokenizer_name: str) -> list[list[float]]:
    """What both ways start with."""
    load_tokenizer(tokenizer_name)
    for _ in splits(data_dir):
        pass
    return []


def ours(data_dir: Path, tokenizer_name: str) -> list[list[float]]:
    """The measure as the command line runs it."""
    measure = Vocabulary(load_tokenizer(tokenizer_name), DataOptions(data_dir))
    values: list[list[float]] = measure.measure(find_tasks(PAPER_TASKS)).values.tolist()
    return values


def every_text(data_dir: Path, tokenizer_name: str) -> list[list[float]]:
    """Every text of every column as it stands."""
    tokenizer = read_tokenizer(tokenizer_name)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    borders = {tokenizer.token_to_id(token) for token in BORDERS}
    vocabularies = []
    for split in splits(data_dir):
        ids: set[int] = set()
        for column in split.texts:
            for start in range(0, len(column), TEXTS_PER_BATCH):
                batch = list(column[start : start + TEXTS_PER_BATCH])
                for encoding in tokenizer.encode_batch(batch, add_special_tokens=False):
                    ids.update(encoding.ids)
        vocabularies.append(frozenset(ids - borders))
    values: list[list[float]] = vocabulary_overlap(vocabularies, tasks=PAPER_TASKS).tolist()
    return values


WAYS: dict[str, Callable[[Path, str], list[list[float]]]] = {
    "loading alone": loading_alone,
    "relevance vocab": ours,
    "every text": every_text,
}


def timed(way: str, data_dir: Path, tokenizer_name: str) -> dict[str, Any]:
    """Run one way in this process."""
    start_s = time.perf_counter()
    values = WAYS[way](data_dir, tokenizer_name)
    return {
        "seconds": time.perf_counter() - start_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "torch": "torch" in sys.modules,
        "values": values,
    }


def main() -> None:
    """Run each way in a process of its own and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--tokenizer", default="minilm")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way is not None:
        print(json.dumps(timed(given.way, given.data_dir, given.tokenizer)))
        return
    results = {}
    for way in WAYS:
        command = [sys.executable, __file__, *sys.argv[1:], "--way", way]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        results[way] = json.loads(answer.stdout)
    print(f"13 tasks, tokenizer {given.tokenizer}, {os.cpu_count()} CPU cores")
    for way, result in results.items():
        print(
            f"{way:16} {result['seconds']:6.1f} s, peak {result['peak_mb']:4.0f} MB,"
            f" torch {'' if result['torch'] else 'not '}imported"
        )
    loading, fast, slow = (results[way]["seconds"] for way in WAYS)
    print(f"{slow / fast:.1f} times faster with loading, ", end="")
    print(f"{(slow - loading) / (fast - loading):.1f} times without")
    equal = results["relevance vocab"]["values"] == results["every text"]["values"]
    print(f"matrices {'equal' if equal else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
