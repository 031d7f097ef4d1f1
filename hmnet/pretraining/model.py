"""The model of pre-training: an encoder, and classifiers that read its layers."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from hmnet.backbones.backbone import Backbone
from hmnet.backbones.graft import graft
from hmnet.backbones.inner_states import inner_states
from hmnet.backbones.levels import Levels
from hmnet.heads._next_sentence import NextSentence
from hmnet.pretraining.masking import IGNORED
from hmnet.pretraining.objectives import MaskedTokens, joined_width, swapped_tokens
from hmnet.randomness import seeded


@dataclass(frozen=True)
class PretrainingBatch:
    """Inputs of pre-training, and what is asked about them; -100 where nothing is.

    Attributes:
        inputs: Token ids and masks `[row, token]`, as the backbone's forward names them.
        mlm: Ids that masked tokens had.
        nsp: 0 for a true next segment, 1 for a random one.
        bigram: 1 for tokens that were swapped, else 0; None where none are.
    """

    inputs: Mapping[str, Tensor]
    mlm: Int[Tensor, "row token"]
    nsp: Int[Tensor, " row"]
    bigram: Int[Tensor, "row token"] | None = None


class Answered(NamedTuple):
    """One objective on one batch.

    Attributes:
        loss: Mean over what is asked, in fp32 or finer, with its graph.
        correct: Number of right answers.
        asked: Number of all.
    """

    loss: Float[Tensor, ""]
    correct: Int[Tensor, ""]
    asked: int


class PretrainingModel(nn.Module):
    """An encoder up to the highest level that is read, and the classifiers of its objectives.

    Args:
        backbone: Encoder that it starts from; copied.
        levels: Layers that are read.
        seed: Seed of the classifiers' weights. Each has its own, whatever else there is.

    Attributes:
        levels: Layers that are read.
        encoder: The encoder, without pooler and the layers above.
        mlm: Classifier of masked tokens.
        nsp: Classifier of segments; None where that is off.
        bigram: Classifier of swapped tokens; None where that is off.
        frozen: Whether the NSP level and all below it are frozen.

    Raises:
        RelevanceError: If a level is none of the backbone's layers, or concatenation lacks NSP.
    """

    def __init__(self, backbone: Backbone, levels: Levels, seed: int = 0) -> None:
        super().__init__()
        levels.check(backbone.depth)
        self.levels, self.frozen, self._layer_list = levels, False, backbone.layer_list
        layers = cast("nn.ModuleList", backbone.base.get_submodule(backbone.layer_list))
        kept = nn.ModuleList(list(layers)[: levels.highest])
        view = graft(backbone.without_pooler(), {backbone.layer_list: kept})
        self.encoder: PreTrainedModel = copy.deepcopy(view)
        with seeded(seed, "pretraining/mlm"):
            self.mlm = MaskedTokens(backbone, joined_width(backbone, levels))
        with seeded(seed, "pretraining/nsp"):
            self.nsp = None if levels.nsp is None else NextSentence(backbone)
        with seeded(seed, "pretraining/bigram"):
            self.bigram = None if levels.bigram is None else swapped_tokens(backbone)

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return next(self.parameters()).device

    @property
    def layers(self) -> nn.ModuleList:
        """The encoder's layers, up to the highest level."""
        return cast("nn.ModuleList", self.encoder.get_submodule(self._layer_list))

    def forward(self, batch: PretrainingBatch) -> dict[str, Answered]:
        """Answer all that is asked about a batch.

        Args:
            batch: The inputs. Logits of words are computed at masked tokens alone.

        Returns:
            Answers by objective, `mlm`, `nsp` and `bigram`, as far as the levels have them.
        """
        states = self._states(batch.inputs)
        answers: dict[str, Answered] = {}
        joined: Tensor | None = None
        if self.nsp is not None and self.levels.nsp is not None:
            cls = states[self.levels.nsp][:, 0]
            logits = self.nsp(cls)
            answers["nsp"] = _answered(logits, batch.nsp)
            joined = {"none": None, "cls": cls, "nsp": logits}[self.levels.concat]
        rows, places = (batch.mlm != IGNORED).nonzero(as_tuple=True)
        vectors = states[self.levels.mlm][rows, places]
        if joined is not None:
            vectors = torch.cat([vectors, joined[rows].to(vectors.dtype)], dim=-1)
        words = cast("nn.Embedding", self.encoder.get_input_embeddings()).weight
        answers["mlm"] = _answered(self.mlm(vectors, words), batch.mlm[rows, places])
        if self.bigram is not None and self.levels.bigram is not None and batch.bigram is not None:
            asked = batch.bigram != IGNORED
            tokens = states[self.levels.bigram][asked]
            answers["bigram"] = _answered(self.bigram(tokens), batch.bigram[asked])
        return answers

    def loss(self, batch: PretrainingBatch) -> Float[Tensor, ""]:
        """The plain sum of the objectives' means."""
        return torch.stack([answer.loss for answer in self(batch).values()]).sum()

    def freeze(self) -> None:
        """Freeze embeddings, layers up to the NSP level, and the NSP classifier, for good.

        They run without dropout from now on. The decoder is tied to the embeddings, so that of the
        decoder the bias alone is trained on.

        Raises:
            ValueError: If next sentence prediction is off.
        """
        if self.levels.nsp is None:
            raise ValueError("Without next sentence prediction there is nothing to freeze.")
        self.frozen = True
        for weight in self._frozen_parameters():
            weight.requires_grad_(False)
            weight.grad = None
        self.train(self.training)

    def train(self, mode: bool = True) -> "PretrainingModel":
        """Switch dropout on or off, but for what is frozen, where it stays off."""
        super().train(mode)
        if self.frozen and self.levels.nsp is not None:
            above = self.layers[self.levels.nsp :]
            modes = {module: module.training for layer in above for module in layer.modules()}
            self.encoder.eval()
            for module, trains in modes.items():
                module.training = trains
        return self

    def _frozen_parameters(self) -> Iterator[nn.Parameter]:
        above = {w for layer in self.layers[self.levels.nsp :] for w in layer.parameters()}
        yield from (weight for weight in self.encoder.parameters() if weight not in above)
        if self.nsp is not None:
            yield from self.nsp.parameters()

    def _states(self, inputs: Mapping[str, Tensor]) -> dict[int, Tensor]:
        """Vectors of all tokens by level; the highest with what the family puts on its layers."""
        levels = self.levels
        wanted = {level for level in (levels.mlm, levels.nsp, levels.bigram) if level is not None}
        with inner_states(list(self.layers), wanted) as states:
            states[levels.highest] = self.encoder(**inputs).last_hidden_state
        return states


def _answered(logits: Float[Tensor, "item label"], labels: Int[Tensor, " item"]) -> Answered:
    logits = logits if logits.dtype == torch.float64 else logits.float()
    correct = (logits.detach().argmax(-1) == labels).sum()
    return Answered(nn.functional.cross_entropy(logits, labels), correct, len(labels))
