"""Similarity of mean token embeddings: what tasks' texts are about, without running an encoder."""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import chain

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix
from relevance.measures._estimator import cosines
from relevance.measures.measure import Inputs, Measure
from relevance.measures.vocabulary import check_known, no_tokens
from relevance.tasks.data import DataOptions
from relevance.tasks.load import load_training_texts
from relevance.tasks.task import Task
from relevance.text.token_vectors import TokenVectors


class TokenEmbedding(Measure):
    """Cosine of the mean token vectors of the training splits.

    Args:
        load_vectors: Function that reads the tokenizer and the vectors.
        data: Options of the training splits; None for all rows of the files in the cache folder.
    """

    def __init__(
        self, load_vectors: Callable[[], TokenVectors], data: DataOptions | None = None
    ) -> None:
        self.load_vectors = load_vectors
        self.data = data or DataOptions()

    @classmethod
    def build(cls, inputs: Inputs) -> "TokenEmbedding":
        """Take the token vectors and the data; without vectors the measure is refused."""
        if inputs.token_vectors is None:
            raise RelevanceError(
                "Measure 'token-embedding' needs token vectors. `relevance estimate` brings those"
                " of `backbone`; from Python, hand some in as measure(..., token_vectors=...)."
            )
        return cls(inputs.token_vectors, inputs.data)

    def measure(self, tasks: Sequence[Task]) -> RelevanceMatrix:
        """Fill the matrix with cosines, holding one task's texts in memory at a time.

        `provenance` has rows and tokens of each task. A task without tokens, with mostly unknown
        ones, or with one that has no vector is refused.
        """
        start_s = time.perf_counter()
        known = self.load_vectors()
        names = tuple(task.name for task in tasks)
        rows, counts = [], []
        for task in tasks:
            split = load_training_texts(task, self.data)
            rows.append(len(split))
            counts.append(known.tokenizer.token_counts(chain.from_iterable(split.texts)))
            check_known(counts[-1], known.tokenizer, task.name)
        means = mean_vectors(counts, known.vectors, tasks=names)
        return RelevanceMatrix(
            values=cosines(means @ means.T),
            tasks=names,
            measure="token-embedding",
            cost={"seconds": time.perf_counter() - start_s},
            provenance={
                "version": self.version,
                "vectors": {"name": known.name, "fingerprint": known.fingerprint},
                "tokenizer": known.tokenizer.provenance,
                "max_train": self.data.max_train,
                "rows": dict(zip(names, rows, strict=True)),
                "tokens": {name: each.total() for name, each in zip(names, counts, strict=True)},
            },
        )


def mean_vectors(
    counts: Sequence[Mapping[int, int]],
    vectors: Float[np.ndarray, "token dimension"],
    *,
    tasks: tuple[str, ...],
) -> Float[np.ndarray, "task dimension"]:
    """The mean vector of each task's tokens, by one sparse product.

    Every occurrence of a token counts once, so a token weighs as much as it is frequent in the
    task. Weights that make frequent words count less, a / (a + p(token)), need frequencies over
    all tasks: what a pair gets would then depend on the company it is measured in.

    Args:
        counts: Occurrences of each token id in a task.
        vectors: One vector per token id.
        tasks: Task names in the order of the counts, for error messages.

    Returns:
        One row per task.

    Raises:
        RelevanceError: If a task has no tokens, a token has no vector, or all are zero.

    Source:
        Arora et al. (2017), "A simple but tough-to-beat baseline for sentence embeddings",
        algorithm 1 with a infinite and no component removed.
    """
    from scipy.sparse import csr_array

    for name, each in zip(tasks, counts, strict=True):
        if not each:
            raise no_tokens(name)
        if max(each) >= len(vectors):
            raise RelevanceError(
                f"Task '{name}' has the token {max(each)}, but there are vectors for"
                f" {len(vectors)} tokens only: they belong to another tokenizer."
            )
    ids = np.fromiter(chain.from_iterable(counts), dtype=np.int64)
    times = np.fromiter(chain.from_iterable(each.values() for each in counts), dtype=np.float64)
    # Only vectors of tokens that occur are multiplied: most of a vocabulary does not.
    tokens, columns = np.unique(ids, return_inverse=True)
    starts = np.cumsum([0, *map(len, counts)])
    frequency = csr_array((times, columns, starts), shape=(len(counts), len(tokens)))
    sums = frequency @ vectors[tokens].astype(np.float64)
    for name, total in zip(tasks, sums, strict=True):
        if not total.any():
            raise RelevanceError(f"Task '{name}': the vectors of all its tokens are zero.")
    return np.asarray(sums / frequency.sum(axis=1)[:, None])
