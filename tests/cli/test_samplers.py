"""Samplers and grouped batches as a user asks for them."""

import json
import tomllib
from pathlib import Path

import pytest

from commands import done, refused


def test_what_was_chosen_is_trained_and_kept(quick: list[str], tmp_path: Path) -> None:
    out, settings = tmp_path / "run", tmp_path / "run.toml"
    settings.write_text('sampler = "round-robin"\nlength-grouped = false\nmax-steps-per-task = 2\n')
    options = [*quick, "--method", "multi", "--device", "cpu", "--config", settings]
    done("hmnet", "train", *options, "--length-grouped", "--out", out)
    written = tomllib.loads((out / "config.toml").read_text())
    assert (written["sampler"], written["length_grouped"]) == ("round-robin", True)
    steps = [json.loads(line)["task"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert steps == ["TONE+SAME+GRADE+FACT"] * 2


def test_parameters_of_a_sampler_are_trained_with(quick: list[str], tmp_path: Path) -> None:
    options = [*quick, "--method", "multi", "--device", "cpu", "--sampler", "temperature:cap=20"]
    done("hmnet", "train", *options, "--out", tmp_path / "run")
    written = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert written["sampler"] == "temperature:cap=20"


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("TONE=0", "--loss-weights takes TASK=NUMBER with numbers above 0, got 'TONE=0'."),
        ("TONE=1_0", "--loss-weights takes TASK=NUMBER with numbers above 0, got 'TONE=1_0'."),
        ("2", "--loss-weights takes TASK=NUMBER with numbers above 0, got '2'."),
        ("TONE=1,tone=2", "--loss-weights names task 'tone' twice. Name it once."),
        ("TUNE=2", "Unknown task in --loss-weights 'tune'. Did you mean 'TONE'?"),
    ],
)
def test_wrong_weights_of_losses(
    quick: list[str], tmp_path: Path, weights: str, message: str
) -> None:
    options = [*quick, "--method", "multi", "--loss-weights", weights, "--out", tmp_path / "run"]
    assert message in refused("hmnet", "train", *options)


def test_a_wrong_parameter_is_one_line(quick: list[str], tmp_path: Path) -> None:
    options = [*quick, "--method", "multi", "--out", tmp_path / "run"]
    assert refused("hmnet", "train", *options, "--sampler", "uniform:cap=3") == (
        "sampler 'uniform' takes no parameters, got 'cap=3'. Leave them out."
    )


def test_gains_with_an_unpaired_sampler_come_with_a_note(quick: list[str], tmp_path: Path) -> None:
    settings = tmp_path / "run.toml"
    settings.write_text('sampler = "annealed"\n')
    plan = ["pairwise", *quick, "--gpus", "0", "--dry-run"]
    assert done("relevance", *plan, "--config", settings).err == (
        "relevance: note: with --sampler annealed a task can train more or fewer batches"
        " beside another than alone, and gains hold that too. --sampler packed trains the same ones"
        " in both.\n"
    )
    assert done("relevance", *plan).err == ""
