"""Files are looked at before anything is trained on them."""

import json
from pathlib import Path

from commands import done, refused

WORD = ("--tokenizer", "word")


def test_check_tells_what_tasks_hold(tasks: Path, tmp_path: Path) -> None:
    shown = done("relevance", "check", tasks, *WORD, "--max-length", "8")
    assert shown.err == ""
    assert "| TONE" in shown.out
    assert "over 8" in shown.out
    out = tmp_path / "check.json"
    assert done("relevance", "check", "--tasks", tasks, *WORD, "--out", out).out == ""
    found = json.loads(out.read_text())
    assert found["schema"] == "relevance.check/1"
    assert [each["rows"] for each in found["splits"]] == [40, 12] * 4


def test_check_refuses_what_would_not_load(tmp_path: Path) -> None:
    assert (
        refused("relevance", "check", tmp_path / "no.toml") == f"{tmp_path}/no.toml: no such file."
    )
