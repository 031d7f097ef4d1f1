"""Files of probing tasks and their splits."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmnet.probing.files import SPLITS, Line, read_tasks
from hmnet.probing.splits import ProbingTask, Rows, make_task
from relevance.errors import RelevanceError


def two_columns(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8", newline="")
    return folder


def sentences_of(task: ProbingTask, rows: Rows) -> list[str]:
    return [task.sentences[number] for number in rows.sentences]


def test_both_forms_give_the_same_lines(tmp_path: Path) -> None:
    rows = [("tr", "I", "a b"), ("va", "O", "שלום 😀"), ("te", "I", 'one "quoted\u2028word')]
    sent_eval = "".join("\t".join(row) + "\r\n" for row in rows)
    two_columns(tmp_path, "one.txt", f"\ufeff{sent_eval}\n")
    for split, label, sentence in rows:
        two_columns(tmp_path, f"two.{split}.tsv.gz", f"{sentence}\t{label}\n\n")
    for other in ("README.md", "README.txt", "readme.tsv", "LICENSE.txt", ".hidden.txt"):
        (tmp_path / other).write_text("not a task")
    found = read_tasks(tmp_path)
    assert list(found) == ["one", "two"]
    for parts in found.values():
        lines = {(split, line.label, line.sentence) for split, own in parts.items() for line in own}
        assert lines == set(rows)
    assert found["one"]["te"][0].place.endswith("one.txt, line 3")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "tr\tI\tx\nxx\tI\ty\n", "line 2: split 'xx'"),
        ("a.txt", "tr\tI x\n", "line 1: 2 columns"),
        ("notes.txt", "What I tried.\n", "line 1: 1 columns .* no task out of the folder"),
        ("a.txt", "tr\tI\t \n", "line 1: there is no sentence"),
        ("a.txt", "tr\tI\tx\nכלב\tI\ty\n", "line 2: split 'כלב' is none of tr, va, te"),
        ("a.txt", "tr\tI\tx\nva\t😀\ty\nte\tI\tz\n", "line 2: no training row of 'a' has .* '😀'"),
        ("a.txt", "tr\tI\tx\nte\tI\ty\n", "has one label only, 'I'"),
        ("a.tr.tsv", "x\ty\tz\n", "line 1: 3 columns"),
        ("a.tr.tsv", "x\t\n", "line 1: there is no label"),
        ("a.dev.tsv", "x\tI\n", "'dev' is no split"),
        ("a.csv", "x,I\n", "holds no probing task"),
        ("a.tr.tsv.gz", "", "has no rows"),
        ("a.te.tsv", "x\tI\n", "has no training rows"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    folder = two_columns(tmp_path, name, text)
    with pytest.raises(RelevanceError, match=said) as raised:
        [make_task(task, parts) for task, parts in read_tasks(folder).items()]
    assert "\n" not in str(raised.value)


def test_a_damaged_archive_and_other_encodings_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.tr.tsv.gz").write_bytes(gzip.compress(b"x\tI\n" * 99)[:-9])
    with pytest.raises(RelevanceError, match="as gzip"):
        read_tasks(tmp_path)
    (tmp_path / "a.tr.tsv.gz").unlink()
    (tmp_path / "a.txt").write_bytes("tr\tI\tü".encode("latin-1"))
    with pytest.raises(RelevanceError, match="not UTF-8"):
        read_tasks(tmp_path)


def test_rows_that_are_given_twice_are_refused(tmp_path: Path) -> None:
    two_columns(two_columns(tmp_path, "a.tr.tsv", "x\tI\n"), "a.txt", "tr\tI\tx\n")
    with pytest.raises(RelevanceError, match="twice"):
        read_tasks(tmp_path)


def test_an_unknown_name_comes_with_the_nearest(tmp_path: Path) -> None:
    two_columns(tmp_path, "tense.txt", "tr\tI\tx\n")
    with pytest.raises(RelevanceError, match="tense"):
        read_tasks(tmp_path, ("tens",))


def test_a_label_that_training_lacks_is_told_with_its_line() -> None:
    parts = {
        "tr": [Line(str(n), "IO"[n % 2], "f") for n in range(20)],
        "te": [Line("x", "N", "file, line 7")],
    }
    with pytest.raises(RelevanceError, match="file, line 7: no training row"):
        make_task("a", parts)


def test_a_tenth_of_training_is_dev_and_shared_sentences_are_dropped() -> None:
    train = [Line(f"s{n}", "IO"[n % 2], "f") for n in range(100)]
    test = [Line(f"t{n}", "I", "f") for n in range(5)] + [Line("s3", "O", "f")] * 2
    task = make_task("a", {"va": train, "te": test})
    assert [len(part.labels) for part in (task.train, task.dev, task.test)] == [90, 10, 5]
    assert (task.dropped, task.majority) == (2, float(task.most_common == task.labels.index("I")))
    assert "2 of 7 test rows" in task.notes[0]


def test_equal_files_are_split() -> None:
    lines = [Line(f"s{n}", "IO"[n % 2], "f") for n in range(100)]
    task = make_task("a", {"va": lines, "te": lines})
    assert [len(part.labels) for part in (task.train, task.dev, task.test)] == [72, 8, 20]
    assert "same sentences" in task.notes[0]


ROWS = st.lists(
    st.tuples(st.sampled_from(SPLITS), st.sampled_from("IO"), st.integers(0, 30)), min_size=1
)


@settings(deadline=None)
@given(ROWS)
def test_equal_sentences_stand_on_one_side_and_no_row_is_lost(
    rows: list[tuple[str, str, int]],
) -> None:
    parts: dict[str, list[Line]] = {}
    for split, label, number in rows:
        parts.setdefault(split, []).append(Line(str(number), label, "f"))
    try:
        task = make_task("a", parts)
    except RelevanceError:
        return
    sides = [set(sentences_of(task, part)) for part in (task.train, task.dev, task.test)]
    assert sum(map(len, sides)) == len(set.union(*sides))
    assert all(sides)
    given_labels = {(line.sentence, line.label) for own in parts.values() for line in own}
    for part in (task.train, task.dev, task.test):
        labels = np.array(task.labels)[part.labels]
        assert set(zip(sentences_of(task, part), labels, strict=True)) <= given_labels
    if "tr" not in parts and "same sentences" not in "".join(task.notes):
        assert len(task.train.labels) + len(task.dev.labels) == len(parts["va"])
