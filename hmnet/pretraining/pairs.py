"""Pairs of segments for next sentence prediction, as BERT's own data maker draws them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Int64

from hmnet.data.template import Pieces, Sequences, assemble, boundaries
from hmnet.pretraining.encoded_corpus import EncodedCorpus
from relevance.errors import RelevanceError

SHORT = 0.1  # share of pairs that are drawn shorter than the length allows
HINT = (
    "Say where documents end, with FILE@blank, FILE@heading or FILE@row, or leave next sentence"
    " prediction out with `nsp_layer=off`."
)
TRIES = 100  # draws of a random segment before a pair is given up


@dataclass(frozen=True)
class Pairs:
    """Pairs of segments, as places in a corpus: a segment is whole sentences, cut at either end.

    Without next sentence prediction they are single segments, see `make_singles`.

    Attributes:
        corpus: The corpus.
        starts: Place in `corpus.ids` at which the segments of each pair begin.
        lengths: Tokens of the segments, each at least 1.
        is_random: Whether the second segment is of another document.
        documents: Document of each segment.
        max_length: Most tokens of an input, special ids included.
    """

    corpus: EncodedCorpus
    starts: Int64[np.ndarray, "pair segment"]
    lengths: Int64[np.ndarray, "pair segment"]
    is_random: Bool[np.ndarray, " pair"]
    documents: Int64[np.ndarray, "pair segment"]
    max_length: int

    def __len__(self) -> int:
        return len(self.starts)

    def sequences(self, rows: Int[np.ndarray, " row"]) -> Sequences:
        """The inputs of some pairs, in this order, special ids included."""
        parts = [self._pieces(rows, side) for side in range(self.starts.shape[1])]
        return assemble(self.corpus.template, parts, self.max_length)

    def _pieces(self, rows: Int[np.ndarray, " row"], side: int) -> Pieces:
        lengths = self.lengths[rows, side]
        starts = self.starts[rows, side]
        places = zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
        ids = [self.corpus.tokens(begin, end) for begin, end in places]
        return Pieces(np.concatenate(ids), boundaries(lengths)[:-1], lengths)


def make_pairs(
    corpus: EncodedCorpus,
    max_length: int,
    seed: int,
    short: float = SHORT,
    documents: Int[np.ndarray, " chosen"] | None = None,
) -> Pairs:
    """Go through a corpus once, filling inputs with sentences up to a length.

    Sentences of a document are taken until they fill a target length, the room of an input or with
    some probability a length drawn from 2 to that. The first of them, a number drawn, are one
    segment. The other is the rest, or as often sentences of another document from a place drawn
    on; then the rest is put back for the next pair. What is too long is cut token by token at the
    longer segment, at either end with equal chance. Unlike BERT's own maker, which takes a single
    sentence for a pair with a random one, this one goes on to a second sentence and leaves out a
    single one at the end of a document, so that half of the pairs are true whatever the documents
    are. A random segment that begins with the very tokens of the true next sentence is drawn again.

    Args:
        corpus: Two documents at least, of which one has two sentences.
        max_length: Most tokens of an input, special ids included.
        seed: Seed of all draws.
        short: Probability of a shorter target.
        documents: Numbers of the documents that count, random segments included; None for all.

    Returns:
        The pairs, in the order of the documents.

    Raises:
        RelevanceError: If the corpus makes no pair, or there is no room for one.

    Source:
        `create_pretraining_data.py` of Devlin et al. (2019).
    """
    room = max_length - corpus.template.special_count(2)
    if room < 2:
        raise RelevanceError(
            f"`max_length={max_length}` leaves no room for two segments. Choose"
            f" {max_length - room + 2} at least."
        )
    chosen = np.arange(len(corpus)) if documents is None else documents
    if not (np.diff(corpus.documents)[chosen] > 1).any():
        raise RelevanceError(
            "No document of the corpus has two sentences, so that none is the next of another."
            f" {HINT}"
        )
    if len(chosen) < 2:
        raise RelevanceError(
            f"The corpus is one document, so that no sentence is of another one. {HINT}"
        )
    rng = random.Random(seed)  # noqa: S311
    drawn = _Maker(corpus, room, short, rng, chosen).pairs()
    # into the array as they come: as objects, millions of pairs would take gigabytes
    flat = np.fromiter((number for pair in drawn for part in pair for number in part), np.int64)
    if not len(flat):
        raise RelevanceError("All documents of the corpus are the same, so that it makes no pairs.")
    flat = flat.reshape(-1, 6)
    starts, ends, documents = flat[:, [0, 3]], flat[:, [1, 4]], flat[:, [2, 5]]
    is_random = documents[:, 0] != documents[:, 1]
    return Pairs(corpus, starts, ends - starts, is_random, documents, max_length)


def make_singles(
    corpus: EncodedCorpus, max_length: int, documents: Int[np.ndarray, " chosen"] | None = None
) -> Pairs:
    """Go through a corpus once, filling inputs of one segment, where no next one is predicted.

    Sentences of a document are taken as long as they fit; one that is longer than an input is cut
    into several.

    Args:
        corpus: The corpus.
        max_length: Most tokens of an input, special ids included.
        documents: Numbers of the documents that count; None for all.

    Returns:
        The segments, in the order of the documents; none of them is random.

    Raises:
        RelevanceError: If there is no room for a token.
    """
    room = max_length - corpus.template.special_count(1)
    if room < 1:
        raise RelevanceError(
            f"`max_length={max_length}` leaves no room for text. Choose {max_length - room + 1} at"
            " least."
        )
    chosen = np.arange(len(corpus)) if documents is None else documents
    # into the array as they come, as in `make_pairs`
    found = (number for part in _singles(corpus, room, chosen) for number in part)
    flat = np.fromiter(found, np.int64).reshape(-1, 3)
    starts, ends, of = flat[:, :1], flat[:, 1:2], flat[:, 2:]
    return Pairs(corpus, starts, ends - starts, np.zeros(len(flat), dtype=bool), of, max_length)


def _singles(
    corpus: EncodedCorpus, room: int, chosen: Int[np.ndarray, " chosen"]
) -> Iterator[tuple[int, int, int]]:
    """Begin, end and document of each segment."""
    for number in chosen:
        document = int(number)
        first, last = map(int, corpus.documents[document : document + 2])
        begin, *ends = corpus.sentences[first : last + 1].tolist()
        for place, end in enumerate(ends):
            while end - begin > room:
                yield begin, begin + room, document
                begin += room
            following = ends[place + 1] if place + 1 < len(ends) else None
            if end > begin and (following is None or following - begin > room):
                yield begin, end, document
                begin = end


class _Segment(NamedTuple):
    """Tokens `begin` to `end` of the corpus, which are of a document."""

    begin: int
    end: int
    document: int


class _Maker:
    """The draws of one way through a corpus."""

    def __init__(
        self,
        corpus: EncodedCorpus,
        room: int,
        short: float,
        rng: random.Random,
        chosen: Int[np.ndarray, " chosen"],
    ) -> None:
        self.corpus, self.room, self.short, self.rng = corpus, room, short, rng
        self.chosen = chosen

    def pairs(self) -> Iterator[tuple[_Segment, _Segment]]:
        for place, number in enumerate(self.chosen):
            document = int(number)
            first, last = map(int, self.corpus.documents[document : document + 2])
            # a list of the document's own boundaries: an item of a mapped array is slow to take
            yield from self._of(place, first, self.corpus.sentences[first : last + 1].tolist())

    def _of(self, place: int, first: int, bounds: list[int]) -> Iterator[tuple[_Segment, _Segment]]:
        """Pairs of the chosen document at a place; sentence `i` is `bounds[i : i + 2]`."""
        begin, count, document = 0, len(bounds) - 1, int(self.chosen[place])
        while count - begin > 1:
            target = self._target()
            end = begin + 2
            while end < count and bounds[end] - bounds[begin] < target:
                end += 1
            middle = self.rng.randint(begin + 1, end - 1)
            one = _Segment(bounds[begin], bounds[middle], document)
            other: _Segment | None = _Segment(bounds[middle], bounds[end], document)
            begin = end
            if self.rng.random() < 0.5:
                other = self._random(first + middle, place, target - (one.end - one.begin))
                begin = middle
            if other is not None:
                yield self._cut(one, other)

    def _target(self) -> int:
        return self.rng.randint(2, self.room) if self.rng.random() < self.short else self.room

    def _random(self, following: int, place: int, target: int) -> _Segment | None:
        """Sentences of another document; None where all that are drawn begin as the true next."""
        corpus = self.corpus
        for _ in range(TRIES):
            drawn = self.rng.randrange(len(self.chosen) - 1)
            other = int(self.chosen[drawn + (drawn >= place)])
            first, last = map(int, corpus.documents[other : other + 2])
            start = self.rng.randrange(first, last)
            if not self._are_equal(start, following):
                end = start + 1
                while end < last and corpus.sentences[end] - corpus.sentences[start] < target:
                    end += 1
                return _Segment(int(corpus.sentences[start]), int(corpus.sentences[end]), other)
        return None

    def _are_equal(self, one: int, other: int) -> bool:
        """Whether two sentences are the same; few are of one length, and only those are read."""
        begin, end = self.corpus.sentences[one : one + 2].tolist()
        start, stop = self.corpus.sentences[other : other + 2].tolist()
        if end - begin != stop - start:
            return False
        return np.array_equal(self.corpus.tokens(begin, end), self.corpus.tokens(start, stop))

    def _cut(self, *pair: _Segment) -> tuple[_Segment, _Segment]:
        """Take tokens off the longer segment until both fit."""
        places = [[segment.begin, segment.end] for segment in pair]
        over = sum(end - begin for begin, end in places) - self.room
        for _ in range(over):
            longer = max(places[::-1], key=lambda place: place[1] - place[0])
            if self.rng.random() < 0.5:
                longer[0] += 1
            else:
                longer[1] -= 1
        one, other = (
            _Segment(place[0], place[1], segment.document)
            for place, segment in zip(places, pair, strict=True)
        )
        return one, other
