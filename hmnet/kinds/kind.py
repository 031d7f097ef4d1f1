"""The base of kinds of tasks for models: how rows are read, learned and answered."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float, Float32, Float64, Int, Int64
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  what everybody calls it
from transformers import PreTrainedConfig

from hmnet.answer_scale import AnswerScale
from hmnet.data.batching import Further
from hmnet.data.encoded import Encoded
from hmnet.data.encoder import Columns, Encoder
from hmnet.data.template import Sequences
from hmnet.kinds._entropy import normalised_entropy
from relevance.registry import Registry
from relevance.tasks.data import Labels
from relevance.tasks.task import Task

Logits: TypeAlias = Float32[np.ndarray, "*_"]
"""What a model says to one sequence: `[class, *place]`."""

Rows: TypeAlias = Int[np.ndarray, " row"]
"""Numbers of rows of a split."""
Texts: TypeAlias = tuple[str, ...]
"""What a task reads in one row."""


class ModelOutputs(NamedTuple):
    """Outputs of a model for some rows.

    Attributes:
        texts: Columns of what was read.
        sequences: Sequences that were read, as token ids.
        logits: Logits of each sequence `[class, *place]`, without padding.
    """

    texts: Columns
    sequences: Sequences
    logits: Sequence[Logits]


class OutputKind(ABC):
    """The inputs, targets, losses and answers that tasks of one kind share.

    Logits are `[row, class, *place]`: one value in all for regression, one for each label for
    classification; further kinds choose a class at several places.

    Args:
        task: A task of the kind.
        scale: Scale on which outputs stand for values, for kinds whose answers are values.

    Attributes:
        scale: Scale of a regression's outputs; None for other kinds.
        auto: The family's own class for it, by the name of an Auto class of transformers.
        purpose: Use of that class, in messages.
        token_axis: Axis of a row's logits that goes over tokens; None where a row has one answer.
        further: Input that answers are made with, beside those of the encoder; None for nothing.
    """

    auto: ClassVar[str]
    purpose: ClassVar[str]
    token_axis: ClassVar[int | None] = None
    further: ClassVar[Further | None] = None

    def __init__(self, task: Task, scale: AnswerScale | None = None) -> None:
        self.task = task
        self.scale = scale

    @property
    def unit(self) -> float:
        """The value that a difference of 1 between outputs has in the loss of a regression."""
        return self.scale.unit if self.scale else 1.0

    def on_own_scale(self) -> "OutputKind":
        """The kind whose losses are on the task's own scale, whatever training takes them on."""
        return self

    def configure(self, config: PreTrainedConfig) -> None:
        """Tell the family's class what its outputs mean.

        Args:
            config: Configuration, which is changed.
        """
        config.num_labels = self.task.outputs
        config.id2label = dict(enumerate(self.task.labels or [self.task.name]))
        config.label2id = {label: code for code, label in config.id2label.items()}

    def layout(self, parts: int) -> int | str | None:
        """The choices that decide, beside the texts, how these become sequences.

        Args:
            parts: Number of texts.

        Returns:
            Which of them gives way to the length, None for the longest; or another kind's own way.
        """
        return self._truncated(parts)

    def encode(self, texts: Columns, encoder: Encoder, max_length: int) -> Sequences:
        """Rows as the model reads them.

        Args:
            texts: Columns of texts.
            encoder: Encoder of the backbone's tokenizer.
            max_length: Most tokens of one sequence.

        Returns:
            One sequence per row, or several that are aligned with it.

        Raises:
            RelevanceError: If the length leaves no room for text, or a text is not valid Unicode.
        """
        return encoder.encode(texts, max_length, self._truncated(len(texts)))

    def reading(self, texts: Texts) -> Texts:
        """Texts that a user names by their order, as the task reads them.

        Args:
            texts: One to three.

        Returns:
            The texts as they are where the task takes any.

        Raises:
            RelevanceError: If it does not read so many.
        """
        return texts

    @abstractmethod
    def targets(
        self, encoded: Encoded, rows: Rows
    ) -> Int64[np.ndarray, "row *place"] | Float32[np.ndarray, " row"]:
        """Targets that the model's outputs are compared with.

        Args:
            encoded: A split.
            rows: Numbers of its sequences to take.

        Returns:
            Codes of the rows' labels; other kinds have codes of places, -100 where there is nothing
            to compare, or values on the scale of the outputs.
        """

    @abstractmethod
    def losses(
        self,
        logits: Float[Tensor, "row class *place"],
        targets: Int[Tensor, "row *place"] | Float[Tensor, " row"],
        label_smoothing: float = 0.0,
    ) -> Float[Tensor, " row"]:
        """Loss of each row, in fp32 whatever the logits are.

        Args:
            logits: What the model said.
            targets: What `targets` gives.
            label_smoothing: Share of a label's probability that all labels of the task get in equal
                parts; kinds without labels know none.

        Returns:
            Nats, the mean over a row's places that have a target (0 if none has), or squared
            errors.

        Source:
            Szegedy et al. (2016), "Rethinking the Inception Architecture for Computer Vision",
            section 7, for label smoothing.
        """

    def row_losses(
        self, encoded: Encoded, losses: Float[np.ndarray, " sequence"]
    ) -> Float[np.ndarray, " _"]:
        """Loss of each row of a split.

        Args:
            encoded: The split.
            losses: Losses of its sequences.

        Returns:
            The mean over the sequences that a row was made into.
        """
        return encoded.row_means(losses)

    def unlearned(self, encoded: Encoded) -> str | None:  # noqa: ARG002
        """Notes on training rows whose answers the model is not shown.

        Args:
            encoded: Training rows.

        Returns:
            One line; None where there are none, as of kinds whose rows have one answer.

        Raises:
            RelevanceError: If there are no others.
        """
        return None

    @abstractmethod
    def predictions(self, said: ModelOutputs) -> Labels:
        """Predictions of the model's outputs, as metrics take them.

        Args:
            said: The outputs.

        Returns:
            One prediction per row.
        """

    @abstractmethod
    def answers(self, said: ModelOutputs) -> list[dict[str, Any]]:
        """Answers of the model's outputs, ready for JSON.

        Args:
            said: The outputs.

        Returns:
            Fields of an answer, for each row.
        """

    def entropies(
        self,
        logits: Float[np.ndarray, "row class *place"],
        encoded: Encoded,  # noqa: ARG002  for kinds with places
        rows: Rows,  # noqa: ARG002
    ) -> Float64[np.ndarray, " row"]:
        """Entropy of the prediction for each row, over the largest there can be.

        Args:
            logits: Logits of a batch, -inf for what a row does not have.
            encoded: Split that the batch is of.
            rows: Numbers of its sequences in the batch.

        Returns:
            Ratios in [0, 1]: 1 where all labels, or all of the row's own alternatives, are equally
            likely; 0 for a sure prediction, and where there is one alternative.

        Raises:
            NotImplementedError: If the kind predicts values, which have no entropy.
        """
        return normalised_entropy(logits)

    def unpadded(
        self, logits: Float32[np.ndarray, "row class *place"], lengths: Int64[np.ndarray, " row"]
    ) -> list[Logits]:
        """The logits of each row of a batch.

        Args:
            logits: Logits of the batch.
            lengths: Tokens of each row.

        Returns:
            Logits without those of padding.
        """
        axis = self.token_axis
        return [
            row if axis is None else row.take(range(length), axis=axis)
            for row, length in zip(logits, lengths.tolist(), strict=True)
        ]

    def combined(
        self, outputs: Float[Tensor, "sequence *_"], further: Int[Tensor, "row _"]
    ) -> Float[Tensor, "row *_"]:
        """Logits of rows, for kinds with a further input.

        Args:
            outputs: What a head says to each of the sequences that the encoder reads.
            further: The input.

        Returns:
            The logits.
        """
        raise NotImplementedError

    def _truncated(self, parts: int) -> int | None:
        """The text that gives way, None for the longest."""
        named = self.task.truncate
        place = None if named is None else self.task.text.index(named)
        return place if place is not None and place < parts else None


