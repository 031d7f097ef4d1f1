"""How unsure a model is on the way: told at set steps, and nothing else changes."""

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hmnet.analysis.curves import curves
from hmnet.data.encoded import Encoded
from hmnet.data.template import Template
from hmnet.figures.curves import lay_out
from hmnet.prepared import PreparedSplit, PreparedTask
from hmnet.runs.checked import check_run
from hmnet.runs.train import train_run
from hmnet.samplers.sampler import TaskBatch
from hmnet.settings.config import RunConfig
from hmnet.training import loop
from hmnet.training.hooks.uncertainty_log import UncertaintyLog
from hmnet.training.step import train_step
from relevance.errors import RelevanceError
from relevance.tasks.data import Split
from relevance.tasks.task import Task

LOOKED_AT = [1, 13, 22]  # of 22 steps: the first, every 12th for three tasks, the last


def task(name: str, **fields: Any) -> Task:
    fields = {"family": "any", "text": ("sentence",), "metrics": ("accuracy",)} | fields
    return Task(name=name, **fields)


LABELS = task("LABELS", kind="classification", labels=("no", "yes"))
VALUE = task("VALUE", kind="regression", range=(0, 1), metrics=("pearson",))
TOKENS = task(
    "TOKENS",
    kind="tokens",
    text=("tokens",),
    label="tags",
    labels=("O", "B-x", "I-x"),
    metrics=("entity_f1",),
)


def rows(count: int) -> Encoded:
    """Rows of one token."""
    return Encoded(
        ids=np.full(count, 5, dtype=np.int32),
        offsets=np.arange(count + 1),
        first=np.ones(count, dtype=np.int64),
        template=Template((), (), ()),
        labels=np.zeros(count, dtype=np.int64),
        groups=None,
        fingerprint="",
    )


def prepared(task: Task, count: int) -> PreparedTask:
    split = PreparedSplit(Split(([],), np.zeros(0)), rows(count))
    return PreparedTask(task, split)


def uncertainties(out: Path) -> dict[int, dict[str, float]]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return {line["step"]: line["uncertainty"] for line in lines if "uncertainty" in line}


def test_rows_are_spread_and_values_take_their_proxys_entropy() -> None:
    tasks = (LABELS, VALUE, TOKENS)
    asked: list[tuple[str, list[int], str]] = []

    class Scorer:
        """Logits are never asked for: they would be under dropout, which draws random numbers."""

        def __call__(self, *_: Any, **__: Any) -> Any:
            raise AssertionError

        def entropies(self, batch: TaskBatch, name: str) -> Any:
            asked.append((batch.task, batch.rows.tolist(), name))
            return np.linspace(0, 1, len(batch.rows))

    counts = zip(tasks, (9, 2, 4), strict=True)
    unsure = UncertaintyLog([prepared(task, count) for task, count in counts], 3)
    scorer: Any = Scorer()
    assert unsure.look(scorer) == {"LABELS": 0.5, "VALUE": 0.5, "TOKENS": 0.5}
    assert asked == [
        ("LABELS", [0, 4, 8], "LABELS"),
        ("VALUE", [0, 1], "LABELS"),
        ("TOKENS", [0, 2, 3], "TOKENS"),
    ]


@pytest.mark.process
def test_looks_are_few() -> None:
    unsure = UncertaintyLog([prepared(LABELS, 2), prepared(VALUE, 2)], 32)
    for total in (1, 20, 399, 400, 100_000):
        due = [step for step in range(1, total + 1) if unsure.is_due(step, total)]
        assert due[0] == 1
        assert due[-1] == total
        assert len(due) <= min(51, 2 + total // 8)
    alone = UncertaintyLog([prepared(VALUE, 2)], 32)
    assert not any(alone.is_due(step, 9) for step in range(1, 10))


@pytest.mark.parametrize("sampler", ["packed", "round-robin", "uncertainty"])
def test_results_are_the_same_bit_by_bit(config: RunConfig, tmp_path: Path, sampler: str) -> None:
    config = config.model_copy(update={"sampler": sampler, "max_steps_per_task": 9})
    for name in ("plain", "logged"):
        train_run(
            config.model_copy(update={"log_uncertainty": name == "logged"}), None, tmp_path / name
        )
    one, other = (
        load_file(tmp_path / n / "model" / "weights.safetensors") for n in ("plain", "logged")
    )
    assert all(torch.equal(weight, other[name]) for name, weight in one.items())
    scores = (tmp_path / "plain" / "scores.csv").read_text().replace("plain", "logged")
    assert (tmp_path / "logged" / "scores.csv").read_text() == scores
    told = uncertainties(tmp_path / "logged")
    if sampler == "uncertainty":  # it says so at every step, and is not asked twice
        assert told == uncertainties(tmp_path / "plain")
    else:
        assert uncertainties(tmp_path / "plain") == {}
        assert len(told) >= 2
    for values in told.values():
        assert values.keys() == {"TONE", "SAME", "GRADE"}
        assert all(0 < value <= 1 for value in values.values())


def test_a_resumed_run_says_the_same_and_curves_show_it(config: RunConfig, tmp_path: Path) -> None:
    config = config.model_copy(update={"log_uncertainty": True})
    steps = iter(range(100))

    def step(*arguments: Any) -> Any:
        if next(steps) == 7:
            signal.raise_signal(signal.SIGINT)
        return train_step(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "train_step", step)
        with pytest.raises(KeyboardInterrupt):
            train_run(config, None, tmp_path / "run")
    train_run(config, None, tmp_path / "run", resume=True)
    run = train_run(config, None, tmp_path / "unbroken")
    told = uncertainties(tmp_path / "unbroken")
    assert list(told) == LOOKED_AT
    assert uncertainties(tmp_path / "run") == told
    assert told[22] != told[1]
    found = curves(run)
    shown = {panel.quantity: panel.values for panel in lay_out(found)}
    own, labels = shown["uncertainty"], shown[found.stand_ins[found.tasks.index("GRADE")]]
    values = np.where(np.isnan(own), labels, own)  # GRADE, a regression task, has its own panel
    assert (~np.isnan(values)).all(axis=1).nonzero()[0].tolist() == [0, 12, 21]
    assert values[12].tolist() == list(told[13].values())


def test_tasks_without_labels_have_no_uncertainty(config: RunConfig, tmp_path: Path) -> None:
    text = Path(config.tasks[0]).read_text()
    alone = Path(config.tasks[0]).with_name("grade.toml")
    alone.write_text("[[task]]" + next(t for t in text.split("[[task]]") if '"GRADE"' in t))
    config = config.model_copy(update={"tasks": (str(alone),), "log_uncertainty": True})
    with pytest.raises(
        RelevanceError, match="takes the entropy of predictions, and these tasks predict values"
    ):
        check_run(config, None, tmp_path / "run", resume=False)
    assert not (tmp_path / "run").exists()
