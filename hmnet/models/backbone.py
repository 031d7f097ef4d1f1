"""The pretrained encoder: finding it, loading it, and the parts that paths are made of."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.utils import logging

from relevance.errors import RelevanceError
from relevance.minilm import minilm_dir


@dataclass(frozen=True)
class Backbone:
    """An encoder taken apart into a list of layers, an optional pooler, and the rest.

    Attributes:
        config: Its configuration, which all copies of its parts refer to.
        base: The encoder itself, with its weights; never run or changed, only copied from.
        layer_list: Where its list of layers is, as a dotted name below `base`.
        prefix: What classification models of its family call it, such as `bert`.
    """

    config: PreTrainedConfig
    base: PreTrainedModel
    layer_list: str
    prefix: str

    @classmethod
    def of(cls, model: PreTrainedModel) -> "Backbone":
        """The backbone of a classification model of its family.

        Args:
            model: An instance of what `AutoModelForSequenceClassification` makes.

        Returns:
            Its parts, not copied.
        """
        base = model.base_model
        return cls(model.config, base, find_layer_list(base), model.base_model_prefix)

    @classmethod
    def from_config(cls, config: PreTrainedConfig) -> "Backbone":
        """A backbone without pretrained weights, on torch's current default device.

        Args:
            config: Of a family that has a classification model.

        Returns:
            The backbone, its weights to be filled in.
        """
        return cls.of(classification_model(config))

    @property
    def depth(self) -> int:
        """Number of layers."""
        return depth_of(self.config)

    @property
    def has_pooler(self) -> bool:
        """Whether the encoder itself ends in a pooler, as BERT's does."""
        return isinstance(self.base._modules.get("pooler"), nn.Module)

    def copy_layer(self, depth: int) -> nn.Module:
        """A new layer with the pretrained weights.

        Args:
            depth: From 0, the lowest.

        Returns:
            The copy.
        """
        return self._copy(self.base.get_submodule(f"{self.layer_list}.{depth}"))

    def copy_pooler(self) -> nn.Module:
        """A new pooler with the pretrained weights."""
        return self._copy(self.base.get_submodule("pooler"))

    def copy_outside(self) -> PreTrainedModel:
        """A new encoder of which layers and pooler are left out, for `graft` to put others in."""
        parts: dict[str, nn.Module | None] = {self.layer_list: nn.ModuleList()}
        if self.has_pooler:
            parts["pooler"] = None
        return self._copy(graft(self.base, parts))

    def _copy(self, module: nn.Module) -> nn.Module:
        """A deep copy that still refers to the one configuration, so that settings reach all copies."""
        return copy.deepcopy(module, {id(self.config): self.config})


def graft(root: nn.Module, parts: Mapping[str, nn.Module | None]) -> nn.Module:
    """A view of a module in which some submodules are others.

    Only the modules along the way are copied, and those shallowly: parameters, buffers and all other
    submodules are the same objects as in the original.

    Args:
        root: The module; it is not changed.
        parts: The new submodules by dotted name; None takes one out.

    Returns:
        The view.
    """
    view = copy.copy(root)
    view._modules = dict(root._modules)
    below: dict[str, dict[str, nn.Module | None]] = {}
    for name, part in parts.items():
        child, _, rest = name.partition(".")
        if rest:
            below.setdefault(child, {})[rest] = part
        else:
            view._modules[child] = part
    for child, rest_parts in below.items():
        view._modules[child] = graft(root.get_submodule(child), rest_parts)
    return view


def depth_of(config: PreTrainedConfig) -> int:
    """Number of layers of an encoder."""
    return int(config.num_hidden_layers)


def find_layer_list(base: nn.Module) -> str:
    """Where an encoder keeps its layers.

    Args:
        base: The encoder.

    Returns:
        The dotted name of the one `ModuleList` that has as many members as there are layers.

    Raises:
        RelevanceError: If there is no such list, as in ALBERT, whose layers are one.
    """
    depth = depth_of(base.config)
    found = [
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


def resolve_backbone(name: str) -> str:
    """What a backbone's name stands for.

    Args:
        name: `minilm`, a folder, or a name on the hub.

    Returns:
        A folder, or the name on the hub.

    Raises:
        RelevanceError: If the folder is no checkpoint, or the packaged encoder is missing or damaged.
    """
    if name == "minilm":
        return str(minilm_dir())
    folder = Path(name)
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise RelevanceError(f"{folder} holds no config.json. Give the folder of a checkpoint.")
    return name


def load_backbone(name: str, *, seed: int = 0) -> Backbone:
    """Load a pretrained encoder, in fp32 and from safetensors.

    Args:
        name: `minilm`, a folder, or a name on the hub.
        seed: Of the pooler's weights, where the checkpoint has none.

    Returns:
        The backbone on the CPU.

    Raises:
        RelevanceError: If it cannot be found or read, lacks weights, or has no list of layers.
    """
    source = resolve_backbone(name)
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model, report = AutoModelForSequenceClassification.from_pretrained(
            source, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
    return Backbone.of(model.eval())


def classification_model(config: PreTrainedConfig) -> PreTrainedModel:
    """A model of the family's own class for classification, with random weights."""
    with quiet():
        model: PreTrainedModel = AutoModelForSequenceClassification.from_config(config)
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from reporting what is expected here, such as a head without weights."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
