"""`benchmarks/replay.py` on a made file of runs: every aim, directed and joint; its last line."""

import importlib.util
import json
import runpy
import sys
from itertools import permutations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import relevance

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "replay.py"
TASKS, SEEDS = 6, 4


def runs(path: Path, *, joint: bool) -> Path:
    """Scores of 6 tasks in 2 families, 4 seeds: sources of the own family help a lot."""
    random = np.random.default_rng(0)
    effect = random.normal(scale=0.02, size=TASKS)
    lines = ["task,partner,seed,score" if joint else "source,target,seed,score"]
    for seed in range(SEEDS):
        for source, target in permutations(range(TASKS), 2):
            score = 0.5 + effect[source] + 0.1 * (source % 2 == target % 2)
            score += 0.01 * random.normal()
            names = (target, source) if joint else (source, target)
            lines.append(f"T{names[0]},T{names[1]},{seed},{score:.4f}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def replay() -> ModuleType:
    spec = importlib.util.spec_from_file_location("replay", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))
        spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("joint", [False, True])
def test_the_last_line_has_every_number(
    replay: ModuleType,
    tmp_path: Path,
    joint: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = runs(tmp_path / "runs.csv", joint=joint)
    monkeypatch.setattr(sys, "argv", ["replay.py", "--runs", str(path), "--draws", "2"])
    replay.main()
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    gains, sources, groups = (told[aim] for aim in ("gains", "sources", "groups"))
    assert gains["whole_seed"] > 0.8
    assert -1 <= gains["correlation"] <= 1
    assert joint or gains["correlation"] > gains["random_as_it_is"]
    assert gains["ratio"] == pytest.approx(gains["correlation"] / gains["whole_seed"], abs=1e-3)
    assert sources["regret"] >= 0
    assert sources["random_60%"] >= 0
    assert -1 <= groups["agreement"] <= 1
    assert groups["agreement"] == pytest.approx(groups["two_seeds"], abs=0.5)


def of_a_study(path: Path, seeds: int) -> Path:
    """Runs as the reference study has them: four tasks alone and in pairs, by three metrics."""
    random = np.random.default_rng(1)
    lines = ["task,partner,seed,metric,score"]
    for seed in range(seeds):
        for metric in ("gain", "primary", "loss"):
            lines += [f"T{t},,{seed},{metric},{0.5 + 0.1 * random.random()}" for t in range(4)]
            lines += [
                f"T{t},T{p},{seed},{metric},{0.5 + 0.1 * random.random()}"
                for p, t in permutations(range(4), 2)
            ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_metric_and_an_odd_number_of_seeds(
    replay: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = of_a_study(tmp_path / "runs.csv", 3)
    options = ["--draws", "1", "--for", "sources", "--metric", "gain"]
    monkeypatch.setattr(sys, "argv", ["replay.py", "--runs", str(path), *options])
    replay.main()
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["seeds"] == {"learned": 1, "truth": 2}


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_reference_studys_gains_are_those_of_import(tmp_path: Path, seeds: int) -> None:
    path = of_a_study(tmp_path / "runs.csv", seeds)
    script = SCRIPT.parent / "studies" / "reference" / "gains.py"
    found = runpy.run_path(str(script))["read_gains"](path)
    expected = relevance.import_runs(path, metric="gain").select(found.tasks)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-12)
    if seeds > 1:
        np.testing.assert_allclose(found.standard_errors, expected.standard_errors, atol=1e-12)


def test_the_same_draws_again(replay: ModuleType, tmp_path: Path) -> None:
    path = runs(tmp_path / "runs.csv", joint=False)
    values, cells = replay.read(path, None, -0.2, square=True)
    first, second = (replay.of_groups(values, cells, 0) for _ in range(2))
    assert first == second


def test_kept_draws_are_not_made_again(replay: ModuleType, tmp_path: Path) -> None:
    made: list[int] = []

    def draw(seed: int) -> dict[str, float]:
        made.append(seed)
        return {"value": seed / 3}

    kept = tmp_path / "kept.jsonl"
    first = replay.all_draws(kept, 2, draw)
    again = replay.all_draws(kept, 3, draw)
    assert made == [0, 1, 2]
    assert again[:2] == first
    assert [one["value"] for one in again] == [0, 1 / 3, 2 / 3]
    assert replay.all_draws(kept, 1, draw) == first[:1]
