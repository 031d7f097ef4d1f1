"""What engines have in common that hand jobs to a backend of joblib."""

from abc import abstractmethod
from typing import Any

from relevance.jobs.attempts import Outcome, RemoteCall, one_line
from relevance.jobs.engines.engine import Engine, JobEvent
from relevance.jobs.job import Job


class JoblibEngine(Engine):
    """Jobs go through a backend of joblib, which is asked directly, a job at a time.

    Args:
        backend: Its name, registered with joblib.
        **options: What the backend takes.
    """

    def __init__(self, backend: str, **options: Any) -> None:
        from joblib import parallel_config
        from joblib.parallel import get_active_backend

        super().__init__()
        with parallel_config(backend=backend, **options):
            self._backend: Any = get_active_backend()[0]

    def submit(self, job: Job) -> None:
        """Hand over a job.

        Args:
            job: Its call must be picklable.
        """
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
        """How a job ended whose worker gave something back."""
        outcome: Outcome = self._backend.retrieve_result_callback(out)[0]
        return JobEvent(outcome.kind, job.name, outcome.error)
