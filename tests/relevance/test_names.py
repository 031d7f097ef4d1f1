"""Names that are shown, names that become paths, and paths that stay inside their folder."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.errors import RelevanceError, shown
from relevance.names import below, check_name, check_names, fault, path_fault, place

BAD = {
    "": "is empty",
    " \t": "is empty",
    "a\nb": "holds a line break",
    "a\rb": "holds a line break",
    "a\u2028b": "holds a line break",
    "a\0b": "holds a control character (U+0000)",
    "\x1b[31mred": "holds a control character (U+001B)",
    "a\tb": "holds a control character (U+0009)",
    "a\x9bb": "holds a control character (U+009B)",
    "abc\u202etxt.exe": "holds a control character (U+202E)",
    "a\u200bb": "holds a control character (U+200B)",
    "half \ud83d": "holds half of a surrogate pair, which is no text",
    "x" * 201: "has 201 characters, 200 are the most",
}
OUTSIDE = ["../x", "../../x", "/abs", "a/b", "a\\b", ".", "..", ".hidden", "C:x", "a*", "[a]", "~"]


@pytest.mark.parametrize(("name", "wrong"), BAD.items(), ids=ascii)
def test_names_that_cannot_be_shown(name: str, wrong: str) -> None:
    assert fault(name) == path_fault(name) == wrong


@pytest.mark.parametrize("name", [None, 1, 1.5, True, ["a"], {"a": 1}, b"a"])
def test_what_is_no_text(name: object) -> None:
    assert fault(name) == path_fault(name) == "is no text"


@pytest.mark.parametrize(
    "name", ["SST-2", "very negative", "日本語", "a,b", "é", "=1+1", "👩\u200d💻"]
)
def test_names_that_can_be_shown(name: str) -> None:
    assert fault(name) is None
    assert check_name(name, "task") == name


@pytest.mark.parametrize("name", [*OUTSIDE, *BAD, " a", "a ", "日" * 50], ids=ascii)
def test_nothing_leads_out_of_a_folder(tmp_path: Path, name: str) -> None:
    assert path_fault(name)
    for names in ((name,), ("toy", name), (name, "train.parquet")):
        with pytest.raises(RelevanceError) as caught:
            below(tmp_path, *names)
        assert "\n" not in str(caught.value)
        str(caught.value).encode()


@given(st.lists(st.text(max_size=30), max_size=3))
def test_below_stays_below_or_refuses(names: list[str]) -> None:
    folder = Path("/some/folder")
    if any(path_fault(name) for name in names):
        with pytest.raises(RelevanceError):
            below(folder, *names)
        return
    path = below(folder, *names)
    assert len(path.parts) == len(folder.parts) + len(names)
    assert path.is_relative_to(folder)
    assert ".." not in path.parts


@given(st.text())
def test_a_name_that_can_be_shown_is_one_line(name: str) -> None:
    if fault(name) is None:
        assert len(name.splitlines()) == 1
        name.encode()
        assert not any(unicodedata.category(each) in {"Cc", "Cs"} for each in name)
    assert len(shown(name).splitlines()) == 1
    shown(name).encode()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("AB", """m.json: tasks must be a list such as ["RTE", "CB"], got 'AB'."""),
        (None, """m.json: tasks must be a list such as ["RTE", "CB"], got None."""),
        ([1, 2], "m.json: task 1 is no text."),
        (["A", None], "m.json: task None is no text."),
        ([["A"], "B"], "m.json: task ['A'] is no text."),
        (["A", "B", "A"], "m.json: task 'A' is named twice."),
        (
            ["caf\u00e9", "cafe\u0301"],
            (
                "m.json: task 'caf\u00e9' is named twice, its letters in two forms of Unicode."
                " Write it in one of them."
            ),
        ),
        (["A", ""], "m.json: task '' is empty."),
    ],
)
def test_lists_of_names(names: object, message: str) -> None:
    with pytest.raises(RelevanceError) as caught:
        check_names(names, "m.json: task")
    assert str(caught.value) == message


def test_a_good_list() -> None:
    assert check_names(["1", "2"], "task") == ("1", "2")


def test_names_that_a_file_system_may_take_for_one() -> None:
    assert place("Dev") == place("dev")
    assert place("caf\u00e9") == place("cafe\u0301")
    assert place("\ufb01ne") == place("fine")
    assert place("dev") != place("dev2")
