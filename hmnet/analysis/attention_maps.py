"""Attention maps of a path, and the cosine of two of them."""

import copy
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor
from transformers import PreTrainedModel

from hmnet.models.multitask import MultiTaskModel
from relevance.errors import RelevanceError


def eager_encoder(model: MultiTaskModel, task: str) -> PreTrainedModel:
    """A copy of the encoder on a task's path whose attention is computed where it can be seen.

    Only a copy will do: the hooks by which transformers records maps would pile up on layers that
    several paths share, and each path would then give some maps twice.

    Args:
        model: A model on any device.
        task: A task of the model.

    Returns:
        The encoder, in evaluation mode.
    """
    parts = model.path(task).modules()
    encoder = next(part for part in parts if isinstance(part, PreTrainedModel)).base_model
    alone = cast("PreTrainedModel", copy.deepcopy(encoder).eval())
    alone.set_attn_implementation("eager")
    return alone


def attention_maps(
    encoder: PreTrainedModel, inputs: dict[str, Int[Tensor, "input token"]]
) -> list[Float[Tensor, "input head token token"]]:
    """Attention of every head of every layer.

    Args:
        encoder: An encoder whose attention can be seen.
        inputs: Token ids and masks, on its device.

    Returns:
        One tensor per layer, lowest first; each token's shares over the tokens add up to 1.

    Raises:
        RelevanceError: If the encoder does not tell the maps of every layer.
    """
    with torch.inference_mode():
        maps = encoder(**inputs, output_attentions=True).attentions or ()
    depth = int(encoder.config.num_hidden_layers)
    if len(maps) != depth or any(each is None for each in maps):
        raise RelevanceError(
            f"{type(encoder).__name__} tells the attention of {len(maps)} of its {depth} layers, so"
            " its maps cannot be compared. Compare runs of another method or backbone."
        )
    return list(maps)


def map_cosines(
    first: Sequence[Float[Tensor, "input head token token"]],
    second: Sequence[Float[Tensor, "input head token token"]],
    mask: Int[Tensor, "input token"],
) -> Float64[np.ndarray, "input layer head"]:
    """Cosine of two maps as vectors, for every input, layer and head.

    Args:
        first: Maps of one encoder, one tensor per layer.
        second: Maps of the other on the same inputs.
        mask: One for tokens, zero for padding, which neither attends nor is attended to here.

    Returns:
        Cosines in [0, 1], as shares are never negative.

    Raises:
        RelevanceError: If the encoders differ in layers or heads.
    """
    shapes = [(len(maps), maps[0].shape[1]) for maps in (first, second)]
    if shapes[0] != shapes[1]:
        (layers, heads), (others, other_heads) = shapes
        raise RelevanceError(
            f"The first run has {layers} layers of {heads} heads, the second {others} of"
            f" {other_heads}. Compare runs of one backbone."
        )
    tokens = (mask[:, :, None] * mask[:, None, :])[:, None].double()
    cosines = []
    for one, other in zip(first, second, strict=True):
        a, b = ((maps.double() * tokens).flatten(2) for maps in (one, other))
        cosines.append(torch.cosine_similarity(a, b, dim=-1).clamp(max=1.0))
    return torch.stack(cosines, dim=1).cpu().numpy()
