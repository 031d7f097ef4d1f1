"""Questions that a study's first worker answers before there are jobs for it.

So the process that starts a study need not load what workers load anyway; what is asked first of a
worker is in its memory when its jobs come.
"""

import warnings
from pkgutil import resolve_name
from typing import Any

from relevance.errors import RelevanceError
from relevance.jobs.job import Schedule
from relevance.jobs.workers import Worker, threads_of, was_killed

_kept: dict[tuple[str, int], Worker] = {}


def ask(schedule: Schedule, place: str, *arguments: Any) -> Any:
    """What a function gives in the first worker of a schedule, which is kept for the study's jobs.

    Args:
        schedule: Schedule of the study, for processes on this machine.
        place: The function, as `package.module:name`; only the worker imports it.
        *arguments: Its arguments; they and what it gives are picklable.

    Returns:
        What the function gives. What it warned of is warned of here.

    Raises:
        RelevanceError: If the worker was killed. What the function raises is raised here.
    """
    first = schedule.slots[0], threads_of(schedule)
    worker = _kept.setdefault(first, Worker(*first))
    future = worker.start(_answer, place, arguments)
    error = future.exception()
    if was_killed(error):
        raise RelevanceError(
            "The process that was to look at tasks and backbone was killed, most often since memory"
            " ran out. Free some, or take a smaller backbone."
        ) from error
    answer, warned = future.result()
    for text in warned:
        warnings.warn(text, stacklevel=2)
    return answer


def _answer(place: str, arguments: tuple[Any, ...]) -> tuple[Any, list[str]]:
    """What a function gives in this process, and what it warned of."""
    with warnings.catch_warnings(record=True) as warned:
        answer = resolve_name(place)(*arguments)
    # as text: the class of a warning can stand in a module that must not be imported for it
    return answer, [str(warning.message) for warning in warned]


def asked_before(device: str, threads: int) -> Worker | None:
    """The worker that was asked something, for one who has jobs for it and ends it after them."""
    return _kept.pop((device, threads), None)


def dismiss() -> None:
    """End workers that were asked something and got no jobs, whatever they are doing."""
    while _kept:
        _kept.popitem()[1].stop()
