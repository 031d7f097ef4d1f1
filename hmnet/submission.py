"""Answers to the test sets of GLUE and SuperGLUE, as the zip that a leaderboard takes."""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hmnet.evaluation.lines import input_rows
from hmnet.trained_run import TrainedRun
from relevance.disk.files import replacing
from relevance.errors import RelevanceError, shown, unknown_name
from relevance.names import some
from relevance.tasks.load import own_files, split_file
from relevance.tasks.task import Task


class AnswerFile(NamedTuple):
    """One file of a zip.

    Attributes:
        name: Name of the file.
        task: Task of the run that answers.
        labels: What the leaderboard calls the task's labels; none where answers are texts of the
            row; None for values of a regression.
        splits: Names that the file of rows may have; the first that is there is read.
        folder: Folder of the rows, for a diagnosis that another task answers; None for the task's.
    """

    name: str
    task: str
    labels: Mapping[str, str | int] | None
    splits: tuple[str, ...] = ("test",)
    folder: str | None = None


class Submission(NamedTuple):
    """What was written, and what the leaderboard would miss.

    Attributes:
        path: The zip.
        files: Names of the files in it.
        missing: Why a file is not in it, by name.
    """

    path: Path
    files: tuple[str, ...]
    missing: dict[str, str]


def _words(*labels: str) -> dict[str, str | int]:
    return {label: label for label in labels}


def _codes(*labels: str) -> dict[str, str | int]:
    return {label: code for code, label in enumerate(labels)}


AS_TEXT: dict[str, str | int] = {}
NLI = _words("entailment", "neutral", "contradiction")
TWO_WAY = _words("entailment", "not_entailment")
BENCHMARKS: dict[str, tuple[AnswerFile, ...]] = {
    "glue": (
        AnswerFile("CoLA.tsv", "CoLA", _codes("unacceptable", "acceptable")),
        AnswerFile("SST-2.tsv", "SST-2", _codes("negative", "positive")),
        AnswerFile("MRPC.tsv", "MRPC", _codes("not_equivalent", "equivalent")),
        AnswerFile("STS-B.tsv", "STS-B", None),
        AnswerFile("QQP.tsv", "QQP", _codes("not_duplicate", "duplicate")),
        AnswerFile("MNLI-m.tsv", "MNLI", NLI, ("test_matched", "test")),
        AnswerFile("MNLI-mm.tsv", "MNLI", NLI, ("test_mismatched",)),
        AnswerFile("QNLI.tsv", "QNLI", TWO_WAY),
        AnswerFile("RTE.tsv", "RTE", TWO_WAY),
        AnswerFile("WNLI.tsv", "WNLI", _codes("not_entailment", "entailment")),
        AnswerFile("AX.tsv", "MNLI", NLI, ("test", "diagnostic"), "AX"),
    ),
    "superglue": (
        AnswerFile("BoolQ.jsonl", "BoolQ", _words("false", "true")),
        AnswerFile("CB.jsonl", "CB", NLI),
        AnswerFile("COPA.jsonl", "COPA", {"0": 0, "1": 1}),
        AnswerFile("MultiRC.jsonl", "MultiRC", _codes("false", "true")),
        AnswerFile("ReCoRD.jsonl", "ReCoRD", AS_TEXT),
        AnswerFile("RTE.jsonl", "RTE", TWO_WAY),
        AnswerFile("WiC.jsonl", "WiC", _words("false", "true")),
        AnswerFile("WSC.jsonl", "WSC", {"false": "False", "true": "True"}),
        AnswerFile("AX-b.jsonl", "RTE", TWO_WAY, folder="AX-b"),
        AnswerFile("AX-g.jsonl", "RTE", TWO_WAY, folder="AX-g"),
    ),
}
"""The files of each leaderboard, with the names and label words of its own data."""
PUBLISHED_COLUMNS = {
    "sentence1": ("premise", "question", "question1", "#1 String"),
    "sentence2": ("hypothesis", "sentence", "question2", "#2 String"),
}
"""What the benchmarks' own files call columns that the catalogue has under one name."""
IDS = ("idx", "index", "id")
QUESTIONS = ("idx_paragraph", "idx_question", "idx_answer")
EPOCH = (1980, 1, 1, 0, 0, 0)


