"""The base of engines that hand jobs to a backend of joblib."""

from abc import abstractmethod
from typing import Any

from relevance.jobs.attempts import Outcome, RemoteCall, one_line
from relevance.jobs.engines.engine import Engine, JobEvent
from relevance.jobs.job import Job


class JoblibEngine(Engine):
    """Jobs go through a backend of joblib, which is asked directly, a job at a time.

    Args:
        backend: Name of the backend, registered with joblib.
        **options: Options of the backend.
    """

    def __init__(self, backend: str, **options: Any) -> None:
        from joblib import parallel_config
        from joblib.parallel import get_active_backend

        super().__init__()
        with parallel_config(backend=backend, **options):
            self._backend: Any = get_active_backend()[0]

    def submit(self, job: Job) -> None:
        """Hand over a job whose call is picklable; one that is not has failed."""
        try:
            call = RemoteCall.pack(job.call)
        except Exception as error:
            self._tell("failed", job, one_line(error))
            return
        self._send(job, call)

    @abstractmethod
    def _send(self, job: Job, call: RemoteCall) -> None:
        """Hand over a job whose call is packed."""

    def _batch(self, function: Any, *arguments: Any) -> Any:
        """One call as the backend takes it."""
        from joblib.parallel import BatchedCalls

        return BatchedCalls([(function, arguments, {})], self._backend.get_nested_backend())

    def clear(self) -> None:
        """Leave the workers to the cluster."""

    def _came_back(self, job: Job, out: Any) -> JobEvent:
        """The event of a job whose worker gave something back."""
        outcome: Outcome = self._backend.retrieve_result_callback(out)[0]
        return JobEvent(outcome.kind, job.name, outcome.error)
