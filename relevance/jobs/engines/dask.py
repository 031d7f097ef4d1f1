"""A Dask cluster: one that is there, or one started on this machine."""

import logging
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from relevance.errors import RelevanceError
from relevance.jobs.attempts import Outcome, RemoteCall, attempt, one_line
from relevance.jobs.engines._joblib import JoblibEngine
from relevance.jobs.engines.engine import Engine, JobEvent, missing_package
from relevance.jobs.job import Job, Schedule
from relevance.jobs.workers import worker_environment

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

CONNECT_S = 30
_ONE_AT_A_TIME = threading.Lock()


class Dask(JoblibEngine):
    """Jobs go through joblib's Dask backend; Dask itself does a job again whose worker was lost.

    `joblib.Parallel` would run all jobs in this process where the cluster has one worker so far,
    and wait for ever for a job that Dask gave up.

    Args:
        client: A client that is connected to the cluster.
        schedule: Devices and workers.
        cluster: A cluster that ends with the engine.
    """

    def __init__(
        self, client: "Client", schedule: Schedule, cluster: "LocalCluster | None" = None
    ) -> None:
        super().__init__("dask", client=client)
        self._client = client
        self._cluster = cluster
        self._schedule = schedule
        # An adaptive cluster grows with what it is asked to do, so it is asked for everything.
        self.capacity = 10**6 if schedule.all_workers else len(schedule.slots)
        self._backend.start_call()
        # Topics are shared by all clients of a cluster, studies of other people among them.
        self._topic = f"relevance-{uuid4().hex}"
        client.subscribe_topic(self._topic, self._on_start)

    @classmethod
    def start(cls, schedule: Schedule) -> "Engine":
        """Connect to the scheduler at the address, or start one with workers on this machine.

        The address is the one that `dask scheduler` prints, or a scheduler file.
        """
        try:
            from distributed import Client, LocalCluster
        except ImportError:
            raise missing_package("dask") from None
        if schedule.address is not None:
            return cls(_connect(schedule.address), schedule)
        cluster = LocalCluster(
            n_workers=len(schedule.slots),
            threads_per_worker=1,
            memory_limit=None,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
            env=worker_environment(schedule.threads or 1),
        )
        return cls(Client(cluster, set_as_default=False), schedule, cluster)

    def _send(self, job: Job, call: RemoteCall) -> None:
        batch = self._batch(_on_worker, call, job.name, self._topic, self._schedule.slots)
        future = self._backend.submit(batch, callback=lambda _: None)
        ended = partial(self._end, job, future)
        future.add_done_callback(lambda _: self._inbox.put(ended))

    def workers(self) -> int:
        """Number of jobs done at a time, which changes when workers come and go."""
        return min(self.capacity, max(1, len(self._client.nthreads())))

    def stop(self) -> None:
        """Let go of jobs that wait; end a cluster that was started here."""
        self._client.unsubscribe_topic(self._topic)
        self._backend.stop_call()
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _on_start(self, event: tuple[float, str]) -> None:
        _, name = event
        self._inbox.put(lambda: JobEvent("started", name))

    def _end(self, job: Job, future: Any) -> JobEvent:
        raised = future.exception()
        if raised is not None:
            return JobEvent("failed", job.name, one_line(raised))
        return self._came_back(job, future.result())


def _connect(address: str) -> "Client":
    from distributed import Client

    file = address.endswith(".json")
    if file and not Path(address).is_file():
        raise RelevanceError(f"`address={address!r}`: no such file.")
    where = {"scheduler_file": address} if file else {"address": address}
    try:
        return Client(**where, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RelevanceError(
            f"`address={address!r}`: no Dask scheduler answers ({one_line(error)}). Give what `dask"
            " scheduler` prints, such as tcp://host:8786, or its scheduler file."
        ) from None


def _on_worker(parcel: RemoteCall, job: str, topic: str, devices: tuple[str, ...]) -> Outcome:
    """Do a job in the worker; a worker of several threads does one at a time.

    Workers started by the engine are numbered, which gives each its device.
    """
    from distributed import get_worker

    worker = get_worker()
    device = devices[worker.name % len(devices) if isinstance(worker.name, int) else 0]
    with _ONE_AT_A_TIME:
        worker.log_event(topic, job)
        return attempt(parcel, device)
