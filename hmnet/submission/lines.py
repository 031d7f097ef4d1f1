"""Lines of a leaderboard's file, from a run's answers."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hmnet.submission.answer_files import AnswerFile
from relevance.errors import RelevanceError, shown
from relevance.names import some
from relevance.numerals import whole_number

QUESTIONS = ("idx_paragraph", "idx_question", "idx_answer")
DECIMALS = 3
"""Decimals of a value, as in the files that public codes submit."""


def answer_lines(
    part: AnswerFile, answers: Iterable[Mapping[str, Any]], where: str = "input"
) -> Iterator[str]:
    """Lines of a file.

    Rows whose file numbers none of them are numbered as they stand, from 0.

    Args:
        part: The file.
        answers: Answers of `TrainedRun.answers`, in the order of the rows.
        where: Name of the file of the rows in messages.

    Yields:
        For GLUE a header and `index TAB prediction`; for SuperGLUE a JSON object per row, for
        MultiRC one per passage.

    Raises:
        RelevanceError: If a label is none of the benchmark's, two rows have one number, or a row
            lacks its own.
    """
    if part.name.startswith("MultiRC"):
        yield from map(json.dumps, _passages(part, answers, where))
        return
    tsv, named, seen = part.name.endswith(".tsv"), "", set()
    if tsv:
        yield "index\tprediction"
    for number_of_row, answer in enumerate(answers, start=1):
        row = f"{where}, row {number_of_row}:"
        named = named if number_of_row > 1 else _id_column(part, answer)
        if not named and (late := _id_column(part, answer)):
            raise RelevanceError(f"{row} there is '{late}', and the rows before have none.")
        number = _number(row, answer, named) if named else number_of_row - 1
        if number in seen:
            raise RelevanceError(f"{row} number {number} stands before it already. Take one away.")
        seen.add(number)
        found = _said(part, row, answer)
        if tsv:
            yield f"{number}\t{found}"
        else:
            yield json.dumps({"idx": number, "label": found}, ensure_ascii=False)


def is_numbered(part: AnswerFile, answer: Mapping[str, Any]) -> bool:
    """Whether a row of a file has a number of its own."""
    return bool(_id_column(part, answer)) or part.name.startswith("MultiRC")


def is_off_scale(part: AnswerFile, answer: Mapping[str, Any]) -> bool:
    """Whether a value lies outside the file's scale, whose nearer end is written for it."""
    return part.scale is not None and not part.scale[0] <= answer["value"] <= part.scale[1]


def _id_column(part: AnswerFile, answer: Mapping[str, Any]) -> str:
    """The column that numbers rows; empty where there is none."""
    own = list(answer)[: list(answer).index("task")] if "task" in answer else answer
    by_name = {name.lower(): name for name in reversed(list(own))}  # ID, Index
    return next((by_name[name] for name in part.ids if name in by_name), "")


def _number(row: str, answer: Mapping[str, Any], column: str) -> int:
    """The number of a row, as its file has it."""
    number = whole_number(answer.get(column))
    if number is None or number < 0:
        raise RelevanceError(
            f"{row} '{column}' is {shown(answer.get(column))}, expected a whole number from 0 on."
        )
    return number


def _said(part: AnswerFile, row: str, answer: Mapping[str, Any]) -> str | int:
    """What the leaderboard calls an answer."""
    if part.scale is not None:
        value, (low, high) = float(answer["value"]), part.scale
        if not math.isfinite(value):
            raise RelevanceError(f"{row} the run answers {value}, which is no number.")
        return f"{min(max(value, low), high):.{DECIMALS}f}"
    if part.labels is None:
        return str(next(answer[key] for key in ("answer", "choice", "label") if key in answer))
    label = str(answer.get("label"))
    if label not in part.labels:
        raise RelevanceError(
            f"{row} the run answers {shown(label)}, which is none of the benchmark's labels:"
            f" {some(list(part.labels))}."
        )
    return part.labels[label]


def _passages(
    part: AnswerFile, answers: Iterable[Mapping[str, Any]], where: str
) -> Iterator[dict[str, object]]:
    """Answers by question and passage, in the order in which each came first."""
    passages: dict[int, dict[int, dict[int, str | int]]] = {}
    for number_of_row, answer in enumerate(answers, start=1):
        row = f"{where}, row {number_of_row}:"
        if lacks := [name for name in QUESTIONS if name not in answer]:
            raise RelevanceError(f"{row} column '{lacks[0]}' is missing.")
        passage, question, place = (_number(row, answer, name) for name in QUESTIONS)
        found = passages.setdefault(passage, {}).setdefault(question, {})
        if place in found:
            raise RelevanceError(
                f"{row} answer {place} to question {question} of passage {passage} stands before it"
                " already. Take one away."
            )
        found[place] = _said(part, row, answer)
    for number, questions in passages.items():
        listed = [
            {"idx": each, "answers": [{"idx": n, "label": said} for n, said in found.items()]}
            for each, found in questions.items()
        ]
        yield {"idx": number, "passage": {"questions": listed}}
