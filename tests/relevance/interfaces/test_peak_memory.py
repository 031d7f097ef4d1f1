"""The memory that a run is said to have taken is its own."""

import subprocess
import sys

import pytest

MEASURED = """
from relevance.interfaces.peak_memory import peak_memory_bytes
{}
print(peak_memory_bytes(None, "cpu"))
"""


def peak_of(statement: str) -> int:
    command = [sys.executable, "-c", MEASURED.format(statement)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.process
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems count otherwise")
def test_what_the_process_that_started_it_holds_is_not_counted() -> None:
    held = bytearray(2**29)
    small, large = peak_of("pass"), peak_of("bytearray(2**26)")
    assert small < len(held) / 2
    assert 0.9 * 2**26 < large - small < 1.1 * 2**26
