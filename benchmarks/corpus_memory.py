"""Memory and time of `hmnet pretrain` on large corpora: encoding, pairs, and two steps.

    python benchmarks/corpus_memory.py ../shared/data /tmp --mb 64 256 1000

The text is WikiText-2's, IMDB's and MultiRC's again and again, in each copy a tenth of the words
replaced by others of these texts, so that no two copies have the same sentences. It is written to
the folder named and deleted afterwards, as is the cache. The encoder has two layers, 128 wide, and
MiniLM's tokenizer. The peak is the largest resident set of the process, which counts pages of files
that are mapped; `MALLOC_ARENA_MAX` and the like are left as they are.
"""

import argparse
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

SOURCES = ("wikitext2/valid:text", "wikitext2/test:text", "imdb/train:sentence")
SOURCES += ("multirc/train:paragraph",)
REPLACED = 0.1  # share of words
KILOBYTE = 1024  # the unit of `ru_maxrss`, in bytes
TINY = {
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 512,
    "max_position_embeddings": 128,
}
OPTIONS = "--steps 2 --batch-size 32 --max-length 128 --long-share 0"


def texts(data: Path) -> list[str]:
    """Rows of the sources, each a document."""
    from hmnet.pretraining.corpus import Corpus

    parts = (source.split(":") for source in SOURCES)
    corpora = [Corpus(data / f"{name}.parquet", column, "row") for name, column in parts]
    return [" ".join(text.split()) for corpus in corpora for [text] in corpus.read()]


def varied(documents: list[str]) -> Iterator[str]:
    """The documents for ever, a tenth of the words of each replaced by others."""
    rng = random.Random(0)  # noqa: S311
    words = re.findall(r"[a-z]{3,}", " ".join(documents[:: len(documents) // 500 or 1]))
    while True:
        for document in documents:
            parts = document.split(" ")
            for place in rng.sample(range(len(parts)), round(REPLACED * len(parts))):
                if parts[place].isalpha():
                    parts[place] = rng.choice(words)
            yield " ".join(parts)


def write(documents: list[str], file: Path, size: int) -> None:
    """Write so many bytes, a blank line behind each document."""
    with file.open("w") as out:
        for document in varied(documents):
            out.write(document + "\n\n")
            if out.tell() >= size:
                return


def write_encoder(folder: Path) -> None:
    """Configuration and tokenizer, so that it begins with random weights."""
    from transformers import BertConfig

    from hmnet.backbones.folder import resolve_backbone
    from hmnet.data.tokenizer import read_tokenizer

    tokenizer = read_tokenizer(resolve_backbone("minilm", weights=False))
    tokenizer.save_pretrained(folder)
    BertConfig(vocab_size=len(tokenizer), architectures=["BertModel"], **TINY).save_pretrained(
        folder
    )


def measure(corpus: Path, folder: Path) -> tuple[float, float, float]:
    """Seconds, CPU seconds and peak gigabytes of one call with an empty cache."""
    command = [sys.executable, "-m", "hmnet", "pretrain", "--corpus", f"{corpus}@blank"]
    command += ["--backbone", folder / "encoder", *OPTIONS.split(), "--device", "cpu"]
    with tempfile.TemporaryDirectory(dir=folder) as own:
        started = time.monotonic()
        # the child of a small process: a peak would count what the parent had when it was forked
        child = subprocess.Popen(
            [*map(str, command), "--out", f"{own}/out"],
            env=os.environ | {"RELEVANCE_CACHE": f"{own}/cache"},
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(child.pid, 0)
        if status:
            raise SystemExit(f"hmnet pretrain ended with status {status}")
        seconds = time.monotonic() - started
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * KILOBYTE / 1e9


def main() -> None:
    """Write a text of each size, measure, delete."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("scratch", type=Path, help="folder with room for twice the text")
    parser.add_argument("--mb", type=int, nargs="+", default=[1000], help="megabytes of text")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        folder = Path(scratch)
        write_encoder(folder / "encoder")
        documents = texts(options.data)
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTE / 1e9
        print(f"this process {own:.2f} GB", flush=True)
        for size in options.mb:
            write(documents, folder / "corpus.txt", size * 10**6)
            seconds, cpu, peak = measure(folder / "corpus.txt", folder)
            print(f"{size} MB: {seconds:.0f} s, {cpu:.0f} s of CPU, {peak:.2f} GB", flush=True)


if __name__ == "__main__":
    main()
