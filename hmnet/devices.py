"""Which devices there are, and how a study's jobs are laid over them."""

import os

import torch

from relevance.errors import RelevanceError
from relevance.jobs.engines.engine import engines
from relevance.jobs.job import Schedule
from relevance.jobs.workers import threads_for

MOST_CPU_WORKERS = 4
ANY_GPU = "cuda"
"""The GPU that a worker of a cluster sees."""


def resolve_device(name: str) -> str:
    """The device of one run.

    Args:
        name: `auto` for the first GPU or else the CPU, or a torch device such as `cpu`, `cuda:1`.

    Returns:
        A name that torch takes.

    Raises:
        RelevanceError: If there is no such device here.
    """
    if name == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise RelevanceError(f"`device` '{name}' is no device. Take auto, cpu or cuda:0.") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise RelevanceError(f"`device={name!r}`: {gpus_present()}.")
    return name


def gpus_present() -> str:
    """In words, how many GPUs this machine has."""
    count = torch.cuda.device_count()
    return "this machine has no GPU" if count == 0 else f"this machine has {count} GPU(s)"


def resolve_schedule(
    gpus: int | None = None,
    jobs: int | None = None,
    jobs_per_gpu: int = 1,
    engine: str = "local",
    address: str | None = None,
) -> Schedule:
    """Lay a study over the GPUs, or over the CPU where there are none; here or on a cluster.

    Args:
        gpus: How many GPUs to use; None for all there are, 0 for the CPU.
        jobs: Workers on the CPU, which share its cores unless `$OMP_NUM_THREADS` says how many
            threads each has; None for one per core, four at most as
            each holds a model in memory (`benchmarks/RESULTS.md` has it against one for all).
        jobs_per_gpu: Workers on each GPU.
        engine: Name of what runs the jobs.
        address: Address of a cluster, whose workers each see a device of their own. What it has
            cannot be seen from here: None for `gpus` or `jobs` takes all its workers, on GPUs if
            there are any here.

    Returns:
        Devices, workers and threads.

    Raises:
        RelevanceError: If the engine is unknown or has no address, or more GPUs are asked for than
            there are here.
    """
    engines().find(engine)
    if address is not None:
        return _on_cluster(gpus, jobs, jobs_per_gpu, engine, address)
    count = torch.cuda.device_count() if gpus is None else gpus
    if count > torch.cuda.device_count():
        raise RelevanceError(
            f"`gpus={count}`: {gpus_present()}. Ask for as many, or leave the option out."
        )
    if count:
        devices = tuple(f"cuda:{index}" for index in range(count))
        return Schedule(devices, jobs_per_gpu, engine=engine)
    workers = jobs or min(_cores(), MOST_CPU_WORKERS)
    return Schedule(("cpu",), workers, threads=threads_for(workers, _cores()), engine=engine)


def _on_cluster(
    gpus: int | None, jobs: int | None, jobs_per_gpu: int, engine: str, address: str
) -> Schedule:
    if engine == "local":
        raise RelevanceError(
            f"`address={address!r}`: name what listens there, `engine='dask'` or `engine='ray'`."
        )
    count = torch.cuda.device_count() if gpus is None else gpus
    if count:
        everything = gpus is None
        devices = (ANY_GPU,) * (1 if everything else count)
        return Schedule(devices, jobs_per_gpu, None, engine, address, everything)
    return Schedule(("cpu",), jobs or 1, None, engine, address, jobs is None)


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
    return resolve_schedule(0) if torch.device(name).type == "cpu" else Schedule((name,))


def _cores() -> int:
    """Cores this process may use, which containers and job schedulers set below the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
