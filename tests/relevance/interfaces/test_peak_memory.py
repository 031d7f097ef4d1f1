"""The memory that a run is said to have taken is its own."""

import mmap
import subprocess
import sys

import pytest

from relevance.interfaces.peak_memory import PeakFromNow

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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not say")
def test_a_peak_is_counted_from_when_it_is_asked_for() -> None:
    _hold(2**27)
    peak = PeakFromNow()
    before = peak.read()
    _hold(2**26)
    after = peak.read()
    if before is not None and after is not None:  # some containers do not let it begin anew
        assert 0.9 * 2**26 < after - before < 1.2 * 2**26


def _hold(size: int) -> None:
    """Hold memory for a moment that nobody held before: what was freed may be handed out again."""
    with mmap.mmap(-1, size) as held:
        for start in range(0, size, mmap.PAGESIZE):
            held[start] = 1
