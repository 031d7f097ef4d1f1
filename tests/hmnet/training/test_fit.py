"""All settings of training together: they compose, leave frozen weights alone, and resume."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hmnet.models.build import assemble
from hmnet.models.multitask import MultiTaskModel
from hmnet.settings.config import RunConfig
from hmnet.sharing.plan import fully_shared, hierarchical
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.progress import Progress
from relevance.clustering.spec import ClusterSpec

SPEC = ClusterSpec(clusters=(("TONE", "GRADE"), ("SAME",)))
EVERYTHING = {
    "head_lr": 1e-2,
    "warmup": 0.3,
    "accumulate": 2,
    "clip_norm": 0.5,
    "label_smoothing": 0.1,
    "sampler": "round-robin",
    "regularizer": "smart:weight=1,proximal=1",
    "surgery": "pcgrad",
    "epochs": 1,
}


def with_settings(world: Any, **settings: Any) -> Any:
    return dataclasses.replace(world, settings=world.settings.model_copy(update=settings))


def weights(model: MultiTaskModel) -> dict[str, Tensor]:
    return {name: weight.detach() for name, weight in model.named_parameters()}


@pytest.mark.parametrize(
    ("freeze", "frozen"),
    [
        ("2", {"shared/outside", "shared/0", "shared/1"}),
        ("75%", {"shared/outside", "shared/0", "shared/1", "cluster0/2", "cluster1/2"}),
    ],
)
@pytest.mark.process
def test_everything_at_once_changes_all_but_frozen_weights_and_resumes(
    world: Any, tmp_path: Path, freeze: str, frozen: set[str]
) -> None:
    trained = with_settings(world, **EVERYTHING, freeze=freeze)
    plan = hierarchical(SPEC, 2, 1, 1)
    before = weights(assemble(world.backbone, world.tasks, plan, seed=0))
    seen: list[Progress] = []
    unbroken = weights(trained.fit(plan=plan, on_step=seen.append))
    assert len(seen) == 5
    for name, weight in unbroken.items():
        assert torch.equal(weight, before[name]) == (name.split(".")[1] in frozen), name

    def stop(progress: Progress) -> None:
        if progress.step == 4:
            raise KeyboardInterrupt

    checkpoints = Checkpoints(tmp_path / "checkpoint", 0, every_s=0.0)
    with pytest.raises(KeyboardInterrupt):
        trained.fit(plan=plan, checkpoints=checkpoints, on_step=stop)
    resumed = weights(trained.fit(plan=plan, checkpoints=checkpoints))
    assert all(torch.equal(weight, unbroken[name]) for name, weight in resumed.items())


def test_heads_alone_learn_with_smart(world: Any) -> None:
    """Its ascent needs the gradient of embeddings, which frozen weights let through."""
    chosen = with_settings(
        world, freeze="all", regularizer="smart:weight=1", lr=0.05, epochs=10, batch_size=40
    )
    before = weights(assemble(world.backbone, world.tasks, fully_shared(world.names, 4)))
    seen: list[Progress] = []
    for name, weight in weights(chosen.fit(on_step=seen.append)).items():
        assert torch.equal(weight, before[name]) != ("/head" in name), name
    assert all(progress.term > 0 for progress in seen)
    tone = [progress.loss for progress in seen if progress.task == "TONE"]
    assert tone[-1] < tone[0]


def test_settings_are_read_from_toml(config: RunConfig, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        'freeze = 3\nwarmup = 0.1\ncheckpoint = "best"\npatience = 2\ntasks = ["RTE"]\n'
    )
    read = RunConfig.of_run(path)
    assert (str(read.freeze), read.warmup, read.checkpoint, read.patience) == ("3", 0.1, "best", 2)
    read.to_toml(path)
    assert RunConfig.of_run(path) == read
    assert not config.goes_by_dev
    assert read.goes_by_dev


def test_losses_are_weighted_by_task(world: Any) -> None:
    """Of a step of all tasks the loss told is the weighted sum of what each has alone."""

    def first_loss(**more: Any) -> float:
        told: list[Progress] = []
        one_step = {"sampler": "round-robin", "batch_size": 40, "epochs": 1}
        with_settings(world, **one_step, **more).fit(on_step=told.append)
        return told[0].loss

    once = first_loss()
    parts = [first_loss(loss_weights=f"{name}=2") - once for name in world.names]
    assert sum(parts) == pytest.approx(once, rel=1e-4)
    weights = ",".join(f"{name.lower()}={n}" for n, name in enumerate(world.names, start=1))
    expected = sum(n * part for n, part in enumerate(parts, start=1))
    assert first_loss(loss_weights=weights) == pytest.approx(expected, rel=1e-4)
