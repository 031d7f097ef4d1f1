"""The base of adapter modules, which a method puts into pretrained layers."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from hmnet.backbones.backbone import Backbone
from relevance.errors import RelevanceError
from relevance.registry import Registry

ATTENTION = "attention.self"
NORMS = ("attention.output.LayerNorm", "output.LayerNorm")
DROPOUTS = ("attention.output.dropout", "output.dropout")


class Host(NamedTuple):
    """The encoder that modules are put into, and the tasks that they are for.

    Attributes:
        backbone: Backbone whose sizes and initialisation are used.
        tasks: Names.
        max_length: Most tokens of one input.
        seed: Seed of the new weights; a task's own depend on its name and on no other task.
    """

    backbone: Backbone
    tasks: Sequence[str]
    max_length: int
    seed: int


class AdapterModule(nn.Module):
    """All the modules that a method adds to an encoder, and how each task's path runs through them.

    They are kept apart from the pretrained layers, so that these can be shared, frozen and counted
    like those of any other model. A path runs a view of each layer, by the layer's own forward.

    Args:
        host: Encoder and tasks.

    Attributes:
        shared: Whether tasks share any of the modules.

    Raises:
        RelevanceError: If the backbone's layers are built in another way than BERT's.
    """

    shared: bool = False

    @abstractmethod
    def __init__(self, host: Host) -> None:
        super().__init__()
        _check_layout(host.backbone, type(self).__module__.rpartition(".")[2])

    @abstractmethod
    def view(self, task: str, depth: int, layer: nn.Module) -> nn.Module:
        """A task's view of a layer.

        Args:
            task: A name.
            depth: Depth of the layer, from 0, the lowest.
            layer: The pretrained layer; it is not changed.

        Returns:
            Layer of the task's path in its place.
        """

    def embedding(self, task: str) -> nn.Parameter | None:  # noqa: ARG002  for those that have one
        """The embedding of a task, which decides how its path differs from the others.

        Args:
            task: A name.

        Returns:
            A vector; None where tasks have no embedding.
        """
        return None


adapter_modules = Registry("method", AdapterModule)
"""All adapter modules, by name; each is what the method of its name puts in."""


def module_key(name: str) -> str:
    """A name as torch allows it for a submodule; task names hold dots at times, but no slashes."""
    return name.replace(".", "/")


def _check_layout(backbone: Backbone, name: str) -> None:
    layer = backbone.base.get_submodule(f"{backbone.layer_list}.0")
    places = {place for place, _ in layer.named_modules()}
    # DeBERTa has the same places, but its scores take no mask that could carry a bias.
    if places.issuperset((ATTENTION, *NORMS, *DROPOUTS)) and backbone.base._supports_sdpa:
        return
    raise RelevanceError(
        f"{type(layer).__name__} is not built as method '{name}' needs it. Use a backbone such as"
        " BERT, RoBERTa or ELECTRA, or another `method`."
    )
