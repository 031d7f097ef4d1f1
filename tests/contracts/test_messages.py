"""Messages of the library name settings as Python has them; `cli/flags.py` makes options of it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
FLAG = re.compile(r"(?<![\w-])--(?:[a-z]|\{)")
COMMAND = re.compile(r"`(?:relevance|hmnet) [^`]+`")
OTHERS = {  # options of what is no command of ours
    "relevance/jobs/engines/ray.py": "`ray start --head`",
    "relevance/text/minilm.py": "pip install --force-reinstall --no-deps",
    "hmnet/training/ranks.py": "--multi_gpu in the place of --cpu",
}
FOLDERS = ("relevance", "hmnet")


def texts(file: Path) -> Iterator[str]:
    """The text literals of a file, those of docstrings aside; what is filled in is in braces."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    left_out: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            left_out.add(node.value)  # a docstring, or one below a constant
        if isinstance(node, ast.JoinedStr):
            left_out |= {*node.values}
    for node in ast.walk(tree):
        if node in left_out:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = (each.value if isinstance(each, ast.Constant) else "{}" for each in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_message_of_the_library_names_an_option(folder: str) -> None:
    found = []
    for file in sorted((REPO / folder).rglob("*.py")):
        name = file.relative_to(REPO).as_posix()
        for text in texts(file):
            rest = COMMAND.sub("", text).replace(OTHERS.get(name, "\0"), "")
            found += [f"{name}: {text}"] if FLAG.search(rest) else []
    assert found == []


def test_the_other_options_are_still_there() -> None:
    for name, text in OTHERS.items():
        assert any(text in each for each in texts(REPO / name)), name
