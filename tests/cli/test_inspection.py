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


def test_init_writes_what_check_reads_and_replaces_nothing(tmp_path: Path) -> None:
    data, out = tmp_path / "my reviews" / "all.csv", tmp_path / "tasks.toml"
    data.parent.mkdir()
    data.write_text("text,label\n" + "".join(f"nr {n} is,{'ab'[n % 2]}\n" for n in range(40)))
    shown = done("relevance", "init", data.parent, "--out", out)
    assert "all-task: classification of text\n" in shown.out
    assert '  row     "nr 0 is" -> "a"\n' in shown.out
    assert shown.err.startswith(f"wrote {out}: read it")
    assert 'train = "my reviews/all.csv"' in out.read_text()
    assert "| all-task" in done("relevance", "check", out, *WORD).out
    assert refused("relevance", "init", data, "--out", out) == (
        f"{out} exists. Give another --out, or replace it with --force."
    )
    done("relevance", "init", data, "--out", out, "--force", "--label", "label", "--text", "text")
    assert refused("relevance", "init", data, "--out", tmp_path / "b", "--label", "x") == (
        f"column 'x' is not in {data}. Columns: text, label."
    )
