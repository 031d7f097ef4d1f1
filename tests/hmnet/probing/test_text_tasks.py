"""Probing tasks of plain sentences."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmnet.probing.text_tasks import (
    LENGTHS,
    bigram_shift,
    sentence_length,
    word_content,
    words,
)
from relevance.errors import RelevanceError


@given(st.text())
def test_words_lose_nothing_but_spaces(text: str) -> None:
    assert "".join(words(text)) == "".join(text.split())


def test_words_of_other_scripts_stay_whole() -> None:
    assert words("«مرحبا» नमस्ते!") == ["«", "مرحبا", "»", "नमस्ते", "!"]


def test_lengths_go_into_six_bins_and_others_are_left_out() -> None:
    sentences = [" ".join(["word"] * count) for count in range(1, 40)]
    found = {len(sentence.split()): label for label, sentence in sentence_length(sentences, 0)}
    assert sorted(found) == list(range(5, 29))
    for code, (least, most) in enumerate(LENGTHS):
        assert {found[count] for count in range(least, most + 1)} == {str(code)}


def test_shifted_sentences_differ_by_one_pair_of_words() -> None:
    originals = [f"Number {n} of the many small tests , said one !" for n in range(400)]
    found = list(bigram_shift(originals, seed=0))
    assert 150 < Counter(label for label, _ in found)["I"] < 250
    for original, (label, sentence) in zip(originals, found, strict=True):
        before, after = original.split(), sentence.split()
        places = [
            place for place, pair in enumerate(zip(before, after, strict=True)) if len({*pair}) > 1
        ]
        assert label == ("I" if places else "O")
        if places:
            first, second = places
            assert second == first + 1
            assert (before[first], before[second]) == (after[second], after[first])
            # neither a capital nor a sign in a strange place tells it
            assert first > 0
            assert {before[first], before[second]}.isdisjoint({",", "!"})
    assert found == list(bigram_shift(originals, seed=0))
    assert found != list(bigram_shift(originals, seed=1))


def test_sentences_that_cannot_be_shifted_are_left_out() -> None:
    # one word, a pair of equal words behind the first, and signs between all words
    assert list(bigram_shift(["Hello !", "It ha Ha .", "Well , yes , no ."], 0)) == []


def _name(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in f"{number:05}")


def test_word_content_takes_the_thousand_behind_the_most_frequent() -> None:
    frequent = [_name(number) for number in range(2000)]
    asked = [f"q{_name(number)}" for number in range(1000)]
    sentences = [" ".join(frequent)] * 9
    sentences += [f"{word} x{number}" for word in asked for number in range(4)]
    sentences += [f"{asked[0]} {asked[1]}"]  # two of them
    found = list(word_content(sentences, 0))
    assert Counter(label for label, _ in found) == dict.fromkeys(asked, 4)
    assert all(sentence.split()[0] == label for label, sentence in found)


def test_too_little_text_for_a_thousand_words_is_one_line() -> None:
    with pytest.raises(RelevanceError, match=r"needs 1,000 words .* 0 are there at most"):
        list(word_content(["just a few words"] * 5, 0))
