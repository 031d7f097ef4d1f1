"""Levels: the layer that each objective of pre-training reads, and what they share.

They stand in the configuration of a pre-trained encoder, and what is fine-tuned reads the same.
"""

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig
else:
    PreTrainedConfig = Any  # settings read this, and help must appear at once

Concat = Literal["none", "cls", "nsp"]
STORED = "pretraining_levels"  # in the configuration of an encoder


@dataclass(frozen=True)
class Levels:
    """The layers that objectives read, from 1, the lowest, to the encoder's depth.

    Attributes:
        mlm: Layer of masked tokens.
        nsp: Layer of the [CLS] token; None without next sentence prediction.
        bigram: Layer of tokens that may have been swapped; None without that objective.
        concat: Joined to the vector of every masked token before it is classified: `none`, the
            [CLS] vector of the NSP level (`cls`), or the two logits of the NSP classifier (`nsp`).

    Source:
        Aksoy et al., "Hierarchical Multitask Learning Approach for BERT".
    """

    mlm: int
    nsp: int | None = None
    bigram: int | None = None
    concat: Concat = "none"

    @property
    def highest(self) -> int:
        """The highest layer that is read; those above it are not run."""
        return max(level for level in (self.mlm, self.nsp, self.bigram) if level is not None)

    @property
    def stored(self) -> dict[str, Any]:
        """The levels as the configuration of a pre-trained encoder holds them."""
        return asdict(self)

    def check(self, depth: int) -> None:
        """Refuse what an encoder cannot be pre-trained by.

        Args:
            depth: Number of the encoder's layers.

        Raises:
            RelevanceError: If a level is none of its layers, or what is to be joined is not there.
        """
        for name in ("mlm", "nsp", "bigram"):
            level = getattr(self, name)
            if level is not None and not 1 <= level <= depth:
                raise RelevanceError(
                    f"`{name}_layer={level}` is none of the {depth} layers of the backbone. Choose"
                    f" one from 1 to {depth}."
                )
        if self.concat != "none" and self.nsp is None:
            raise RelevanceError(
                f"`concat={self.concat}` joins what next sentence prediction reads, which is off."
                " Give it a layer with `nsp_layer`, or leave `concat` out."
            )


def levels_of(config: PreTrainedConfig) -> Levels | None:
    """The levels that an encoder was pre-trained with.

    Args:
        config: Its configuration.

    Returns:
        The levels; None where it holds none, as that of any encoder not made by `hmnet pretrain`.

    Raises:
        RelevanceError: If what it holds is none.
    """
    stored = getattr(config, STORED, None)
    if stored is None:
        return None
    names = [one.name for one in fields(Levels)]
    if isinstance(stored, dict) and set(stored) == set(names):
        given = [stored[name] for name in ("mlm", "nsp", "bigram")]
        numbers = [given[0], *(number for number in given[1:] if number is not None)]
        whole = all(type(number) is int and number >= 1 for number in numbers)
        if whole and stored["concat"] in get_args(Concat):
            return Levels(**stored)
    raise RelevanceError(
        f"The backbone's config.json has {STORED} = {str(stored)[:80]}, expected layers from 1 as"
        f" {', '.join(names[:-1])}, and {names[-1]}. Give a folder as `hmnet pretrain` wrote it."
    )


def cut(config: PreTrainedConfig, depth: int) -> None:
    """Let a configuration have the lowest layers alone.

    Args:
        config: Changed.
        depth: Number of them.
    """
    config.num_hidden_layers = depth
    if kinds := getattr(config, "layer_types", None):  # as ModernBERT has them, one of each layer
        config.layer_types = kinds[:depth]
