import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmnet.data.template import Template, boundaries
from hmnet.pretraining.batches import text_places
from hmnet.pretraining.encoded_corpus import EncodedCorpus
from hmnet.pretraining.pairs import Pairs, make_pairs
from relevance.errors import RelevanceError

CLS, SEP = 101, 102


def corpus_of(documents: list[list[int]]) -> EncodedCorpus:
    """Sentences of these lengths; every token of the corpus is another id."""
    lengths = np.array([length for document in documents for length in document])
    counts = np.array([len(document) for document in documents])
    ids = np.arange(1000, 1000 + lengths.sum(), dtype=np.int32)
    template = Template((CLS,), (SEP,), (SEP,))
    return EncodedCorpus(ids, boundaries(lengths), boundaries(counts), template, "hand")


def big(seed: int = 0, documents: int = 600) -> EncodedCorpus:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, documents)
    return corpus_of([rng.integers(1, 40, size).tolist() for size in sizes])


def check(pairs: Pairs) -> None:
    corpus = pairs.corpus
    ends = pairs.starts + pairs.lengths
    bounds = corpus.sentences[corpus.documents]
    for side in (0, 1):  # within the document that is said
        assert (bounds[pairs.documents[:, side]] <= pairs.starts[:, side]).all()
        assert (ends[:, side] <= bounds[pairs.documents[:, side] + 1]).all()
    assert (pairs.lengths >= 1).all()
    assert (pairs.lengths.sum(axis=1) + 3 <= pairs.max_length).all()
    assert (pairs.is_random == (pairs.documents[:, 0] != pairs.documents[:, 1])).all()
    true = ~pairs.is_random
    assert (ends[true, 0] <= pairs.starts[true, 1]).all()


@settings(deadline=None, max_examples=60)
@given(
    documents=st.lists(
        st.lists(st.integers(1, 30), min_size=1, max_size=6), min_size=2, max_size=6
    ),
    max_length=st.integers(5, 60),
    seed=st.integers(0, 99),
)
def test_segments_are_sentences_of_one_document_each(
    documents: list[list[int]], max_length: int, seed: int
) -> None:
    corpus = corpus_of([*documents, [3, 4]])
    check(make_pairs(corpus, max_length, seed))


def test_half_are_true_and_a_tenth_are_short() -> None:
    pairs = make_pairs(big(), 64, 0)
    check(pairs)
    assert len(pairs) > 1000
    assert pairs.is_random.mean() == pytest.approx(0.5, abs=0.04)
    whole = make_pairs(corpus_of([[1] * 20000] * 3), 64, 0)  # no document's end in the way
    shorter = whole.lengths.sum(axis=1) < 61
    assert shorter[~whole.is_random].mean() == pytest.approx(0.1, abs=0.04)


def test_without_cuts_true_segments_are_neighbours_and_what_is_not_used_comes_back() -> None:
    corpus = corpus_of([[2] * 9, [2] * 9, [2] * 9])
    pairs = make_pairs(corpus, 19, 4, short=0.0)
    ends = pairs.starts + pairs.lengths
    true = ~pairs.is_random
    assert true.any()
    assert pairs.is_random.any()
    assert (ends[true, 0] == pairs.starts[true, 1]).all()
    for row in range(len(pairs) - 1):
        if pairs.documents[row, 0] == pairs.documents[row + 1, 0]:
            side = 0 if pairs.is_random[row] else 1
            assert pairs.starts[row + 1, 0] == ends[row, side]


def test_a_random_segment_never_begins_as_the_true_next_one() -> None:
    corpus = corpus_of([[2, 2, 2], [2, 2, 2]])
    same = EncodedCorpus(
        np.array([1, 1, 2, 2, 3, 3, 9, 9, 2, 2, 3, 3], np.int32),
        corpus.sentences,
        corpus.documents,
        corpus.template,
        "hand",
    )
    for seed in range(200):
        pairs = make_pairs(same, 7, seed)
        for row in np.flatnonzero(pairs.is_random):
            end = pairs.starts[row, 0] + pairs.lengths[row, 0]
            following = same.ids[end : end + 2].tolist()
            start = pairs.starts[row, 1] // 2 * 2  # of the sentence, of which an end may be cut
            assert same.ids[start : start + 2].tolist() != following


def test_inputs_are_the_tokens_between_special_ones() -> None:
    pairs = make_pairs(corpus_of([[2, 3], [4, 4]]), 20, 1, short=0.0)
    sequences = pairs.sequences(np.arange(len(pairs)))
    for row in range(len(pairs)):
        (a, b), (n, m) = pairs.starts[row], pairs.lengths[row]
        ids = pairs.corpus.ids
        expected = [CLS, *ids[a : a + n], SEP, *ids[b : b + m], SEP]
        assert (
            sequences.ids[sequences.offsets[row] : sequences.offsets[row + 1]].tolist() == expected
        )
        assert sequences.first[row] == n + 2


def test_a_seed_says_all() -> None:
    corpus = big(1, 40)
    one, same, other = (make_pairs(corpus, 64, seed) for seed in (1, 1, 2))
    assert one.starts.tolist() == same.starts.tolist()
    assert one.starts.tolist() != other.starts.tolist()


@pytest.mark.parametrize(
    ("documents", "max_length", "reason"),
    [
        ([[3], [4]], 20, "No document of the corpus has two sentences"),
        ([[3, 4]], 20, "The corpus is one document"),
        ([[3, 4], [5]], 4, "leaves no room for two segments. Choose 5 at least"),
    ],
)
def test_a_corpus_that_makes_no_pairs_is_told(
    documents: list[list[int]], max_length: int, reason: str
) -> None:
    with pytest.raises(RelevanceError, match=reason):
        make_pairs(corpus_of(documents), max_length, 0)


def test_places_of_texts_leave_special_ids_and_padding_out() -> None:
    pairs = make_pairs(corpus_of([[2, 3], [4, 4], [1, 1]]), 20, 1, short=0.0)
    sequences = pairs.sequences(np.arange(len(pairs)))
    places = text_places(sequences)
    for row in range(len(pairs)):
        ids = sequences.ids[sequences.offsets[row] : sequences.offsets[row + 1]]
        assert places[row, : len(ids)].tolist() == (ids >= 1000).tolist()
        assert not places[row, len(ids) :].any()
