"""Text embeddings against the cosine of two means written out."""

from math import sqrt

import numpy as np
import pytest

from probes import FakeProbe
from relevance.measures.embedding import ROWS, Embedding
from toys import toy


def test_it_is_the_cosine_of_mean_features() -> None:
    probe = FakeProbe()
    values = Embedding(lambda: probe).estimate(probe, [toy("A"), toy("B"), toy("C")], seed=5)
    features = probe.features(["A", "B", "C"], rows=ROWS, seed=5)
    means = [
        [sum(row[place] for row in rows) / len(rows) for place in range(4)]
        for rows in (features[name].values.tolist() for name in "ABC")
    ]
    for one in range(3):
        for other in range(3):
            dot = sum(x * y for x, y in zip(means[one], means[other], strict=True))
            lengths = [sqrt(sum(x * x for x in means[place])) for place in (one, other)]
            assert values[one, other] == pytest.approx(dot / (lengths[0] * lengths[1]))


def test_all_rows_count_alike_and_neither_labels_nor_training_play_a_part() -> None:
    asked = []

    class Watched(FakeProbe):
        def features(self, tasks, *, rows, seed, source=None):
            asked.append((rows, source))
            return super().features(tasks, rows=rows, seed=seed, source=source)

    tasks = [toy("A"), toy("B")]
    values = Embedding(Watched).estimate(Watched(), tasks, seed=0)
    assert asked == [(ROWS, None)]
    np.testing.assert_array_equal(values, values.T)
    np.testing.assert_array_equal(values.diagonal(), 1.0)
