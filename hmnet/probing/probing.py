"""`hmnet probe`: how much every layer of an encoder says about sentences, task by task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from hmnet.data.batching import check_max_length
from hmnet.devices import resolve_device
from hmnet.precision import resolve_precision
from hmnet.probing.classifiers import Told
from hmnet.probing.encoder import open_encoder
from hmnet.probing.features import LayerFeatures
from hmnet.probing.files import read_tasks
from hmnet.probing.finished import told_of_task
from hmnet.probing.settings import ProbingConfig, Vector
from hmnet.probing.splits import ProbingTask, make_task
from relevance.report.tables import Row

OBJECTIVES = {"mlm": "MLM", "nsp": "NSP", "bigram": "bigram"}


@dataclass(frozen=True)
class Probed:
    """What every layer tells of every task.

    Attributes:
        encoder: Name of what was probed.
        vector: What was looked at.
        seed: Seed of the classifiers.
        levels: Layers that pre-training read, by objective.
        tasks: The tasks, in the order of the columns.
        told: By task, one for each layer from 0, the embeddings.
        notes: What the user should know.
    """

    encoder: str
    vector: Vector
    seed: int
    levels: Mapping[str, int]
    tasks: tuple[ProbingTask, ...]
    told: Mapping[str, tuple[Told, ...]]
    notes: tuple[str, ...] = ()

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers: their numbers, with the objectives of pre-training that read them.

        Layer 0 is the embeddings.
        """
        count = len(next(iter(self.told.values())))
        return tuple(self._name(layer) for layer in range(count))

    def table_rows(self) -> list[Row]:
        """Accuracies in percent.

        Returns:
            The majority class above, then a row for each layer; a column for each task.
        """
        majority: Row = {"layer": "majority"} | {
            task.name: 100 * task.majority for task in self.tasks
        }
        rows: list[Row] = [
            {"layer": name}
            | {task.name: 100 * self.told[task.name][layer].accuracy for task in self.tasks}
            for layer, name in enumerate(self.layers)
        ]
        return [majority, *rows]

    def score_rows(self) -> list[Row]:
        """Everything in full, fractions.

        Returns:
            A row for each task and layer.
        """
        return [
            {
                "encoder": self.encoder,
                "vector": self.vector,
                "seed": self.seed,
                "task": task.name,
                "layer": layer,
                "level": "+".join(self._objectives(layer)),
                "accuracy": told.accuracy,
                "majority": task.majority,
                "dev": told.dev,
                "epoch": told.epoch,
                "labels": len(task.labels),
                "train_rows": len(task.train.labels),
                "dev_rows": len(task.dev.labels),
                "test_rows": len(task.test.labels),
                "dropped_rows": task.dropped,
            }
            for task in self.tasks
            for layer, told in enumerate(self.told[task.name])
        ]

    def _name(self, layer: int) -> str:
        marks = self._objectives(layer)
        return f"{layer} ({', '.join(marks)})" if marks else str(layer)

    def _objectives(self, layer: int) -> list[str]:
        return [OBJECTIVES[name] for name, level in self.levels.items() if level == layer]


def run_probing(
    name: str, config: ProbingConfig, tell_progress: Callable[[str], None] = lambda _: None
) -> Probed:
    """Probe every layer of a frozen encoder on every task.

    Vectors and accuracies of finished tasks are kept in the cache, so that a call that was
    interrupted goes on where it stopped.

    Args:
        name: A run's folder, or a backbone.
        config: The settings.
        tell_progress: Told now and then how far it is.

    Returns:
        The accuracies.

    Raises:
        RelevanceError: If encoder or tasks cannot be read, or the encoder takes no inputs as long.
    """
    device = resolve_device(config.device)
    precision, place = resolve_precision(config.precision, device), torch.device(device)
    parts = read_tasks(config.data, config.tasks)
    tasks = tuple(make_task(each, lines) for each, lines in parts.items())
    encoder = open_encoder(name, config.run_task, config.seed)
    check_max_length(encoder.module, config.max_length)
    told = {}
    for number, task in enumerate(tasks, start=1):
        said = _before(f"{task.name} ({number} of {len(tasks)})", tell_progress)
        features = LayerFeatures(encoder, task.sentences, config.max_length, precision, place)
        told[task.name] = told_of_task(task, features, config.vector, config.recipe, said)
    notes = [*encoder.notes, *(note for task in tasks for note in task.notes)]
    return Probed(
        encoder=name,
        vector=config.vector,
        seed=config.seed,
        levels=encoder.levels,
        tasks=tasks,
        told=told,
        notes=tuple(notes),
    )


def _before(where: str, tell_progress: Callable[[str], None]) -> Callable[[str], None]:
    return lambda text: tell_progress(f"{where}: {text}")
