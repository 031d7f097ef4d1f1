import itertools
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import (
    AddedToken,
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from relevance.text import minilm
from relevance.text.minilm import minilm_dir
from relevance.text.tokenizers import (
    LONE_SURROGATE,
    SubwordTokenizer,
    TextTokenizer,
    WordTokenizer,
    load_tokenizer,
)

UNKNOWN = "<unk>"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
CORPUS = ["the cat sat on the mat", "a mat, the mats!", "cats sit; the cat sat"] * 3
needs_minilm = pytest.mark.skipif(
    find_spec(minilm.PACKAGE) is None, reason="the extra `demo` is not installed"
)


def wordpiece(
    *, normaliser: normalizers.Normalizer | None = None, words: Iterable[str] = ()
) -> Tokenizer:
    """BERT's way of tokenizing with single letters for a vocabulary: few texts become [UNK]."""
    letters = [*"abcdefghijklmnopqrstuvwxyz0123456789", *"[]().,!?-'\"中", "ß"]
    vocabulary = [*SPECIAL, *letters, *("##" + letter for letter in letters), "sep", "ab", *words]
    tokenizer = Tokenizer(models.WordPiece({token: i for i, token in enumerate(vocabulary)}))
    tokenizer.normalizer = normaliser or normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def byte_level_bpe() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def sentencepiece() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=60,
        special_tokens=["<s>", "</s>", UNKNOWN],
        unk_token=UNKNOWN,
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def whole(tokenizer: Tokenizer, texts: Iterable[str]) -> set[int]:
    """The slow way: every text as it stands."""
    return set(whole_counts(tokenizer, texts))


def whole_counts(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[int]:
    """How often each token occurs, the slow way."""
    names = ("[CLS]", "[SEP]", "[PAD]", "<s>", "</s>", "<pad>")
    borders = {tokenizer.token_to_id(token) for token in names}
    return Counter(
        token
        for text in texts
        for token in tokenizer.encode(
            LONE_SURROGATE.sub("\ufffd", text), add_special_tokens=False
        ).ids
        if token not in borders
    )


FRAGMENTS = [
    *("a", "ab", "B", "don't", "é", "e\u0301", "中文", "ß", "İ", "x" * 101, "sep"),
    *("[SEP]", "[CLS]", "[PAD]", "[UNK]", "[MASK]", "[sep]", "[SE", "P]"),
    *(" ", "\t", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\x00"),
    *("\u00a0", "\u1680", "\u2003", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"),
    *("\u200b", "\u200d", "\u00ad", "\ufeff", "\ufffd", "\U000e0001", "\ud800", "\udfff"),
]
TEXTS = st.lists(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join),
        st.text(alphabet=st.characters(categories=("Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Cs"))),
    ),
    max_size=6,
)


@given(TEXTS)
@example(["a\x0bb", "[SE\x0bP]", "\x1c", "[SEP]\x85[UNK]"])
def test_chunks_have_the_tokens_of_whole_texts(texts: list[str]) -> None:
    tokenizer = wordpiece()
    fast = SubwordTokenizer("tiny", tokenizer)
    assert fast.by_chunk
    assert fast.token_ids(texts) == whole(tokenizer, texts)


@given(TEXTS)
@example(["a b a", "a b a", "[SEP] b", "a\x0bb"])
def test_chunks_have_the_tokens_of_whole_texts_as_often(texts: list[str]) -> None:
    tokenizer = wordpiece()
    fast = SubwordTokenizer("tiny", tokenizer)
    assert fast.by_chunk
    assert fast.token_counts(texts * 2) == whole_counts(tokenizer, texts * 2)


@needs_minilm
@given(TEXTS)
def test_chunks_have_the_tokens_of_whole_texts_in_a_real_vocabulary(texts: list[str]) -> None:
    fast = _minilm()
    assert fast.token_ids(texts) == whole(fast.tokenizer, texts)


@pytest.mark.parametrize(
    "normaliser",
    [
        normalizers.BertNormalizer(lowercase=False),
        normalizers.BertNormalizer(lowercase=False, strip_accents=True),
        normalizers.BertNormalizer(handle_chinese_chars=False, strip_accents=False),
    ],
)
@given(texts=TEXTS)
def test_chunks_have_the_tokens_of_whole_texts_however_bert_normalises(
    normaliser: normalizers.Normalizer, texts: list[str]
) -> None:
    tokenizer = wordpiece(normaliser=normaliser)
    fast = SubwordTokenizer("tiny", tokenizer)
    assert fast.by_chunk
    assert fast.token_ids(texts) == whole(tokenizer, texts)


def test_every_space_and_control_character_splits_as_the_normaliser_splits() -> None:
    tokenizer = wordpiece()
    fast = SubwordTokenizer("tiny", tokenizer)
    categories = {"Cc", "Cf", "Zs", "Zl", "Zp"}
    characters = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in categories or chr(code).isspace()
    ]
    assert len(characters) > 200
    joined = fast.token_ids(["ab"])
    for character in characters:
        texts = [f"a{character}b"]
        assert fast.token_ids(texts) == whole(tokenizer, texts), ascii(character)
    assert fast.token_ids(["a\x0bb"]) == joined != fast.token_ids(["a b"])


@pytest.mark.parametrize("make", [byte_level_bpe, sentencepiece])
def test_white_space_inside_tokens_means_whole_texts(make: Callable[[], Tokenizer]) -> None:
    tokenizer = make()
    slow = SubwordTokenizer("tiny", tokenizer)
    texts = ["the cat  sat", "a\x0bmat", "the cat  sat", " mats \ud800", "<s>"]
    assert not slow.by_chunk
    assert slow.token_ids(texts) == whole(tokenizer, texts)
    assert slow.token_counts(texts) == whole_counts(tokenizer, texts)
    assert slow.token_ids(["cat\x0bsat"]) != whole(tokenizer, ["cat", "sat"])


def with_token(token: AddedToken) -> Tokenizer:
    tokenizer = wordpiece()
    tokenizer.add_tokens([token])
    return tokenizer


@pytest.mark.parametrize(
    "tokenizer",
    [
        wordpiece(normaliser=normalizers.BertNormalizer(clean_text=False)),
        wordpiece(normaliser=normalizers.Sequence([normalizers.BertNormalizer()])),
        with_token(AddedToken("a b", special=True, normalized=False)),
        with_token(AddedToken("a\u3000b", special=True, normalized=False)),
        with_token(AddedToken("ab", special=False, normalized=True)),
    ],
)
def test_only_what_is_known_never_to_join_is_chunked(tokenizer: Tokenizer) -> None:
    slow = SubwordTokenizer("tiny", tokenizer)
    texts = ["a b", "a\u3000b", "a\x0bb", "ab \x85"]
    assert not slow.by_chunk
    assert slow.token_ids(texts) == whole(tokenizer, texts)


def test_truncation_and_padding_of_the_file_are_switched_off() -> None:
    tokenizer = wordpiece()
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=8)
    text = "a b c d e f g"
    assert SubwordTokenizer("tiny", tokenizer).token_ids([text]) == whole(wordpiece(), [text])


