"""The pretrained encoder: finding it, loading it, and taking it apart."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from hmnet.backbones.auto import family_model, quiet
from hmnet.backbones.folder import HEADS, resolve_backbone
from hmnet.backbones.graft import graft
from hmnet.backbones.levels import Levels, cut, levels_of
from hmnet.backbones.pretrained import read_config, read_model, readable
from relevance.errors import RelevanceError

CLASSIFIER = "AutoModelForSequenceClassification"

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Backbone:
    """An encoder and where its layers are: what the parts of a model are copied from.

    Attributes:
        base: The encoder with its weights; never run or changed.
        layer_list: Dotted name of its list of layers, below `base`.
        prefix: Name of the encoder in classification models of its family, such as `bert`.
        by_seed: Whether some weights, which its checkpoint lacks, were drawn by a seed.
        next_sentence: Weights of the classifier of next sentence prediction that `hmnet pretrain`
            has left beside it; None where there is none.
    """

    base: PreTrainedModel
    layer_list: str
    prefix: str
    by_seed: bool = False
    next_sentence: Mapping[str, Tensor] | None = None

    @classmethod
    def of(cls, model: PreTrainedModel) -> "Backbone":
        """The backbone inside a classification model of its family.

        Args:
            model: An instance of what `AutoModelForSequenceClassification` makes.

        Returns:
            The backbone, nothing copied.

        Raises:
            RelevanceError: If the family keeps no list of its layers.
        """
        base = model.base_model
        if not isinstance(base, PreTrainedModel) or base is model:
            raise RelevanceError(f"{type(model).__name__} does not keep its encoder apart.")
        return cls(base, find_layer_list(base), model.base_model_prefix)

    @classmethod
    def from_config(cls, config: PreTrainedConfig) -> "Backbone":
        """A backbone without pretrained weights, on torch's current default device.

        Args:
            config: Configuration of a family that has a classification model.

        Returns:
            The backbone, its weights random.
        """
        return cls.of(family_model(config, CLASSIFIER, "classification"))

    @property
    def config(self) -> PreTrainedConfig:
        """The encoder's configuration, which all copies of its parts refer to."""
        return self.base.config

    @property
    def device(self) -> torch.device:
        """Device of the weights; `meta` when there are none."""
        return next(self.base.parameters()).device

    @property
    def depth(self) -> int:
        """Number of layers."""
        return depth_of(self.config)

    @property
    def levels(self) -> Levels | None:
        """The layers that its pre-training read; None where its configuration holds none."""
        return levels_of(self.config)

    def up_to(self, depth: int) -> "Backbone":
        """The lowest layers alone, for tasks that read none above.

        Args:
            depth: Number of them.

        Returns:
            A copy with its own configuration; the backbone itself where it has no levels, so that
            all read its top, or has no more layers.
        """
        if self.levels is None or depth >= self.depth:
            return self
        config = copy.deepcopy(self.config)
        cut(config, depth)
        layers = list(self.base.get_submodule(self.layer_list).children())[:depth]
        view = graft(self.base, {self.layer_list: nn.ModuleList(layers)})
        return replace(self, base=copy.deepcopy(view, {id(self.config): config}))

    @property
    def has_pooler(self) -> bool:
        """Whether the encoder itself ends in a pooler, as BERT's does."""
        return isinstance(self.base._modules.get("pooler"), nn.Module)

    def copy_layer(self, depth: int) -> nn.Module:
        """A new layer with the pretrained weights.

        Args:
            depth: Depth of the layer, from 0, the lowest.

        Returns:
            The copy.
        """
        return self._copy(self.base.get_submodule(f"{self.layer_list}.{depth}"))

    def copy_pooler(self) -> nn.Module:
        """A new pooler with the pretrained weights."""
        return self._copy(self.base.get_submodule("pooler"))

    def copy_outside(self) -> PreTrainedModel:
        """A new encoder without layers and pooler, for `graft` to put others in."""
        return self._copy(graft(self.without_pooler(), {self.layer_list: nn.ModuleList()}))

    def without_pooler(self) -> PreTrainedModel:
        """A view of the encoder without its pooler, nothing copied.

        SqueezeBERT and LayoutLM call theirs without a look, so another module stands there.
        """
        return graft(self.base, {"pooler": nn.Identity()}) if self.has_pooler else self.base

    def _copy(self, module: M) -> M:
        """A deep copy that refers to the one configuration, so that settings reach all copies."""
        return copy.deepcopy(module, {id(self.config): self.config})


