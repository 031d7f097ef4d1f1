"""Which numbers a run computes with: bf16 autocast where the hardware is fast at it, else fp32.

Weights, gradients and the optimizer are fp32 either way; only forward and backward products change.
"""

import re
from functools import cache
from pathlib import Path
from typing import Literal

import torch

from hmnet.devices import ANY_GPU, resolve_device
from relevance.errors import RelevanceError

Precision = Literal["bf16", "fp32"]
PrecisionName = Literal["auto", "bf16", "fp32"]
CPU_INFO = Path("/proc/cpuinfo")


def resolve_precision(precision: PrecisionName, device: str) -> Precision:
    """What a precision setting means on a device.

    Args:
        precision: `auto` for bf16 where it is fast: GPUs of compute capability 8.0 on, CPUs with
            AVX512-BF16 or AMX.
        device: A name that `resolve_device` takes, or `cuda` for a GPU that may be elsewhere.

    Returns:
        `bf16` or `fp32`.

    Raises:
        RelevanceError: If there is no such device, or none here to decide by.

    >>> resolve_precision("fp32", "cpu")
    'fp32'
    """
    if device == ANY_GPU and not torch.cuda.is_available():
        if precision == "auto":
            raise RelevanceError(
                '`precision="auto"` goes by the GPU, and this machine has none to look at. Give'
                " `precision='bf16'` or fp32, whichever suits the cluster's GPUs."
            )
        return precision
    found = torch.device(resolve_device(device))
    if precision != "auto":
        return precision
    if found.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(found) >= (8, 0) else "fp32"
    return "bf16" if _cpu_is_fast_at_bf16() else "fp32"


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """The context that forward passes run in.

    Args:
        precision: Resolved; `fp32` gives a context that does nothing.
        device: Where the forward pass runs.

    Returns:
        A context manager.
    """
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


@cache
def _cpu_is_fast_at_bf16() -> bool:
    """Whether Linux lists the instructions; elsewhere nothing is known, so no."""
    if not CPU_INFO.is_file():
        return False
    flags = re.search(r"^flags\s*:(.*)$", CPU_INFO.read_text(), flags=re.MULTILINE)
    return flags is not None and bool({"avx512_bf16", "amx_bf16"} & set(flags[1].split()))