def submit(
    run: TrainedRun,
    benchmark: str,
    out: Path,
    *,
    data_dir: Path | None = None,
    batch_size: int = 32,
    device: str = "auto",
) -> Submission:
    """Answer a benchmark's test sets and write the zip for its leaderboard.

    Files of tasks that the run does not have, or whose test rows are not there, are left out; the
    zip is then called `BENCHMARK-incomplete.zip`, as the leaderboards want every file.

    Args:
        run: A finished run.
        benchmark: `glue` or `superglue`.
        out: Folder for the zip; it is made if missing.
        data_dir: Folder with `<task>/test.<suffix>`, such as `rte/test.tsv`, for MNLI
            `test_matched` and `test_mismatched`, and `ax/`, `axb/`, `axg/` for the diagnoses; None
            for where the run's data is.
        batch_size: Rows per forward pass.
        device: `auto`, `cpu` or `cuda:N`.

    Returns:
        The zip, its files, and those that are missing.

    Raises:
        RelevanceError: If the benchmark is unknown, no file can be answered, a task's labels are
            not the benchmark's, or rows cannot be read.

    Source:
        gluebenchmark.com and super.gluebenchmark.com, which publish samples of the files.
    """
    if benchmark not in BENCHMARKS:
        raise unknown_name("benchmark", benchmark, list(BENCHMARKS))
    contents: dict[str, str] = {}
    missing: dict[str, str] = {}
    for part in BENCHMARKS[benchmark]:
        task = next((one for one in run.tasks if one.name.lower() == part.task.lower()), None)
        if task is None:
            missing[part.name] = f"the run has no task {part.task}"
            continue
        path = _rows_file(run, task, part, data_dir)
        if path is None:
            place = f"{(part.folder or task.name).lower().replace('-', '')}/{part.splits[0]}"
            missing[part.name] = f"there is no file {place}.tsv, .jsonl or .parquet in the data"
            continue
        if part.labels == AS_TEXT and task.kind != "cloze":
            raise RelevanceError(
                f"{part.name} needs a task of kind cloze, and the run's '{task.name}' is of kind"
                f" {task.kind}. Leave it out of the run, or train it as the catalogue has it."
            )
        rows = (_renamed(task, row) for row in input_rows(run.with_sources([task]), path))
        answers = run.answers(
            rows, [task.name], batch_size=batch_size, device=device, where=str(path)
        )
        if first := task.first:  # the benchmark's own numbers begin at 0
            answers = ({**each, "label": each["label"] - first} for each in answers)
        contents[part.name] = "".join(f"{line}\n" for line in answer_lines(part, answers))
    if not contents:
        reasons = "; ".join(f"{name}: {why}" for name, why in missing.items())
        raise RelevanceError(f"No file of {benchmark} can be written. {reasons}.")
    path = out / f"{benchmark}{'-incomplete' if missing else ''}.zip"
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, text in contents.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), text, zipfile.ZIP_DEFLATED)
    return Submission(path, tuple(contents), missing)


def answer_lines(part: AnswerFile, answers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Lines of a file.

    Args:
        part: The file.
        answers: Answers of `TrainedRun.answers`, in the order of the rows.

    Yields:
        For GLUE a header and `index TAB prediction`; for SuperGLUE a JSON object per row, for
        MultiRC one per passage.

    Raises:
        RelevanceError: If a label is none of the benchmark's, two rows have one number, or answers
            to questions lack theirs.
    """
    if part.task == "MultiRC":
        yield from map(json.dumps, _passages(part, answers))
        return
    tsv, seen = part.name.endswith(".tsv"), set()
    if tsv:
        yield "index\tprediction"
    for place, answer in enumerate(answers):
        number = _number(part, next((answer[name] for name in IDS if name in answer), place))
        if number in seen:
            raise RelevanceError(f"{part.name}: two rows have number {number}. Take one away.")
        seen.add(number)
        found = _said(part, answer)
        yield f"{number}\t{found}" if tsv else json.dumps({"idx": number, "label": found})


def _number(part: AnswerFile, given: object) -> int:
    """The number of a row, as its file has it; the hub has ReCoRD's with that of the passage."""
    if isinstance(given, Mapping) and "query" in given:
        given = given["query"]
    try:
        return int(str(given))
    except ValueError:
        raise RelevanceError(
            f"{part.name}: a row has number {shown(given)}, which is no whole number."
            " Correct it in the test rows."
        ) from None


def _said(part: AnswerFile, answer: Mapping[str, Any]) -> str | int:
    """What the leaderboard calls an answer."""
    if part.labels is None:
        return f"{min(max(float(answer['value']), 0.0), 5.0):.3f}"
    label = str(answer.get("label"))
    if part.labels == AS_TEXT:
        return label
    if label not in part.labels:
        raise RelevanceError(
            f"{part.name}: the run answers {shown(label)}, which is no label of the benchmark's"
            f" {part.task}: {some(list(part.labels))}. Train the task with its labels."
        )
    return part.labels[label]


def _passages(
    part: AnswerFile, answers: Iterable[Mapping[str, Any]]
) -> Iterator[dict[str, object]]:
    """Answers by question and passage, in the order in which each came first."""
    passages: dict[int, dict[int, list[dict[str, object]]]] = {}
    for answer in answers:
        if lacks := [name for name in QUESTIONS if name not in answer]:
            raise RelevanceError(f"{part.name} needs a column '{lacks[0]}' in the test rows.")
        passage, question, place = (_number(part, answer[name]) for name in QUESTIONS)
        found = passages.setdefault(passage, {}).setdefault(question, [])
        found.append({"idx": place, "label": _said(part, answer)})
    for number, questions in passages.items():
        listed = [{"idx": each, "answers": found} for each, found in questions.items()]
        yield {"idx": number, "passage": {"questions": listed}}


def _rows_file(run: TrainedRun, task: Task, part: AnswerFile, data_dir: Path | None) -> Path | None:
    """The file of the rows to answer, or None."""
    if part.folder is None and data_dir is None:
        own = own_files(run.located(task))
        named: Sequence[str] = [own[split] for split in part.splits if split in own]
        if own:
            return Path(named[0]) if named else None
    changes = {"source": None} | ({} if part.folder is None else {"name": part.folder})
    looked_up = task.model_copy(update=changes)
    folder = data_dir or run.config.data.data_dir
    files = (split_file(looked_up, split, folder) for split in part.splits)
    return next((found for found in files if found is not None), None)


def _renamed(task: Task, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row with the task's columns, where a benchmark's own file has other names for them."""
    if isinstance(spans := row.get("target"), Mapping):  # as WSC's own rows have them
        row = {**spans, **row}
    if all(column in row for column in task.text):
        return row
    found = {
        column: row[name]
        for column in task.text
        if column not in row
        for name in PUBLISHED_COLUMNS.get(column, ())
        if name in row
    }
    return {**row, **found}
