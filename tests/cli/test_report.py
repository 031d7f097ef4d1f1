"""`relevance report`: the page of matrices, groups and runs."""

import json
from pathlib import Path
from typing import Any

import pytest

from commands import done, refused


def test_the_page_and_its_text_are_written(tmp_path: Path) -> None:
    out, spec = tmp_path / "my report.html", tmp_path / "out.json"
    groups = [["BoolQ", "RTE"], ["CB", "MRPC"]]
    spec.write_text(json.dumps({"clusters": groups}), encoding="utf-8")
    outcome = done(
        *("relevance", "report", "paper:table3", "paper:table2", "--clusters", spec, "--out", out)
    )
    assert outcome.out == ""
    assert f"wrote {out} and {out.with_suffix('.md')}\n" in outcome.err
    text = out.with_suffix(".md").read_text("utf-8")
    assert "## Groups" in text
    assert "## Measure against measure" in text
    assert f"    relevance report paper:table3 paper:table2 --clusters {spec} --out '{out}'" in text


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["paper:table3", "--out", "report.pdf"], "a report's name must end in .html"),
        (["paper:table9"], "unknown table of the paper 'table9'"),
        (["missing.json"], "missing.json"),
        (["paper:table3", "--clusters", "missing.json"], "missing.json"),
        (["paper:table3", "--baseline", "single"], "--baseline goes with runs. Name them: --runs."),
        (["paper:table3", "--runs", "no/run"], "no/run"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    arguments: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert line.lower() in refused("relevance", "report", *arguments).lower()
    assert list(tmp_path.iterdir()) == []


def test_a_study_ends_with_its_page(finished_study: Any) -> None:
    page = finished_study.out.with_suffix(".report.html")
    assert "<code>relevance pairwise --tasks" in page.read_text("utf-8")
    assert page.with_suffix(".md").read_text("utf-8").startswith("# Which of 4 tasks")


def test_scores_of_runs_are_shown(trained: Path, finished_study: Any, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    done("relevance", "report", finished_study.out, trained, "--out", out)
    text = out.with_suffix(".md").read_text("utf-8")
    assert "## Scores of trained models" in text
    assert "**scores**: One seed only: hmnet." in text
    assert "### hmnet" in text
    assert str(trained.parent) not in text.partition("    relevance report")[0]
