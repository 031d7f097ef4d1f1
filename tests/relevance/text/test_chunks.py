"""Chunks are cut where BERT's normaliser sees white space, and packed by how often they occur."""

from hypothesis import given
from hypothesis import strategies as st

from relevance.text.chunks import batches, packed_chunks, packed_counts


def test_each_chunk_is_encoded_once() -> None:
    texts = ["the cat", "the\tcat ", "cat\u3000sat", "a\x1cb"]
    chunks = " ".join(packed_chunks(texts)).split(" ")
    assert sorted(chunks) == ["a\x01b", "cat", "sat", "the"]
    assert packed_counts(texts) == {"the": 2, "cat": 3, "sat a\x01b": 1}


@given(st.lists(st.text(alphabet="ab \t", max_size=8), max_size=8))
def test_packed_by_frequency_no_chunk_is_lost(texts: list[str]) -> None:
    packed = packed_counts(texts)
    words = " ".join(texts).split()
    assert {word: times for text, times in packed.items() for word in text.split()} == {
        word: words.count(word) for word in words
    }


def test_long_packs_are_cut() -> None:
    words = [f"word{number}" for number in range(2_000)]
    packed = packed_counts([" ".join(words)])
    assert len(packed) > 1
    assert max(map(len, packed)) < 6_000
    assert sorted(" ".join(packed).split()) == sorted(words)


def test_batches_keep_every_text_in_order() -> None:
    assert list(batches([], 3)) == []
    assert list(batches(["", "abc", "", "d"], 3)) == [["", "abc"], ["", "d"]]
