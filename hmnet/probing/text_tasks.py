"""Probing tasks made from plain sentences."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from hmnet.samplers.sampler import generator
from relevance.errors import RelevanceError

LENGTHS = ((5, 8), (9, 12), (13, 16), (17, 20), (21, 24), (25, 28))
"""Numbers of words in the bins of sentence length, as SentEval has them; punctuation counts."""

WORDS, MOST_FREQUENT, LEAST_LETTERS, LEAST_SENTENCES = 1000, 2000, 4, 3


def words(sentence: str) -> list[str]:
    """Split a sentence at spaces, and punctuation and symbols off both ends of what is between.

    Args:
        sentence: Text in any script.

    Returns:
        Words and signs in their order.

    >>> words("He said (don't): go! \N{GRINNING FACE}")
    ['He', 'said', '(', "don't", ')', ':', 'go', '!', '\N{GRINNING FACE}']
    """
    found = []
    for token in sentence.split():
        begin, end = 0, len(token)
        while begin < end and _is_sign(token[begin]):
            begin += 1
        while end > begin and _is_sign(token[end - 1]):
            end -= 1
        found += [*token[:begin], *([token[begin:end]] if begin < end else []), *token[end:]]
    return found


def sentence_length(sentences: Iterable[str], seed: int) -> Iterator[tuple[str, str]]:
    """Number of words in six bins; shorter and longer sentences are left out.

    Args:
        sentences: Sentences.
        seed: Unused, as nothing is drawn.

    Yields:
        Label, from `0`, and sentence.

    Source:
        Conneau et al. (2018), task SentLen.
    """
    del seed
    for sentence in sentences:
        count = len(words(sentence))
        for code, (least, most) in enumerate(LENGTHS):
            if least <= count <= most:
                yield str(code), sentence


def word_content(sentences: Sequence[str], seed: int) -> Iterator[tuple[str, str]]:
    """Which one of 1,000 words a sentence holds; sentences with none or several are left out.

    The words are the most frequent ones behind the first 2,000, of four letters or more, each with
    three sentences at least.

    Args:
        sentences: Sentences.
        seed: Unused, as nothing is drawn.

    Yields:
        Word and sentence.

    Raises:
        RelevanceError: If there are not as many words.

    Source:
        Conneau et al. (2018), task WC.
    """
    del seed
    held = [frozenset(_plain_words(sentence)) for sentence in sentences]
    counts = Counter(word for found in held for word in found)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))[MOST_FREQUENT:]
    waiting = [w for w in ranked if len(w) >= LEAST_LETTERS and counts[w] >= LEAST_SENTENCES]
    chosen: set[str] = set()
    while True:
        wanted = WORDS - len(chosen)
        if len(waiting) < wanted:
            raise RelevanceError(
                f"word_content needs {WORDS:,} words of {LEAST_LETTERS} letters or more behind the"
                f" {MOST_FREQUENT:,} most frequent ones, each alone in {LEAST_SENTENCES} sentences;"
                f" {len(chosen) + len(waiting):,} are there at most. Give more text."
            )
        chosen |= set(waiting[:wanted])
        waiting = waiting[wanted:]
        alone = [chosen & found for found in held]
        kept = Counter(next(iter(found)) for found in alone if len(found) == 1)
        poor = {word for word in chosen if kept[word] < LEAST_SENTENCES}
        if not poor:
            break
        chosen -= poor
    for sentence, found in zip(sentences, alone, strict=True):
        if len(found) == 1:
            yield next(iter(found)), sentence


def bigram_shift(sentences: Iterable[str], seed: int) -> Iterator[tuple[str, str]]:
    """Whether two neighbouring words have changed places, as in half of the sentences.

    Neither is the first word, so that no capital tells it, nor punctuation; pairs of equal words
    are skipped. All sentences are written with spaces between words and signs.

    Args:
        sentences: Sentences; those without such a pair are left out.
        seed: Seed of which sentences are changed, and where.

    Yields:
        `O` for the original order or `I` for inverted, and the sentence.

    Source:
        Conneau et al. (2018), task BShift.
    """
    random = generator(seed, "probing", "bigram_shift")
    for sentence in sentences:
        found = words(sentence)
        places = [
            place
            for place, (one, other) in enumerate(pairwise(found))
            if place and one.lower() != other.lower() and _is_word(one) and _is_word(other)
        ]
        if not places:
            continue
        place = places[int(random.integers(len(places)))]
        label = "O"
        if random.random() < 0.5:
            label = "I"
            found[place : place + 2] = reversed(found[place : place + 2])
        yield label, " ".join(found)


def _is_sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "PSC"


def _is_word(token: str) -> bool:
    return any(map(str.isalnum, token))


def _plain_words(sentence: str) -> Iterator[str]:
    return (word.lower() for word in words(sentence) if word.isalpha())
