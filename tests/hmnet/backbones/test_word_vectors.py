"""Files of word vectors: what is read of them, and every fault in one line."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmnet.backbones import vector_folder
from hmnet.backbones.folder import resolve_backbone
from hmnet.backbones.token_vectors import read_token_vectors
from hmnet.backbones.word_vectors import read_word_vectors, write_word_vectors
from hmnet.data.encoder import Encoder
from hmnet.data.tokenizer import read_tokenizer
from relevance.errors import RelevanceError

PAIR = ["the 1 2", "dog 3 4"]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELEVANCE_CACHE", str(tmp_path / "cache"))


def written(folder: Path, rows: Sequence[str], header: str | None = None) -> Path:
    path = folder / "words.vec"
    lines = [header or f"{len(rows)} 2", *rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def table(path: Path) -> dict[str, list[float]]:
    """Vectors by token, as the encoder has them."""
    found = read_token_vectors(str(path))
    codes = read_tokenizer(resolve_backbone(str(path))).get_vocab()
    return {word: found.vectors[code].tolist() for word, code in codes.items()}


def test_an_unknown_word_is_the_mean_vector(tmp_path: Path) -> None:
    found = table(written(tmp_path, ["the 1 2", "dog 3 -4", "cat 2 8"]))
    assert found["dog"] == [3, -4]
    assert found["[UNK]"] == [2, 2]
    assert found["[PAD]"] == [0, 0]
    assert found["[CLS]"] != found["[SEP]"]


def test_words_are_those_of_texts_and_the_first_row_counts(tmp_path: Path) -> None:
    rows = [
        *("Us 1 1", "us 2 2", "us 3 3", "US 4 4"),  # in lower case goes before what becomes it
        *("Paris 5 5", "PARIS 6 6"),  # which counts where there is no other
        *("don't 7 7", "</s> 8 8", "[CLS] 9 9"),  # no text has these as one word
        *("שלום 10 10", "😀 11 11", "caf\u00e9 12 12", "\u00a0 13 13", "中 14 14"),
    ]
    found = table(written(tmp_path, rows))
    words = {word: vector[0] for word, vector in found.items() if not word.startswith("[")}
    assert words == {"us": 2, "paris": 5, "שלום": 10, "😀": 11, "caf\u00e9": 12, "中": 14}
    assert found["[UNK]"] == pytest.approx([9, 9])


def test_texts_are_read_in_lower_case_with_their_accents(tmp_path: Path) -> None:
    path = written(tmp_path, ["the 1 2", "caf\u00e9 3 4", "cafe 5 6", "! 7 8", "😀 9 1"])
    encoder = Encoder.of(read_tokenizer(resolve_backbone(str(path))))
    (ids,) = (encoder.encode([["The CAFE\u0301! xyz cafe 😀"]], 16).ids.tolist(),)
    assert ids == [2, 4, 5, 7, 1, 6, 8, 3]
    pair = encoder.encode([["the"], [""]], 16)
    assert pair.ids.tolist() == [2, 4, 3, 3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n3 2\n", "begins with an empty line"),
        (b"the 1 2\ndog 3 4\n", "begins with 'the 1 2', which is no `N D`"),
        (b"0 2\n", "begins with '0 2'"),
        (b"2 0\nthe\ndog\n", "begins with '2 0'"),
        (b"3 2\nthe 1 2\ndog 3 4\n", "has 2 rows, and its first line says 3"),
        (b"1 2\nthe 1 2\ndog 3 4\n", "has more rows than the 1"),
        (b"2 3\nthe 1 2\ndog 3 4\n", "line 2: a word and 2 numbers, where the first line says 3"),
        (b"2 2\nthe 1 2\ndog 3 4 5\n", "line 3: a word and 3 numbers"),
        (b"2 2\nthe 1 2\n\ndog 3 4\n", "line 3 is empty"),
        (b"2 2\nthe 1 nan\ndog 3 4\n", "line 2: the vector of 'the' has 'nan'"),
        (b"2 2\nthe 1 2\ndog 3 1e60\n", "line 3: the vector of 'dog' has '1e60'"),
        (b"2 2\nthe 1 2\ndog 3 x\n", "line 3: the vector of 'dog' has 'x'"),
        (b"2 2\nthe 1 2\nd\xf6g 3 4\n", "line 3: the word b'd\\xf6g' is not UTF-8"),
        ("2 2\nthe 1 2\n".encode("utf-16"), "is UTF-16"),
        (b"\x1f\x8b\x08 gz", "not text"),
        (b"1 2\nno-word 1 2\n", "has no word that a text can have"),
        (b"2 2\nthe 1 2\ndog 3 1_0\n", "line 3: the vector of 'dog' has '1_0'"),
        ("2 2\nכלב\nthe 1 2\n".encode(), "line 2: a word and 0 numbers"),
        ("2 2\nכלב 3 4 5\nthe 1 2\n".encode(), "line 2: a word and 3 numbers"),
        ("2 2\n😀 nan 2\nthe 1 2\n".encode(), "line 2: the vector of '😀' has 'nan'"),
        (b"2 2\nthe\t1\t2\ndog\t3\t4\n", "line 2: a word and 0 numbers"),
        (b"99999999999 2\nthe 1 2\n", "has 1 rows, and its first line says 99999999999"),
    ],
)
def test_faults_are_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "words.vec"
    path.write_bytes(content)
    with pytest.raises(RelevanceError) as caught:
        resolve_backbone(str(path))
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cache").exists()


def test_what_is_no_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match=r"nowhere.vec"):
        resolve_backbone(str(tmp_path / "nowhere.vec"))


def test_marks_spaces_at_ends_and_empty_lines_behind_are_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "words.vec"
    path.write_bytes(b"\xef\xbb\xbf2 2\r\nthe 1 2 \r\ndog 3 4 \r\n\r\n\n")
    assert table(path)["dog"] == [3, 4]


def test_a_changed_file_is_read_anew_and_an_equal_one_is_found(tmp_path: Path) -> None:
    path = written(tmp_path, PAIR)
    first = resolve_backbone(str(path))
    (tmp_path / "copy.vec").write_bytes(path.read_bytes())
    assert resolve_backbone(str(tmp_path / "copy.vec")) == first
    written(tmp_path, [*PAIR, "cat 5 6"])
    assert resolve_backbone(str(path)) != first
    (first / "model.safetensors").write_bytes(b"damaged")
    vector_folder._made.cache_clear()  # as in the next process
    assert table(tmp_path / "copy.vec")["dog"] == [3, 4]


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=9))
def test_written_vectors_are_read_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    path = tmp_path_factory.mktemp("vectors") / "words.vec"
    vectors = np.array([values, values[::-1]], dtype=np.float32)
    write_word_vectors(path, ["one", "two"], vectors)
    found = read_word_vectors(path, lambda word: word)
    assert found.words == ["one", "two"]
    np.testing.assert_array_equal(found.vectors.view(np.int32), vectors.view(np.int32))
