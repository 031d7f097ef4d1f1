"""Accuracies of finished probing tasks, kept in the cache by everything that decides them."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from hmnet.probing.classifiers import Told, tell
from hmnet.probing.features import LayerFeatures
from hmnet.probing.settings import Recipe, Vector
from hmnet.probing.splits import ProbingTask
from relevance.disk.files import begin_cache, digest
from relevance.studies.store import JobStore

VERSION = 1  # raised whenever the same rows and vectors would give other accuracies


def told_of_task(
    task: ProbingTask,
    features: LayerFeatures,
    vector: Vector,
    recipe: Recipe,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Told, ...]:
    """What every layer tells of a task: from the cache, else by training classifiers.

    Args:
        task: The task.
        features: Vectors of its sentences, which are not read where its accuracies are kept.
        vector: Which vectors are looked at.
        recipe: How classifiers are trained.
        say: Told now and then how far it is.

    Returns:
        One for each layer.

    Raises:
        RelevanceError: If the vectors cannot be computed, or the cache cannot be read or written.
    """
    store = JobStore(begin_cache())
    inputs = _inputs(task, features, vector, recipe)
    kept = store.read(inputs)
    if kept is None:
        say("begins")
        store.reserve(inputs)  # a cache that cannot be written is better known before
        told = tell(task, features.read(vector, say), recipe, features.device, say)
        kept = [each._asdict() for each in told]
        store.write(inputs, kept)
    return tuple(Told(**each) for each in kept)


def _inputs(
    task: ProbingTask, features: LayerFeatures, vector: Vector, recipe: Recipe
) -> dict[str, Any]:
    """Everything that decides the accuracies."""
    rows = [part.tolist() for split in (task.train, task.dev, task.test) for part in split]
    return {
        "kind": "hmnet.probing",
        "version": VERSION,
        "features": features.key,
        "vector": vector,
        "task": task.name,
        "labels": list(task.labels),
        "rows": digest(rows),
        "recipe": asdict(recipe),
    }
