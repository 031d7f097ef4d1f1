"""What is no whole tokenizer of its checkpoint is refused, whatever transformers makes of it."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoConfig, AutoTokenizer

from encoders import BERT_STYLE, make_tokenizer
from hmnet.data.encoder import Encoder
from hmnet.data.tokenizer import read_tokenizer
from hmnet.prepared import encode_split
from relevance.errors import RelevanceError
from relevance.tasks.data import Split
from relevance.text.tokenizers import load_tokenizer
from toys import toy

NONE = "{} holds no tokenizer. Copy tokenizer.json and tokenizer_config.json there."
MADE_UP = (
    *("bert", "roberta", "distilbert", "electra", "deberta-v2", "convbert", "ernie", "big_bird"),
    *("camembert", "xlm-roberta", "mpnet", "roformer", "albert", "fnet", "modernbert", "xlnet"),
)
SPECIAL = list(BERT_STYLE.values())
UNCASED = [*SPECIAL, "the", "quick", "fox", "a", "##b", "b", "c"]
CASED = [*UNCASED, "The", "Quick"]


def folder_of(folder: Path, family: str = "bert", rows: int = 1000, **files: Any) -> Path:
    """A folder with a configuration and some files; `tokenizer__json` stands for its name."""
    folder.mkdir(exist_ok=True)
    config = AutoConfig.for_model(family, vocab_size=rows)
    (folder / "config.json").write_text(config.to_json_string(), encoding="utf-8")
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(RelevanceError) as caught:
        read_tokenizer(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def definition(**changes: Any) -> dict[str, Any]:
    """The JSON of a WordPiece tokenizer with some entries changed."""
    whole: dict[str, Any] = json.loads(make_tokenizer("bert").backend_tokenizer.to_str())
    return whole | changes


@pytest.mark.parametrize("family", MADE_UP)
@pytest.mark.parametrize("files", [{}, {"tokenizer_config__json": {"model_max_length": 64}}])
def test_a_folder_without_a_tokenizer(tmp_path: Path, family: str, files: dict[str, Any]) -> None:
    folder = folder_of(tmp_path, family, **files)
    assert refused(folder) == NONE.format(folder)


def test_a_vocabulary_of_another_family_is_none(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "xlm-roberta", vocab__txt="\n".join(UNCASED))
    assert refused(folder) == NONE.format(folder)
    (folder / "sentencepiece.bpe.model").write_bytes(b"no model")
    assert "holds no tokenizer that can be read: " in refused(folder)


def test_half_of_a_vocabulary(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "roberta", vocab__json={"<s>": 0, "a": 1})
    assert "holds no tokenizer that can be read: `vocab` and `merges` must" in refused(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "tokenizer.json is no tokenizer: EOF"),
        (json.dumps(definition())[:900], "tokenizer.json is no tokenizer: "),
        ("[]", "tokenizer.json is no tokenizer: "),
        ("null", "tokenizer.json is no tokenizer: "),
        (definition(model={"type": "Foo"}), "tokenizer.json is no tokenizer: "),
        (
            definition(pre_tokenizer={"type": "Split", "pattern": {"Regex": "(("}}),
            "tokenizer.json is no tokenizer: ",
        ),
        (
            {key: value for key, value in definition().items() if key != "added_tokens"},
            "holds no tokenizer that can be read: ",
        ),
        (
            definition(model=definition()["model"] | {"vocab": {"a": 0}}, added_tokens=[]),
            "Missing [UNK] token",
        ),
    ],
)
def test_damaged_definitions(tmp_path: Path, content: Any, reason: str) -> None:
    assert reason in refused(folder_of(tmp_path, tokenizer__json=content))


@pytest.mark.parametrize("content", ["{", "[]", {"tokenizer_class": 7}])
def test_damaged_settings(tmp_path: Path, content: Any) -> None:
    folder = folder_of(tmp_path, tokenizer__json=definition(), tokenizer_config__json=content)
    assert "holds no tokenizer that can be read: " in refused(folder)


@pytest.mark.parametrize("settings", [{}, {"tokenizer_config__json": {"do_lower_case": True}}])
def test_a_vocabulary_of_words_is_a_whole_tokenizer(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    folder = folder_of(tmp_path, vocab__txt="\n".join(UNCASED), **settings)
    tokenizer = read_tokenizer(folder)
    assert tokenizer.convert_ids_to_tokens(tokenizer("The ab")["input_ids"]) == [
        *("[CLS]", "the", "a", "##b", "[SEP]")
    ]


@pytest.mark.parametrize("missing", ["[CLS]", "[SEP]"])
def test_a_vocabulary_without_a_special_token(tmp_path: Path, missing: str) -> None:
    words = [word for word in UNCASED if word != missing]
    message = refused(folder_of(tmp_path, vocab__txt="\n".join(words)))
    assert f"its vocabulary lacks {missing}" in message


@pytest.mark.parametrize(
    ("words", "settings", "message"),
    [
        (CASED, {}, "its vocabulary is cased ('Quick'). Set do_lower_case to false"),
        (CASED, {"do_lower_case": True}, "its vocabulary is cased ('Quick')"),
        (CASED, {"do_lower_case": False}, None),
        (UNCASED, {"do_lower_case": False}, "its vocabulary has none"),
    ],
)
def test_casing(
    tmp_path: Path, words: list[str], settings: dict[str, Any], message: str | None
) -> None:
    files = {"tokenizer_config__json": settings} if settings else {}
    folder = folder_of(tmp_path, vocab__txt="\n".join(words), **files)
    if message is None:
        assert read_tokenizer(folder).tokenize("The Quick fox") == ["The", "Quick", "fox"]
    else:
        assert message in refused(folder)


def test_settings_that_make_another_tokenizer(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, tokenizer__json=definition(), tokenizer_config__json={"do_lower_case": False}
    )
    message = refused(folder)
    assert "its settings make '[UNK] " in message
    assert "where tokenizer.json itself makes 'the " in message


def test_no_special_tokens_around_a_text(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        tokenizer__json=definition(post_processor=None),
        tokenizer_config__json={"tokenizer_class": "TokenizersBackend"},
    )
    assert "it has [CLS], but puts no special tokens around a text" in refused(folder)


def test_more_tokens_than_vectors(tiny_bert: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "added")
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    rows = len(tokenizer)
    tokenizer.add_tokens(["sauté"])
    tokenizer.save_pretrained(folder)
    assert refused(folder) == (
        f"The tokenizer in {folder} has the token {rows} ('sauté'), but there are vectors for"
        f" {rows} tokens only: they belong to another tokenizer. Copy that of the checkpoint there,"
        " or take the added tokens out."
    )


def test_every_tested_family_has_a_whole_tokenizer(tiny_backbones: dict[str, Path]) -> None:
    for folder in tiny_backbones.values():
        assert len(read_tokenizer(folder)) == len(AutoTokenizer.from_pretrained(folder))


def test_texts_that_a_tokenizer_does_not_know(tiny_bert: Path) -> None:
    task = toy("TONE")
    tokenizer = read_tokenizer(tiny_bert)

    def encoded(texts: list[str]) -> None:
        split = Split((tuple(texts),), np.zeros(len(texts), dtype=np.int64))
        encode_split(task, split, tokenizer, 64)

    encoded(["the dog runs 日 本", "no"])
    with pytest.raises(RelevanceError, match=r"^Task 'TONE': 91% of the tokens are unknown to"):
        encoded(["日 本 語 日 本 語 日 本 語 日 本 語 the dog", "日 本 語 日 本 語 日 本 語"])


def test_a_pattern_that_gives_up(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pattern = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated"}
    whole = definition(pre_tokenizer=pattern | {"invert": False})
    hard = "a" * 40 + "b"
    with pytest.raises(RelevanceError, match=r"tokenizer fails on one of 1 texts.*aaa"):
        Encoder(json.dumps(whole)).encode([[hard]], 64)
    (tmp_path / "tokenizer.json").write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(RelevanceError, match=r"fails on one of 1 texts.*aaa"):
        load_tokenizer(str(tmp_path)).token_ids([hard])
    print("still heard", file=sys.stderr)
    assert capfd.readouterr().err == "still heard\n"
