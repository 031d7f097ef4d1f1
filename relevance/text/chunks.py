"""Chunks of text between white space, each distinct one once, put together to be encoded fast."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

# `str.split` splits at these, BERT's normaliser deletes them: "a\x0bb" is the one word "ab"
DELETED_SPACE = "\x0b\x0c\x1c\x1d\x1e\x1f\x85"
# deleted as well and white space to nobody; removing instead would turn "[SE\x0bP]" into "[SEP]"
DELETED = "\x01"
CHARACTERS_PER_TEXT = 4_000  # of distinct chunks put together: fewer and longer texts encode faster
CHARACTERS_PER_BATCH = 1_000_000  # bounds memory


def packed_chunks(texts: Iterable[str]) -> Iterator[str]:
    """Texts made of each distinct chunk between white space once.

    Args:
        texts: Any text.

    Yields:
        Chunks with a space between them, in no particular order. White space is what BERT's
        normaliser takes for it.
    """
    chunks: set[str] = set()
    # Texts repeat as well: premises of pairs, passages of questions.
    for batch in batches(set(texts), CHARACTERS_PER_BATCH):
        chunks.update(chunks_of(batch))
    for some in batches(chunks, CHARACTERS_PER_TEXT):
        yield " ".join(some)


def packed_counts(texts: Iterable[str]) -> dict[str, int]:
    """Texts made of each distinct chunk once, and how often each of their chunks occurs.

    Args:
        texts: Any text.

    Returns:
        Texts as `packed_chunks` yields them, chunks of one frequency put together, with that
        frequency.

    >>> packed_counts(["the cat", "the mat", "the cat"])
    {'the': 3, 'cat': 2, 'mat': 1}
    """
    times: Counter[str] = Counter()
    for batch in batches(texts, CHARACTERS_PER_BATCH):
        times.update(chunks_of(batch))
    equally_often: defaultdict[int, list[str]] = defaultdict(list)
    for chunk, count in times.items():
        equally_often[count].append(chunk)
    return {
        " ".join(some): count
        for count, chunks in equally_often.items()
        for some in batches(chunks, CHARACTERS_PER_TEXT)
    }


def batches(texts: Iterable[str], characters: int) -> Iterator[list[str]]:
    """Texts in groups of about one size.

    Args:
        texts: Any text.
        characters: Number of characters with which a group is complete.

    Yields:
        The next texts.

    >>> list(batches(["a", "bc", "def"], 3))
    [['a', 'bc'], ['def']]
    """
    batch, size = [], 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= characters:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def chunks_of(texts: Iterable[str]) -> list[str]:
    """The chunks of some texts between what BERT's normaliser takes for white space.

    >>> chunks_of(["the cat", "a mat"])
    ['the', 'cat', 'a', 'mat']
    """
    text = " ".join(texts)
    for character in DELETED_SPACE:
        text = text.replace(character, DELETED)
    return text.split()
