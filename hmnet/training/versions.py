"""Versions of the parts that trained a run, so that it is not gone on with by other ones."""

from collections.abc import Mapping

from hmnet.settings.config import TrainingSettings

# what runs were trained by that did not write it down; all else has version 1 there
UNWRITTEN = {"sampler uncertainty": 2}


def versions_of(settings: TrainingSettings) -> dict[str, int]:
    """The parts that settings name, with their versions as they are now.

    Args:
        settings: Settings of a run.

    Returns:
        Numbers by kind and name, such as `sampler uncertainty`.
    """
    return {f"sampler {settings.sampler.name}": settings.sampler.member.version}


def other_version(written: Mapping[str, int], settings: TrainingSettings) -> str | None:
    """The part that has been changed since a run was trained.

    Args:
        written: Versions as the run's record has them; empty in records of older versions.
        settings: The run's.

    Returns:
        The first such part in words; None if there is none.

    >>> other_version({}, TrainingSettings(sampler="uncertainty"))
    'version 2 of sampler uncertainty, which is now at version 3 and takes other steps'
    >>> other_version({}, TrainingSettings()) is None
    True
    """
    return changed_version(written, versions_of(settings))


def changed_version(written: Mapping[str, int], today: Mapping[str, int]) -> str | None:
    """The part that has another version than is written down.

    Args:
        written: Versions as a record has them.
        today: Versions of now.

    Returns:
        The first such part in words; None if there is none.
    """
    for part, now in today.items():
        then = written.get(part, UNWRITTEN.get(part, 1))
        if then != now:
            return f"version {then} of {part}, which is now at version {now} and takes other steps"
    return None
