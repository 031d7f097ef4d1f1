"""A run's answers to all test sets of a benchmark, in one zip."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hmnet.submission.answer_files import BENCHMARKS, AnswerFile
from hmnet.submission.lines import answer_lines, is_numbered, is_off_scale
from hmnet.trained_run import TrainedRun
from relevance.disk.files import check_writable, replacing
from relevance.errors import RelevanceError, unknown_name
from relevance.names import some
from relevance.stages import counted, stage
from relevance.tasks.load import own_files, task_folder
from relevance.tasks.published import published_rows
from relevance.tasks.read import SPLIT_SUFFIXES
from relevance.tasks.rows import file_rows
from relevance.tasks.task import Task

EPOCH = (1980, 1, 1, 0, 0, 0)


class Submission(NamedTuple):
    """What was written, and what the leaderboard would miss.

    Attributes:
        path: The zip.
        files: Names of the files in it.
        missing: Files that are not in it by name, as the run lacks the task or the rows, with the
            reason.
        failed: Files that are not in it by name, as some row cannot be answered, with the reason.
        notes: What to know of files that are in it, a line each.
    """

    path: Path
    files: tuple[str, ...]
    missing: dict[str, str]
    failed: dict[str, str]
    notes: tuple[str, ...] = ()


class _Asked(NamedTuple):
    """A file that can be written.

    Attributes:
        part: The file.
        task: Task that answers.
        path: File of the rows.
        own: Definition that says how to read them, where it names the file; else without a source.
    """

    part: AnswerFile
    task: Task
    path: Path
    own: Task


def submit(
    run: TrainedRun,
    benchmark: str,
    out: str | Path,
    *,
    data_dir: str | Path | None = None,
    allow_missing: bool = False,
    batch_size: int = 32,
    device: str = "auto",
) -> Submission:
    """Answer a benchmark's test sets and write the zip for its leaderboard.

    Leaderboards want every file. Where some are left out, or rows of some cannot be read, the zip
    has the others and is called `BENCHMARK-incomplete.zip`.

    Args:
        run: A finished run.
        benchmark: `glue` or `superglue`.
        out: Folder for the zip; it is made if missing, and an older zip is replaced.
        data_dir: Folder with a folder per task as the benchmark publishes them, such as
            `RTE/test.tsv`, `MNLI/test_matched.tsv`, `AX-b/AX-b.jsonl`, or as they are prepared
            (`rte/test.parquet`); None for where the run's data is.
        allow_missing: Whether to write the others where the run lacks a task, or its rows are not
            there.
        batch_size: Rows per forward pass.
        device: `auto`, `cpu` or `cuda:N`.

    Returns:
        The zip, its files, and those that are missing.

    Raises:
        RelevanceError: If the benchmark is unknown, the folder cannot be written, no file can be
            answered, or one is missing and that is not allowed.

    Source:
        The files that jiant 1.3 writes for gluebenchmark.com and super.gluebenchmark.com
        (github.com/nyu-mll/jiant-v1-legacy, jiant/evaluate.py).
    """
    if benchmark not in BENCHMARKS:
        raise unknown_name("benchmark", benchmark, list(BENCHMARKS))
    out, folder = Path(out), None if data_dir is None else Path(data_dir)
    if folder is not None and not folder.is_dir():
        raise RelevanceError(f"`data_dir`: {folder} is no folder.")
    asked, missing = _asked(run, BENCHMARKS[benchmark], folder)
    if not asked or (missing and not allow_missing):
        raise _incomplete(benchmark, missing, advice=bool(asked))
    name = f"{benchmark}{'-incomplete' if missing else ''}.zip"
    check_writable(out / name)
    contents: dict[str, str] = {}
    failed: dict[str, str] = {}
    notes: list[str] = []
    for each in counted(asked, "files"):
        try:
            contents[each.part.name], said = _content(run, each, batch_size, device)
        except RelevanceError as error:
            failed[each.part.name] = str(error)
        else:
            notes += said
    if not contents:
        raise _incomplete(benchmark, failed | missing)
    path = out / (f"{benchmark}-incomplete.zip" if failed else name)
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for file, text in contents.items():
            archive.writestr(zipfile.ZipInfo(file, EPOCH), text, zipfile.ZIP_DEFLATED)
    return Submission(path, tuple(contents), missing, failed, tuple(notes))


def _incomplete(
    benchmark: str, reasons: Mapping[str, str], *, advice: bool = False
) -> RelevanceError:
    listed = "; ".join(f"{name}: {why.rstrip('.')}" for name, why in reasons.items())
    if not advice:
        return RelevanceError(f"No file of {benchmark} can be written. {listed}.")
    return RelevanceError(
        f"The leaderboard of {benchmark} wants every file, and {len(reasons)} cannot be written."
        f" {listed}. `allow_missing=True` writes the others."
    )


def _asked(
    run: TrainedRun, parts: Sequence[AnswerFile], data_dir: Path | None
) -> tuple[list[_Asked], dict[str, str]]:
    """The files that can be written, and why others cannot."""
    asked: list[_Asked] = []
    missing: dict[str, str] = {}
    tasks = {task.name.lower(): task for task in run.tasks}
    for part in parts:
        task = next((tasks[name.lower()] for name in part.tasks if name.lower() in tasks), None)
        if task is None:
            missing[part.name] = f"the run has no task {part.tasks[0]}"
        elif unlike := _unlike(part, task):
            missing[part.name] = unlike
        elif (found := _rows_file(run, task, part, data_dir)) is None:
            place = f"{(*part.folders, task.name)[0]}/{part.splits[0]}"
            where = _data_folder(run, data_dir)
            missing[part.name] = f"there is no file {place}.tsv, .jsonl or .parquet in {where}"
        else:
            asked.append(_Asked(part, task, *found))
    return asked, missing


def _unlike(part: AnswerFile, task: Task) -> str | None:
    """How a task of a run is another than the benchmark's of this name; None where it is not."""
    if part.scale is not None and task.range != part.scale:
        return f"the run's {task.name} is no regression from {part.scale[0]} to {part.scale[1]}"
    if part.labels is None and part.scale is None and task.kind != "cloze":
        return f"the run's {task.name} is of kind {task.kind}, and it needs one of kind cloze"
    if task.labels and set(task.labels) != set(part.labels or ()):
        own, wanted = some(task.labels), some(list(part.labels or ()))
        return f"labels of the run's {task.name} are {own}, the benchmark's {wanted}"
    return None


