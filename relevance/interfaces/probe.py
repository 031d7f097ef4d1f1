"""The interface of an encoder that cheap estimators ask; anything that can answer will do.

Rows are drawn from training splits unless a method says otherwise, and the same ones whenever task,
seed and number of rows are the same. Nothing here depends on the order in which tasks are named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Shaped


@dataclass(frozen=True)
class Features:
    """Features and labels of some rows of a task.

    Attributes:
        values: One vector per row.
        labels: Codes for classification, values on the scale of [0, 1] for regression; for other
            kinds the rows' labels themselves.
    """

    values: Float[np.ndarray, "row dimension"]
    labels: Shaped[np.ndarray, " row"]


@dataclass(frozen=True)
class FittedHead:
    """A fitted linear map of features to outputs: `features @ weights.T + bias`.

    Attributes:
        weights: Weights, one row per output.
        bias: Bias, one number per output.
        variance: Variance of the labels around the output of a regression task; 1 for
            classification, where it has no meaning.
    """

    weights: Float[np.ndarray, "output dimension"]
    bias: Float[np.ndarray, " output"]
    variance: float = 1.0


@dataclass(frozen=True)
class LookaheadLosses:
    """Losses around single steps, at several moments of the training of one model on all tasks.

    Attributes:
        before: Losses of a batch of each target.
        after: Losses of the same batch after one step on a batch of the source.
    """

    before: Float[np.ndarray, "moment target"]
    after: Float[np.ndarray, "moment source target"]


@dataclass(frozen=True)
class Linearisation:
    """A model near its weights, as a linear function of a few directions of change for each row.

    A change `w` of the weights moves the output of a row to `outputs + gradients @ w`.

    Attributes:
        outputs: `log(p / (1 - p))` of the row's true label for classification; output less label,
            on the scale that the task's loss is taken on, for regression.
        gradients: Gradients of the outputs with respect to the shared weights, projected at random
            so that inner products keep their expectation.
    """

    outputs: Float[np.ndarray, " row"]
    gradients: Float[np.ndarray, "row direction"]


@runtime_checkable
class Probe(Protocol):
    """An encoder, the tasks it can be trained on, and the settings of that training."""

    @property
    def provenance(self) -> dict[str, Any]:
        """Provenance of answers, for that of the matrix: encoder, settings of training, device."""
        ...

    @property
    def workers(self) -> float:
        """Number of workers of a joint-training study that this probe's cores would serve."""
        ...

    def features(
        self, tasks: Sequence[str], *, rows: int, seed: int, source: str | None = None
    ) -> dict[str, Features]:
        """Mean hidden state of the last layer over the tokens of each row, without dropout.

        Args:
            tasks: Names.
            rows: Number of rows of each task at most.
            seed: Seed of the rows, and of training.
            source: Task that the encoder is fine-tuned on first; None for the encoder as it is.

        Returns:
            {task: features}.
        """
        ...

    def features_by_split(
        self, tasks: Sequence[str], *, rows: int, seed: int, source: str
    ) -> dict[str, tuple[Features, Features]]:
        """Features as `features` gives them, and those of rows that no task is trained on.

        Args:
            tasks: Names.
            rows: Number of rows of each split at most.
            seed: Seed of the rows, and of training.
            source: Task that the encoder is fine-tuned on first, once for both splits.

        Returns:
            {task: (of training rows, of held-out rows)}.
        """
        ...

    def fisher(
        self, task: str, head: FittedHead, *, rows: int, seed: int
    ) -> Float[np.ndarray, " unit"]:
        """Diagonal of the Fisher information of the encoder's weights, as it is, under a head.

        Args:
            task: A name.
            head: Head on the features that `features` gives.
            rows: Number of rows at most.
            seed: Seed of the rows, and of the labels, which are drawn from what the model says.

        Returns:
            Means over the weights of each output unit of each linear layer.
        """
        ...

    def gradient_products(
        self, tasks: Sequence[str], *, batches: int, seed: int
    ) -> Float[np.ndarray, "batch task task"]:
        """Inner products of the tasks' gradients of the shared weights, without dropout.

        Args:
            tasks: Names; one model is trained on all of them first.
            batches: Number of batches of each task.
            seed: Seed of training and of the batches.

        Returns:
            One matrix for each batch of all tasks.
        """
        ...

    def lookahead(
        self, tasks: Sequence[str], *, moments: int, lr: float, seed: int
    ) -> LookaheadLosses:
        """Losses before and after plain steps of gradient descent on the shared weights.

        Args:
            tasks: Names; one model is trained on all of them meanwhile, as if nobody looked.
            moments: Number of moments, spread evenly over training; at most one per step.
            lr: Learning rate of the plain steps.
            seed: Seed of training and of the batches.

        Returns:
            Losses without dropout.
        """
        ...

    def linearise(
        self, tasks: Sequence[str], *, rows: int, directions: int, seed: int
    ) -> dict[str, tuple[Linearisation, Linearisation]]:
        """One model trained on all tasks, linearised around its weights.

        Args:
            tasks: Names.
            rows: Number of rows of each split at most.
            directions: Number of columns of the projected gradients, a square number.
            seed: Seed of training, rows and projection.

        Returns:
            {task: (of training rows, of held-out rows)}.
        """
        ...
