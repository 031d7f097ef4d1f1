"""Optimizers and schedules by name: what they do in closed form, and that a resumed run goes on."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from hmnet.measuring.joint_trainer import JointTrainer
from hmnet.models.build import assemble
from hmnet.settings.config import RunConfig, TrainingSettings
from hmnet.sharing.plan import fully_shared
from hmnet.training.optimizer import Rate, make_optimizer
from killing import killed_and_resumed
from relevance.disk.files import validated
from relevance.tasks.data import DataOptions

EPS, BETA1, BETA2 = 1e-8, 0.9, 0.999


def by_hand(
    weight: float, gradients: list[float], *, decay: float, coupled: bool, amsgrad: bool
) -> float:
    """Adam as in the papers, for one weight at a rate of 0.1."""
    lr, m, v, largest = 0.1, 0.0, 0.0, 0.0
    for t, gradient in enumerate(gradients, start=1):
        if coupled:
            gradient += decay * weight
        else:
            weight -= lr * decay * weight
        m = BETA1 * m + (1 - BETA1) * gradient
        v = BETA2 * v + (1 - BETA2) * gradient**2
        largest = max(largest, v)
        second = largest if amsgrad else v
        step = m / (1 - BETA1**t) / (math.sqrt(second / (1 - BETA2**t)) + EPS)
        weight -= lr * step
    return weight


@pytest.mark.parametrize("name", ["adamw", "adam"])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_updates_are_those_of_the_papers(world: Any, name: Any, amsgrad: bool) -> None:
    model = assemble(world.backbone, world.tasks, fully_shared(world.names, world.backbone.depth))
    optimizer = make_optimizer(model, 0.1, 0.5, name=name, amsgrad=amsgrad)
    weight = model.pool["GRADE/head"].shell.classifier.weight
    start = weight.detach().flatten().tolist()
    gradients = [30.0, 0.1, -0.2, 0.1]  # the first one stays the largest
    for gradient in gradients:
        optimizer.zero_grad()
        weight.grad = torch.full_like(weight, gradient)
        optimizer.step()
    coupled = name == "adam"
    found = weight.detach().flatten().tolist()
    wanted = [by_hand(w, gradients, decay=0.5, coupled=coupled, amsgrad=amsgrad) for w in start]
    assert found == pytest.approx(wanted, rel=1e-4, abs=1e-6)


def test_adam_has_no_decay_unless_one_is_given() -> None:
    assert TrainingSettings().weight_decay == 0.01
    assert TrainingSettings(optimizer="adam").weight_decay == 0.0
    assert TrainingSettings(optimizer="adam", weight_decay=0.1).weight_decay == 0.1
    assert RunConfig(tasks=("RTE",), optimizer="adam").weight_decay == 0.0


def test_a_constant_rate_stays_after_the_warm_up() -> None:
    rates = [Rate(0.5, 0.2, "constant").at(step, 10) for step in range(10)]
    assert rates == [0.0, 0.25, *[0.5] * 8]


def test_the_names_are_checked() -> None:
    with pytest.raises(Exception, match="optimizer"):
        validated(TrainingSettings, {"optimizer": "sgd"}, "settings")
    with pytest.raises(Exception, match="schedule"):
        validated(TrainingSettings, {"schedule": "cosine"}, "settings")


CHOICES = {"optimizer": "adam", "amsgrad": True, "schedule": "constant", "warmup": 0.2}


def test_a_resumed_run_has_the_largest_moments_too(world: Any, tmp_path: Path) -> None:
    settings = TrainingSettings(**{**world.settings.model_dump(), **CHOICES, "weight_decay": 0.0})
    rates: list[float] = []
    whole = world.fit(settings=settings, on_step=lambda progress: rates.append(progress.lr))
    assert rates[-1] == max(rates) == settings.lr
    plain = world.fit()
    assert not torch.equal(*(next(iter(one.parameters())) for one in (whole, plain)))
    resumed = killed_and_resumed(world, tmp_path, settings=settings)
    for one, other in zip(resumed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(one, other)


def test_jobs_of_the_defaults_keep_their_keys(world: Any, tiny_bert: Path) -> None:
    tasks = {task.name: task for task in world.tasks}
    trainer = JointTrainer(tasks, DataOptions(), str(tiny_bert), world.settings)
    defaults = {"optimizer": "adamw", "amsgrad": False, "schedule": "linear"}

    def fingerprint(**chosen: Any) -> str:
        settings = trainer.settings.model_copy(update=chosen)
        return dataclasses.replace(trainer, settings=settings).fingerprint

    assert fingerprint(**defaults) == trainer.fingerprint
    others = {fingerprint(**{name: CHOICES[name]}) for name in defaults}
    assert len(others | {trainer.fingerprint}) == 4
