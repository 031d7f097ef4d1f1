"""Figure of the average over the number of tasks: what it shows, and that it fits."""

import numpy as np
import pytest

from fitting import fits
from hmnet.comparison.compare import compare
from hmnet.comparison.table import Comparison
from hmnet.figures.number_of_tasks import Trained, lay_out, number_of_tasks_figure
from hmnet.runs.scores import Score
from relevance.errors import RelevanceError
from relevance.figures.figure import figure_of

COUNTS = (8, 2, 4)


def scored(methods: tuple[str, ...], seeds: int) -> tuple[Comparison, dict[str, Trained]]:
    """Runs of 8, 2 and 4 tasks; T0 and T1, which all have, score (10 * method + tasks + seed) %."""
    trained = {f"{method} {n}": Trained(method, n) for method in methods for n in COUNTS}
    scores = [
        Score(name, method, f"T{task}", "dev", "accuracy", seed, value)
        for name, (method, count) in trained.items()
        for seed in range(seeds)
        for task in range(count)
        for value in ((10 * methods.index(method) + count + seed) / 100 if task < 2 else 0.9,)
    ]
    return compare(scores), trained


def test_a_line_per_method_over_the_rows_that_all_runs_have() -> None:
    (multi, camtl), y_label = lay_out(*scored(("multi", "camtl"), seeds=2))
    assert y_label == "average of 2 common rows (%)"
    assert (multi.method, multi.tasks, camtl.tasks) == ("multi", (2, 4, 8), (2, 4, 8))
    assert multi.means == pytest.approx((2.5, 4.5, 8.5))
    assert camtl.means == pytest.approx((12.5, 14.5, 18.5))
    assert multi.deviations == pytest.approx([0.5**0.5] * 3)


def test_one_seed_has_no_deviation() -> None:
    (curve,), _ = lay_out(*scored(("multi",), seeds=1))
    assert np.isnan(curve.deviations).all()


def test_runs_without_common_rows_have_no_average() -> None:
    compared = compare([Score("a", "multi", "T0", "dev", "accuracy", 0, 0.5)])
    with pytest.raises(RelevanceError, match=r"^`figure` draws the average over the rows that all"):
        lay_out(compared, {"a": Trained("multi", 1)})


@pytest.mark.parametrize("methods", [("multi",), ("multi", "camtl:variant=released", "a $x$ {b}")])
def test_everything_fits(methods: tuple[str, ...]) -> None:
    assert fits(figure_of(number_of_tasks_figure(*scored(methods, seeds=3))))
