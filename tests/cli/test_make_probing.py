"""`hmnet probe --make`: from text and trees to files that probing reads."""

from pathlib import Path

import pytest

from commands import done, refused
from hmnet.backbones.tiny import write_tiny_encoder

VERBS = {"Pres": "see", "Past": "saw"}


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    """Thirty sentences of each tense, and one of words that read from the right."""
    file = tmp_path / "trees.conllu"
    blocks = []
    for number in range(60):
        tense = ("Pres", "Past")[number % 2]
        features = f"Tense={tense}|VerbForm=Fin"
        words = [
            ("We", "PRON", "_", 2, "nsubj"),
            (VERBS[tense], "VERB", features, 0, "root"),
            (f"dog{number}", "NOUN", "Number=Sing", 2, "obj"),
            ("כלב", "X", "_", 3, "dep"),
            ("too", "ADV", "_", 2, "advmod"),
        ]
        rows = [
            "\t".join([str(n), w[0], "_", w[1], "_", w[2], str(w[3]), w[4], "_", "_"])
            for n, w in enumerate(words, 1)
        ]
        blocks.append("\n".join(rows))
    file.write_text("\n\n".join(blocks), encoding="utf-8")
    return file


def test_what_is_made_is_probed(trees: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    options = ["--make", "tense,bigram-shift", "--conllu", trees]
    shown = done("hmnet", "probe", *options, "--out", made)
    rows = [line.strip("| ").split() for line in shown.out.splitlines()[2:] if line]
    assert [row[0] for row in rows] == ["past_present", "bigram_shift"]
    assert [int(cell) for cell in rows[0] if cell.isdecimal()] == [2, 48, 6, 6]
    assert sorted(path.name for path in made.iterdir()) == ["bigram_shift.txt", "past_present.txt"]
    encoder = write_tiny_encoder(tmp_path / "tiny", ["we see saw dog too"], depth=1)
    of_classifiers = ["--vector", "mean", "--max-length", "16", "--epochs", "1"]
    out = tmp_path / "out"
    probed = done("hmnet", "probe", encoder, "--data", made, *of_classifiers, "--out", out)
    assert "past_present" in probed.out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--make", "length"], "Give --text or --conllu"),
        (["--make", "tense", "--text", "none.txt"], "no file none.txt"),
        (["--make", "tree_depth", "--conllu", "none.conllu"], "Unknown probing task 'tree_depth'"),
        (["--make", "tense", "--conllu", "none.conllu"], "none.conllu cannot be read"),
        (["minilm", "--make", "tense"], "Leave minilm out"),
        (["--make", "tense", "--vector", "mean"], "--vector has no part in --make"),
        (["minilm", "--data", "data", "--text", "some.txt"], "--text belongs to --make"),
    ],
)
def test_what_cannot_be_made_is_told(options: list[str], expected: str, tmp_path: Path) -> None:
    assert expected in refused("hmnet", "probe", *options, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
