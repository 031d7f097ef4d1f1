"""Peak memory of a training run."""

import re
import sys
from pathlib import Path
from typing import Protocol, runtime_checkable

from relevance.interfaces.trainer import Trainer


@runtime_checkable
class KnowsGpuMemory(Protocol):
    """A trainer that knows the peak memory of its last run on a GPU."""

    def peak_gpu_bytes(self, device: str) -> int:
        """Most bytes in use at a time on a device such as `cuda:1`."""
        ...


def peak_memory_bytes(trainer: Trainer, device: str) -> int | None:
    """Peak memory of a worker's last run: that of its GPU, or of its process where it has none.

    Args:
        trainer: Trainer that has just done the run.
        device: Device of the run.

    Returns:
        Peak in bytes, for a process since it was started, which covers its earlier runs; None
        where neither trainer nor system can say.
    """
    if device.startswith("cuda"):
        return trainer.peak_gpu_bytes(device) if isinstance(trainer, KnowsGpuMemory) else None
    # `ru_maxrss` would count what the process that started this one had in memory just then
    if (peak := _status_bytes("VmHWM")) is not None:
        return peak
    if sys.platform != "darwin":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def resident_bytes() -> int | None:
    """Memory of this process as it is now; None where the system does not say."""
    return _status_bytes("VmRSS")


class PeakFromNow:
    """The most memory that this process has held since this was made; Linux alone knows."""

    def __init__(self) -> None:
        try:
            Path("/proc/self/clear_refs").write_text("5")  # `VmHWM` begins anew
            self._known = True
        except OSError:
            self._known = False

    def read(self) -> int | None:
        """Bytes; None where the system does not say."""
        return _status_bytes("VmHWM") if self._known else None


def _status_bytes(name: str) -> int | None:
    """An entry of Linux's status of this process; None elsewhere."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    (found,) = re.findall(rf"^{name}:\s*(\d+) kB$", status.read_text(), re.MULTILINE)
    return int(found) * 1024
