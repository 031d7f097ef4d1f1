"""Texts apart: what the tokenizer itself makes of each text alone, whatever the family."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoConfig, AutoTokenizer

from hmnet.data.batching import collate, input_form, texts_apart
from hmnet.data.encoder import Encoder
from hmnet.data.template import Sequences

FIRST = ["the dog runs", "", "a woman plays the guitar in the city"]
SECOND = ["yes", "who is it", ""]
THIRD = ["no", "very good", "bad"]


@pytest.fixture(params=["bert", "roberta", "deberta-v2"])
def tokenizer(request: pytest.FixtureRequest, tiny_backbones: dict[str, Path]) -> Any:
    return AutoTokenizer.from_pretrained(tiny_backbones[request.param])


def rows_of(sequences: Sequences) -> list[list[int]]:
    return [ids.tolist() for ids in np.split(sequences.ids, sequences.offsets[1:-1])]


def test_each_text_is_as_the_tokenizer_makes_it(tokenizer: Any) -> None:
    encoded = Encoder.of(tokenizer).encode([FIRST, SECOND], 100)
    apart = rows_of(texts_apart(encoded, np.array([2, 0, 1])))
    texts = [FIRST[2], SECOND[2], FIRST[0], SECOND[0], FIRST[1], SECOND[1]]
    assert apart == tokenizer(texts)["input_ids"]


def test_a_missing_second_text_is_an_empty_one(tokenizer: Any) -> None:
    encoded = Encoder.of(tokenizer).encode([FIRST], 100)
    apart = rows_of(texts_apart(encoded, np.arange(3)))
    assert apart[::2] == tokenizer(FIRST)["input_ids"]
    assert apart[1::2] == tokenizer([""] * 3)["input_ids"]


def test_of_three_texts_the_first_stands_alone(tokenizer: Any) -> None:
    encoder = Encoder.of(tokenizer)
    apart = rows_of(texts_apart(encoder.encode([FIRST, SECOND, THIRD], 100), np.arange(3)))
    assert apart[::2] == tokenizer(FIRST)["input_ids"]
    assert apart[1::2] == rows_of(encoder.encode([SECOND, THIRD], 100))


def test_what_gave_way_stays_out(tokenizer: Any) -> None:
    """The longest text loses its last tokens; the pair as a whole keeps to the length."""
    encoder = Encoder.of(tokenizer)
    room = 8
    apart = texts_apart(encoder.encode([FIRST, SECOND], room), np.arange(3))
    assert (apart.lengths.reshape(-1, 2).sum(axis=1) <= room + 2).all()
    whole = tokenizer(FIRST[2])["input_ids"]
    cut = rows_of(apart)[4]
    assert len(cut) < len(whole)
    assert cut[:-1] == whole[: len(cut) - 1]


def test_a_batch_has_two_inputs_per_row(tiny_backbones: dict[str, Path]) -> None:
    for family in ("bert", "roberta"):
        tokenizer = AutoTokenizer.from_pretrained(tiny_backbones[family])
        encoded = Encoder.of(tokenizer).encode([FIRST, SECOND], 100)
        config = AutoConfig.from_pretrained(tiny_backbones[family])
        batch = collate(encoded, np.array([0, 2]), **input_form(config, apart=True))
        texts = [FIRST[0], SECOND[0], FIRST[2], SECOND[2]]
        expected = tokenizer(texts, padding=True, return_tensors="np")
        for name in ("input_ids", "attention_mask"):
            assert batch[name].shape[:2] == (2, 2)
            assert batch[name].flatten(0, 1).tolist() == expected[name].tolist()
        assert ("token_type_ids" in batch) == (family == "bert")
        assert not batch.get("token_type_ids", np.zeros(1)).any()
