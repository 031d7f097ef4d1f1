"""Options that take lists: given several times they add up, in every command."""

from pathlib import Path

import pytest

from cli.lists import split_names, split_numbers
from cli.options import settings
from commands import done, on_tasks, refused
from hmnet.settings.config import RunConfig
from relevance.errors import RelevanceError


def test_tasks_add_up(halves: tuple[Path, Path]) -> None:
    first, second = halves
    outcome = done("relevance", "tasks", "--tasks", first, "--tasks", second, "--format", "csv")
    names = [line.split(",")[0] for line in outcome.out.strip().splitlines()[1:]]
    assert names == ["TONE", "SAME", "GRADE", "FACT"]
    assert refused("relevance", "tasks", "--tasks", "RTE", "--tasks", "CB,rte").startswith(
        "Task 'RTE' is listed twice"
    )


def test_a_run_trains_the_tasks_of_both_lists(
    quick: list[str], halves: tuple[Path, Path], tmp_path: Path
) -> None:
    options = [*on_tasks(quick, halves[0]), "--tasks", halves[1], "--method", "multi"]
    weights = ["--loss-weights", "TONE=2", "--loss-weights", "FACT=0.5"]
    heads = ["--head", "TONE=linear", "--head", "GRADE=linear"]
    run = tmp_path / "run"
    done("hmnet", "train", *options, *weights, *heads, "--max-steps-per-task", 1, "--out", run)
    config = RunConfig.of_run(run / "config.toml")
    assert str(config.loss_weights) == "TONE=2,FACT=0.5"
    assert config.head.text == "TONE=linear,GRADE=linear"
    line = b'{"text": ["a good film"]}'
    asked = ["--task", "TONE", "--task", "GRADE", "--input", "-"]
    assert len(done("hmnet", "predict", run, *asked, stdin=line).out.splitlines()) == 2


def test_seeds_add_up() -> None:
    assert settings({}, seeds=["0,1", "5"])["seeds"] == (0, 1, 5)
    with pytest.raises(RelevanceError, match="names a seed twice"):
        settings({}, seeds=["0,1", "1"])
    with pytest.raises(RelevanceError, match="whole numbers"):
        split_numbers(["1", "²"], "--shared")


def test_what_takes_one_drops_no_other(clusters: Path, tmp_path: Path) -> None:
    other, out = tmp_path / "other.json", tmp_path / "out"
    two, both = ["--task", "RTE", "--task", "CB"], "RTE, CB. Run the command for each."
    specs = ["--clusters", clusters, "--clusters", other]
    for command, *arguments in (
        ("relevance", "bars", "paper:table3", *two, "--out", tmp_path / "bars.png"),
        ("hmnet", "export", tmp_path, *two, "--out", out),
        ("hmnet", "attention", tmp_path, tmp_path, *two),
    ):
        assert refused(command, *arguments) == f"--task takes one here, got {both}"
    for arguments in (["count"], ["train", "--out", out]):
        assert refused("hmnet", *arguments, *specs) == (
            f"--clusters takes one here, got {clusters}, {other}. Run the command for each."
        )


def test_a_file_whose_name_holds_a_comma(tmp_path: Path) -> None:
    file = tmp_path / "a,b.toml"
    file.touch()
    assert split_names([str(file), "RTE, CB"]) == [str(file), "RTE", "CB"]
