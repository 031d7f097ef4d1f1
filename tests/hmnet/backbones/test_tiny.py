"""The tiny encoder: loads as any backbone, knows its words, equal for equal seeds."""

from pathlib import Path

import torch

from hmnet.backbones.backbone import load_backbone
from hmnet.backbones.tiny import write_tiny_encoder
from hmnet.data.tokenizer import read_tokenizer
from relevance.text.tokenizers import load_tokenizer

TEXTS = ["The blue dax met a wug.", "a wug met the dax"]


def test_it_is_a_backbone_of_the_asked_size(tmp_path: Path) -> None:
    backbone = load_backbone(str(write_tiny_encoder(tmp_path, TEXTS, width=8, depth=2)))
    assert backbone.depth == 2
    assert backbone.config.hidden_size == 8
    assert backbone.has_pooler


def test_every_word_is_a_token_and_other_words_are_unknown(tmp_path: Path) -> None:
    tokenizer = read_tokenizer(write_tiny_encoder(tmp_path, TEXTS))
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("the DAX saw a wug .", "blue")["input_ids"])
    assert tokens == ["[CLS]", "the", "dax", "[UNK]", "a", "wug", ".", "[SEP]", "blue", "[SEP]"]
    assert tokenizer("wug", "dax")["token_type_ids"] == [0, 0, 0, 1, 1]


def test_vocabulary_measures_can_use_its_tokenizer(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(write_tiny_encoder(tmp_path, TEXTS)))
    assert len(tokenizer.token_ids(["the dax", "dax saw"])) == 3


def test_equal_seeds_give_equal_weights_and_the_global_state_is_left_alone(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    folders = [write_tiny_encoder(tmp_path / str(n), TEXTS, seed=n // 2) for n in range(3)]
    assert torch.equal(torch.get_rng_state(), before)
    first, same, other = [(folder / "model.safetensors").read_bytes() for folder in folders]
    assert first == same
    assert first != other
