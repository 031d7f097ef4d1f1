"""`hmnet probe` from files to table and figure, on a backbone and on a run."""

import csv
from pathlib import Path

import pytest

from commands import done, refused
from hmnet.backbones.tiny import write_tiny_encoder

WORDS = ["the", "film", "story", "dull", "great", "city", "river", "woman", "man", "dog", "cat"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    lines = [f"{a} {b} {c}" for a in WORDS for b in WORDS for c in WORDS[:2]]
    rows = [
        f"{'te' if number % 3 == 0 else 'tr'}\t{len(line) % 2}\t{line}\n"
        for number, line in enumerate(lines)
    ]
    (folder / "parity.txt").write_text("".join(rows))
    return folder


def test_a_backbone_is_probed(data: Path, tmp_path: Path) -> None:
    encoder = write_tiny_encoder(tmp_path / "tiny", WORDS, depth=2)
    options = ["--data", data, "--max-length", "16", "--epochs", "1", "--out", tmp_path / "out"]
    shown = done("hmnet", "probe", encoder, *options)
    with (tmp_path / "out" / "probing.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["task"], row["layer"], row["epoch"]) for row in rows] == [
        ("parity", "0", "0"),
        ("parity", "1", "1"),
        ("parity", "2", "1"),
    ]
    assert rows[0]["accuracy"] == rows[0]["majority"]
    assert shown.out.splitlines()[2].startswith("| majority ")
    assert (tmp_path / "out" / "probing.pdf").is_file()
    latex = done("hmnet", "probe", encoder, *options, "--format", "latex")
    assert r"\toprule" in latex.out


def test_a_run_is_probed_by_the_layers_of_a_task(trained: Path, data: Path, tmp_path: Path) -> None:
    options = ["--data", data, "--max-length", "16", "--epochs", "1", "--out", tmp_path / "out"]
    said = refused("hmnet", "probe", trained, *options)
    assert "--run-task" in said
    assert "TONE" in said
    done("hmnet", "probe", trained, "--run-task", "tone", *options)
    assert (tmp_path / "out" / "probing.csv").is_file()


def test_what_is_missing_is_told(data: Path, tmp_path: Path) -> None:
    assert "--data" in refused("hmnet", "probe", "minilm", "--out", tmp_path / "out")
    assert "run or a backbone" in refused("hmnet", "probe", "--data", data, "--out", tmp_path / "o")
    (data / "parity.txt").write_text("xx\t0\tword\n")
    said = refused("hmnet", "probe", "minilm", "--data", data, "--out", tmp_path / "out")
    assert "line 1: split 'xx'" in said
    assert not (tmp_path / "out").exists()