def codes_of_labels(encoded: Encoded, rows: Rows) -> Int64[np.ndarray, " row"]:
    """Codes of rows' labels, as targets of kinds whose rows have one each.

    Args:
        encoded: A split.
        rows: Numbers of its sequences; several may be of one row.

    Returns:
        The code of the row that each sequence is of.
    """
    if encoded.alignment is not None:
        rows = encoded.alignment.rows[rows]
    return np.asarray(encoded.labels[rows], dtype=np.int64)


class TokenLevelKind(OutputKind):
    """A kind whose answers are made of outputs for every token, and not of one vector per row."""

    def outputs(self, output: Any) -> Float[Tensor, "row token output"]:
        """What the family's own class gives for every token.

        Args:
            output: An output of the class.

        Returns:
            The outputs.
        """
        outputs: Tensor = output.logits
        return outputs

    def losses(
        self,
        logits: Float[Tensor, "row class place"],
        targets: Int[Tensor, "row place"],
        label_smoothing: float = 0.0,
    ) -> Float[Tensor, " row"]:
        """Mean cross-entropy over the places that have a target."""
        smoothing = label_smoothing if self.task.labels else 0.0
        losses = F.cross_entropy(
            logits.float(), targets, reduction="none", label_smoothing=smoothing
        )
        return losses.sum(dim=1) / (targets >= 0).sum(dim=1).clamp_min(1)

    @abstractmethod
    def logits(
        self, outputs: Float[Tensor, "row token output"], mask: Int[Tensor, "row token"]
    ) -> Float[Tensor, "row class place"]:
        """Outputs of tokens as logits of classes at places.

        Args:
            outputs: For every token.
            mask: One for tokens, zero for padding.

        Returns:
            The logits.
        """


kinds = Registry("kind", OutputKind)
"""All kinds, by name."""


def kind_of(task: Task, scale: AnswerScale | None = None) -> OutputKind:
    """The kind of a task.

    Args:
        task: The definition.
        scale: Scale on which outputs of a regression stand for values; None for the scale of its
            range. A model has the kinds of its tasks, with their scales, as `MultiTaskModel.kinds`.

    Returns:
        The kind.
    """
    return kinds.find(task.kind)(task, scale)