def _content(run: TrainedRun, asked: _Asked, batch_size: int, device: str) -> tuple[str, list[str]]:
    """Text of a file, and what to know of it."""
    part, count, numbered, off = asked.part, 0, True, 0
    rows = _published(asked)
    answers = run.answers(
        rows, [asked.task.name], batch_size=batch_size, device=device, where=str(asked.path)
    )

    def seen() -> Iterator[dict[str, Any]]:
        nonlocal count, numbered, off
        with stage(f"rows of {part.name} answered", part.rows) as advance:
            for answer in answers:
                numbered = numbered and is_numbered(part, answer)
                off += is_off_scale(part, answer)
                if first := asked.task.first:  # the benchmark's own numbers begin at 0
                    answer["label"] -= first
                count += 1
                yield answer
                advance()

    text = "".join(f"{line}\n" for line in answer_lines(part, seen(), str(asked.path)))
    if not count:
        raise RelevanceError(f"{asked.path} has no rows.")
    notes = []
    if not numbered:
        notes.append(
            f"{part.name}: its rows have no number and are numbered as they stand, from 0."
        )
    if off and part.scale is not None:
        low, high = part.scale
        notes.append(
            f"{part.name}: {off:,} of {count:,} values lie outside {low:g} to {high:g} and are"
            " written as the nearer end."
        )
    if count != part.rows:
        notes.append(f"{part.name} has {count:,} rows, and the benchmark's test set {part.rows:,}.")
    return text, notes


def _published(asked: _Asked) -> Iterator[Mapping[str, Any]]:
    for number, row in enumerate(file_rows(asked.own, asked.path), start=1):
        try:
            yield from published_rows(asked.task, row)
        except RelevanceError as error:
            raise RelevanceError(f"{asked.path}, row {number}: {error}") from None


def _rows_file(
    run: TrainedRun, task: Task, part: AnswerFile, data_dir: Path | None
) -> tuple[Path, Task] | None:
    """The file of the rows to answer and the definition to read it by, or None."""
    elsewhere = task.model_copy(update={"source": None})
    if not part.is_diagnosis and data_dir is None:
        own = own_files(run.located(task))
        named = [own[split] for split in part.splits if split in own]
        if own:
            return (Path(named[0]), run.located(task)) if named else None
    names = {*part.folders} if part.is_diagnosis else {task.name, *part.folders}
    folder = _data_folder(run, data_dir)
    if not folder.is_dir():
        return None
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    wanted = {_plain(name) for name in names}
    files = [
        path for each in folders if _plain(each.name) in wanted for path in sorted(each.iterdir())
    ]
    for split in part.splits:
        ends = {f"{split}{suffix}".lower() for suffix in SPLIT_SUFFIXES}
        found = [path for path in files if path.name.lower() in ends]
        if len(found) > 1:
            raise RelevanceError(f"{found[0]} and {found[1]} are both there. Keep one of them.")
        if found:
            return found[0], elsewhere
    return None


def _data_folder(run: TrainedRun, data_dir: Path | None) -> Path:
    """The folder that holds one folder per task."""
    given = data_dir or run.config.data.data_dir
    return task_folder(run.tasks[0], given).parent


def _plain(name: str) -> str:
    """A name of a folder, as prepared tasks and benchmarks both write it."""
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")
