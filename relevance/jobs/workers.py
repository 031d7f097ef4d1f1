"""A worker: one process of joblib's loky that does jobs for one device, one at a time."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from relevance.jobs.attempts import Outcome, attempt, one_line
from relevance.jobs.interrupts import held_interrupts
from relevance.jobs.job import Schedule
from relevance.lazy import collect_seldom
from relevance.numerals import ordinal

T = TypeVar("T")

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
)


def worker_environment(threads: int) -> dict[str, str]:
    """Environment of a process whose numerical libraries are to use that many CPU threads.

    They wait for each other asleep: where other processes want the cores, threads that spin while
    they wait take the time of those they wait for. The user's own `$OMP_WAIT_POLICY` wins.
    """
    waiting = os.environ.get("OMP_WAIT_POLICY", "passive")
    return {**dict.fromkeys(THREAD_VARIABLES, str(threads)), "OMP_WAIT_POLICY": waiting}


def threads_for(workers: int, cores: int) -> int:
    """CPU threads of each of several workers.

    Args:
        workers: Number of workers at a time.
        cores: Number of cores that they may use together.

    Returns:
        `$OMP_NUM_THREADS` where the user has set it to a number, else an even share of the cores, 1
        at least.
    """
    given = ordinal(os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip())
    return given or max(1, cores // workers)


def threads_of(schedule: Schedule) -> int:
    """CPU threads of each worker of a schedule for this machine."""
    from joblib import cpu_count

    return schedule.threads or threads_for(len(schedule.slots), cpu_count())


class Worker:
    """A process for one device, started when first needed and ended with the one that started it.

    Args:
        device: Device that every call is handed, such as `cuda:0`.
        threads: Number of CPU threads that numerical libraries use in it.
    """

    def __init__(self, device: str, threads: int) -> None:
        self._device = device
        self._environment = worker_environment(threads)
        self._executor: Any = None

    def submit(self, call: Callable[[str], None]) -> Future[Outcome]:
        """Start a job in the process.

        Args:
            call: Picklable function that is given the device; those of the main script are
                picklable.

        Returns:
            Outcome of the call. It holds an exception only where the process was killed or the call
            could not be handed over.
        """
        return self.start(attempt, call, self._device)

    def start(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Start a call in the process.

        Args:
            function: Picklable function.
            *arguments: Its arguments, picklable.

        Returns:
            What the function gives or raises.
        """
        from joblib.externals.loky.process_executor import BrokenProcessPool

        try:
            return self._hand_over(function, *arguments)
        except BrokenProcessPool:  # the process died while it had nothing to do
            self.stop()
            return self._hand_over(function, *arguments)

    def _hand_over(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        from joblib.externals.loky import ProcessPoolExecutor

        if self._executor is None:
            resource_tracker.ensure_running()  # it would let Ctrl-C through again when it starts
            self._executor = ProcessPoolExecutor(
                1, initializer=_obey, initargs=(os.getpid(),), env=self._environment
            )
        # stopped half way, a process that just starts would find no task and say so on stdout
        with held_interrupts(), _ctrl_c_blocked():
            future: Future[T] = self._executor.submit(function, *arguments)
        return future

    def stop(self) -> None:
        """Kill the process, whatever it is doing; the next call starts a fresh one."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None


@contextmanager
def _ctrl_c_blocked() -> Iterator[None]:
    """Hold back Ctrl-C in this thread and in processes started in the block, which never get it.

    A process that is just starting could not answer it but with a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def was_killed(error: BaseException | None) -> bool:
    """Whether the exception of a future says that its process died under it."""
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    return isinstance(error, TerminatedWorkerError)


def why(error: BaseException) -> str:
    """Tell the exception of a future in one line.

    Where loky could not read a call or its result the line has the error that loky hides: most
    often a module changed, or went, after the study was started.
    """
    from joblib.externals.loky.process_executor import BrokenProcessPool

    if not isinstance(error, BrokenProcessPool) or error.__cause__ is None:
        return one_line(error)
    hidden = str(error.__cause__).strip(' \n"').rpartition("\n")[2]
    return (
        f"its worker could not read it ({hidden}). If modules changed since the study was started,"
        " start it again: what is finished is kept."
    )


def _obey(parent: int) -> None:
    """Leave Ctrl-C to the given process, and end when it is gone rather than hold the device."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(parent)
    collect_seldom()


def end_with(parent: int) -> None:
    """End this process, as a kill would, when the one of a number that started it is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
