"""The text columns of a file, guessed by their names, or by how long and different texts are."""

from collections.abc import Sequence
from typing import Any

from relevance.errors import RelevanceError
from relevance.inspection.forms import Columns
from relevance.inspection.guess import Guess
from relevance.inspection.guess_columns import FEW, NO_TEXT, is_number, key_of, known_column, seen
from relevance.names import some

TEXTS = (
    *(("sentence1", "sentence2"), ("premise", "hypothesis"), ("question1", "question2")),
    *(("question", "context"), ("question", "passage"), ("question", "sentence")),
    *(("sentence_a", "sentence_b"), ("text1", "text2"), ("text_a", "text_b")),
    *(("1_string", "2_string"), ("query", "passage")),
    *(("tokens",), ("words",), ("sentence",), ("text",), ("review",), ("tweet",), ("content",)),
)
"""Names of text columns that go together, written as those of `LABELS` are."""
LONG = 10
"""Mean characters from which a column may hold texts."""
MOST_TEXTS = 3


def guess_texts(train: Columns, guess: Guess, gold: str, asked: Sequence[str] | None) -> list[str]:
    """The columns that a user asks for, or those that look like text."""
    if asked:
        return [known_column(train, name) for name in asked]
    named = {key_of(name): name for name in reversed(train.cells) if name != gold}
    for names in TEXTS:
        if all(name in named and _is_text(train.cells[named[name]]) for name in names):
            chosen = [named[name] for name in names]
            others = [
                name
                for name, cells in train.cells.items()
                if name not in (*chosen, gold, *guess.table.get("choices", ()))
                and not NO_TEXT.fullmatch(key_of(name))
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
        and not NO_TEXT.fullmatch(key_of(name))
        and _is_text(cells)
    ]
    long = [name for name in strings if _is_long(train.cells[name])] or strings[:1]
    if not long:
        raise RelevanceError(
            f"{train.path}: no column beside '{gold}' looks like text. {seen(train)} Choose with"
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
    return bool(strings) and not all(map(is_number, strings))


def _is_long(cells: Sequence[Any]) -> bool:
    strings = [each for each in cells if isinstance(each, str)]
    distinct = len(set(strings))
    mean = sum(map(len, strings)) / max(1, len(strings))
    return mean >= LONG and distinct > FEW * len(cells)
