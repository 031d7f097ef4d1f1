"""Encoded splits and their cache: used again, and never trusted when something is wrong with it."""

import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from hmnet.data.encoded import Encoded
from hmnet.data.encoder import Encoder
from hmnet.data.template import Sequences
from hmnet.kinds.kind import kind_of
from hmnet.prepared import encode_split
from relevance.disk.files import cache_dir
from relevance.errors import RelevanceError
from relevance.tasks.data import Split
from relevance.tasks.find import catalogue
from relevance.tasks.packed import Packed
from samples import sample
from toys import toy

TASK = toy("QA", text=("question", "passage"), truncate="passage")
SPLIT = Split(
    texts=(["who plays", "what runs", "who plays"], ["a man plays " * 9, "", "a dog"]),
    labels=np.array([1, 0, 1]),
    groups=np.array([0, 0, 1]),
)


@pytest.fixture
def tokenizer(tiny_bert: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny_bert)


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that texts are encoded rather than read."""
    calls: list[int] = []
    encode = Encoder.encode

    def counted(*args: Any) -> Sequences:
        calls.append(1)
        return encode(*args)

    monkeypatch.setattr(Encoder, "encode", counted)
    return calls


def same(a: Encoded, b: Encoded) -> bool:
    arrays = ("ids", "offsets", "first", "labels", "groups")
    return a.fingerprint == b.fingerprint and all(
        np.array_equal(getattr(a, name), getattr(b, name))
        and getattr(a, name).dtype == getattr(b, name).dtype
        for name in arrays
    )


def test_rows_are_encoded_once(tokenizer: PreTrainedTokenizerBase, encodings: list[int]) -> None:
    first = encode_split(TASK, SPLIT, tokenizer, 16)
    second = encode_split(TASK, SPLIT, tokenizer, 16)

    assert same(first, second)
    assert len(encodings) == 1
    assert first.lengths.tolist() == [16, 5, 7]
    assert first.ids.dtype == np.int32
    assert first.labels.tolist() == [1, 0, 1]


def test_what_changes_the_ids_changes_the_key(
    tokenizer: PreTrainedTokenizerBase, tiny_backbones: dict[str, Path]
) -> None:
    other_split = Split(SPLIT.texts, 1 - SPLIT.labels, SPLIT.groups)
    encoded = [
        encode_split(TASK, SPLIT, tokenizer, 16),
        encode_split(TASK, SPLIT, tokenizer, 17),
        encode_split(TASK, other_split, tokenizer, 16),
        encode_split(TASK.model_copy(update={"truncate": None}), SPLIT, tokenizer, 16),
        encode_split(TASK, SPLIT, AutoTokenizer.from_pretrained(tiny_backbones["roberta"]), 16),
    ]

    assert len({one.fingerprint for one in encoded}) == 5


@pytest.mark.parametrize("name", ["tokens.bin", "rows.npy", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "garble", "empty", "remove"])
def test_a_damaged_entry_is_computed_again(
    name: str, damage: str, tokenizer: PreTrainedTokenizerBase, encodings: list[int]
) -> None:
    whole = deepcopy(encode_split(TASK, SPLIT, tokenizer, 16))  # else mapped from the file
    file = cache_dir() / "encoded" / whole.fingerprint / name
    content = file.read_bytes()
    middle = len(content) // 2
    damaged = {
        "cut": content[:middle],
        "garble": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "empty": b"",
    }
    file.write_bytes(damaged[damage]) if damage in damaged else file.unlink()

    assert same(encode_split(TASK, SPLIT, tokenizer, 16), whole)
    assert len(encodings) == 2
    assert same(encode_split(TASK, SPLIT, tokenizer, 16), whole)
    assert len(encodings) == 2


def test_arrays_of_another_making_are_not_taken(
    tokenizer: PreTrainedTokenizerBase, encodings: list[int]
) -> None:
    whole = encode_split(TASK, SPLIT, tokenizer, 16)
    manifest = cache_dir() / "encoded" / whole.fingerprint / "manifest.json"
    manifest.write_text(json.dumps({"schema": "relevance.encoded/3"}))

    assert same(encode_split(TASK, SPLIT, tokenizer, 16), whole)
    assert len(encodings) == 2


@pytest.mark.parametrize("name", ["COPA", "ReCoRD", "SQuAD", "WiC", "WNUT-17", "RTE"])
def test_rows_in_blocks_are_encoded_as_in_one(
    name: str, tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind, windows and alternatives among them, and what a batch reads of it."""
    task = catalogue()[name]
    split = sample(task, 20)
    encoder, kind = Encoder.of(tokenizer), kind_of(task)
    whole = kind.encode(split.texts, encoder, 10)
    monkeypatch.setattr("hmnet.prepared.FIRST_ROWS", 3)
    monkeypatch.setattr("hmnet.prepared.BLOCK_TOKENS", 100)
    found = encode_split(task, split, tokenizer, 10)
    assert len(found) == len(whole)
    assert (len(found) > len(split)) == (name == "SQuAD")
    for field in ("ids", "offsets", "first"):
        assert np.array_equal(getattr(found, field), getattr(whole, field)), field
    if whole.alignment is not None:
        assert found.alignment is not None
        for field in ("rows", "begins", "ends"):
            assert np.array_equal(getattr(found.alignment, field), getattr(whole.alignment, field))


def test_memory_of_encoding_does_not_grow_with_tokens(
    tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a row of 64 tokens, 256 bytes of ids, only its label, length and place are held."""
    monkeypatch.setattr("hmnet.prepared.BLOCK_TOKENS", 2_048)
    few, many = (traced(tokenizer, rows) for rows in (256, 1_280))
    held, most = ((b - a) / 1_024 for a, b in zip(few, many, strict=True))
    assert held < 64
    assert most < 160


def traced(tokenizer: PreTrainedTokenizerBase, rows: int) -> tuple[int, int]:
    """Bytes that encoded rows take beside their texts, and at the peak."""
    texts = Packed(f"a man {number} " + "plays " * 80 for number in range(rows))
    split = Split((texts, Packed([""] * rows)), np.zeros(rows, dtype=np.int64))
    tracemalloc.start()
    try:
        encoded = encode_split(TASK, split, tokenizer, 64)
        assert len(encoded.ids) == 64 * rows
        return tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()


def test_several_writers_at_once(tokenizer: PreTrainedTokenizerBase) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: encode_split(TASK, SPLIT, tokenizer, 16), range(8)))

    assert all(same(one, found[0]) for one in found)
    folder = cache_dir() / "encoded" / found[0].fingerprint
    assert {file.name for file in folder.iterdir()} == {"tokens.bin", "rows.npy", "manifest.json"}


def test_a_cache_that_cannot_be_written(tokenizer: PreTrainedTokenizerBase) -> None:
    cache_dir().mkdir()
    (cache_dir() / "encoded").write_text("a file where a folder should be")

    with pytest.raises(RelevanceError, match="cannot be written: "):
        encode_split(TASK, SPLIT, tokenizer, 16)


def test_take(tokenizer: PreTrainedTokenizerBase) -> None:
    encoded = encode_split(TASK, SPLIT, tokenizer, 16)
    order = np.array([2, 0])

    taken = encoded.take(order)

    direct = encode_split(TASK, SPLIT.take(order), tokenizer, 16)
    assert taken.fingerprint != encoded.fingerprint
    assert np.array_equal(taken.ids, direct.ids)
    assert np.array_equal(taken.offsets, direct.offsets)
    assert np.array_equal(taken.first, direct.first)
    assert np.array_equal(taken.labels, direct.labels)
    assert np.array_equal(taken.groups, direct.groups)
