"""Checkpoints that bring code are told from those that do not."""

import json
from pathlib import Path
from typing import Any

import pytest

from relevance.errors import RelevanceError
from relevance.text.own_code import refuse_own_code
from relevance.text.tokenizer_files import read_tokenizer

AUTO_MAP = {"auto_map": {"AutoModel": "evil.X"}}


def written(folder: Path, name: str, content: Any) -> Path:
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "config.5.0.0.json",
        "tokenizer_config.json",
        "processor_config.json",
        "preprocessor_config.json",
        "generation_config.json",
    ],
)
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (AUTO_MAP, "auto_map"),
        ({"auto_map": ["evil.Slow", None]}, "auto_map"),
        ({"text_config": {"layers": [{}, AUTO_MAP]}}, "auto_map"),
        ({"_attn_implementation_internal": "someone/kernel"}, "_attn_implementation_internal"),
        ({"attn_implementation": {"text_config": "a/b@v1:f"}}, "attn_implementation"),
    ],
)
def test_code_is_refused_wherever_it_is_asked_for(
    tmp_path: Path, name: str, content: Any, found: str
) -> None:
    with pytest.raises(RelevanceError) as caught:
        refuse_own_code(written(tmp_path, name, content))
    assert str(caught.value).startswith(f"{tmp_path / name} asks for code")
    assert f"({found})" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", {"model_type": "bert", "_attn_implementation": "sdpa", "auto_map": None}),
        ("tokenizer.json", {"model": {"vocab": {"auto_map": 7}}}),
        ("vocab.json", {"auto_map": 7}),
        ("config.json", [1, "auto_map"]),
    ],
)
def test_other_checkpoints_pass(tmp_path: Path, name: str, content: Any) -> None:
    refuse_own_code(written(tmp_path, name, content))


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "\udcff"])
def test_what_is_no_json_is_left_to_its_reader(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    refuse_own_code(tmp_path)


def test_an_adapter_names_another_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match=r"holds an adapter \(adapter_config\.json\)"):
        refuse_own_code(written(tmp_path, "adapter_config.json", {}))


def test_a_tokenizer_with_code_is_no_source_of_words(tmp_path: Path) -> None:
    written(tmp_path, "tokenizer_config.json", {"auto_map": {"AutoTokenizer": [None, "evil.T"]}})
    (tmp_path / "vocab.txt").write_text("[UNK]\nthe\n", encoding="utf-8")
    with pytest.raises(RelevanceError, match=r"tokenizer_config\.json asks for code"):
        read_tokenizer(str(tmp_path))
