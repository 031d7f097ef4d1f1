"""A pre-trained encoder as a plain checkpoint, which every command takes as its backbone."""

import copy
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import BertForPreTraining, PreTrainedConfig, PreTrainedTokenizerBase

from hmnet.backbones.auto import family_model, quiet
from hmnet.backbones.folder import HEADS
from hmnet.backbones.levels import STORED, cut
from hmnet.pretraining.model import PretrainingModel
from hmnet.saving import os_errors
from relevance.disk.folders import new_folder


def export(model: PretrainingModel, tokenizer: PreTrainedTokenizerBase, out_dir: Path) -> None:
    """Write the encoder up to the highest level that was read.

    Where it is a BERT whose masked tokens and segments were both read at that level, nothing
    joined, this is a `BertForPreTraining` with both classifiers. Else it is the encoder alone: no
    plain checkpoint can say that a classifier reads an inner layer.

    The levels stand in its configuration, and all classifiers in a file beside the weights.

    Args:
        model: The model; it is not changed.
        tokenizer: Saved beside the weights.
        out_dir: A folder that does not exist yet or is empty; it appears whole or not at all.

    Raises:
        RelevanceError: If the folder is not empty or cannot be written.
    """
    config = _config(model)
    whole = _is_plain(model, config)
    auto = "AutoModelForPreTraining" if whole else "AutoModel"
    written = family_model(config, auto, "pre-training")
    with torch.no_grad():
        # the pooler of the family's own form is not among the encoder's weights
        written.base_model.load_state_dict(model.encoder.state_dict(), strict=False)
        pooler = getattr(written.base_model._modules.get("pooler"), "dense", None)
        if isinstance(pooler, nn.Linear) and model.nsp is not None:
            pooler.load_state_dict(model.nsp.pooler.state_dict())
        if whole:
            _put_classifiers(cast("BertForPreTraining", written), model)
    with new_folder(out_dir) as folder, quiet(), os_errors():
        written.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        heads = {
            name: weight.detach().contiguous()
            for name, weight in model.state_dict().items()
            if not name.startswith("encoder.")
        }
        save_file(heads, folder / HEADS)


def _config(model: PretrainingModel) -> PreTrainedConfig:
    """The encoder's configuration, with as many layers as there are."""
    config = copy.deepcopy(model.encoder.config)
    cut(config, model.levels.highest)
    setattr(config, STORED, model.levels.stored)
    return config


def _is_plain(model: PretrainingModel, config: PreTrainedConfig) -> bool:
    levels = model.levels
    at_top = levels.mlm == levels.nsp == levels.highest
    return config.model_type == "bert" and at_top and levels.concat == "none"


def _put_classifiers(written: BertForPreTraining, model: PretrainingModel) -> None:
    head = written.cls.predictions
    head.transform.dense.load_state_dict(model.mlm.transform.state_dict())
    head.transform.LayerNorm.load_state_dict(model.mlm.norm.state_dict())
    head.decoder.bias.copy_(model.mlm.bias)
    head.bias.copy_(model.mlm.bias)
    assert model.nsp is not None  # noqa: S101  as both levels are the top
    written.cls.seq_relationship.load_state_dict(model.nsp.classifier.state_dict())
