"""Freed memory is kept while a process trains, and the system gets it back afterwards."""

import subprocess
import sys

import pytest

ALLOCATE = """
import resource, sys
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
with kept_memory(torch.device("cpu")) if sys.argv[1] == "kept" else nullcontext():
    for _ in range(10):
        torch.ones(2**24)  # 64 MiB, 16,384 pages
    before = page_faults()
    for _ in range(10):
        torch.ones(2**24)
    faults = page_faults() - before
print(faults, resident_pages() - at_first)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_a_block_of_the_same_size_needs_no_new_pages_until_the_end() -> None:
    def measured(way: str) -> tuple[int, int]:
        done = subprocess.run(
            [sys.executable, "-c", ALLOCATE, way], check=True, capture_output=True, text=True
        )
        faults, left = map(int, done.stdout.split())
        return faults, left

    faults, left = measured("kept")
    assert faults < 1000 < measured("freed")[0]
    assert left < 8000
