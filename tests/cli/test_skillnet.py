"""A SkillNet-style run with gradient surgery, and all that can be asked of it."""

import json
from pathlib import Path
from statistics import fmean

import pytest
from transformers import BertConfig

from answers import check_answers_for_all
from commands import done, refused

TABLE = """
skills = ["one", "two", "both"]
[families]
pairs = ["two", "both"]
sentiment = ["one", "both"]
[tasks]
GRADE = ["one"]
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("skills") / "skills.toml"
    file.write_text(TABLE)
    return file


@pytest.fixture(scope="module")
def options(quick: list[str], table: Path) -> list[str]:
    method = ["--method", "skillnet", "--skills", str(table), "--data-dir", str(table.parent)]
    return [*quick, *method, "--sampler", "round-robin", "--surgery", "pcgrad", "--device", "cpu"]


@pytest.fixture(scope="module")
def run(options: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("skillnet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELEVANCE_CACHE", str(root / "cache"))
        done("hmnet", "train", *options, "--out", root / "run")
    return root / "run"


def test_a_step_has_every_task(run: Path) -> None:
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["task"] for line in log] == ["TONE+SAME+GRADE+FACT"] * 3


def test_asked_for_all_tasks_it_answers_as_for_each_alone(run: Path) -> None:
    check_answers_for_all(run, ("TONE", "SAME", "GRADE", "FACT"))


def test_evaluate_gives_the_scores_of_the_run(run: Path) -> None:
    scores = [line.split(",") for line in (run / "scores.csv").read_text().splitlines()[1:]]
    (tone,) = [float(s[-1]) for s in scores if s[:3] + s[4:5] == ["skillnet"] * 2 + ["TONE", "f1"]]
    assert f"{100 * tone:.1f}" in done("hmnet", "evaluate", run).out


def test_what_it_cannot_do_is_one_line(
    run: Path, options: list[str], quick: list[str], tmp_path: Path
) -> None:
    message = refused("hmnet", "export", run, "--task", "TONE", "--out", tmp_path / "out")
    assert message.startswith("Task 'TONE' runs through the mean of its skills' feed-forward")
    (tmp_path / "other.toml").write_text(TABLE.replace('"two", "both"]\ns', '"two"]\ns'))
    other = [*options, "--skills", tmp_path / "other.toml", "--out", run, "--resume"]
    assert "was started with skills = " in refused("hmnet", "train", *other)
    missing = [*quick, "--method", "skillnet", "--out", tmp_path / "run"]
    assert refused("hmnet", "train", *missing) == (
        "The skill table has no row for task 'TONE' or its family 'sentiment'."
        " Add one to a table of your own and give it with --skills FILE."
    )
    assert not (tmp_path / "run").exists()


def test_resuming_a_finished_run_leaves_it(run: Path, options: list[str]) -> None:
    before = (run / "model" / "weights.safetensors").stat().st_mtime_ns
    assert "is finished" in done("hmnet", "train", *options, "--out", run, "--resume").err
    assert (run / "model" / "weights.safetensors").stat().st_mtime_ns == before


def test_other_methods_ignore_the_table(quick: list[str], table: Path, tiny_bert: Path) -> None:
    given = ["--tasks", "RTE,SST-2", "--backbone", tiny_bert, "--skills", table]
    outcome = done("hmnet", "count", *given, "--method", "multi")
    assert outcome.err == "hmnet: note: Method 'multi' ignores --skills.\n"


def test_count(tiny_bert: Path) -> None:
    given = ["--tasks", "RTE,SST-2,BoolQ", "--backbone", tiny_bert]
    plain = json.loads(done("hmnet", "count", *given, "--method", "multi").out)
    found = json.loads(done("hmnet", "count", *given, "--method", "skillnet").out)
    block = 4 * (17 * 32 + 33 * 16)
    assert found["overall"] - plain["overall"] == 6 * block
    more = {task: found["active"][task] - plain["active"][task] for task in plain["active"]}
    assert more == {"RTE": 2 * block, "SST-2": 1 * block, "BoolQ": 3 * block}


def test_the_built_in_table_activates_what_was_published(tmp_path: Path) -> None:
    """Tang et al. (2022): from 166.2M, 222.8M on average over the 13 tasks of Fei et al. (2022)."""
    BertConfig().save_pretrained(tmp_path)
    found = json.loads(done("hmnet", "count", "--backbone", tmp_path, "--method", "skillnet").out)
    active = [count / 1e6 for count in found["active"].values()]
    assert len(active) == 13
    assert round(min(active), 1) == 166.2
    assert round(fmean(active), 1) == 222.8