@needs_minilm
def test_minilm_reads_texts_beyond_its_128_tokens() -> None:
    words = ["cat", "dog", "house", "tree"]
    long = "the " * 200 + " ".join(words)
    assert _minilm().token_ids([long]) == _minilm().token_ids(["the", *words])


def test_borders_are_left_out_and_unknown_tokens_count() -> None:
    tokenizer = wordpiece()
    ids = SubwordTokenizer("tiny", tokenizer).token_ids(["[CLS] [SEP] [PAD] [MASK] ☃"])
    assert ids == {tokenizer.token_to_id("[MASK]"), tokenizer.token_to_id("[UNK]")}


def test_no_text_has_no_tokens() -> None:
    for tokenizer in (SubwordTokenizer("tiny", wordpiece()), WordTokenizer()):
        assert tokenizer.token_ids([]) == tokenizer.token_ids(["", " \x0b"]) == frozenset()


def test_a_text_of_100_000_words_is_encoded_whole() -> None:
    tokenizer = SubwordTokenizer("tiny", wordpiece())
    words = ["".join(pair) for pair in itertools.product("abcdefgh", repeat=2)]
    assert tokenizer.token_ids([" ".join(words * 1600)]) == tokenizer.token_ids(words)


def test_the_fingerprint_follows_what_decides_the_tokens() -> None:
    same = [SubwordTokenizer(name, wordpiece()).fingerprint for name in ("one", "other")]
    truncating = wordpiece()
    truncating.enable_truncation(3)
    assert {*same, SubwordTokenizer("tiny", truncating).fingerprint} == {same[0]}
    cased = wordpiece(normaliser=normalizers.BertNormalizer(lowercase=False))
    assert SubwordTokenizer("tiny", cased).fingerprint != same[0]
    assert SubwordTokenizer("tiny", wordpiece(words=["cd"])).fingerprint != same[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop-it, 'tis 3.5!", ["don't", "stop", "it", "tis", "3", "5"]),
        ("Don\u2019t", ["don\u2019t"]),
        ("ÉCOLE e\u0301cole \ufb01n", ["école", "fin"]),
        ("snake_case x86 100%", ["snake_case", "x86", "100"]),
        ("हिन्दी 日本語。", ["हिन्दी", "日本語"]),
        ("one\u00a0two\u3000three\x0bfour\x85five", ["one", "two", "three", "four", "five"]),
        ("!? -- ''", []),
    ],
)
def test_words_are_lower_cased_runs_of_letters_and_digits(text: str, words: list[str]) -> None:
    tokenizer = WordTokenizer()
    assert tokenizer.token_ids([text]) == frozenset().union(
        *(tokenizer.token_ids([word]) for word in words)
    )
    assert len(tokenizer.token_ids([text])) == len(words)


