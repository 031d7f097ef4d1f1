"""A Ray cluster: one that is there, or one started on this machine."""

import logging
import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from relevance.errors import RelevanceError
from relevance.jobs.attempts import RemoteCall, attempt, one_line
from relevance.jobs.engines._joblib import JoblibEngine
from relevance.jobs.engines.engine import Engine, JobEvent, missing_package
from relevance.jobs.interrupts import held_interrupts, kept_handlers
from relevance.jobs.job import Job, Schedule

FEWEST_ACTORS = 2
"""Least number of actors: for a single one joblib's backend would run jobs in this process."""
STOP_S = 10.0
"""Patience with actors that are killed, until their jobs are known to have ended."""


class Ray(JoblibEngine):
    """Jobs go through joblib's Ray backend, each to an actor of its own.

    The backend hands calls to its actors in turn, whether they are busy or not. Actors that do one
    job each leave the placing to Ray, and a job that kills its process takes no other one along.

    Args:
        workers: Number of jobs at a time.
        resources: Resources that Ray sets aside for each, by the names of its options.
        device: Name of the device of every actor, which sees only its own.
    """

    def __init__(self, workers: int, resources: Mapping[str, float], device: str) -> None:
        from ray.util.joblib import register_ray

        register_ray()
        super().__init__("ray")
        self._backend.configure(
            n_jobs=max(FEWEST_ACTORS, workers), ray_remote_args=resources, maxtasksperchild=1
        )
        self._device = device
        self._running: dict[str, tuple[Any, list[Any]]] = {}
        self.capacity = workers

    @classmethod
    def start(cls, schedule: Schedule) -> "Engine":
        """Connect to the cluster at the address, or start one on this machine.

        The address is the one that `ray start --head` prints, or `auto`.
        """
        # Ray would report to its makers how it is used.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if schedule.address is None:
            # Whoever reaches a port of Ray's can run code, and Ray has no option for the loopback
            # alone. This variable, read when Ray is imported, makes it listen nowhere else.
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        try:
            import ray
        except ImportError:
            raise missing_package("ray") from None
        quiet = {"logging_level": logging.CRITICAL, "log_to_driver": False}
        with kept_handlers():  # Ray's own for SIGTERM print a stack and end with another status
            if schedule.address is None:
                _start_here(ray, schedule, quiet)
            else:
                _connect(ray, schedule.address, quiet)
        device = schedule.devices[0].partition(":")[0]
        try:
            return cls(*_actors(ray.cluster_resources(), schedule, device), device)
        except BaseException:
            ray.shutdown()
            raise

    def _send(self, job: Job, call: RemoteCall) -> None:
        self._tell("started", job)
        batch = self._batch(attempt, call, self._device)
        # One of these actors gets it, and is then replaced in the pool, which forgets it.
        actors = [actor for actor, _ in self._backend._get_pool()._actor_pool]
        with held_interrupts():  # whoever stops has to know of every job that was handed over
            result = self._backend.submit(
                batch, lambda out: self._inbox.put(partial(self._end, job, out))
            )
            self._running[job.name] = result, actors

    def stop(self) -> None:
        """End the actors, and the cluster where it was started here."""
        import ray

        for _, actors in self._running.values():
            for actor in actors:
                ray.kill(actor)
        # A thread that waits for a job when Ray shuts down would end this process on the spot.
        for result, _ in self._running.values():
            result.wait(STOP_S)
        self._backend.terminate()
        ray.shutdown()

    def _end(self, job: Job, out: Any) -> JobEvent:
        from ray.exceptions import RayActorError

        self._running.pop(job.name, None)
        if isinstance(out, RayActorError):
            return JobEvent("killed", job.name)
        if isinstance(out, Exception):
            return JobEvent("failed", job.name, one_line(out))
        return self._came_back(job, out)


def _start_here(ray: Any, schedule: Schedule, quiet: Mapping[str, Any]) -> None:
    actors = max(FEWEST_ACTORS, len(schedule.slots))
    ray.init(
        address="local",
        num_cpus=actors * (schedule.threads or 1),
        include_dashboard=False,
        **quiet,
    )


def _connect(ray: Any, address: str, quiet: Mapping[str, Any]) -> None:
    try:
        ray.init(address=address, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        raise RelevanceError(
            f"`address={address!r}`: no Ray cluster answers ({one_line(error)}). Give what"
            " `ray start --head` prints, such as host:6379, or auto for the one on this machine."
        ) from None


def _actors(
    there: Mapping[str, float], schedule: Schedule, device: str
) -> tuple[int, dict[str, float]]:
    """Number of jobs at a time, and the resources that are set aside for each.

    Ray gives an actor as many CPU threads as it sets CPUs aside for it.
    """
    # Ray lets actors wait for ever that ask for more than the cluster has.
    cpus, gpus = int(there.get("CPU", 0)), int(there.get("GPU", 0))
    on_each = 1 if device == "cpu" else schedule.jobs_per_device
    most = on_each * (cpus if device == "cpu" else gpus)
    workers = most if schedule.all_workers else len(schedule.slots)
    actors = max(FEWEST_ACTORS, workers)
    if not 1 <= workers <= most or actors > cpus:
        raise RelevanceError(
            f"The Ray cluster has {cpus} CPU(s) and {gpus} GPU(s), too few for {workers} worker(s):"
            f" it takes a CPU for each, {FEWEST_ACTORS} at least. Change `jobs` or `gpus`."
        )
    if device == "cpu":
        return workers, {"num_cpus": float(cpus // actors)}
    return workers, {"num_cpus": 1.0, "num_gpus": 1 / max(on_each, actors // workers)}
