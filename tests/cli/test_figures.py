"""Options of figures on the command line: what they draw, and what is refused."""

from pathlib import Path

import matplotlib.image
import pytest

from commands import done, refused

HEATMAP = ("relevance", "heatmap", "paper:table3", "--out", "map.png")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_heat_map_takes_all_of_them() -> None:
    look = ("--width", 3.0, "--title", "<img src=x>", "--vmax", 20, "--decimals", 0)
    done(*HEATMAP, *look, "--order", "RTE,CB", "--order", "MNLI", "--cmap", "PuOr")
    assert matplotlib.image.imread("map.png").shape[1] == 900  # 300 dots per inch


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--width", 0), "--width 0 is no width of a figure. Give inches above 0, at most 100:"),
        (("--vmax", -1), "--vmax -1 is no end of a scale. Give a number above 0"),
        (("--order", "cluster"), "Unknown order or task 'cluster'. Did you mean 'clusters'?"),
        (("--order", "clusters"), "--order clusters takes groups, and there are none."),
        (("--decimals", 9), "--decimals 9 is no number of decimals. Give 0 to 6."),
        (("--cmap", "RdBlu"), "Unknown colour map 'RdBlu'. Did you mean 'RdBu'?"),
    ],
)
def test_bad_values_are_told_with_the_option(options: tuple[object, ...], message: str) -> None:
    assert message in refused(*HEATMAP, *options)
    assert not Path("map.png").exists()


def test_a_look_without_a_figure_is_refused() -> None:
    said = refused("relevance", "cluster", "paper:table3", "--k", 3, "--width", 3)
    assert said == "--width is for a figure, and none is drawn. Name its file too."
