"""Figures of sweeps: what they show, and that it fits for 2 and 13 tasks with any names."""

from pathlib import Path

import numpy as np
import pytest

from fitting import fits
from hmnet.analysis.layer_choices import Layers, What, column, mix_choices, shared_choices
from hmnet.analysis.sweep import Sweep, different_names
from hmnet.comparison.compare import compare
from hmnet.comparison.table import Comparison
from hmnet.figures.sweep import lay_out, specs_figure, sweep_figure
from hmnet.runs.scores import Score
from hmnet.settings.config import RunConfig
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.figures.figure import figure_of, save_figure


def swept(
    what: What, choices: tuple[Layers, ...], tasks: list[str], seeds: int
) -> tuple[Sweep, Comparison]:
    """A sweep without its runs: score = (10 * task + choice + seed) %."""
    scores = [
        Score(column(what, layers), "hmnet", task, "dev", "accuracy", seed, value / 100)
        for place, layers in enumerate(choices)
        for seed in range(seeds)
        for number, task in enumerate(tasks)
        for value in (min(90, 10 * number) + place + seed,)
    ]
    config = RunConfig(tasks=("RTE",))
    runs = {Path(f"{layers} {seed}"): config for layers in choices for seed in range(seeds)}
    sweep = Sweep(what, choices, ClusterSpec(clusters=(tuple(tasks),)), runs)
    return sweep, compare(scores)


def test_curves_are_the_tables_rows() -> None:
    sweep, compared = swept("shared", shared_choices(6, [0, 4, 6]), ["RTE", "CB"], seeds=2)
    layout = lay_out(sweep, compared)
    assert layout.choices == ("0", "4", "6")
    assert layout.x_label == "number of shared layers; bars: deviation over 2 seeds"
    assert [panel.name for panel in layout.panels] == ["RTE", "CB", "average"]
    assert layout.panels[1].means == pytest.approx((10.5, 11.5, 12.5))
    assert layout.panels[1].deviations == pytest.approx([0.5**0.5] * 3)


def test_points_are_averages() -> None:
    sweep, compared = swept("mix", mix_choices(12), ["RTE", "CB"], seeds=1)
    layout = lay_out(sweep, compared)
    (panel,) = layout.panels
    assert layout.choices == ("{12,0,0}", "{10,1,1}", "{8,2,2}", "{6,3,3}", "{4,4,4}")
    assert (panel.name, panel.means) == ("average", pytest.approx((5, 6, 7, 8, 9)))
    assert np.isnan(panel.deviations).all()
    assert layout.x_label == "{shared, cluster, task} layers"


@pytest.mark.parametrize("what", ["shared", "mix"])
@pytest.mark.parametrize("count", [2, 13])
@pytest.mark.parametrize("name", ["T{}", "a task with a long $name {}"])
def test_everything_fits(what: What, count: int, name: str) -> None:
    choices = shared_choices(12) if what == "shared" else mix_choices(12)
    sweep, compared = swept(what, choices, [name.format(n) for n in range(count)], seeds=3)
    assert fits(figure_of(sweep_figure(sweep, compared)))


def test_several_groupings_share_one_figure(tmp_path: Path) -> None:
    found = [
        (name, *swept("mix", mix_choices(12), ["RTE", "CB"], seeds=2))
        for name in ("by_vocabulary", "$by_gains$")
    ]
    axes = specs_figure(found)
    assert [label.get_text() for label in axes.get_xticklabels()][:2] == ["{12,0,0}", "{10,1,1}"]
    assert fits(figure_of(axes))
    (legend,) = figure_of(axes).legends
    assert [text.get_text() for text in legend.get_texts()] == ["by_vocabulary", "$by_gains$"]
    save_figure(axes, tmp_path / "specs.png")


def test_files_of_one_name_would_share_a_folder() -> None:
    with pytest.raises(RelevanceError, match="need different names"):
        different_names([Path("a/out.json"), Path("b/out.json")])
