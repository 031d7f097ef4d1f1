"""How much memory a training run took."""

import sys
from typing import Protocol, runtime_checkable

from relevance.interfaces.trainer import Trainer


@runtime_checkable
class KnowsGpuMemory(Protocol):
    """A trainer that can say what its last run took of a GPU."""

    def peak_gpu_bytes(self, device: str) -> int:
        """Most bytes in use at a time.

        Args:
            device: Such as `cuda:1`.

        Returns:
            The peak.
        """
        ...


def peak_memory_bytes(trainer: Trainer, device: str) -> int | None:
    """What a worker needs for a run: memory of its GPU, or of its process where it has none.

    Args:
        trainer: Has just done the run.
        device: Where.

    Returns:
        Peak in bytes; of a process since it was started, which covers its earlier runs. None where
        neither trainer nor system can say.
    """
    if device.startswith("cuda"):
        return trainer.peak_gpu_bytes(device) if isinstance(trainer, KnowsGpuMemory) else None
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # the only system that counts bytes
