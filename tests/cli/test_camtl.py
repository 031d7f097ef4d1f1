"""A CA-MTL run, and all that can be asked of it; adapters and PALs counted beside it."""

import csv
import json
import tomllib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from answers import check_answers_for_all
from commands import done, refused

METHOD = "camtl:attention=full-block,variant=paper,wiring=large"
WRITTEN = "camtl:attention=full-block,wiring=large"


@pytest.fixture(scope="module")
def options(quick: list[str], tasks: Path) -> list[str]:
    data = ["--data-dir", str(tasks.parent)]
    return [*quick, *data, "--method", METHOD, "--sampler", "round-robin", "--device", "cpu"]


@pytest.fixture(scope="module")
def run(options: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("camtl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELEVANCE_CACHE", str(root / "cache"))
        said = done("hmnet", "train", *options, "--surgery", "pcgrad", "--out", root / "run").err
    (root / "said.txt").write_text(said)
    return root / "run"


def test_the_runs_settings_are_those_of_the_method(run: Path) -> None:
    config = tomllib.loads((run / "config.toml").read_text())
    assert config["method"] == WRITTEN
    assert (config["freeze"], config["max_length"]) == ("50%", 32)


def test_what_the_method_has_set_is_printed(run: Path) -> None:
    """Epochs and length are given, so they are the user's."""
    said = run.with_name("said.txt").read_text()
    assert (
        "Method 'camtl' has defaults of its own: --freeze 50%, --warmup 0.1, --optimizer adam. Any"
        " that is given wins." in said
    )


def test_the_lower_half_is_as_pretrained_and_all_that_is_new_has_moved(
    run: Path, tiny_bert: Path
) -> None:
    trained = load_file(run / "model" / "weights.safetensors")
    pretrained = load_file(tiny_bert / "model.safetensors")
    for name, weight in pretrained.items():
        if name.startswith("encoder.layer."):
            _, _, depth, rest = name.split(".", 3)
            now = trained[f"pool.shared/{depth}.{rest}"]
            assert torch.equal(now, weight) == (int(depth) < 2), name
    new = {name: weight for name, weight in trained.items() if name.startswith("insert.layers")}
    assert len(new) > 20
    assert all(weight.any() for weight in new.values())


def test_asked_for_all_tasks_it_answers_as_for_each_alone(run: Path) -> None:
    check_answers_for_all(run, ("TONE", "SAME", "GRADE", "FACT"))


def test_evaluate_gives_the_scores_of_the_run(run: Path) -> None:
    with (run / "scores.csv").open() as file:
        scores = list(csv.DictReader(file))
    (tone,) = [
        float(score["value"])
        for score in scores
        if (score["method"], score["task"], score["metric"]) == (WRITTEN, "TONE", "f1")
    ]
    assert f"{100 * tone:.1f}" in done("hmnet", "evaluate", run).out


def test_other_parameters_are_another_run(run: Path, options: list[str]) -> None:
    other = [*options, "--surgery", "pcgrad", "--method", "camtl:attention=off", "--resume"]
    assert refused("hmnet", "train", *other, "--out", run).startswith(
        f"{run} was started with method = {WRITTEN}, not camtl:attention=off."
    )


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("camtl", "Conditional attention splits --max-length 32 into 16 // 32 = 0 blocks"),
        ("camtl:variant=other", "method 'camtl': variant: Input should be 'paper' or 'released'"),
        (
            "camtl:freeze=25%",
            "method 'camtl': Unknown field 'freeze'. Known: alignment,",
        ),
        ("multi:size=3", "Method 'multi' takes no parameters, got 'size=3'. Leave them out."),
        ("pals:size=7", "Method 'pals' splits size=7 among heads=6."),
    ],
)
def test_what_does_not_fit_is_one_line(
    quick: list[str], tmp_path: Path, method: str, message: str
) -> None:
    said = refused("hmnet", "train", *quick, "--method", method, "--out", tmp_path / "run")
    assert said.startswith(message)
    assert not (tmp_path / "run").exists()


def test_count_says_what_is_new_and_what_is_trained(tiny_bert: Path) -> None:
    given = ["hmnet", "count", "--tasks", "RTE,SST-2", "--backbone", tiny_bert, "--method"]
    plain = json.loads(done(*given, "multi").out)
    frozen = json.loads(done(*given, "multi", "--freeze", "all").out)
    adapters = json.loads(done(*given, "adapters:size=3").out)
    assert plain["inserted"] == frozen["inserted"] == 0
    assert plain["trained"] == plain["overall"] == plain["backbone"] + frozen["trained"]
    assert plain["trained_active"] == plain["active"]
    each = 4 * 2 * (17 * 3 + 4 * 16 + 2 * 16)
    assert adapters["inserted"] == 2 * each
    assert adapters["trained"] == frozen["trained"] + 2 * each
    for task, heads in frozen["trained_active"].items():
        assert adapters["trained_active"][task] == heads + each
        assert adapters["active"][task] == plain["active"][task] + each
