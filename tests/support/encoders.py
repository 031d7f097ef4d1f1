"""Tiny random encoders of every tested family: checkpoint folders with tokenizers of their kind."""

import string
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

WORDS = [
    *("the", "a", "an", "of", "to", "and", "in", "is", "it", "was", "not", "no", "yes", "very"),
    *("good", "bad", "great", "dull", "film", "story", "who", "what", "where", "plays", "guitar"),
    *("woman", "man", "dog", "cat", "runs", "sleeps", "city", "river"),
]
BERT_STYLE = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
ROBERTA_STYLE = {
    "cls_token": "<s>",
    "bos_token": "<s>",
    "pad_token": "<pad>",
    "sep_token": "</s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 130,
    "initializer_range": 0.2,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": SMALL,
    "roberta": SMALL | {"type_vocab_size": 1},
    "distilbert": {
        "dim": 16,
        "n_layers": 4,
        "n_heads": 2,
        "hidden_dim": 32,
        "max_position_embeddings": 130,
        "initializer_range": 0.2,
    },
    "electra": SMALL | {"embedding_size": 8},
    "deberta-v2": SMALL
    | {
        "type_vocab_size": 0,
        "relative_attention": True,
        "position_buckets": 8,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
        "conv_kernel_size": 3,
    },
    "modernbert": SMALL | {"local_attention": 8, "cls_token_id": 2, "sep_token_id": 3},
}


def write_backbone(family: str, folder: Path, **settings: Any) -> Path:
    """Write a random encoder of a family and its tokenizer.

    `settings` are of its configuration and win over those of `FAMILIES`.
    """
    tokenizer = make_tokenizer(family)
    tokenizer.save_pretrained(folder)
    ids = {
        f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("pad", "bos", "eos")
    }
    config = AutoConfig.for_model(
        family, **{"vocab_size": len(tokenizer), **ids, **FAMILIES.get(family, {}), **settings}
    )
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model = AutoModel.from_config(config)
        for parameter in model.parameters():  # biases and norms too, so that losing one shows
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    model.save_pretrained(folder)
    return folder


def make_tokenizer(family: str) -> PreTrainedTokenizerFast:
    """WordPiece, byte-level BPE or Unigram, as the family has it."""
    if family in ("roberta", "modernbert"):
        return _byte_level(roberta=family == "roberta")
    if family in ("deberta-v2", "albert"):
        return _unigram()
    return _word_piece(token_types=family != "distilbert")


def _word_piece(*, token_types: bool) -> PreTrainedTokenizerFast:
    characters = string.ascii_lowercase + string.digits + string.punctuation
    pieces = [*BERT_STYLE.values(), *characters]
    pieces += [f"##{letter}" for letter in string.ascii_lowercase + string.digits]
    pieces += [word for word in WORDS if word not in pieces]
    vocabulary = {piece: code for code, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=pieces[1]))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return _bert_style(tokenizer, token_types=token_types)


def _unigram() -> PreTrainedTokenizerFast:
    pieces = [*BERT_STYLE.values(), *(f"▁{word}" for word in WORDS), "▁", *string.printable.strip()]
    scores = [(piece, -float(code)) for code, piece in enumerate(pieces)]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=1))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return _bert_style(tokenizer, token_types=True)


def _byte_level(*, roberta: bool) -> PreTrainedTokenizerFast:
    special = dict.fromkeys((ROBERTA_STYLE if roberta else BERT_STYLE).values())
    pieces = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({piece: code for code, piece in enumerate(pieces)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if not roberta:
        return _bert_style(tokenizer, token_types=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", "attention_mask"],
        model_max_length=128,
        **ROBERTA_STYLE,
    )


def _bert_style(tokenizer: Tokenizer, *, token_types: bool) -> PreTrainedTokenizerFast:
    """Wrap a tokenizer whose first ids are those of `BERT_STYLE`."""
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", "attention_mask", *(["token_type_ids"] * token_types)],
        model_max_length=128,
        **BERT_STYLE,
    )
