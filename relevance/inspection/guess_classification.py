"""Labels of a classification, guessed by the values of its label column."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from relevance.errors import RelevanceError, shown
from relevance.inspection.forms import Columns
from relevance.inspection.guess import Guess
from relevance.names import fault, place, some
from relevance.numerals import DECIMAL
from relevance.tasks.kinds.classification import label_text
from relevance.tasks.labels import TRUTH
from relevance.tasks.task import MOST_LABELS


def guess_classification(train: Columns, cells: Sequence[Any], guess: Guess, gold: str) -> None:
    """Labels and counts of a classification, with what is doubtful about them."""
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
