"""The command `hmnet predict`: answers of a run to lines, to rows of a file, or to a task's own."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import hmnet
from cli.lists import only, split_names
from cli.model_options import RunArgument, RunOnOptions, TasksOption
from cli.options import OutOption
from cli.output import note, stream
from cli.streams import begin_soon
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from relevance.tasks.task import Task


def predict(
    folder: RunArgument,
    task: TasksOption,
    run_on: RunOnOptions,
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input",
            help='Rows with the task\'s columns or {"text": [a, b]}: csv, tsv, json, jsonl, parquet'
            " or txt, .gz too; - for JSON lines on stdin.",
            metavar="in.jsonl",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="In place of --input: the rows of the task's own split, labelled or not.",
            metavar="test",
            show_default=False,
        ),
    ] = None,
    out: OutOption = None,
    form: Annotated[
        Literal["jsonl", "csv"],
        typer.Option("--format", help="JSON lines, or a table with a row per line."),
    ] = "jsonl",
    batch_size: Annotated[int, typer.Option(help="Lines at a time.", min=1)] = 32,
) -> None:
    """Labels and probabilities of lines or rows; for several tasks each shared layer runs once.

    With --split every task answers the rows of its own test, dev or train split, each with the
    number of the row; labels there, or what stands in their place, are not looked at.

    Example: hmnet predict run/ --task all --input in.jsonl
    """
    if (input_file is None) == (split is None):
        raise RelevanceError(
            f"Give {'' if split is None else 'one of both as '}the rows to answer: --input FILE, or"
            " --split test for those of the task's own."
        )
    if str(input_file) != "-":  # lines are waited for there
        begin_soon()
    from hmnet.evaluation.answers import CsvAnswers, json_answer

    trained = hmnet.load(folder)
    names = [known.name for known in trained.tasks] if task == ["all"] else split_names(task)
    wanted = trained.with_sources(list({t.name: t for t in map(trained.task, names)}.values()))
    if not wanted:
        raise RelevanceError("--task names no task. Give one of the run's, or all.")
    if split is not None and form == "csv":
        only([one.name for one in wanted], "--task, with --split and --format csv,")
    lay_out = CsvAnswers(len(wanted)) if form == "csv" else json_answer
    asked, where = {"batch_size": batch_size, **run_on}, f"split '{split}'"
    with ExitStack() as stack:
        if input_file is None:
            found = trained.stream_split(split or "", None if task == ["all"] else names, **asked)
        else:
            lines, where = stack.enter_context(_lines(input_file, wanted))
            typed = where == "stdin" and sys.stdin.isatty()
            found = trained.answers(lines, names, where=where, line_by_line=typed, **asked)
        write, advance = stack.enter_context(_sink(out)), stack.enter_context(_counting(out))
        answer = None
        for answer in found:
            for line in lay_out(answer):
                write(line)
            advance()
    if answer is None:
        note(f"hmnet: note: {where} has no rows, so that nothing was answered.")


@contextmanager
def _lines(
    path: Path, tasks: "Sequence[Task]"
) -> Iterator[tuple[Iterable[bytes | Mapping[str, object]], str]]:
    """Lines of a file or of stdin as they come, or rows of a file, and how to name their place."""
    from hmnet.evaluation.lines import input_rows
    from relevance.tasks.read import COMPRESSED, FORMATS

    if str(path) == "-":
        yield sys.stdin.buffer, "stdin"
        return
    suffix = path.suffix.lower()
    if suffix != ".jsonl" and suffix in {*FORMATS, COMPRESSED}:
        yield input_rows(tasks, path), str(path)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise RelevanceError(f"{path} cannot be read: {error.strerror}.") from None
    with file:
        yield file, str(path)


@contextmanager
def _counting(out: Path | None) -> Iterator[Callable[[], None]]:
    """Counts answers on stderr where they go to a file; on stdout they show themselves."""
    from cli.progress import StatusLine
    from relevance.stages import stage

    if out is None:
        yield lambda: None
        return
    with StatusLine(), stage("answers written") as advance:
        yield advance


@contextmanager
def _sink(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Takes lines for stdout, or for a file that appears when all are there."""
    from relevance.disk.files import replacing

    if path is None:
        yield stream
        return
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yield lambda line: print(line, file=file)
    note(f"wrote {path}")
