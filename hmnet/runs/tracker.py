"""Trackers of experiments beside the log: TensorBoard, Weights & Biases, Trackio and MLflow."""

import random
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hmnet.settings.config import TrackerName
from relevance.disk.files import unwritable
from relevance.errors import RelevanceError, shown

PROJECT = "hmnet"
"""Name of the project, or of MLflow's experiment, that all runs stand in."""

IN_FOLDER = frozenset({"tensorboard", "wandb"})
"""Trackers that put files into the run's folder."""

Log = Callable[[Mapping[str, float], int], None]
"""Takes values by name, and the step they belong to."""


def check_tracker(tracker: TrackerName | None) -> None:
    """Refuse a tracker that is not installed.

    Args:
        tracker: Its name, or None.

    Raises:
        RelevanceError: If it is asked for and not there.
    """
    if tracker and not _is_installed(tracker):
        raise RelevanceError(
            f'`tracker="{tracker}"` needs a package that is not installed. Install it with'
            f' `pip install "relevance-hmnet[{tracker}]"`, or leave it out.'
        )


def _is_installed(package: str) -> bool:
    """Whether a package is there; a folder of its name, such as `wandb/`, is none."""
    found = find_spec(package)
    return found is not None and found.origin is not None


@contextmanager
def open_tracker(
    tracker: TrackerName | None,
    folder: Path,
    name: str,
    *,
    on_cpu: bool,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[Log | None]:
    """Open one run of a tracker, by accelerate's trackers; the main process alone writes.

    Where a tracker is, and whether it goes online, is said by its own environment variables, such
    as `WANDB_MODE=offline` and `MLFLOW_TRACKING_URI`.

    Args:
        tracker: Which one; None for none.
        folder: Folder in which TensorBoard's and W&B's files get one of their own.
        name: What the run is called; TensorBoard's folder is `tensorboard/` whatever it is.
        on_cpu: Whether the process uses no GPU.
        settings: What is shown beside the run, where the tracker keeps settings.

    Yields:
        A function that takes values, None without a tracker. It leaves random numbers as they are;
        a tracker that fails is told in one warning and not asked again.

    Raises:
        RelevanceError: If the tracker cannot begin, or its folder cannot be made.
    """
    if tracker is None:
        yield None
        return
    if tracker in IN_FOLDER:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from None
    with _random_state_kept():
        opened = _begin(tracker, folder, name, on_cpu=on_cpu, settings=settings)
    failed = False

    def log(values: Mapping[str, float], step: int) -> None:
        nonlocal failed
        if failed:
            return
        named = {_plain(key) if tracker == "mlflow" else key: v for key, v in values.items()}
        try:
            with _random_state_kept():
                opened.log(named, step=step)
        except Exception as error:  # whatever a service raises; training is worth more
            failed = True
            warnings.warn(
                f"{tracker} takes no more values ({type(error).__name__}: {shown(str(error))});"
                " work goes on without it, and the log holds all of them.",
                stacklevel=2,
            )

    try:
        yield log
    finally:
        with suppress(Exception), _random_state_kept():  # everything is in the log
            opened.finish()


def _begin(
    tracker: TrackerName,
    folder: Path,
    name: str,
    *,
    on_cpu: bool,
    settings: Mapping[str, Any] | None,
) -> Any:
    """One of accelerate's trackers, begun."""
    from accelerate import Accelerator

    project = tracker if tracker == "tensorboard" else PROJECT
    of_run = {
        "wandb": {"name": name, "dir": str(folder)},
        "trackio": {"name": name},
        "mlflow": {"run_name": name},
    }
    accelerator = Accelerator(log_with=tracker, project_dir=folder, cpu=on_cpu)
    try:
        accelerator.init_trackers(project, init_kwargs={tracker: of_run.get(tracker, {})})
        opened = accelerator.get_tracker(tracker)
        if settings and tracker != "tensorboard":  # its hyperparameters would be a run of their own
            opened.store_init_configuration({key: str(value) for key, value in settings.items()})
    except Exception as error:
        raise RelevanceError(
            f'`tracker="{tracker}"` could not begin ({type(error).__name__}: {shown(str(error))}).'
            " Set it up by its own environment variables, or leave it out."
        ) from error
    return opened


def _plain(name: str) -> str:
    """A name that MLflow takes; other characters are spelt by their number, so none are mixed up.

    >>> _plain("loss/SST-2"), _plain("loss/A&B")
    ('loss/SST-2', 'loss/A.x26.B')
    """
    return re.sub(r"[^A-Za-z0-9_\-. /]", lambda found: f".x{ord(found[0]):x}.", name)


@contextmanager
def _random_state_kept() -> Iterator[None]:
    """Put the random states that training draws from back as they were."""
    import numpy as np
    import torch

    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002  # others may use it
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
