"""Layouts as files: those that come with the package are right, and each fault is one line."""

from pathlib import Path

import pytest

from hmnet.comparison.layout import Layout, layout_names, read_layout
from relevance.errors import RelevanceError

SCORE = '[[score]]\nname = "{name}"\ntask = "RTE"\nmetric = "accuracy"\n'
A, B = SCORE.format(name="a"), SCORE.format(name="b")


def layout_of(folder: Path, text: str) -> Layout:
    file = folder / "mine.toml"
    file.write_text(text)
    return read_layout(str(file))


@pytest.mark.parametrize("name", layout_names())
def test_layouts_of_the_package_need_no_run_to_be_right(name: str) -> None:
    read_layout(name).check_tasks([])


def test_their_sizes_are_the_papers() -> None:
    assert layout_names() == [
        "aksoy-concat", "aksoy-mnli", "aksoy-probing", "aksoy-squad", "camtl", "cs224n", "glue",
        "superglue", "table1",
    ]  # fmt: skip
    sizes = {name: len(read_layout(name).score) for name in layout_names()}
    assert sizes["aksoy-squad"] == 4  # two data sets, two corpora
    assert (sizes["aksoy-mnli"], sizes["aksoy-probing"], sizes["table1"]) == (2, 10, 14)
    assert (sizes["camtl"], sizes["glue"], sizes["superglue"], sizes["cs224n"]) == (24, 10, 8, 3)
    families = [score.family for score in read_layout("camtl").score]
    assert [families.count(name) for name in ("GLUE", "SuperGLUE", "MRQA", "NER")] == [9, 8, 6, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runs = ", "mine.toml is not valid TOML"),
        ('runs = "row"\n' + A, "mine.toml: runs: Input should be 'rows' or 'columns', got 'row'."),
        (A, "mine.toml: runs: Field required."),
        ('runs = "rows"\n', "mine.toml: score: Field required."),
        ('runs = "rows"\nscore = []\n', "mine.toml: score: "),
        ('runs = "rows"\nscores = 1\n' + A, "Unknown field 'scores'. Did you mean 'score'?"),
        (
            'runs = "rows"\n' + A + B + 'metrics = "f1"\n',
            "mine.toml: score 2: Unknown field 'metrics'. Did you mean 'metric'?",
        ),
        ('runs = "rows"\n' + A + A, "mine.toml: Two columns are called 'a'. Name each once."),
        (
            'runs = "rows"\n' + A + '[[average]]\nname = "a"\n',
            "mine.toml: Two columns are called 'a'.",
        ),
        ('runs = "rows"\n' + SCORE.format(name="name"), "Two columns are called 'name'."),
        (
            'runs = "rows"\nheads = ["x", "y"]\n' + A,
            "mine.toml: heads needs one text for each of name.",
        ),
        ('runs = "rows"\nby = "nam"\n' + A, "Unknown fact of a run 'nam'. Did you mean 'name'?"),
        (
            'runs = "rows"\n' + A + 'where = { corpse = "*" }\n',
            "mine.toml: Unknown fact of a run 'corpse'. Did you mean 'corpus'?",
        ),
        (
            'runs = "rows"\n' + A + '[[average]]\nname = "mean"\nof = ["c"]\n',
            "mine.toml: average 'mean': Unknown score 'c'.",
        ),
        (
            'runs = "rows"\n' + A + B.replace('"accuracy"', '["accuracy", "f1"]')
            + '[[average]]\nname = "mean"\n',
            "average 'mean': Scores of one metric and of several have no average, unless cells",
        ),
        (
            'runs = "rows"\n' + A + B + '[[average]]\nname = "mean"\nof = ["a", ["b", "a"]]\n',
            "mine.toml: average 'mean': 'a' enters the average twice. Name it once.",
        ),
        (
            'runs = "rows"\n' + A + B + '[[average]]\nname = "mean"\nof = "a"\nhalved = ["b"]\n',
            "mine.toml: average 'mean': 'b' is halved and does not enter the average.",
        ),
        (
            'runs = "rows"\n' + A + '[[average]]\nname = "mean"\nhalved = ["a"]\n',
            "'a' is halved, (1 + r) / 2, and 'accuracy' is no correlation: those are matthews",
        ),
        (
            'runs = "rows"\n' + A.replace('"accuracy"', '["f1", "accuracy", "f1"]'),
            "mine.toml: score 'a' has metric 'f1' twice, which averages would count twice.",
        ),
        (
            'runs = "rows"\n' + A + '[[run]]\nby = ["x", "y"]\n',
            "mine.toml: run ['x', 'y']: by and label need one text for each of name.",
        ),
        (
            'runs = "rows"\n' + A + 'family = "x"\n' + A + 'family = "y"\n'
            '[[average]]\nname = "mean"\nof = "a"\n',
            "average 'mean': 'a' could be x: a, y: a. Name it with its family.",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RelevanceError) as found:
        layout_of(tmp_path, text)
    assert message in str(found.value)
    assert "\n" not in str(found.value)


def test_tasks_and_metrics_are_those_that_are_known_or_that_runs_have(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, 'runs = "rows"\n' + A.replace("RTE", "TONE"))
    layout.check_tasks([("TONE", "accuracy")])
    with pytest.raises(RelevanceError, match=r"^score 'a': Unknown task 'TONE'\."):
        layout.check_tasks([])
    with pytest.raises(RelevanceError, match=r"^score 'a': Unknown metric of TONE 'accuracy'\."):
        layout.check_tasks([("TONE", "f1")])


@pytest.mark.parametrize("name", ["tabel1", "none.toml"])
def test_there_must_be_such_a_layout(name: str) -> None:
    with pytest.raises(RelevanceError, match=r"Did you mean 'table1'|none.toml: no such file"):
        read_layout(name)
