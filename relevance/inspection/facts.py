"""What the splits of tasks hold: rows, labels, lengths, and texts that stand more than once."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from jaxtyping import Int

from relevance.errors import RelevanceError
from relevance.inspection.difficulty import Difficulty, difficulty_of
from relevance.inspection.shared import Shared, shared_rows, shared_training
from relevance.tasks.data import DataOptions, Split
from relevance.tasks.kinds.kind import kind_of
from relevance.tasks.load import load_split, load_task, own_files, split_file
from relevance.tasks.task import Task
from relevance.text.tokenizers import TextTokenizer

MOST_ENCODED = 20_000
"""Rows of a split whose lengths are looked at where each text has to be encoded as a whole."""
QUANTILES = (0.5, 0.95, 1.0)


@dataclass(frozen=True)
class Lengths:
    """Numbers of tokens of a split's rows as a model reads them, special tokens included.

    Attributes:
        median: Number that half of the rows do not exceed.
        q95: Number that 95 % of them do not exceed.
        longest: Number of the longest row.
        over: Share of the rows that have more tokens than the greatest length, in [0, 1].
        rows: Number of rows that were looked at, evenly spread over the split.
    """

    median: int
    q95: int
    longest: int
    over: float
    rows: int


@dataclass(frozen=True)
class SplitFacts:
    """What a split holds.

    Attributes:
        task: Name of the task.
        split: Name of the split.
        rows: Number of rows.
        labels: Counts as `LabelKind.label_counts` gives them; None for a split without labels.
        empty: Rows in which a text is empty or white space.
        repeated: Rows whose texts are all those of an earlier row.
        contradicted: Rows whose texts are those of another row that has another label.
        lengths: Tokens of the rows; None where they were not counted.
        unlabelled: Why a test split has no labels; empty for all others.
        difficulty: How hard the labels are to tell by words; None unless these are rows of training
            of a classification task.
    """

    task: str
    split: str
    rows: int
    labels: dict[str, int] | None
    empty: int
    repeated: int
    contradicted: int
    lengths: Lengths | None
    unlabelled: str = ""
    difficulty: Difficulty | None = None


@dataclass(frozen=True)
class TaskFacts:
    """What the splits of some tasks hold.

    Attributes:
        tasks: The definitions.
        splits: Splits, the training split of a task before those it is scored on.
        shared: Pairs of a training split and a scored one that have texts in common, and of two
            training splits that have rows in common.
        tokenizer: Name of the tokenizer that counted tokens; None where they were not counted.
        max_length: Greatest number of tokens of a model's input.
    """

    tasks: tuple[Task, ...]
    splits: tuple[SplitFacts, ...]
    shared: tuple[Shared, ...]
    tokenizer: str | None
    max_length: int


def check_tasks(
    tasks: Sequence[Task],
    options: DataOptions | None = None,
    *,
    tokenizer: TextTokenizer | None = None,
    max_length: int = 512,
) -> TaskFacts:
    """Load every split of some tasks and say what is in it, without training anything.

    Args:
        tasks: The definitions.
        options: Folder of the files and limits of rows; None for all rows of the files in the
            cache folder.
        tokenizer: Tokenizer that counts tokens; None to leave lengths out. One that encodes whole
            texts looks at 20,000 rows of each split, evenly spread, others at all.
        max_length: Greatest number of tokens of a model's input.

    Returns:
        Facts of each split, and which texts splits share.

    Raises:
        RelevanceError: If there is no room for a token, or a task would not load for training.
    """
    if max_length < 1:
        raise RelevanceError(f"`max_length` must be at least 1, got {max_length}.")
    given = options or DataOptions()
    splits: list[SplitFacts] = []
    trained: list[tuple[str, Split]] = []
    scored: list[tuple[str, str, Split]] = []
    for task in tasks:
        data = load_task(task, given)
        trained.append((task.name, data.train))
        loaded = {"train": data.train, **data.evaluation}
        everything = [(name, split, "") for name, split in loaded.items()]
        everything += _test_split(task, given, data.evaluation)
        for which, split, unlabelled in everything:
            lengths = tokenizer and _lengths(task, split, tokenizer, max_length)
            splits.append(_facts(task, which, split, lengths or None, unlabelled))
            if which != "train":
                scored.append((task.name, which, split))
    shared = (*shared_rows(trained, scored), *shared_training(trained))
    name = None if tokenizer is None else tokenizer.name
    return TaskFacts(tuple(tasks), tuple(splits), shared, name, max_length)


def _test_split(
    task: Task, options: DataOptions, known: Iterable[str]
) -> Iterator[tuple[str, Split, str]]:
    """The test split where there is one, which may have no labels, and why it has none."""
    own = own_files(task)
    there = "test" in own if own else split_file(task, "test", options.data_dir) is not None
    if not there or "test" in known:
        return
    try:
        yield "test", load_split(task, "test", options.data_dir), ""
    except RelevanceError as error:
        yield "test", load_split(task, "test", options.data_dir, text_only=True), str(error)


def _facts(
    task: Task, name: str, split: Split, lengths: Lengths | None, unlabelled: str
) -> SplitFacts:
    repeated, contradicted = _repeated(split)
    return SplitFacts(
        task=task.name,
        split=name,
        rows=len(split),
        labels=None if unlabelled else kind_of(task).label_counts(split.labels),
        empty=sum(not all(map(str.strip, row)) for row in zip(*split.texts, strict=True)),
        repeated=repeated,
        contradicted=0 if unlabelled else contradicted,
        lengths=lengths,
        unlabelled=unlabelled,
        difficulty=difficulty_of(task, split) if name == "train" else None,
    )


def _repeated(split: Split) -> tuple[int, int]:
    """Rows that repeat an earlier one's texts, and rows that another one's label contradicts."""
    labels: dict[tuple[str, ...], list[Hashable]] = {}
    for row, label in zip(zip(*split.texts, strict=True), split.labels.tolist(), strict=True):
        labels.setdefault(row, []).append(label)
    several = [given for given in labels.values() if len(given) > 1]
    contradicted = sum(len(given) for given in several if len(set(given)) > 1)
    return len(split) - len(labels), contradicted


def _lengths(task: Task, split: Split, tokenizer: TextTokenizer, max_length: int) -> Lengths:
    rows = np.arange(len(split))
    if not tokenizer.by_chunk and len(split) > MOST_ENCODED:
        rows = np.linspace(0, len(split) - 1, MOST_ENCODED).astype(np.int64)
        split = split.take(rows)
    of_texts = [_longest(task, texts, tokenizer) for texts in split.texts]
    tokens = tokenizer.borders(len(split.texts)) + np.stack(of_texts).sum(axis=0)
    median, q95, longest = np.quantile(tokens, QUANTILES, method="inverted_cdf").tolist()
    return Lengths(median, q95, longest, float((tokens > max_length).mean()), len(rows))


def _longest(
    task: Task, texts: Sequence[str], tokenizer: TextTokenizer
) -> Int[np.ndarray, " text"]:
    """Tokens of what a model reads of each text, the longest where it reads several in turn."""
    inputs = [kind_of(task).inputs(text) for text in texts]
    lengths = tokenizer.token_lengths(list(chain.from_iterable(inputs)))
    starts = np.cumsum([0, *map(len, inputs[:-1])])
    longest: Int[np.ndarray, " text"] = np.maximum.reduceat(lengths, starts)
    return longest
