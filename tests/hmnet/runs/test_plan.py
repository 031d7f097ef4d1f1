"""What a run would take, against what it takes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from hmnet.runs.plan import Memory, TaskCost, plan_run, spread
from hmnet.runs.train import train_run
from hmnet.samplers.sampler import CandidateScorer, TaskBatch
from hmnet.settings.config import RunConfig
from hmnet.training.hooks.uncertainty_log import LOOKS, STEPS_PER_TASK, UncertaintyLog


def small(task_file: Path, backbone: Path, **settings: Any) -> RunConfig:
    return RunConfig(
        tasks=(str(task_file),),
        backbone=str(backbone),
        method="multi",
        device="cpu",
        batch_size=32,
        **settings,
    )


def test_steps_that_stand_for_all_are_spread_from_small_to_large() -> None:
    lengths = {"A": np.arange(1, 10)}
    steps = [[TaskBatch("A", np.array([row]))] for row in (8, 0, 4, 2, 6, 1, 3, 5, 7)]
    assert [step[0].rows.tolist() for step in spread(steps, 3, lengths)] == [[1], [4], [7]]
    assert len(spread(steps[:2], 3, lengths)) == 2


def test_rows_of_the_table() -> None:
    row = TaskCost("RTE", 70, (3, 5), 7200.0).table_row()
    assert list(row.values()) == ["RTE", 70, "3 to 5", 8, 2.0]
    assert Memory(4, 4, 8, 1, 3).total == 20


@pytest.mark.process
@pytest.mark.parametrize("sampler", ["packed", "round-robin"])
def test_a_plan_is_close_to_the_run(
    task_file: Path, tiny_bert: Path, tmp_path: Path, sampler: str
) -> None:
    config = small(task_file, tiny_bert, epochs=2, max_length=24, sampler=sampler)
    out = tmp_path / "run"
    plan = plan_run(config, None, out)
    assert not out.exists()
    torch.set_num_threads(1)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        run = train_run(config, None, out)
    records = [line for line in (out / "log.jsonl").read_text().splitlines() if line]
    steps = [cost for cost in plan.costs if cost.task is None or sampler == "packed"]
    assert sum(sum(cost.steps) for cost in steps) == len(records)
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    assert plan.disk_bytes == pytest.approx(size, rel=0.25)
    assert plan.seconds > 0
    held, most = 0, 0
    for event in profiled.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    memory = plan.memory._replace(program=0, buffers=0, checkpoint=0)
    assert memory.total == pytest.approx(most, rel=0.25)
    assert plan.memory.checkpoint == plan.memory.optimizer
    assert run.tasks


@pytest.mark.process
def test_looks_at_the_uncertainty_are_in_the_time(
    task_file: Path, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [0.0]  # a clock that goes on in looks alone

    def look(log: UncertaintyLog, ask: CandidateScorer) -> dict[str, float]:
        now_s[0] += 0.1
        return {}

    monkeypatch.setattr(UncertaintyLog, "look", look)
    monkeypatch.setattr("hmnet.training.hooks.costs.monotonic", lambda: now_s[0])
    config = small(task_file, tiny_bert, epochs=1, max_length=16, log_uncertainty=True)
    plan = plan_run(config, None, tmp_path / "run")
    steps = sum(sum(cost.steps) for cost in plan.costs)
    tasks = sum(cost.task != "GRADE" for cost in plan.costs)
    looks = len({*range(0, steps, max(-(-steps // LOOKS), STEPS_PER_TASK * tasks)), steps - 1})
    assert plan.seconds == pytest.approx(0.1 * looks)
