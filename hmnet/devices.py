"""Which devices and cores there are, and how a study's jobs are laid over them."""

import ctypes
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from joblib import cpu_count

from relevance.errors import RelevanceError
from relevance.jobs.engines.engine import engines
from relevance.jobs.job import Schedule
from relevance.jobs.resources import Resources
from relevance.jobs.workers import threads_for

MOST_CPU_WORKERS = 4
ANY_GPU = "cuda"
"""The GPU that a worker of a cluster sees."""


def resolve_device(name: str) -> str:
    """The device of one run, in which torch takes no more CPU threads than there are cores for it.

    Torch counts the cores that a process may be scheduled on, but not how much of their time a
    container grants it.

    Args:
        name: `auto` for the first GPU or else the CPU, or a torch device such as `cpu`, `cuda:1`.

    Returns:
        A name that torch takes.

    Raises:
        RelevanceError: If there is no such device here.
    """
    import torch

    torch.set_num_threads(min(torch.get_num_threads(), threads_for(1, cpu_count())))
    if name == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise RelevanceError(f"`device` '{name}' is no device. Take auto, cpu or cuda:0.") from None
    if device.type == "cuda" and (device.index or 0) >= gpu_count():
        raise RelevanceError(f"`device={name!r}`: {gpus_present()}.")
    return name


def gpu_count() -> int:
    """Number of GPUs that torch can use; where there is no driver, torch is not loaded to ask."""
    if "torch" not in sys.modules and sys.platform == "linux" and not _has_driver():
        return 0
    import torch

    return torch.cuda.device_count()


def _has_driver() -> bool:
    """Whether this machine has a driver of NVIDIA, by the library that CUDA opens, or of AMD."""
    if Path("/dev/kfd").exists():
        return True
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def gpus_present() -> str:
    """In words, how many GPUs this machine has."""
    count = gpu_count()
    return "this machine has no GPU" if count == 0 else f"this machine has {count} GPU(s)"


def resolve_schedule(resources: Resources | None = None, **given: Any) -> Schedule:
    """Lay a study over the GPUs, or over the CPU where there are none; here or on a cluster.

    Args:
        resources: What the study may use; None for the defaults. What a cluster has cannot be seen
            from here, so that there None for `gpus` or `jobs` takes all its workers, on GPUs if
            there are any here.
        **given: Fields of `Resources` that win over those of `resources`, such as `gpus=2`.

    Returns:
        Devices, workers and threads.

    Raises:
        RelevanceError: If the engine is unknown or has no address, or more GPUs are asked for than
            there are here.
    """
    use = replace(resources or Resources(), **given)
    engines.find(use.engine)
    if use.address is not None:
        return _on_cluster(use, use.address)
    count = gpu_count() if use.gpus is None else use.gpus
    if count and count > gpu_count():
        raise RelevanceError(
            f"`gpus={count}`: {gpus_present()}. Ask for as many, or leave the option out."
        )
    if count:
        devices = tuple(f"cuda:{index}" for index in range(count))
        return Schedule(devices, use.jobs_per_gpu, engine=use.engine)
    workers = use.jobs or min(cpu_count(), MOST_CPU_WORKERS)
    threads = threads_for(workers, cpu_count())
    return Schedule(("cpu",), workers, threads=threads, engine=use.engine)


def _on_cluster(use: Resources, address: str) -> Schedule:
    if use.engine == "local":
        raise RelevanceError(
            f"`address={address!r}`: name what listens there, `engine='dask'` or `engine='ray'`."
        )
    count = gpu_count() if use.gpus is None else use.gpus
    if count:
        everything = use.gpus is None
        devices = (ANY_GPU,) * (1 if everything else count)
        return Schedule(devices, use.jobs_per_gpu, None, use.engine, address, everything)
    return Schedule(("cpu",), use.jobs or 1, None, use.engine, address, use.jobs is None)


def schedule_on(device: str) -> Schedule:
    """A schedule for one device.

    Args:
        device: `cpu`, or a GPU such as `cuda:1`.

    Returns:
        On a GPU one worker; on the CPU as many as `resolve_schedule` gives it.

    Raises:
        RelevanceError: If there is no such device here.
    """
    name = resolve_device(device)
    on_cpu = name.partition(":")[0] == "cpu"
    return resolve_schedule(gpus=0) if on_cpu else Schedule((name,))
