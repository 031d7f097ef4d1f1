"""Freed memory is kept while a process trains, and the system gets it back afterwards."""

import subprocess
import sys

import pytest

ALLOCATE = """
import resource
from contextlib import nullcontext
from pathlib import Path

import torch
from hmnet.training.memory import kept_memory

def resident_pages():
    return int(Path("/proc/self/statm").read_text().split()[1])

def page_faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

torch.ones(1)
at_first = resident_pages()
for way in (nullcontext(), kept_memory(torch.device("cpu"))):
    with way:
        for _ in range(10):
            torch.ones(2**24)  # 64 MiB, 16,384 pages
        before = page_faults()
        for _ in range(10):
            torch.ones(2**24)
        faults = page_faults() - before
    print(faults, resident_pages() - at_first)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
@pytest.mark.process
def test_a_block_of_the_same_size_needs_no_new_pages_until_the_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALLOCATE], check=True, capture_output=True, text=True
    )
    freed, _, kept, left = map(int, done.stdout.split())
    # A small allocation that lands behind a freed block may cost one block new pages, and no more.
    assert freed >= 10 * 2**14 > 4 * kept
    assert left < 8000
