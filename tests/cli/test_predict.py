"""`relevance predict`: what it writes and says, and what it refuses in one line."""

import json
from pathlib import Path

from commands import done, refused

FEW = "task,A,B,C,D\nA,0,.1,,.05\nB,.2,0,.1,\nC,,.05,0,.1\nD,.1,,.07,0\n"


def test_cells_nobody_measured_are_filled_and_stay_marked(tmp_path: Path) -> None:
    few, out = tmp_path / "few.csv", tmp_path / "out.json"
    few.write_text(FEW)
    said = done("relevance", "predict", few, "--out", out)
    assert "8 of 12 cells are measured, the others predicted" in said.err
    assert "how sure these values are is unknown" in said.err
    written = json.loads(out.read_text())
    assert all(value is not None for row in written["values"] for value in row)
    assert written["provenance"]["predicted"] == {"A": ["C"], "B": ["D"], "C": ["A"], "D": ["B"]}
    assert done("relevance", "table", out).out.count("(") == 4
    assert refused("relevance", "predict", out) == (
        f"{out}: The matrix is itself one of predictions. Give the measured one that it was made"
        " of."
    )


def test_what_needs_every_cell_names_the_command(tmp_path: Path) -> None:
    few = tmp_path / "few.csv"
    few.write_text(FEW)
    assert "or `relevance predict MATRIX --out FILE` predicts it" in refused(
        "relevance", "cluster", few, "--k", 2
    )


def test_nothing_measured(tmp_path: Path) -> None:
    none = tmp_path / "none.csv"
    none.write_text("task,A,B\nA,0,\nB,,0\n")
    assert refused("relevance", "predict", none).startswith(
        f"{none}: The matrix has 0 measured cells off the diagonal"
    )