def depth_of(config: PreTrainedConfig) -> int:
    """Number of layers of an encoder with this configuration."""
    return int(config.num_hidden_layers)


def find_layer_list(base: PreTrainedModel) -> str:
    """Find the list of an encoder's layers.

    Args:
        base: The encoder.

    Returns:
        The dotted name of the one `ModuleList` that has as many members as there are layers.

    Raises:
        RelevanceError: If there is no such list, as in ALBERT, whose layers are one.
    """
    depth = depth_of(base.config)
    found: list[str] = [
        name
        for name, module in base.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == depth
    ]
    if len(found) != 1:
        raise RelevanceError(
            f"{type(base).__name__} has no single list of its {depth} layers, so tasks cannot have"
            " layers of their own. Use a backbone that has one, such as BERT, RoBERTa or ELECTRA."
        )
    return found[0]


def load_config(name: str) -> PreTrainedConfig:
    """Read a backbone's configuration, which says its family, its sizes and its depth.

    Args:
        name: `minilm`, a folder, a file of word vectors, or a name on the hub.

    Returns:
        The configuration.

    Raises:
        RelevanceError: If it cannot be found or is not one.
    """
    return read_config(resolve_backbone(name, weights=False))


def load_backbone(name: str, *, seed: int = 0) -> Backbone:
    """Load a pretrained encoder, in fp32 and from safetensors.

    Args:
        name: `minilm`, a folder, a file of word vectors, or a name on the hub.
        seed: Seed of the pooler's weights, in case the checkpoint has none, and of the layer above
            word vectors; all others must be there.

    Returns:
        The backbone on the CPU.

    Raises:
        RelevanceError: If it cannot be found or read, lacks weights or has those of
            more layers than it says, or has no list of layers.
    """
    folder = resolve_backbone(name)
    # Weights that the checkpoint lacks are drawn; whatever is drawn next must not depend on that.
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model, report = read_model(folder, CLASSIFIER)
    backbone = Backbone.of(model)
    optional = f"{backbone.prefix}.{getattr(backbone.base, 'drawn', 'pooler.')}"
    drawn = sorted(key for key in report["missing_keys"] if key.startswith(f"{backbone.prefix}."))
    missing = [key for key in drawn if not key.startswith(optional)]
    if missing:
        raise RelevanceError(
            f"{folder} lacks {len(missing)} of the encoder's weights, such as {missing[0]}."
            " Give the folder of a whole checkpoint."
        )
    place = re.compile(rf"(?:^|\.){re.escape(backbone.layer_list)}\.(\d+)\.")
    for key in report["unexpected_keys"]:
        layer = place.search(key)
        if layer and int(layer[1]) >= backbone.depth:
            raise RelevanceError(
                f"{folder} has weights of more than the {backbone.depth} layers that its"
                f" config.json says, such as {key}. Give the configuration that belongs to the"
                " checkpoint."
            )
    classifier = _next_sentence(folder) if backbone.levels else None
    return replace(backbone, by_seed=bool(drawn), next_sentence=classifier)


def _next_sentence(folder: Path) -> dict[str, Tensor] | None:
    """Weights of the classifier that stands beside a pre-trained encoder, if one does."""
    if not (folder / HEADS).is_file():
        return None
    with readable(folder), safe_open(folder / HEADS, framework="pt") as file:
        keys = [key for key in file.keys() if key.startswith("nsp.")]  # noqa: SIM118  no mapping
        return {key.removeprefix("nsp."): file.get_tensor(key) for key in keys} or None
