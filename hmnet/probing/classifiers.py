"""Classifiers of two hidden layers on frozen vectors, those of all layers trained side by side."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  what everybody calls it

from hmnet.probing.settings import Recipe
from hmnet.probing.splits import ProbingTask, Rows
from hmnet.randomness import seeded

Vectors = Float32[np.ndarray, "layer sentence hidden"]
ROWS_AT_ONCE = 1024


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


class Classifiers(nn.Module):
    """One classifier for each layer, all of one shape, beginning with the same weights.

    Args:
        layers: How many there are.
        sizes: Widths from the vectors to the labels.
        owner: Name that the weights are drawn for.
        seed: Seed of the weights, which are drawn as `nn.Linear` draws them.
    """

    def __init__(self, layers: int, sizes: tuple[int, ...], owner: str, seed: int) -> None:
        super().__init__()
        with seeded(seed, f"probing/{owner}"):
            drawn = [nn.Linear(one, other) for one, other in pairwise(sizes)]
        self.weights = nn.ParameterList(
            each.weight.detach().T.repeat(layers, 1, 1) for each in drawn
        )
        self.biases = nn.ParameterList(each.bias.detach().repeat(layers, 1, 1) for each in drawn)

    def forward(
        self, vectors: Float[Tensor, "layer row hidden"]
    ) -> Float[Tensor, "layer row label"]:
        """Logits of the rows of every layer."""
        last = len(self.weights) - 1
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            vectors = torch.baddbmm(bias, vectors, weight)
            if number < last:
                vectors = F.relu(vectors)
        return vectors


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
        trained = _train(task, _Features(vectors, varied, device), recipe, say)
        for number, each in zip(varied, trained, strict=True):
            told[number] = each
    return told


class _Features(NamedTuple):
    """Vectors of some layers, on disk."""

    vectors: Vectors
    layers: list[int]
    device: torch.device

    def batch(self, sentences: Int64[np.ndarray, " row"]) -> Float[Tensor, "layer row hidden"]:
        taken = np.stack([self.vectors[layer][sentences] for layer in self.layers])
        return torch.from_numpy(taken).to(self.device)

    def labels(self, labels: Int64[np.ndarray, " row"]) -> Tensor:
        return torch.from_numpy(labels).to(self.device)


def _train(
    task: ProbingTask, features: _Features, recipe: Recipe, say: Callable[[str], None]
) -> list[Told]:
    width, count = features.vectors.shape[-1], len(features.layers)
    sizes = (width, recipe.hidden, recipe.hidden, len(task.labels))
    model = Classifiers(count, sizes, task.name, recipe.seed).to(features.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.lr, fused=True)
    order = np.random.default_rng(recipe.seed)
    best = torch.full((count,), -1.0, dtype=torch.float64)
    epochs = torch.zeros(count, dtype=torch.int64)
    kept = [weight.detach().clone() for weight in model.parameters()]
    for epoch in range(1, recipe.epochs + 1):
        _pass(
            model,
            optimizer,
            features,
            task.train,
            order.permutation(len(task.train.labels)),
            recipe,
        )
        right = _accuracy(model, features, task.dev)
        better = right > best
        best[better], epochs[better] = right[better], epoch
        for stays, weight in zip(kept, model.parameters(), strict=True):
            stays[better] = weight.detach()[better]
        say(f"epoch {epoch} of {recipe.epochs}")
    with torch.no_grad():
        for weight, stays in zip(model.parameters(), kept, strict=True):
            weight.copy_(stays)
    test = _accuracy(model, features, task.test)
    values = zip(test.tolist(), best.tolist(), epochs.tolist(), strict=True)
    return [Told(*each) for each in values]


def _pass(
    model: Classifiers,
    optimizer: torch.optim.Optimizer,
    features: _Features,
    rows: Rows,
    order: Int64[np.ndarray, " row"],
    recipe: Recipe,
) -> None:
    """One pass over the training rows; the layers' losses are added, so none sees another's."""
    for start in range(0, len(order), recipe.batch_size):
        chosen = order[start : start + recipe.batch_size]
        logits = model(features.batch(rows.sentences[chosen]))
        labels = features.labels(rows.labels[chosen]).expand(len(logits), -1)
        loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten()) * len(logits)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()


@torch.no_grad()
def _accuracy(model: Classifiers, features: _Features, rows: Rows) -> Float[Tensor, " layer"]:
    """Share of rows that each layer's classifier tells right."""
    right = torch.zeros(len(features.layers), dtype=torch.float64)
    for start in range(0, len(rows.labels), ROWS_AT_ONCE):
        chosen = slice(start, start + ROWS_AT_ONCE)
        answers = model(features.batch(rows.sentences[chosen])).argmax(-1)
        right += (answers == features.labels(rows.labels[chosen])).sum(-1).cpu()
    return right / len(rows.labels)
