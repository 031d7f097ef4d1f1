"""Freed memory is kept by a training process: the next step finds it mapped."""

import subprocess
import sys

import pytest

ALLOCATE = """
import resource, sys
import torch
from hmnet.training.memory import keep_freed_memory

if sys.argv[1] == "kept":
    assert keep_freed_memory()
for _ in range(10):
    torch.ones(2**24)  # 64 MiB, 16,384 pages
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_a_block_of_the_same_size_needs_no_new_pages() -> None:
    def page_faults(way: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", ALLOCATE, way], check=True, capture_output=True, text=True
        )
        return int(done.stdout)

    assert page_faults("kept") < 1000 < page_faults("freed")
