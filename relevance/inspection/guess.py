"""A definition of a task, guessed from its files.

The label is the column with a name of `LABELS`, the first of them that is there and has few
distinct values or numbers; else the one column with few distinct values. Texts are the columns of
`TEXTS` where all of a pair are there; else the columns of strings whose values are long and mostly
distinct, in file order. What was guessed by anything but a name is said to be unsure.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relevance.errors import RelevanceError, shown
from relevance.inspection.files import SPLITS, TaskFiles
from relevance.inspection.forms import Columns, read_file
from relevance.names import fault, path_fault, place, some
from relevance.numerals import DECIMAL, decimal_number
from relevance.tasks.cells import json_list, nested
from relevance.tasks.find import RESERVED
from relevance.tasks.kinds.classification import label_text
from relevance.tasks.kinds.cloze import PLACEHOLDER
from relevance.tasks.labels import TRUTH
from relevance.tasks.task import MOST_LABELS

LABELS = (
    *("gold_label", "label", "labels", "tags", "ner_tags", "tag", "answers", "target", "class"),
    *("score", "gold", "gold_score", "similarity", "similarity_score", "relatedness_score"),
    *(
        "entailment_judgment",
        "entailment_label",
        "is_duplicate",
        "quality",
        "sentiment",
        "polarity",
        "category",
    ),
    *("stars", "rating", "intent", "emotion", "stance", "y"),
)
"""Names of label columns, in lower case and with `_` for what is no letter or digit."""
TEXTS = (
    *(("sentence1", "sentence2"), ("premise", "hypothesis"), ("question1", "question2")),
    *(("question", "context"), ("question", "passage"), ("question", "sentence")),
    *(("sentence_a", "sentence_b"), ("text1", "text2"), ("text_a", "text_b")),
    *(("1_string", "2_string"), ("query", "passage")),
    *(("tokens",), ("words",), ("sentence",), ("text",), ("review",), ("tweet",), ("content",)),
)
"""Names of text columns that go together, written as those of `LABELS` are."""
NO_TEXT = re.compile(r"(.*_)?(id|idx|guid|index|url|uid|key|parse|date|split|set|source|genre)\d*")
NO_LABEL = ("-", "")
MOST_CODES = 20
"""Different whole numbers beyond which they are values, and no codes of labels."""
FEW = 0.1
"""Distinct values by rows below which a column may hold labels."""
LONG = 10
"""Mean characters from which a column may hold texts."""
MOST_TEXTS = 3
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity|\d[\d.]*e\+?\d+)", re.IGNORECASE)
BIO = re.compile(r"O|[BI]-.+")
EXAMPLES = 3
CHOICE = re.compile(r"(choice|ending|option|alternative|sol)_?(\d{1,2})")
CANDIDATES = frozenset({"entities", "candidates", "options"})
"""Names of columns that list what may fill a gap."""
MARK = re.compile(r"(start|end|span)_?\d?(_index)?")
PARTS = {
    ("classification", 1): "text_classification",
    ("regression", 1): "text_scoring",
    ("tokens", 1): "named_entity_recognition",
}


@dataclass
class Guess:
    """A guessed definition.

    Attributes:
        files: The files.
        table: Keys of the definition, without `source`.
        source: Keys of its `source`, without files.
        counts: Counts of labels in the training rows, by the name of the label or the range.
        rows: Number of rows by split.
        unsure: Doubts, as sentences.
        examples: Rows: texts and a label, as they stand in the training file.
    """

    files: TaskFiles
    table: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    unsure: list[str] = field(default_factory=list)
    examples: list[list[str]] = field(default_factory=list)


def guess_task(
    files: TaskFiles, *, label: str | None = None, text: Sequence[str] | None = None
) -> Guess:
    """Guess the definition of a task from what its files hold.

    Args:
        files: The files.
        label: Label column; None to guess it.
        text: Text columns; None to guess them.

    Returns:
        The guess, with what it is unsure of.

    Raises:
        RelevanceError: If files cannot be read, or nothing in them fits a task.
    """
    found = {split: read_file(path) for split, path in files.splits.items()}
    train = found["train"]
    guess = Guess(files, rows={split: len(each) for split, each in found.items()})
    guess.unsure += files.unsure
    if not len(train):
        raise RelevanceError(f"{train.path} has no rows to guess from.")
    gold = _label(train, guess, label)
    choices = _choices(train, guess) if text is None else []
    query, candidates = _gap(train, gold)
    if query is not None:
        guess.table["choices"] = [candidates]
    elif len(choices) > 1:
        guess.table["choices"] = choices
    texts = _texts(train, guess, gold, text)
    if query in texts:  # behind what it asks about
        texts = [*(name for name in texts if name != query), query]
    _check_others(found, guess, [*texts, gold, *guess.table.get("choices", ())], gold)
    _examples(train, guess, texts, gold)
    _kind(found, guess, texts, gold)
    _names(train, guess, texts, gold)
    _hidden_splits(train, guess, [*texts, gold])
    return guess


def _choices(train: Columns, guess: Guess) -> list[str]:
    """Columns of alternatives by their numbers, which labels count by, wherever they stand.

    Numbers go up one by one; columns behind a number that is missing are none.
    """
    found = {name: CHOICE.fullmatch(_key(name)) for name in train.cells}
    numbers = {name: int(each[2]) for name, each in found.items() if each}
    if len(set(numbers.values())) < len(numbers):
        raise RelevanceError(
            f"{train.path}: {some(list(numbers))} look like alternatives, and two have one number."
            " Name the columns of texts with `text`, or write the definition by hand."
        )
    named, first = sorted(numbers, key=lambda name: numbers[name]), min(numbers.values(), default=0)
    row = [name for place, name in enumerate(named, start=first) if numbers[name] == place]
    if len(row) > 1 and (beside := named[len(row) :]):
        guess.unsure.append(
            f"{some(row)} are taken for all alternatives, without {some(beside)}: numbers between"
            " are missing."
        )
    return row


def _gap(train: Columns, gold: str) -> tuple[str, str] | tuple[None, None]:
    """A column of queries with a gap each, and one of lists of what may fill it."""
    queries = [
        name
        for name, cells in train.cells.items()
        if all(isinstance(each, str) and PLACEHOLDER in each for each in cells)
    ]
    lists = [
        name
        for name, cells in train.cells.items()
        if name != gold and _key(name) in CANDIDATES and all(map(json_list, cells))
    ]
    return (queries[0], lists[0]) if queries and lists else (None, None)


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _known(columns: Columns, asked: str) -> str:
    if asked not in columns.cells:
        raise RelevanceError(
            f"column '{asked}' is not in {columns.path}. Columns: {some(list(columns.cells), 20)}."
        )
    return asked


def _label(train: Columns, guess: Guess, asked: str | None) -> str:
    if asked is not None:
        return _known(train, asked)
    named = {_key(name): name for name in reversed(train.cells)}
    possible = [named[key] for key in LABELS if key in named and _fits(train.cells[named[key]])]
    if len(possible) > 1:
        guess.unsure.append(
            f"The label may be {some(possible[1:])} as well as {possible[0]}: choose with `label`."
        )
    if possible:
        return possible[0]
    few = [
        name
        for name, cells in train.cells.items()
        if not NO_TEXT.fullmatch(_key(name)) and _few(cells)
    ]
    if not few:
        raise RelevanceError(
            f"{train.path}: no column looks like labels: none is called {', '.join(LABELS[:3])},"
            f" ... and none has few distinct values. {_seen(train)} Choose one with `label`."
        )
    guess.unsure.append(
        f"'{few[-1]}' is taken for the label as it has few distinct values"
        + (f", which {some(few[:-1])} has too." if len(few) > 1 else ".")
    )
    return few[-1]


def _seen(columns: Columns) -> str:
    parts = [
        f"{name} ({len(set(map(str, cells))):,} values)" for name, cells in columns.cells.items()
    ]
    return f"Seen: {some(parts, 12)}."


def _fits(cells: Sequence[Any]) -> bool:
    """Whether a column that is called a label can be one."""
    plain = isinstance(nested(cells[0]), str | int | float)
    return _few(cells) or all(map(_is_number, cells)) or not plain


def _few(cells: Sequence[Any]) -> bool:
    """Whether a column has few distinct values, two at least."""
    distinct = len(set(map(str, cells)))
    return (
        1 < distinct <= max(2, min(MOST_LABELS, FEW * len(cells)), min(MOST_CODES, len(cells) // 2))
    )


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return decimal_number(value) is not None
    try:
        return isinstance(value, int | float) and math.isfinite(float(value))
    except OverflowError:  # an integer beyond what a float can hold
        return False


def _texts(train: Columns, guess: Guess, gold: str, asked: Sequence[str] | None) -> list[str]:
    if asked:
        return [_known(train, name) for name in asked]
    named = {_key(name): name for name in reversed(train.cells) if name != gold}
    for names in TEXTS:
        if all(name in named and _is_text(train.cells[named[name]]) for name in names):
            chosen = [named[name] for name in names]
            others = [
                name
                for name, cells in train.cells.items()
                if name not in (*chosen, gold, *guess.table.get("choices", ()))
                and not NO_TEXT.fullmatch(_key(name))
                and _is_text(cells)
                and _is_long(cells)
            ]
            if others:
                guess.unsure.append(
                    f"{some(others)} may be text too, and is not read: choose with `text`."
                )
            return chosen
    strings = [
        name
        for name, cells in train.cells.items()
        if name not in (gold, *guess.table.get("choices", ()))
        and not NO_TEXT.fullmatch(_key(name))
        and _is_text(cells)
    ]
    long = [name for name in strings if _is_long(train.cells[name])] or strings[:1]
    if not long:
        raise RelevanceError(
            f"{train.path}: no column beside '{gold}' looks like text. {_seen(train)} Choose with"
            " `text`."
        )
    chosen = sorted(long, key=lambda name: -len(set(train.cells[name])))[:MOST_TEXTS]
    texts = [name for name in long if name in chosen]
    beside = (
        f", {some([name for name in strings if name not in texts])} not"
        if len(strings) > len(texts)
        else ""
    )
    guess.unsure.append(
        f"{some(texts)} {'is' if len(texts) == 1 else 'are'} taken for text by how long and"
        f" different the values are{beside}."
    )
    return texts


def _is_text(cells: Sequence[Any]) -> bool:
    """Whether cells are texts, or lists of words."""
    some_cells = cells[:100]
    if all(isinstance(each, list) for each in some_cells):
        return all(isinstance(word, str) for each in some_cells for word in each)
    strings = [each for each in some_cells if isinstance(each, str)]
    return bool(strings) and not all(map(_is_number, strings))


def _is_long(cells: Sequence[Any]) -> bool:
    strings = [each for each in cells if isinstance(each, str)]
    distinct = len(set(strings))
    mean = sum(map(len, strings)) / max(1, len(strings))
    return mean >= LONG and distinct > FEW * len(cells)


def _check_others(
    found: dict[str, Columns], guess: Guess, wanted: Sequence[str], gold: str
) -> None:
    """Refuse files of another form than the training file; a test file is left out instead."""
    train = found["train"]
    for split, columns in list(found.items()):
        needed = [name for name in wanted if split != "test" or name != gold]
        missing = [name for name in needed if name not in columns.cells]
        alike = (columns.form, columns.header) == (train.form, train.header)
        if alike and not missing:
            continue
        if split == "test":
            guess.unsure.append(f"{columns.path.name} has other columns, so it is left out.")
            guess.files.test = None
            del found[split], guess.rows[split]
            continue
        what = f"no column '{missing[0]}'" if missing else "names of columns where there are none"
        raise RelevanceError(
            f"{columns.path} has {what}, other than {train.path}. {_seen(columns)} Give files of"
            " one form, or write the definition by hand."
        )


def _examples(train: Columns, guess: Guess, texts: Sequence[str], gold: str) -> None:
    for row in range(min(EXAMPLES, len(train))):
        guess.examples.append([str(train.cells[name][row]) for name in (*texts, gold)])


def _kind(found: Mapping[str, Columns], guess: Guess, texts: Sequence[str], gold: str) -> None:
    """Kind, labels or range, and metrics."""
    train = found["train"]
    cells = [
        value
        for split, columns in found.items()
        if split != "test"
        for value in columns.cells[gold]
    ]
    if guess.table.get("choices") and _gap(train, gold)[0] == texts[-1]:
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
    if all(map(_is_number, cells)):
        numbers = [float(value) for value in cells]
        whole = all(number.is_integer() for number in numbers)
        if not whole or len(set(numbers)) > MOST_CODES:
            return _regression(train, numbers, guess, gold)
    return _classification(train, cells, guess, gold)


def _refuse_no_number(train: Columns, cells: Sequence[Any], gold: str) -> None:
    """Refuse NaN, infinity and what is read as such among numbers: they are no labels."""
    numbers = {str(value) for value in cells if _is_number(value)}
    others = {str(value).strip() for value in cells if not _is_number(value)}
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


def _classification(train: Columns, cells: Sequence[Any], guess: Guess, gold: str) -> None:
    counts = Counter(map(label_text, cells))
    if "-" in counts and len(counts) > 2:
        guess.source["drop"] = ["-"]
        guess.unsure.append(f"Rows whose label is - are left out: {counts.pop('-'):,}.")
    labels = sorted(
        counts, key=lambda name: (float(name), name) if _all_numbers(counts) else (0, name)
    )
    truths = [name for name in labels if name.lower() in TRUTH]
    numbers = [name for name in labels if DECIMAL.fullmatch(name)]
    if truths and numbers:
        raise RelevanceError(
            f"{train.path}: '{gold}' holds {some(truths)} and {some(numbers)}, which may mean the"
            " same. Write labels in one way."
        )
    if len(labels) < 2 or len(labels) > MOST_LABELS or len(labels) > len(cells) / 2:
        raise RelevanceError(
            f"{train.path}: '{gold}' has {len(labels):,} different values in {len(cells):,} rows,"
            f" such as {some(labels)}, so they are no labels of a classification. Choose another"
            " column with `label`."
        )
    wrong = [name for name in labels if fault(name) or name != name.strip()]
    if wrong:
        raise RelevanceError(
            f"{train.path}: label {shown(wrong[0])} in '{gold}' cannot be a name, for blanks around"
            " it or characters that nobody sees. Clean the column."
        )
    keys = [float(name) if _all_numbers(labels) else place(name) for name in labels]
    if twins := [name for name, key in zip(labels, keys, strict=True) if keys.count(key) > 1]:
        guess.unsure.append(
            f"{some(twins)} differ in capitals or in how they are written only, and are labels of"
            " their own."
        )
    if _all_numbers(labels) and {"-1", "0"} <= set(labels):
        guess.unsure.append(
            '-1 often stands for a row without label: `drop = ["-1"]` in the source leaves such'
            " rows out."
        )
    if rare := [name for name in labels if counts[name] == 1]:
        guess.unsure.append(f"{some(rare)}: labels that one row has.")
    if _all_numbers(labels):
        guess.unsure.append(
            f"Labels {some(labels)} are numbers and taken for names; if they are points of a scale,"
            " make it a regression."
        )
    guess.table |= {
        "kind": "classification",
        "labels": labels,
        "metrics": ["accuracy", "macro_f1"],
    }
    of_train = Counter(map(label_text, train.cells[gold]))
    guess.counts = {name: of_train[name] for name in labels}


def _all_numbers(names: Iterable[str]) -> bool:
    return all(DECIMAL.fullmatch(name) for name in names)


def _names(train: Columns, guess: Guess, texts: Sequence[str], gold: str) -> None:
    """Name, family, and the columns, which have names of their own where the file has none."""
    name = re.sub(r"[^\w.+-]+", "-", guess.files.name).strip("-. ") or "task"
    if path_fault(name) or place(name) in RESERVED or name.lower().endswith(".toml"):
        name = f"{name[:40].removesuffix('.toml')}-task".lstrip(".")
    guess.table["name"] = name
    kind = guess.table["kind"]
    family = PARTS.get((kind, len(texts)), "sentence_pairs")
    guess.table["family"] = "question_answering" if kind in {"span", "cloze"} else family
    if train.form is not None:
        guess.source["format"] = train.form
    columns = dict(zip(texts, texts, strict=True)) | {gold: gold}
    if not train.header:
        named = ["text"] if len(texts) == 1 else [f"text{n + 1}" for n in range(len(texts))]
        columns = dict(zip((*texts, gold), (*named, "label"), strict=True))
        guess.source |= {"header": False, "columns": {own: there for there, own in columns.items()}}
        guess.unsure.append("The first row of the file is taken for a row, not for names.")
    elif train.form == "conll":
        guess.unsure.append("Of several columns the first is taken for words, the last for tags.")
    guess.table["text"] = [columns[text] for text in texts]
    guess.table["label"] = columns[gold]


def _hidden_splits(train: Columns, guess: Guess, used: Sequence[str]) -> None:
    """Doubt files of which a column says which split a row is of, or which words are meant."""
    if marks := [name for name in train.cells if MARK.fullmatch(_key(name))]:
        guess.unsure.append(
            f"{some(marks)} may say which words are meant; kind marked-words reads them."
        )
    for name, cells in train.cells.items():
        values = {str(value).lower() for value in cells}
        if name not in used and len(values) > 1 and values <= SPLITS.keys():
            guess.unsure.append(
                f"'{name}' says which split a row is of ({some(sorted(values))}), which a"
                " definition cannot use: make a file of each."
            )


def example_line(cells: Sequence[str], width: int = 60) -> str:
    """A row as one line, long cells cut.

    >>> example_line(["It rains.", "1"])
    '"It rains." -> "1"'
    """
    cut = [each if len(each) <= width else f"{each[: width - 3]}..." for each in cells]
    quoted = [json.dumps(each, ensure_ascii=False) for each in cut]
    return f"{', '.join(quoted[:-1])} -> {quoted[-1]}"
