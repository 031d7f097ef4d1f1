"""Vocabulary co-occurrence: how much of the target's vocabulary the source has as well."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix
from relevance.measures.measure import Inputs, Measure
from relevance.stages import counted
from relevance.tasks.data import DataOptions
from relevance.tasks.load import load_training_texts
from relevance.tasks.task import Task
from relevance.text.tokenizers import MOST_UNKNOWN, TextTokenizer, load_tokenizer

SAMPLE = 2_000
"""Number of rows, evenly spread, that tell whether a tokenizer knows a task's texts."""


class Vocabulary(Measure):
    """Overlap of the vocabularies of the training splits.

    Args:
        tokenizer: Tokenizer of the texts; the paper's is bert-base-uncased.
        data: Options of the training splits; None for all rows of the files in the cache folder.
    """

    def __init__(self, tokenizer: TextTokenizer, data: DataOptions | None = None) -> None:
        self.tokenizer = tokenizer
        self.data = data or DataOptions()

    @classmethod
    def build(cls, inputs: Inputs) -> "Vocabulary":
        """Take the tokenizer and the data."""
        return cls(load_tokenizer(inputs.tokenizer), inputs.data)

    def measure(self, tasks: Sequence[Task]) -> RelevanceMatrix:
        """Fill the matrix with ratios, holding one task's texts in memory at a time.

        `provenance` has rows and vocabulary size of each task. A task without tokens, or whose
        texts are unknown to the tokenizer for the most part, is refused.
        """
        start_s = time.perf_counter()
        names = tuple(task.name for task in tasks)
        rows, vocabularies = [], []
        for task in counted(tasks, "tasks read"):
            split = load_training_texts(task, self.data)
            rows.append(len(split))
            vocabularies.append(task_vocabulary(split.texts, self.tokenizer))
            if self.tokenizer.unknown in vocabularies[-1]:
                step = 1 + len(split) // SAMPLE
                some = chain.from_iterable(column[::step] for column in split.texts)
                check_known(self.tokenizer.token_counts(some), self.tokenizer, task.name)
        return RelevanceMatrix(
            values=vocabulary_overlap(vocabularies, tasks=names),
            tasks=names,
            measure="vocabulary",
            cost={"seconds": time.perf_counter() - start_s},
            provenance={
                "version": self.version,
                "tokenizer": self.tokenizer.provenance,
                "max_train": self.data.max_train,
                "rows": dict(zip(names, rows, strict=True)),
                "vocabulary": dict(zip(names, map(len, vocabularies), strict=True)),
            },
        )


def task_vocabulary(texts: Iterable[Sequence[str]], tokenizer: TextTokenizer) -> frozenset[int]:
    """The distinct token ids of a task's text columns; [CLS], [SEP], [PAD] left out, [UNK] kept."""
    return tokenizer.token_ids(chain.from_iterable(texts))


def vocabulary_overlap(
    vocabularies: Sequence[frozenset[int]], *, tasks: tuple[str, ...]
) -> Float[np.ndarray, "source target"]:
    """Share of each target's vocabulary that also occurs in the source.

    Args:
        vocabularies: One set of token ids per task; [CLS], [SEP], [PAD] left out, [UNK] kept.
        tasks: Task names in the same order, for error messages.

    Returns:
        Ratios in [0, 1], ones on the diagonal; not symmetric.

    Raises:
        RelevanceError: If a task has no tokens, which leaves its column undefined.

    Source:
        Fei et al. (2022), equation 2; Table 2 prints these values in percent.
    """
    from scipy.sparse import csr_array

    sizes = [len(vocabulary) for vocabulary in vocabularies]
    for name, size in zip(tasks, sizes, strict=True):
        if size == 0:
            raise no_tokens(name)
    ids = np.fromiter(chain.from_iterable(vocabularies), dtype=np.int64, count=sum(sizes))
    tokens, columns = np.unique(ids, return_inverse=True)
    presence = csr_array(
        (np.ones(len(ids), dtype=np.int64), columns, np.cumsum([0, *sizes])),
        shape=(len(sizes), len(tokens)),
    )
    return np.asarray((presence @ presence.T).toarray() / np.array(sizes))


def check_known(counts: Counter[int], tokenizer: TextTokenizer, task: str) -> None:
    """Refuse a tokenizer that most of a task's texts say nothing to.

    Args:
        counts: Occurrences of each token in the texts, or in some of them.
        tokenizer: Tokenizer that made the tokens.
        task: Name of the task, for the message.

    Raises:
        RelevanceError: If more than half of the tokens are unknown.
    """
    unknown = 0 if tokenizer.unknown is None else counts[tokenizer.unknown]
    if unknown > MOST_UNKNOWN * counts.total():
        raise RelevanceError(
            f"Task '{task}': {unknown / counts.total():.0%} of the tokens are unknown to tokenizer"
            f" '{tokenizer.name}', so that texts can hardly be told apart. Use one that knows the"
            " language and the casing of the texts; 'word' of `relevance vocab` knows every word."
        )


def no_tokens(task: str) -> RelevanceError:
    """The error for a task without any token, to be raised by the caller."""
    return RelevanceError(
        f"Task '{task}' has no tokens: all its training texts are empty. Leave it out, or check its"
        " text columns."
    )
