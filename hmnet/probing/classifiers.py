"""Classifiers of two hidden layers on frozen vectors, those of all layers trained side by side."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor, nn

from hmnet.probing.settings import Recipe
from hmnet.probing.splits import ProbingTask, Rows
from hmnet.randomness import seeded

Vectors = Float32[np.ndarray, "layer sentence hidden"]
ROWS_AT_ONCE = 1024
ROUNDING = 1e-6  # relative, of 4-byte numbers


class Told(NamedTuple):
    """What is told from one layer.

    Attributes:
        accuracy: Share of test rows that are told right.
        dev: Share of dev rows, in the epoch that counts.
        epoch: That epoch, from 1; 0 where the vectors of all sentences are the same, so that no
            classifier can do better than to answer the most common label.
    """

    accuracy: float
    dev: float
    epoch: int


class Classifiers:
    """One classifier for each layer, all of one shape, beginning with the same weights.

    All parameters are views of one tensor, and their gradients of another, so that the optimizer
    goes over one tensor a step. Gradients are worked out here, as a step on a few rows is so short
    that recording it for autograd would take a good part of its time.

    Attributes:
        flat: All parameters, one after another; `flat.grad` holds the gradients.
        weights: Weights by depth, as views.
        biases: Biases by depth, as views.

    Args:
        layers: How many there are.
        sizes: Widths from the vectors to the labels.
        owner: Name that the weights are drawn for.
        seed: Seed of the weights, which are drawn as `nn.Linear` draws them.
        device: Where they are.
    """

    def __init__(
        self, layers: int, sizes: tuple[int, ...], owner: str, seed: int, device: torch.device
    ) -> None:
        with seeded(seed, f"probing/{owner}"), torch.no_grad():
            drawn = [nn.Linear(one, other) for one, other in pairwise(sizes)]
            each = [tensor for linear in drawn for tensor in (linear.weight.T, linear.bias[None])]
            starts = [tensor.repeat(layers, 1, 1) for tensor in each]
        self._shapes = [start.shape for start in starts]
        self.flat = torch.cat([start.flatten() for start in starts]).to(device)
        self.flat.grad = torch.zeros_like(self.flat)
        self.weights, self.biases = self._by_depth(self.flat)
        self._weight_gradients, self._bias_gradients = self._by_depth(self.flat.grad)

    def views(self, flat: Float[Tensor, " number"]) -> list[Float[Tensor, "layer _ _"]]:
        """Parts of a tensor as long as `flat`, each of the shape of a parameter."""
        parts = torch.split(flat, [shape.numel() for shape in self._shapes])
        return [part.view(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def _by_depth(self, flat: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        views = self.views(flat)
        return views[::2], views[1::2]

    def __call__(
        self, vectors: Float[Tensor, "layer row hidden"]
    ) -> Float[Tensor, "layer row label"]:
        """Logits of the rows of every layer."""
        return self._activations(vectors)[-1]

    def _activations(self, vectors: Tensor) -> list[Tensor]:
        """What every depth is given, and the logits."""
        found = [vectors]
        last = len(self.weights) - 1
        for depth, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            given = torch.baddbmm(bias, found[-1], weight)
            found.append(given.relu_() if depth < last else given)
        return found

    def write_gradients(
        self, vectors: Float[Tensor, "layer row hidden"], labels: Int64[Tensor, " row"]
    ) -> None:
        """Write gradients of each layer's mean cross-entropy to `flat.grad`, over older ones.

        Args:
            vectors: Vectors of the rows, by layer.
            labels: Their labels, the same for all layers.
        """
        *given, logits = self._activations(vectors)
        slope = logits.softmax(-1)
        slope[:, torch.arange(len(labels), device=labels.device), labels] -= 1
        slope /= len(labels)
        for depth in reversed(range(len(given))):
            torch.bmm(given[depth].mT, slope, out=self._weight_gradients[depth])
            torch.sum(slope, 1, keepdim=True, out=self._bias_gradients[depth])
            if depth:
                slope = torch.bmm(slope, self.weights[depth].mT)
                slope = torch.ops.aten.threshold_backward(slope, given[depth], 0)  # that of ReLU


def tell(
    task: ProbingTask,
    vectors: Vectors,
    recipe: Recipe,
    device: torch.device,
    say: Callable[[str], None] = lambda _: None,
) -> list[Told]:
    """Train a classifier on every layer and score it.

    All see the same batches and begin with the same weights, so that a layer's score does not
    depend on which others there are.

    Args:
        task: The task.
        vectors: Vectors of its sentences, by layer.
        recipe: How they are trained.
        device: Where they are trained.
        say: Told each epoch that is done.

    Returns:
        One for each layer.
    """
    same = [bool((layer == layer[:1]).all()) for layer in vectors]
    most = task.most_common
    told = [Told(task.majority, float(np.mean(task.dev.labels == most)), 0)] * len(same)
    varied = [number for number, is_same in enumerate(same) if not is_same]
    if varied:
        features = _Features(vectors, varied, device)
        if recipe.standardize:
            features = features.standardized(task.train.sentences)
        trained = _train(task, features, recipe, say)
        for number, each in zip(varied, trained, strict=True):
            told[number] = each
    return told


class _Features(NamedTuple):
    """Vectors of some layers, on disk, less their means and times their factors."""

    vectors: Vectors
    layers: list[int]
    device: torch.device
    means: Tensor | None = None
    factors: Tensor | None = None

    def standardized(self, sentences: Int64[np.ndarray, " row"]) -> "_Features":
        """The same with means 0 and deviations 1 over rows of these sentences.

        Numbers that differ by rounding alone become 0.
        """
        means, factors = [], []
        for layer in self.layers:
            rows = self.vectors[layer][sentences]
            mean, deviation = rows.mean(0, dtype=np.float64), rows.std(0, dtype=np.float64)
            told = deviation > ROUNDING * np.abs(mean)
            means.append(mean)
            factors.append(np.divide(1, deviation, out=np.zeros_like(mean), where=told))
        stacked = [torch.from_numpy(np.stack(each)[:, None]) for each in (means, factors)]
        mean, factor = (each.to(self.device, torch.float32) for each in stacked)
        return self._replace(means=mean, factors=factor)

    def batches(
        self, rows: Rows, order: Int64[np.ndarray, " row"], size: int
    ) -> Iterator[tuple[Float[Tensor, "layer row hidden"], Int64[Tensor, " row"]]]:
        """Vectors and labels of rows, so many at a time; many are taken from the disk at once."""
        step = size * max(1, ROWS_AT_ONCE // size)
        for start in range(0, len(order), step):
            chosen = order[start : start + step]
            sentences = rows.sentences[chosen]
            taken = np.empty((len(self.layers), len(chosen), self.vectors.shape[-1]), np.float32)
            for layer, place in zip(self.layers, taken, strict=True):
                np.take(self.vectors[layer], sentences, axis=0, out=place, mode="clip")
            vectors = torch.from_numpy(taken).to(self.device)
            if self.means is not None and self.factors is not None:
                vectors.sub_(self.means).mul_(self.factors)
            labels = torch.from_numpy(rows.labels[chosen]).to(self.device)
            yield from zip(
                torch.split(vectors, size, dim=1), torch.split(labels, size), strict=True
            )


def _train(
    task: ProbingTask, features: _Features, recipe: Recipe, say: Callable[[str], None]
) -> list[Told]:
    width, count = features.vectors.shape[-1], len(features.layers)
    sizes = (width, recipe.hidden, recipe.hidden, len(task.labels))
    model = Classifiers(count, sizes, task.name, recipe.seed, features.device)
    optimizer = torch.optim.Adam([model.flat], lr=recipe.lr, fused=True)
    order = np.random.default_rng(recipe.seed)
    best = torch.full((count,), -1.0, dtype=torch.float64)
    epochs = torch.zeros(count, dtype=torch.int64)
    kept = model.flat.clone()
    for epoch in range(1, recipe.epochs + 1):
        shuffled = order.permutation(len(task.train.labels))
        for vectors, labels in features.batches(task.train, shuffled, recipe.batch_size):
            model.write_gradients(vectors, labels)
            optimizer.step()
        right = _accuracy(model, features, task.dev)
        better = right > best
        best[better], epochs[better] = right[better], epoch
        for stays, weight in zip(model.views(kept), model.views(model.flat), strict=True):
            stays[better] = weight[better]
        say(f"epoch {epoch} of {recipe.epochs}")
        if (best == 1).all():  # the first of equals counts, so no later epoch can
            break
    model.flat.copy_(kept)
    test = _accuracy(model, features, task.test)
    values = zip(test.tolist(), best.tolist(), epochs.tolist(), strict=True)
    return [Told(*each) for each in values]


def _accuracy(model: Classifiers, features: _Features, rows: Rows) -> Float[Tensor, " layer"]:
    """Share of rows that each layer's classifier tells right."""
    right = torch.zeros(len(features.layers), dtype=torch.float64)
    for vectors, labels in features.batches(rows, np.arange(len(rows.labels)), ROWS_AT_ONCE):
        right += (model(vectors).argmax(-1) == labels).sum(-1).cpu()
    return right / len(rows.labels)
