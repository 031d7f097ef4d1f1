"""A tiny random encoder with a tokenizer of its own, for demos without any pretrained weights."""

from collections.abc import Iterable
from pathlib import Path

import torch
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from hmnet.backbones.auto import quiet

SPECIAL = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}


def write_tiny_encoder(
    folder: Path,
    texts: Iterable[str],
    *,
    width: int = 16,
    depth: int = 3,
    max_length: int = 64,
    seed: int = 0,
) -> Path:
    """Write a BERT with random weights, and a tokenizer that knows the words of some texts.

    Args:
        folder: Folder to write to; made if missing.
        texts: Every word of them becomes a token, in lower case; other words are [UNK].
        width: Size of hidden states, a multiple of 2 as there are two attention heads.
        depth: Number of layers.
        max_length: Most tokens of an input.
        seed: Seed of the weights.

    Returns:
        The folder, which can be given as `--backbone` and as `--tokenizer`.
    """
    tokenizer = _word_tokenizer(texts, max_length)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=depth,
        num_attention_heads=2,
        intermediate_size=2 * width,
        max_position_embeddings=max_length,
    )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = BertModel(config)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def _word_tokenizer(texts: Iterable[str], max_length: int) -> PreTrainedTokenizerFast:
    """One token per word, in alphabetical order after the special ones."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    normalizer, splitter = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    words = {
        word
        for text in texts
        for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))
    }
    pieces = [*SPECIAL.values(), *sorted(words)]
    codes = {piece: code for code, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordLevel(codes, unk_token=SPECIAL["unk_token"]))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    cls, sep = SPECIAL["cls_token"], SPECIAL["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls} $A {sep} $B:1 {sep}:1",
        special_tokens=[(cls, codes[cls]), (sep, codes[sep])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", "attention_mask", "token_type_ids"],
        model_max_length=max_length,
        **SPECIAL,
    )
