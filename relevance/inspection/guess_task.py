"""A definition of a task, guessed from its files.

The label is the column with a name of `guess_label.LABELS`, the first of them that is there and has
few distinct values or numbers; else the one column with few distinct values. Texts are the columns
of `guess_texts.TEXTS` where all of a pair are there; else the columns of strings whose values are
long and mostly distinct, in file order. What was guessed by anything but a name is said to be
unsure.
"""

import re
from collections.abc import Sequence

from relevance.errors import RelevanceError
from relevance.inspection.files import SPLITS, TaskFiles
from relevance.inspection.forms import Columns, read_file
from relevance.inspection.guess import Guess
from relevance.inspection.guess_choices import gap_columns, numbered_choices
from relevance.inspection.guess_columns import key_of, seen
from relevance.inspection.guess_kind import guess_kind
from relevance.inspection.guess_label import guess_label
from relevance.inspection.guess_texts import guess_texts
from relevance.names import path_fault, place, some
from relevance.tasks.find import RESERVED

EXAMPLES = 3
MARK = re.compile(r"(start|end|span)_?\d?(_index)?")
PARTS = {
    ("classification", 1): "text_classification",
    ("regression", 1): "text_scoring",
    ("tokens", 1): "named_entity_recognition",
}


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
    gold = guess_label(train, guess, label)
    choices = numbered_choices(train, guess) if text is None else []
    query, candidates = gap_columns(train, gold)
    if query is not None:
        guess.table["choices"] = [candidates]
    elif len(choices) > 1:
        guess.table["choices"] = choices
    texts = guess_texts(train, guess, gold, text)
    if query in texts:  # behind what it asks about
        texts = [*(name for name in texts if name != query), query]
    _check_others(found, guess, [*texts, gold, *guess.table.get("choices", ())], gold)
    _examples(train, guess, texts, gold)
    guess_kind(found, guess, texts, gold)
    _names(train, guess, texts, gold)
    _hidden_splits(train, guess, [*texts, gold])
    return guess


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
            f"{columns.path} has {what}, other than {train.path}. {seen(columns)} Give files of"
            " one form, or write the definition by hand."
        )


def _examples(train: Columns, guess: Guess, texts: Sequence[str], gold: str) -> None:
    for row in range(min(EXAMPLES, len(train))):
        guess.examples.append([str(train.cells[name][row]) for name in (*texts, gold)])


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
    if marks := [name for name in train.cells if MARK.fullmatch(key_of(name))]:
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
