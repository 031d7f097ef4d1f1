"""Kind, labels or range, and metrics of a task, guessed by its label column."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from relevance.errors import RelevanceError, shown
from relevance.inspection.forms import Columns
from relevance.inspection.guess import Guess
from relevance.inspection.guess_choices import gap_columns
from relevance.inspection.guess_classification import guess_classification
from relevance.inspection.guess_columns import MOST_CODES, is_number
from relevance.names import some
from relevance.tasks.cells import json_list, nested
from relevance.tasks.kinds.classification import label_text

NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity|\d[\d.]*e\+?\d+)", re.IGNORECASE)
BIO = re.compile(r"O|[BI]-.+")


def guess_kind(found: Mapping[str, Columns], guess: Guess, texts: Sequence[str], gold: str) -> None:
    """Kind, labels or range, and metrics."""
    train = found["train"]
    cells = [
        value
        for split, columns in found.items()
        if split != "test"
        for value in columns.cells[gold]
    ]
    if guess.table.get("choices") and gap_columns(train, gold)[0] == texts[-1]:
        return _cloze(train, guess, gold)
    first = nested(cells[0])
    if isinstance(first, dict) or (
        isinstance(first, list) and first[:1] and isinstance(first[0], dict)
    ):
        return _span(train, cells, guess, [*texts, gold])
    if json_list(cells[0]) is not None:
        return _tokens(train, cells, guess, gold)
    empty = sum(value is None or (isinstance(value, str) and not value.strip()) for value in cells)
    if empty:
        raise RelevanceError(
            f"{train.path}: {empty:,} of {len(cells):,} rows have no label in '{gold}'. Leave them"
            " out, or choose another column with `label`."
        )
    if guess.table.get("choices"):
        return _choice(train, guess, gold)
    _refuse_no_number(train, cells, gold)
    if all(map(is_number, cells)):
        numbers = [float(value) for value in cells]
        whole = all(number.is_integer() for number in numbers)
        if not whole or len(set(numbers)) > MOST_CODES:
            return _regression(train, numbers, guess, gold)
    return guess_classification(train, cells, guess, gold)


def _refuse_no_number(train: Columns, cells: Sequence[Any], gold: str) -> None:
    """Refuse NaN, infinity and what is read as such among numbers: they are no labels."""
    numbers = {str(value) for value in cells if is_number(value)}
    others = {str(value).strip() for value in cells if not is_number(value)}
    if numbers and others and all(NOT_FINITE.fullmatch(each) for each in others):
        raise RelevanceError(
            f"{train.path}: '{gold}' holds numbers and {some(sorted(others))}, which stands for"
            " none. Leave such rows out, or choose another column with `label`."
        )


def _choice(train: Columns, guess: Guess, gold: str) -> None:
    guess.table |= {"kind": "multiple-choice", "metrics": ["accuracy"]}
    counts = Counter(map(label_text, train.cells[gold]))
    guess.counts = {place: counts[place] for place in sorted(counts)}
    from_one = "0" not in counts and str(len(guess.table["choices"])) in counts
    if from_one:
        guess.table["first"] = 1
    guess.unsure.append(
        f"{some(guess.table['choices'])} are taken for alternatives, '{gold}' for the place of the"
        f" right one, from {int(from_one)}."
        + ("" if from_one or "0" in counts else " No row has 0: if they count from 1, `first = 1`.")
    )


def _cloze(train: Columns, guess: Guess, gold: str) -> None:
    guess.table |= {"kind": "cloze", "metrics": ["span_f1", "span_em"]}
    several = sum(len(json_list(value) or [value]) > 1 for value in train.cells[gold])
    guess.counts = {"one answer": len(train) - several, "several": several}


def _span(train: Columns, cells: Sequence[Any], guess: Guess, used: Sequence[str]) -> None:
    *texts, gold = used
    guess.table |= {"kind": "span", "metrics": ["span_f1", "span_em"]}
    if len(texts) != 2:
        raise RelevanceError(
            f"{guess.files.train}: answers need a question and the context they stand in, but text"
            f" columns are {some(texts)}. Choose with `text`."
        )
    without = sum(not _answers(value) for value in cells)
    if without:
        guess.table["unanswerable"] = True
    answered = sum(map(_answers, train.cells[gold]))
    guess.counts = {"answered": answered, "without answer": len(train) - answered}


def _answers(value: Any) -> bool:
    found = nested(value)
    return bool(found.get("text") if isinstance(found, dict) else found)


def _tokens(train: Columns, cells: Sequence[Any], guess: Guess, gold: str) -> None:
    counts = Counter(tag for value in cells for tag in json_list(value) or ())
    if any(not isinstance(tag, str) for tag in counts):
        raise RelevanceError(
            f"{train.path}: tags in '{gold}' are codes such as {shown(next(iter(counts)))}, and"
            " which tag each is stands nowhere in the file. Write the definition by hand, with the"
            " names in `labels`."
        )
    if other := [tag for tag in counts if not BIO.fullmatch(tag)]:
        raise RelevanceError(
            f"{train.path}: tags in '{gold}' such as {some(other)} are not in BIO form (O,"
            " B-person, I-person), which kind tokens needs. Convert them: S- is B-, E- is I-."
        )
    types = sorted({tag[2:] for tag in counts if tag != "O"})
    labels = ["O", *(f"{mark}-{each}" for each in types for mark in "BI")]
    guess.table |= {"kind": "tokens", "labels": labels, "metrics": ["entity_f1"]}
    of_train = Counter(tag for value in train.cells[gold] for tag in json_list(value) or ())
    guess.counts = {label: of_train[label] for label in labels}


def _regression(train: Columns, numbers: Sequence[float], guess: Guess, gold: str) -> None:
    low, high = math.floor(min(numbers)), math.ceil(max(numbers))
    guess.table |= {
        "kind": "regression",
        "range": [low, high],
        "metrics": ["pearson", "spearman"],
    }
    guess.unsure.append(
        f"The range of '{gold}' is taken from its lowest and highest value, {min(numbers):g} and"
        f" {max(numbers):g}; put in the ends of the scale."
    )
    middle = (low + high) / 2
    below = sum(float(value) <= middle for value in train.cells[gold])
    guess.counts = {f"up to {middle:g}": below, f"above {middle:g}": len(train) - below}
