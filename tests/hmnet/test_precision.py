"""`auto` is bf16 where the hardware is fast at it, and fp32 where nothing says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from hmnet import precision
from hmnet.precision import autocast, resolve_precision
from relevance.errors import RelevanceError


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    precision._cpu_is_fast_at_bf16.cache_clear()
    yield
    precision._cpu_is_fast_at_bf16.cache_clear()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu sse avx512f avx512_bf16", "bf16"),
        ("fpu amx_bf16 amx_tile", "bf16"),
        ("fpu sse avx2 avx512f", "fp32"),
    ],
)
def test_auto_on_a_cpu_goes_by_its_instructions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, expected: str
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\nbogomips\t: 1\n")
    monkeypatch.setattr(precision, "CPU_INFO", tmp_path / "cpuinfo")
    assert resolve_precision("auto", "cpu") == expected


def test_auto_is_fp32_where_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "CPU_INFO", tmp_path / "none")
    assert resolve_precision("auto", "cpu") == "fp32"
    (tmp_path / "none").write_text("Features : fp asimd\n")
    assert resolve_precision("auto", "cpu") == "fp32"


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "fp32"), ((8, 0), "bf16")])
def test_auto_on_a_gpu_goes_by_its_capability(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert resolve_precision("auto", "cuda:0") == expected


def test_a_choice_is_kept() -> None:
    assert resolve_precision("bf16", "cpu") == "bf16"
    assert resolve_precision("fp32", "cpu") == "fp32"


def test_autocast_multiplies_in_bf16_or_leaves_things_alone() -> None:
    weights = torch.ones(2, 2)
    with autocast("bf16", torch.device("cpu")):
        assert (weights @ weights).dtype == torch.bfloat16
    with autocast("fp32", torch.device("cpu")):
        assert (weights @ weights).dtype == torch.float32


def test_a_gpu_that_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_precision("bf16", "cuda") == "bf16"
    assert resolve_precision("fp32", "cuda") == "fp32"
    with pytest.raises(RelevanceError, match=r"^`precision=.auto.` goes by the GPU, and this mach"):
        resolve_precision("auto", "cuda")
