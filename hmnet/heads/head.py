"""The base of heads: the part of a path that belongs to one task alone, whatever the plan."""

from abc import abstractmethod

from jaxtyping import Float, Int
from torch import Tensor, nn

from hmnet.backbones.backbone import Backbone
from hmnet.backbones.levels import Concat
from hmnet.heads._choice import AUTO, Pooling
from hmnet.heads._joined import Joined, widen
from hmnet.kinds.kind import OutputKind, TokenLevelKind, kind_of
from relevance.errors import RelevanceError
from relevance.registry import Registry
from relevance.tasks.task import Task


class Head(nn.Module):
    """Turns what a task's layers say into its logits; every task has one of its own.

    Args:
        backbone: Backbone whose sizes and initialisation are used.
        task: Task, which sets the number of outputs.
        pooling: Name in `poolings`.

    Attributes:
        poolings: Ways in which the head can pool hidden states; the first is the default.
        apart: Whether the encoder reads the texts of a row one by one, and not as one input.
        bounded: Whether a regression's outputs lie in [0, 1] by the head's very form.
        kind: The task's kind where it labels parts of a text, else None.
        joined: Makes what is joined to every token's vector; None for nothing.
    """

    poolings: tuple[Pooling, ...] = ("cls", "mean")
    apart: bool = False
    bounded: bool = False

    @abstractmethod
    def __init__(self, backbone: Backbone, task: Task, pooling: Pooling) -> None:
        super().__init__()
        self.pooling = pooling
        kind = kind_of(task)
        self.kind = kind if isinstance(kind, TokenLevelKind) else None
        self.joined: Joined | None = None

    def take_joined(self, backbone: Backbone, concat: Concat, name: str) -> None:
        """Let the head read, beside every token's vector, what stands for the whole text.

        Args:
            backbone: Encoder that is read.
            concat: `cls` for its [CLS] vector at the NSP level, `nsp` for the two logits of the NSP
                classifier, which becomes part of the head and trains with it.
            name: The head's name, for the message.

        Raises:
            RelevanceError: If tokens are not read by a single linear layer.
        """
        joined = Joined(backbone, concat)
        widen(self, backbone, joined, name)
        self.joined = joined

    def path(self, encoder: nn.Module) -> nn.Module:
        """Put the head on an encoder, by default so that it is called with hidden states.

        Args:
            encoder: A view of the backbone with the task's layers, without a pooler, or what is
                called and answers as one.

        Returns:
            A module that is called with the inputs and returns logits `[batch, outputs]`; its
            weights are the encoder's and the head's own.
        """
        return EncoderPath(encoder, self)

    @classmethod
    def check(cls, task: Task) -> None:
        """Refuse a task that the head is not made for; most take any.

        Args:
            task: The definition.

        Raises:
            RelevanceError: If the head cannot answer it.
        """


class EncoderPath(nn.Module):
    """Runs an encoder by its own forward, and asks a head about texts, or about every token.

    Args:
        encoder: A view of the backbone with the task's layers.
        head: The task's head; it is called with one vector per row, with one for each of the texts
            of a row, or with those of all tokens where the task's kind labels parts of a text.
    """

    def __init__(self, encoder: nn.Module, head: Head) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(
        self, attention_mask: Int[Tensor, "batch *text length"], **inputs: Tensor
    ) -> Float[Tensor, "batch *_"]:
        """Logits of a batch.

        Args:
            attention_mask: One for tokens, zero for padding.
            **inputs: Token ids `[batch, length]`, or `[batch, text, length]` where texts are read
                one by one, and the like, as the tokenizer names them.

        Returns:
            Logits `[batch, output]`; for regression one value, on the scale that the model has for
            the task. Where the kind labels parts of a text, `[batch, class, place]`.
        """
        *texts, _ = attention_mask.shape
        last = len(texts) - 1
        mask = attention_mask.flatten(0, last)
        flat = {name: values.flatten(0, last) for name, values in inputs.items()}
        hidden = self.encoder(attention_mask=mask, **flat).last_hidden_state
        if self.head.kind is not None:
            return self.head.kind.logits(self.head(hidden), mask)
        logits: Tensor = self.head(pool(hidden, mask, self.head.pooling).reshape(*texts, -1))
        return logits


class CombiningPath(nn.Module):
    """Asks a path about sequences, and makes the logits of rows of what it says.

    Args:
        path: Encoder and head.
        kind: Kind with a further input.
    """

    def __init__(self, path: nn.Module, kind: OutputKind) -> None:
        super().__init__()
        self.path, self.kind = path, kind

    def forward(self, **inputs: Tensor) -> Float[Tensor, "batch *_"]:
        """Logits of a batch.

        Args:
            **inputs: What the path takes, and the kind's further input.

        Returns:
            Logits `[batch, class]`.
        """
        further = inputs.pop(str(self.kind.further))
        return self.kind.combined(self.path(**inputs), further)


def combining(path: nn.Module, kind: OutputKind) -> nn.Module:
    """A path that gives logits of rows, whatever sequences the task's kind makes of them.

    Args:
        path: What a head makes of an encoder.
        kind: The task's kind.

    Returns:
        The path, inside of another where the kind has a further input.
    """
    return path if kind.further is None else CombiningPath(path, kind)


def pool(
    hidden: Float[Tensor, "batch length hidden"],
    mask: Int[Tensor, "batch length"],
    pooling: Pooling,
) -> Float[Tensor, "batch hidden"]:
    """One vector for each text.

    Args:
        hidden: Hidden states of every token.
        mask: One for tokens, zero for padding.
        pooling: `cls` for the first token, `mean` for the mean over tokens that are no padding.

    Returns:
        The vectors.

    >>> import torch
    >>> pool(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[1, 1, 0]]), "mean")
    tensor([[2.]])
    """
    if pooling == "cls":
        return hidden[:, 0]
    weights = mask.to(hidden.dtype).unsqueeze(-1)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1)


heads = Registry("head", Head)
"""All heads, by name."""


def find_head(name: str, pooling: Pooling) -> type[Head]:
    """The head that a name and a pooling stand for.

    Args:
        name: Name of a head; `auto` for the family's own with `native` pooling, else a linear one.
        pooling: Way in which hidden states become one vector.

    Returns:
        Class of the head.

    Raises:
        RelevanceError: If there is no such head, or it cannot pool in this way.

    >>> find_head("auto", "mean").__name__
    'LinearHead'
    """
    name = settled(name, pooling)
    head = heads.find(name)
    if pooling not in head.poolings:
        known = " or ".join(head.poolings)
        raise RelevanceError(f"Head '{name}' takes `pooling` {known}, not {pooling}.")
    return head


def settled(name: str, pooling: Pooling) -> str:
    """The name that `auto` stands for.

    Args:
        name: Name of a head, or `auto`.
        pooling: Way in which hidden states become one vector.

    Returns:
        The name of a head.
    """
    if name == AUTO:
        return "native" if pooling == "native" else "linear"
    return name
