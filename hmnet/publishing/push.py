"""Uploading a run, a task of it, or all its tasks as one program, and asking what came back.

What is sent has no path of the machine it comes from. It is then fetched from the hub and asked, so
that what others get answers as the run does.
"""

import filecmp
import tempfile
from collections.abc import Callable
from pathlib import Path

from hmnet.publishing.difference import checkpoint_difference, run_difference
from hmnet.publishing.hub import Files, connect, fetch, find_place, told, upload
from hmnet.publishing.run_files import run_files
from hmnet.trained_run import TrainedRun
from relevance.errors import RelevanceError
from relevance.tasks.licences import in_question
from relevance.tasks.task import Task

ALL = "all"
MOST_DIFFERENCE = 1e-4


def push(
    run: TrainedRun,
    repo: str,
    *,
    task: str | None = None,
    public: bool = False,
    accept_licences: bool = False,
    replace: bool = False,
    on_note: Callable[[str], None] = lambda _: None,
) -> str:
    """Upload a run, or what is exported of it, to a repository of the hub.

    Args:
        run: A finished run.
        repo: Name such as `me/my-model`, of a repository that does not exist or is empty.
        task: Task whose path is sent as a plain checkpoint; `all` for the ONNX program of all
            tasks, each as `export` writes it; None for the run's folder, which `hmnet.load` reads.
        public: Whether anybody can see it; private otherwise.
        accept_licences: Publish although licences of the data limit or don't tell what may be
            shared; whoever says so has read them.
        replace: Put it in the place of an earlier push, whose files the hub's history keeps.
        on_note: Told what the user should know, licences before anything is sent.

    Returns:
        Address of the repository.

    Raises:
        RelevanceError: If there is no token or no network, the name is wrong or taken, a licence
            stands against publishing, or what comes back from the hub answers otherwise.
    """
    api = connect(repo)
    together = task == ALL and ALL not in {one.name.lower() for one in run.tasks}
    tasks = run.tasks if task is None or together else (run.task(task),)
    _check_licences(tasks, public=public, accepted=accept_licences, on_note=on_note)
    with told(repo):
        place = find_place(api, repo, public=public, replace=replace)
    if public and place.private:
        on_note(f"{place.repo} is private and stays so; its page on the hub can change that")
    with tempfile.TemporaryDirectory() as folder:
        sent, back = Path(folder) / "export", Path(folder) / "fetched"
        if task is None:
            files = run_files(run)
        else:
            run.export(task, sent, format="onnx" if together else "checkpoint")
            files = _files_in(sent)
        if place.files:
            on_note(f"replacing the {len(place.files)} files of an earlier push")
        on_note(f"uploading {len(files)} files to {place.repo}")
        with told(repo):
            fetch(api, place.repo, files, upload(api, place, files, public=public), back)
        if together:  # the same bytes answer the same in any runtime
            changed = [name for name in files if _differ(sent / name, back / name)]
            as_sent, found = not changed, f"{len(changed)} of {len(files)} files differ"
        else:
            difference = (
                run_difference(run, TrainedRun.load(back))
                if task is None
                else checkpoint_difference(tasks[0], sent, back)
            )
            as_sent = difference <= MOST_DIFFERENCE
            found = f"logits of {len(tasks)} task(s) differ by at most {difference:.1g}"
    if not as_sent:
        raise RelevanceError(
            f"{place.repo} is uploaded, but what comes back from it is not what was sent: {found}."
            " Delete it and push again."
        )
    on_note(f"fetched again: {found}")
    return f"{api.endpoint}/{place.repo}"


def _differ(one: Path, other: Path) -> bool:
    return not filecmp.cmp(one, other, shallow=False)


def _files_in(folder: Path) -> Files:
    """The files of an export by their places."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in found}


def _check_licences(
    tasks: tuple[Task, ...], *, public: bool, accepted: bool, on_note: Callable[[str], None]
) -> None:
    """Name the licences that have to be read first; publish only where they were."""
    asked = [f"{task.name} ({task.licence})" for task in tasks if in_question(task)]
    if not asked:
        return
    limits = f"Licences of the data limit or do not tell what may be shared: {', '.join(asked)}."
    if public and not accepted:
        raise RelevanceError(
            f"{limits} Read them, then add `accept_licences=True`; or leave out `public`."
        )
    on_note(limits)
