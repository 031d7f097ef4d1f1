"""A small file of word vectors."""

from pathlib import Path

import numpy as np

from hmnet.backbones.word_vectors import write_word_vectors

WORDS = [
    *("the", "a", "dog", "cat", "river", "city", "sleeps", "runs", "in", "and", "ann", "bob"),
    *("eve", "stone", "who", "good", "bad", "film", "story", "dull", "great", "woman", "man"),
    *("no", "is", "it", "where", "saw", "?", "!"),
]


def write_small_vectors(path: Path, words: list[str] = WORDS, width: int = 8) -> Path:
    """Write vectors of 30 words, drawn with one seed."""
    drawn = np.random.default_rng(0).standard_normal((len(words), width))
    write_word_vectors(path, words, drawn.astype(np.float32))
    return path
