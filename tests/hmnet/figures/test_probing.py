"""Heat map of probing: rows, texts and ends of colours, also where all accuracies are the same."""

import numpy as np
import pytest

from hmnet.figures.probing import lay_out, probing_figure
from hmnet.probing.classifiers import Told
from hmnet.probing.probing import Probed
from hmnet.probing.splits import ProbingTask, Rows


def probed(accuracies: list[float], name: str = "tense") -> Probed:
    rows = Rows(np.arange(4), np.array([0, 0, 1, 1]))
    task = ProbingTask(name, ("a", "b"), tuple("wxyz"), rows, rows, rows)
    told = tuple(Told(each, each, 1) for each in accuracies)
    return Probed("minilm", "mean", 0, {"mlm": 2, "nsp": 1}, (task,), {name: told})


def test_majority_stands_above_the_layers() -> None:
    grid = lay_out(probed([0.5, 0.874, 1.0]))
    assert grid.rows == ("majority", "0", "1 (NSP)", "2 (MLM)")
    assert [row[0] for row in grid.texts] == ["50.0", "50.0", "87.4", "100.0"]
    assert (grid.low, grid.high) == (50.0, 100.0)


@pytest.mark.parametrize("share", [0.5, 1.0, 0.55])
def test_equal_accuracies_and_names_of_any_kind_are_drawn(share: float) -> None:
    axes = probing_figure(probed([share, share], "שלום $x$ 😀"))
    low, high = axes.collections[0].get_clim()
    assert low < high
    assert low <= 100 * share <= high
