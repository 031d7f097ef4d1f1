"""How difficult a data set of texts and labels is, by its words and labels alone."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import log, sqrt
from typing import NamedTuple

from relevance.errors import RelevanceError
from relevance.tasks.data import Split
from relevance.tasks.task import Task

TOP_WORDS = 10
NOT_A_WORD = re.compile(r"[^\w\s]|_")


class Difficulty(NamedTuple):
    """The terms of a data set's difficulty; higher is harder for each.

    Attributes:
        diversity: Class diversity, the entropy of the labels in nats.
        imbalance: Class balance, the sum over classes of |1 / C - share|, in [0, 2).
        similarity: Class interference, the largest Hellinger similarity of two classes' words, in
            [0, 1].
        information: Class interference, the mean over pairs of classes of the mutual information of
            their ten most frequent words, in nats.
        variety: Data complexity, distinct words over all words, in (0, 1].
    """

    diversity: float
    imbalance: float
    similarity: float
    information: float
    variety: float

    @property
    def total(self) -> float:
        """The measure itself, the sum of its terms."""
        return sum(self)


def difficulty_of(task: Task, split: Split) -> Difficulty | None:
    """The difficulty of a classification task's rows.

    Args:
        task: The definition.
        split: Its rows, most often those of training; the texts of a row are read as one.

    Returns:
        The terms; None for other kinds, and where there are fewer than two labels or no words.
    """
    if task.kind != "classification":
        return None
    texts = [" ".join(row) for row in zip(*split.texts, strict=True)]
    try:
        return difficulty(texts, split.labels.tolist())
    except RelevanceError:
        return None


def difficulty(texts: Sequence[str], labels: Sequence[object]) -> Difficulty:
    """The evolutionary data measure D2 of texts and labels.

    With p_c the share of class c of C and P_c its distribution over words (lower case, punctuation
    left out):

    - diversity = -sum_c p_c ln p_c
    - imbalance = sum_c |1 / C - p_c|
    - similarity = 1 - min over pairs of sqrt(1 - sum_w sqrt(P_c(w) P_d(w))), the Hellinger distance
    - information = mean of a C x C table over the ten most frequent words of each class that are no
      stop words: sum_w p_cd(w) ln(p_cd(w) / (p_c(w) p_d(w))) over words that c and d share, p_cd
      being that of both counted together; on the diagonal the entropy of p_c
    - variety = distinct words / words

    Args:
        texts: One per row.
        labels: One per row, in any form that tells classes apart.

    Returns:
        The terms.

    Raises:
        RelevanceError: If there are not two classes with words.

    Source:
        Collins, Rozanov and Zhang (2018), "Evolutionary Data Measures: Understanding the Difficulty
        of Text Classification Tasks", as the authors' package `edm` has it: its code was read, the
        paper's formulas were not. The package sums the distance over the words of the first class
        alone, reads ASCII only, and has another list of stop words; here the distance is over all
        words, any script is read, and stop words are scikit-learn's English ones.
    """
    words: dict[object, Counter[str]] = {label: Counter() for label in labels}
    for text, label in zip(texts, labels, strict=True):
        words[label].update(NOT_A_WORD.sub("", text.lower()).split())
    if len(words) < 2 or not all(words.values()):
        raise RelevanceError("Difficulty needs two classes or more, each with words.")
    shares = [count / len(labels) for count in Counter(labels).values()]
    together: Counter[str] = sum(words.values(), Counter())
    return Difficulty(
        diversity=_entropy(shares),
        imbalance=sum(abs(1 / len(shares) - share) for share in shares),
        similarity=1 - min(_distance(*pair) for pair in combinations(words.values(), 2)),
        information=_information(list(words.values())),
        variety=len(together) / together.total(),
    )


def _entropy(shares: Iterable[float]) -> float:
    return sum((-share * log(share) for share in shares), 0.0)


def _distance(first: Counter[str], second: Counter[str]) -> float:
    """The Hellinger distance of two distributions over words."""
    both = sum(sqrt(first[word] * second[word]) for word in first.keys() & second.keys())
    return sqrt(max(0.0, 1 - both / sqrt(first.total() * second.total())))


def _information(classes: Sequence[Counter[str]]) -> float:
    """The mean of the table of mutual information, entropies on its diagonal."""
    top = [_top_words(each) for each in classes]
    diagonal = sum(_entropy(count / sum(each.values()) for count in each.values()) for each in top)
    beside = sum(_mutual(first, second) for first, second in combinations(top, 2))
    return (diagonal + 2 * beside) / len(top) ** 2


def _top_words(counts: Counter[str]) -> dict[str, int]:
    """The most frequent words that are no stop words; of equally frequent ones by the alphabet."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    content = [word for word in counts if word not in ENGLISH_STOP_WORDS]
    chosen = sorted(content, key=lambda word: (-counts[word], word))[:TOP_WORDS]
    return {word: counts[word] for word in chosen}


def _mutual(first: Mapping[str, int], second: Mapping[str, int]) -> float:
    in_first, in_second = sum(first.values()), sum(second.values())
    total = 0.0
    for word in sorted(first.keys() & second.keys()):
        both = (first[word] + second[word]) / (in_first + in_second)
        total += both * log(both * in_first * in_second / (first[word] * second[word]))
    return total
