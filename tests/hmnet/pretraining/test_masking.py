from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, DataCollatorForLanguageModeling, PreTrainedTokenizerBase

from hmnet.pretraining.masking import IGNORED, Masking, shift
from relevance.errors import RelevanceError

MASK = 4
WORDS = np.arange(5, 2005)


@pytest.fixture
def tokenizer(tiny_bert: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny_bert)


def rows(lengths: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [CLS] ... [SEP] and padding, and where their texts are."""
    width = max(lengths) + 2
    ids, places = np.zeros((len(lengths), width), np.int64), np.zeros((len(lengths), width), bool)
    for row, length in enumerate(lengths):
        ids[row, : length + 2] = [2, *np.random.default_rng(row).choice(WORDS, length), 3]
        places[row, 1 : length + 1] = True
    return ids, places


@pytest.mark.parametrize("cap", [None, 1, 5])
def test_every_input_has_its_exact_number_of_masks(cap: int | None) -> None:
    lengths = [1, 2, 3, 4, 10, 20, 30, 61, 125]
    ids, places = rows(lengths)
    before = ids.copy()
    hidden = Masking(MASK, WORDS, cap=cap).hide(ids, places, np.random.default_rng(0))
    counts = (hidden.labels != IGNORED).sum(axis=1).tolist()
    expected = [max(1, round(0.15 * length)) for length in lengths]
    assert counts == [min(count, cap or count) for count in expected]
    assert (ids == before).all()
    asked = hidden.labels != IGNORED
    assert (hidden.labels[asked] == ids[asked]).all()
    assert (hidden.ids[~asked] == ids[~asked]).all()
    assert not asked[~places].any()


def test_masks_are_shared_out_as_transformers_does(tokenizer: PreTrainedTokenizerBase) -> None:
    masking = Masking.of(tokenizer)
    words = masking.words
    assert set(words).isdisjoint(tokenizer.all_special_ids)
    ids = np.random.default_rng(1).choice(words, (400, 102))
    ids[:, 0], ids[:, -1] = tokenizer.cls_token_id, tokenizer.sep_token_id
    places = np.ones(ids.shape, bool)
    places[:, [0, -1]] = False
    ours = masking.hide(ids, places, np.random.default_rng(2))
    collator = DataCollatorForLanguageModeling(tokenizer, seed=3)
    found = collator([{"input_ids": row} for row in torch.from_numpy(ids)])
    theirs = found["input_ids"].numpy(), found["labels"].numpy()
    for hidden, labels in (ours, theirs):
        asked = labels != IGNORED
        kept = (hidden == ids)[asked].mean()
        masked = (hidden == masking.mask_id)[asked].mean()
        assert asked[places.nonzero()].mean() == pytest.approx(0.15, abs=0.006)
        assert masked == pytest.approx(0.8, abs=0.02)
        # a random word is the very token once in as many as there are words
        assert kept == pytest.approx(0.1 + 0.1 / len(words), abs=0.015)
    per_place = (ours.labels != IGNORED).mean(axis=0)[1:-1]
    assert per_place == pytest.approx(np.full(100, 0.15), abs=0.08)
    assert (per_place[:50].mean(), per_place[50:].mean()) == pytest.approx((0.15, 0.15), abs=0.01)


def test_pairs_are_swapped_by_hand() -> None:
    ids = np.array([[2, 7, 8, 3, 9, 9, 3, 0]])
    places = np.array([[0, 1, 1, 0, 1, 1, 0, 0]], bool)
    hidden = shift(ids, places, np.random.default_rng(0), share=1.0)
    # 7 8 are the one pair: 9 9 are equal, and 8 and 9 stand on two sides of [SEP]
    assert hidden.ids.tolist() == [[2, 8, 7, 3, 9, 9, 3, 0]]
    assert hidden.labels.tolist() == [[-100, 1, 1, -100, 0, 0, -100, -100]]


@settings(deadline=None, max_examples=60)
@given(length=st.integers(1, 80), seed=st.integers(0, 99))
def test_a_share_of_neighbours_changes_places(length: int, seed: int) -> None:
    ids, places = rows([length])
    ids[0, 1 : length + 1] = np.arange(10, 10 + length)
    hidden = shift(ids, places, np.random.default_rng(seed))
    assert (hidden.labels == 1).sum() == 2 * round(0.15 * (length - 1))
    assert ((hidden.ids != ids) == (hidden.labels == 1)).all()
    assert sorted(hidden.ids[0]) == sorted(ids[0])
    moved = hidden.ids[hidden.labels == 1].reshape(-1, 2)
    assert (moved[:, 0] == moved[:, 1] + 1).all()


def test_what_stands_there_after_a_swap_is_asked_for() -> None:
    ids, places = rows([60])
    rng = np.random.default_rng(0)
    swapped = shift(ids, places, rng)
    masked = Masking(MASK, WORDS).hide(swapped.ids, places, rng)
    asked = masked.labels != IGNORED
    assert (masked.labels[asked] == swapped.ids[asked]).all()


def test_settings_out_of_range_are_told(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(RelevanceError, match="not above 0"):
        Masking.of(tokenizer, share=0.0)
    with pytest.raises(RelevanceError, match="At most 0 masked"):
        Masking.of(tokenizer, cap=0)
    tokenizer.mask_token = None
    with pytest.raises(RelevanceError, match="no mask token"):
        Masking.of(tokenizer)
