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
    assert rows[0]["name"] == str(encoder)
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


def test_what_is_probed_stands_in_the_table_of_a_layout(data: Path, tmp_path: Path) -> None:
    encoder = write_tiny_encoder(tmp_path / "tiny", WORDS, depth=2)
    (data / "tense.txt").write_text((data / "parity.txt").read_text())
    options = ["--data", data, "--max-length", "16", "--epochs", "1", "--vector", "mean"]
    done("hmnet", "probe", encoder, *options, "--name", "tiny", "--out", tmp_path / "out")
    table = '[[score]]\nname = "{0}"\ntask = "{0}"\nsplit = "test"\nmetric = "accuracy"\n'
    layout = tmp_path / "mine.toml"
    average = '[[average]]\nname = "both"\n'
    layout.write_text('runs = "rows"\n' + table.format("parity") + table.format("tense") + average)
    with (tmp_path / "out" / "probing.csv").open() as file:
        top = {row["task"]: row for row in csv.DictReader(file) if row["layer"] == "2"}
    shown = done("hmnet", "compare", tmp_path / "out", "--layout", layout, "--format", "csv")
    majority, tiny = csv.DictReader(shown.out.splitlines())
    assert tiny["name"] == "tiny"
    for task, row in top.items():
        assert float(tiny[task]) == pytest.approx(100 * float(row["accuracy"]))
        assert float(majority[task]) == pytest.approx(100 * float(row["majority"]))
    mean = sum(float(row["accuracy"]) for row in top.values()) / 2
    assert float(tiny["both"]) == pytest.approx(100 * mean)
    assert "was probed at layer 2 (the top), vector mean." in shown.err
    said = refused("hmnet", "compare", tmp_path / "out", "--layout", "aksoy-mnli")
    assert said.startswith("aksoy-mnli: None of these runs has a score of MNLI: m, MNLI: mm.")
    (tmp_path / "out" / "probing.csv").write_text("task,layer\nparity,1\n")
    said = refused("hmnet", "compare", tmp_path / "out", "--layout", layout)
    assert said.endswith("row 1 is not what `hmnet probe` writes. Probe again.")
