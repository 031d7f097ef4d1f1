"""Saving figures: formats, size, sameness, and files that cannot be written."""

import struct
from pathlib import Path

import pytest

from relevance.errors import RelevanceError
from relevance.figures.figure import check_format, figure_of, new_figure, save_figure, text_width_em
from relevance.figures.heatmap import heatmap
from relevance.matrices.matrix import load_matrix

AXES = heatmap(load_matrix("paper:table3"))


@pytest.mark.parametrize(
    ("suffix", "start"), [(".pdf", b"%PDF"), (".svg", b"<?xml"), (".png", b"\x89PNG")]
)
def test_a_figure_is_saved_the_same_every_time(tmp_path: Path, suffix: str, start: bytes) -> None:
    first, second = tmp_path / "a" / f"fig{suffix}", tmp_path / "b" / f"fig{suffix.upper()}"
    for path in (first, second):
        save_figure(AXES, path)
    assert first.read_bytes().startswith(start)
    assert first.read_bytes() == second.read_bytes()


def test_a_pdf_holds_text_as_fonts_that_can_be_edited(tmp_path: Path) -> None:
    save_figure(AXES, tmp_path / "fig.pdf")
    content = (tmp_path / "fig.pdf").read_bytes()
    assert b"/Type3" not in content
    assert b"/Type0" in content or b"/TrueType" in content


def test_a_png_has_300_dots_per_inch(tmp_path: Path) -> None:
    save_figure(AXES, tmp_path / "fig.png")
    width, height = struct.unpack(">II", (tmp_path / "fig.png").read_bytes()[16:24])
    inches = figure_of(AXES).get_size_inches()
    assert (width, height) == pytest.approx(300 * inches, abs=1)


@pytest.mark.parametrize("name", ["fig.jpg", "fig", "fig.pdf.gz"])
def test_another_format(name: str) -> None:
    with pytest.raises(RelevanceError) as raised:
        check_format(Path(name))
    assert str(raised.value) == f"{name}: a figure's name must end in one of .pdf, .svg, .png."
    with pytest.raises(RelevanceError, match="must end in one of"):
        save_figure(AXES, Path(name))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RelevanceError, match=r"fig\.png cannot be written: Not a directory\."):
        save_figure(AXES, tmp_path / "file" / "fig.png")


def test_axes_without_a_figure() -> None:
    axes = new_figure(72.0, 72.0).add_subplot()
    axes.remove()
    with pytest.raises(RelevanceError, match="taken out of their figure"):
        figure_of(axes)


def test_widths_grow_with_the_text() -> None:
    assert 0 < text_width_em("i") < text_width_em("m") < text_width_em("mm")
    assert text_width_em("") == 0
