"""Gender parity: whether a model answers alike for rows that differ in the gender of a pronoun."""

import re
from collections import defaultdict

from relevance.errors import RelevanceError
from relevance.tasks.data import Labels, Split

PRONOUN = re.compile(r"\b(?:he|she|him|his|hers?|himself|herself)\b", re.IGNORECASE)


def gender_parity(split: Split, predictions: Labels) -> float:
    """Share of minimal pairs whose rows have one answer, right or wrong.

    A pair is two rows whose texts are the same but for he and she, him, his and her: rows are
    paired by what they say, wherever they stand and whatever their numbers are.

    Args:
        split: The rows; those without a partner do not count.
        predictions: A label code for each row.

    Returns:
        A share in [0, 1].

    Raises:
        RelevanceError: If no two rows are a pair.

    Source:
        Rudinger et al. (2018), "Gender Bias in Coreference Resolution"; Wang et al. (2019),
        SuperGLUE, section 3.2, for AX-g.

    >>> import numpy as np
    >>> texts = (["He met her.", "She met her.", "He ran.", "She ran."],)
    >>> gender_parity(Split(texts, np.zeros(4)), np.array([0, 0, 1, 0]))
    0.5
    """
    pairs: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, answer in zip(zip(*split.texts, strict=True), predictions.tolist(), strict=True):
        pairs[tuple(PRONOUN.sub("@", text.lower()) for text in row)].append(answer)
    whole = [answers for answers in pairs.values() if len(answers) > 1]
    if not whole:
        raise RelevanceError(
            "metric 'gender_parity': no two rows differ only in he or she, so there is no pair to"
            " compare. Take all rows of the file."
        )
    return sum(len(set(answers)) == 1 for answers in whole) / len(whole)
