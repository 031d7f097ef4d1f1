"""Scores of an answer beside those that people gave, by SQuAD's rules."""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from relevance.tasks.data import Labels

ARTICLES = re.compile(r"\b(?:a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)
Gold = Sequence[tuple[str, int]]
"""Answers to one question: text and place; none where there is no answer."""


def normalised(answer: str) -> str:
    """Normalise an answer: lower case, no ASCII punctuation, no articles, single spaces.

    Characters that nobody sees, such as U+FEFF and U+200B, don't count: most tokenizers drop them,
    so that a model cannot tell whether they belong to an answer. SQuAD's script counts them.

    Source:
        Rajpurkar et al. (2016), section 6.1, and the evaluation script of SQuAD 1.1.

    >>> normalised("The  Norman's King, a Duke")
    'normans king duke'
    """
    if not (answer.isascii() and answer.isprintable()):
        answer = "".join(each for each in answer if each.isspace() or not is_invisible(each))
    return " ".join(ARTICLES.sub(" ", answer.lower().translate(PUNCTUATION)).split())


def is_invisible(character: str) -> bool:
    """Whether a character is white space, control, format, or without meaning (private, U+FFFD)."""
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Co")
    return hidden or character.isspace() or character == "\ufffd"


def exact(answer: str, gold: str) -> float:
    """1 where two answers are the same once normalised, else 0."""
    return float(normalised(answer) == normalised(gold))


def overlap(answer: str, gold: str) -> float:
    """F1 of the words of two normalised answers; of nothing and nothing it is 1.

    >>> overlap("in the 10th and 11th centuries", "10th and 11th centuries")
    0.8888888888888888
    """
    said, true = normalised(answer).split(), normalised(gold).split()
    if not said or not true:
        return float(said == true)
    common = (Counter(said) & Counter(true)).total()
    return 2 * common / (len(said) + len(true))


def best(
    measure: Callable[[str, str], float], golds: Labels, answers: Labels
) -> Float[np.ndarray, " row"]:
    """Scores of each row's answer beside the gold one that it is nearest to.

    Args:
        measure: Score of two answers, `exact` or `overlap`.
        golds: A `Gold` for each row; answers that normalise to nothing are none.
        answers: A text for each row, empty where the answer is that there is none.

    Returns:
        Scores in [0, 1].

    Source:
        The evaluation scripts of SQuAD 1.1 and 2.0.
    """
    return np.array(
        [
            max(measure(answer, gold) for gold in _texts(of_row))
            for of_row, answer in zip(golds, answers, strict=True)
        ]
    )


def _texts(golds: Gold) -> list[str]:
    """Answers that say something; the empty one where none does."""
    return [text for text, _ in golds if normalised(text)] or [""]
