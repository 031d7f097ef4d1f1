"""The weights that pre-training begins with: pretrained ones, or random ones."""

from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import safe_open
from torch import nn

from hmnet.backbones.backbone import Backbone, load_backbone
from hmnet.backbones.folder import HEADS, resolve_backbone
from hmnet.backbones.pretrained import PICKLES, read_config, readable
from hmnet.pretraining.model import PretrainingModel
from hmnet.randomness import seeded

# of BERT's own pre-training checkpoints, by the names that classifiers have here
OF_BERT = {
    "mlm.transform.weight": "cls.predictions.transform.dense.weight",
    "mlm.transform.bias": "cls.predictions.transform.dense.bias",
    "mlm.norm.weight": "cls.predictions.transform.LayerNorm.weight",
    "mlm.norm.bias": "cls.predictions.transform.LayerNorm.bias",
    "mlm.bias": "cls.predictions.bias",
    "nsp.pooler.weight": "bert.pooler.dense.weight",
    "nsp.pooler.bias": "bert.pooler.dense.bias",
    "nsp.classifier.weight": "cls.seq_relationship.weight",
    "nsp.classifier.bias": "cls.seq_relationship.bias",
}


class Beginning(NamedTuple):
    """What pre-training begins with.

    Attributes:
        backbone: The encoder.
        folder: Its files.
        is_random: Whether its weights are random.
    """

    backbone: Backbone
    folder: Path
    is_random: bool


def begin(name: str, seed: int) -> Beginning:
    """Load an encoder, or draw one where the folder has a configuration alone.

    Args:
        name: `minilm`, a folder, or a name on the hub.
        seed: Seed of the weights that are not there.

    Returns:
        The encoder on the CPU.

    Raises:
        RelevanceError: If it cannot be found or read.
    """
    folder = resolve_backbone(name)
    if any(any(folder.glob(pattern)) for pattern in ("*.safetensors", *PICKLES)):
        return Beginning(load_backbone(name, seed=seed), folder, is_random=False)
    config = read_config(folder)
    with seeded(seed, "pretraining/encoder"):
        return Beginning(Backbone.from_config(config), folder, is_random=True)


def load_classifiers(model: PretrainingModel, folder: Path) -> list[str]:
    """Go on with the classifiers of a checkpoint, where it has any of the same shape.

    Args:
        model: Its classifiers are replaced.
        folder: What `hmnet pretrain` wrote, or one of BERT's own checkpoints.

    Returns:
        Names of the classifiers that were found: `mlm`, `nsp`, `bigram`.
    """
    own, weights = folder / HEADS, folder / "model.safetensors"
    found = []
    names = {} if own.is_file() else OF_BERT
    path = own if own.is_file() else weights
    if not path.is_file():
        return []
    with readable(folder), safe_open(path, framework="pt") as file:
        known = set(file.keys())
        for name in ("mlm", "nsp", "bigram"):
            head: nn.Module | None = getattr(model, name)
            if head is None:
                continue
            keys = {key: names.get(f"{name}.{key}", f"{name}.{key}") for key in head.state_dict()}
            if not known >= set(keys.values()):
                continue
            state: dict[str, torch.Tensor] = {k: file.get_tensor(v) for k, v in keys.items()}
            if all(state[key].shape == value.shape for key, value in head.state_dict().items()):
                head.load_state_dict(state)
                found.append(name)
    return found
