"""One task of a model as a plain Hugging Face checkpoint, which needs none of this toolkit."""

import copy
from pathlib import Path

import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hmnet.answer_scale import AnswerScale
from hmnet.backbones.auto import quiet
from hmnet.backbones.graft import graft
from hmnet.backbones.vector_folder import MODEL_TYPE
from hmnet.heads.head import CombiningPath
from hmnet.heads.native import NativePath
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.reading import norms_above
from hmnet.saving import os_errors
from relevance.disk.folders import new_folder
from relevance.errors import RelevanceError
from relevance.tasks.task import Task


def export(
    model: MultiTaskModel, task: Task, tokenizer: PreTrainedTokenizerBase, out_dir: Path
) -> None:
    """Write what `AutoModelForSequenceClassification` loads, with the same logits.

    A regression task's outputs are on its own scale: the scale is folded into the last layer.

    Args:
        model: Trained; it is not changed.
        task: A task of the run.
        tokenizer: Saved beside the weights.
        out_dir: A folder that does not exist yet or is empty; it appears whole or not at all.

    Raises:
        RelevanceError: If head or layers are none that the family's class can express, or the
            folder is not empty or cannot be written.
    """
    through = None
    if model.plan.skills is not None:
        through = "the mean of its skills' feed-forward blocks"
    elif model.plan.inserted is not None:
        through = f"modules that method '{model.plan.inserted.modules.name}' puts into the layers"
    if through:
        raise RelevanceError(
            f"Task '{task.name}' runs through {through}, which no plain checkpoint can express."
            " Models of hmnet, multi and single can be exported."
        )
    if model.config.model_type == MODEL_TYPE:
        raise RelevanceError(
            f"Task '{task.name}' runs through a BiLSTM on word vectors, a family that transformers"
            " does not have, so that no plain checkpoint can express it. Models on other backbones"
            " can be exported."
        )
    if model.kinds[task.name].further == "marks":
        raise RelevanceError(
            f"Task '{task.name}' reads marked words, for which transformers has no class, so that"
            " no plain checkpoint can express it. `hmnet predict` answers it."
        )
    path = model.path(task.name)
    path = path.path if isinstance(path, CombiningPath) else path
    if not isinstance(path, NativePath):
        pooling = model.blueprint.pooling
        head = model.blueprint.head.name(task.name, pooling)
        raise RelevanceError(
            f"Task '{task.name}' has a {head} head on '{pooling}' pooling, which no plain"
            ' checkpoint can express. Heads of `pooling="native"` can be exported, with any of the'
            " methods hmnet, multi and single."
        )
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise RelevanceError(f"{out_dir} exists and is not empty. Give a new folder with `out`.")
    read = model.readings[task.name]
    if model.head(task.name).joined is not None:
        raise RelevanceError(
            f"Task '{task.name}' reads what `concat={model.blueprint.concat}` joins to the vectors"
            " of tokens, which no plain checkpoint can express. Runs with `concat=none` can be"
            " exported."
        )
    if read.is_inner and norms_above(model.module(model.plan.outside[task.name]), model.layer_list):
        raise RelevanceError(
            f"Task '{task.name}' reads layer {read.own} without the norm that the family"
            f" '{model.config.model_type}' has on its top, which no plain checkpoint can express."
            " Tasks that read the top level can be exported."
        )
    scale = model.kinds[task.name].scale
    view = path.model if scale is None else _on_scale(path.model, scale)
    with new_folder(out_dir) as folder, quiet(), os_errors():
        view.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _on_scale(model: PreTrainedModel, scale: AnswerScale) -> PreTrainedModel:
    """A view whose last linear layer answers on the task's own scale."""
    name, last = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module.out_features == 1
    ][-1]
    scaled = copy.deepcopy(last)
    with torch.no_grad():
        scaled.weight.mul_(scale.spread)
        scaled.bias.mul_(scale.spread).add_(scale.offset)
    return graft(model, {name: scaled})
