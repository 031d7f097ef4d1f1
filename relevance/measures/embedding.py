"""Text embeddings: tasks are alike whose texts mean alike things to the plain encoder."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from relevance.interfaces.probe import Probe
from relevance.measures._estimator import Cells, Estimator, cosines
from relevance.tasks.task import Task

ROWS = 256  # a mean over as many rows is known to 1/16 of the spread between rows


class Embedding(Estimator):
    """Cosine between the mean text embeddings of two tasks; labels play no part."""

    name = "embedding"
    settings: ClassVar = {"rows": ROWS}

    def estimate(self, probe: Probe, tasks: Sequence[Task], seed: int) -> Cells:
        """Cosines, symmetric, ones on the diagonal; nothing is trained."""
        features = probe.features([task.name for task in tasks], rows=ROWS, seed=seed)
        means = np.stack([features[task.name].values.mean(axis=0) for task in tasks])
        return cosines(means @ means.T)