@given(TEXTS)
def test_words_of_texts_are_the_words_of_each(texts: list[str]) -> None:
    tokenizer: TextTokenizer = WordTokenizer()
    each = [tokenizer.token_ids([text]) for text in texts]
    assert tokenizer.token_ids(texts) == frozenset().union(*each)


@given(TEXTS)
def test_words_are_counted_text_by_text(texts: list[str]) -> None:
    tokenizer: TextTokenizer = WordTokenizer()
    counts = tokenizer.token_counts(texts)
    assert counts.keys() == tokenizer.token_ids(texts)
    each = [tokenizer.token_counts([text]) for text in texts]
    assert counts == sum(each, Counter())
    assert tokenizer.token_counts(["one two One"]) == {
        tokenizer.token_counts(["one"]).popitem()[0]: 2,
        tokenizer.token_counts(["two"]).popitem()[0]: 1,
    }


def test_word_is_a_name() -> None:
    assert isinstance(load_tokenizer("word"), WordTokenizer)


@needs_minilm
def test_minilm_is_a_name_and_its_vocabulary_file_says_the_same() -> None:
    texts = ["Éléphants, naïve CATS and 3.5 dogs \u4e2d[SEP]"]
    from_file = load_tokenizer(str(minilm_dir(weights=False) / "vocab.txt"))
    assert _minilm().by_chunk
    assert from_file.token_ids(texts) == _minilm().token_ids(texts)


def test_a_file_is_called_as_the_user_called_it(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    wordpiece().save(str(path))
    tokenizer = load_tokenizer(str(path))
    assert tokenizer.name == str(path)
    assert tokenizer.fingerprint == SubwordTokenizer("other", wordpiece()).fingerprint


@cache
def _minilm() -> SubwordTokenizer:
    tokenizer = load_tokenizer("minilm")
    assert isinstance(tokenizer, SubwordTokenizer)
    return tokenizer


@pytest.mark.parametrize("make", [wordpiece, byte_level_bpe, sentencepiece])
@given(st.lists(st.text(alphabet="ab c.\x0b\t[]é", max_size=12), max_size=6))
def test_lengths_are_those_of_whole_texts(make: Callable[[], Tokenizer], texts: list[str]) -> None:
    tokenizer = make()
    expected = [len(tokenizer.encode(text, add_special_tokens=False)) for text in texts]
    assert SubwordTokenizer("tiny", tokenizer).token_lengths(texts).tolist() == expected


def test_tokens_around_texts_are_those_of_the_template() -> None:
    tokenizer = wordpiece()
    assert SubwordTokenizer("tiny", tokenizer).borders(2) == 0
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    bert = SubwordTokenizer("tiny", tokenizer)
    assert [bert.borders(parts) for parts in (1, 2, 3)] == [2, 3, 4]
    assert WordTokenizer().borders(2) == 0
