"""Gradients by task: joined on every level of the tree, and left alone where no tasks meet."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hmnet.data.batching import collate
from hmnet.kinds.kind import kind_of
from hmnet.models.build import assemble
from hmnet.models.multitask import MultiTaskModel
from hmnet.runs.checked import check_run
from hmnet.samplers.sampler import Step, samplers
from hmnet.settings.config import RunConfig
from hmnet.sharing.plan import SharingPlan, fully_shared, hierarchical, separate
from hmnet.sharing.skill_table import Skills
from hmnet.surgery.pcgrad import PCGrad
from hmnet.surgery.surgery import Surgery
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.step import Batch, StepConfig, train_step
from hmnet.training.task_gradients import TaskGradients
from relevance.choice import choose
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError

SPEC = ClusterSpec(clusters=(("TONE", "GRADE"), ("SAME",)))


class Weighted(Surgery):
    """Known factors in the order of the tasks; remembers the inner products that it was given."""

    def __init__(self, *factors: float) -> None:
        self.factors = factors
        self.seen: list[Tensor] = []

    def weights(self, gramian: Tensor) -> Tensor:
        self.seen.append(gramian)
        return torch.tensor(self.factors[: len(gramian)])


def build(world: Any, plan: Any = None) -> MultiTaskModel:
    plan = plan or hierarchical(SPEC, 2, 1, 1)
    return assemble(world.backbone, world.tasks, plan).eval()


def by_skill(world: Any) -> SharingPlan:
    """Skill `a` is active in two tasks, `b` in all, the third in none."""
    active = {"TONE": ("a", "b"), "SAME": ("b",), "GRADE": ("a", "b")}
    skills = Skills(names=("a", "b", "idle"), active=active)
    return fully_shared(world.names, 4).model_copy(update={"skills": skills})


def batch_of(world: Any, model: MultiTaskModel, task: str, start: int = 0) -> Batch:
    encoded = world.data[task]
    rows = np.arange(start, start + 4)
    (definition,) = (known for known in world.tasks if known.name == task)
    labels = torch.from_numpy(kind_of(definition).targets(encoded, rows))
    return Batch(task, collate(encoded, rows, **model.input_form(task)), labels)


def plain_gradients(model: MultiTaskModel, batch: Batch) -> dict[nn.Parameter, Tensor]:
    """By torch alone, for one batch."""
    weights = list(model.path_parameters(batch.task))
    logits = model(batch.task, batch.inputs)
    loss = model.kinds[batch.task].losses(logits, batch.labels).mean()
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    return {w: g for w, g in zip(weights, found, strict=True) if g is not None}


def step(model: MultiTaskModel, batches: Sequence[Batch], surgery: Surgery | None) -> None:
    """One step that changes no weights and leaves the gradients to be looked at."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    apart = TaskGradients(model, surgery) if surgery else None
    train_step(model, optimizer, batches, 0.0, StepConfig(task_gradients=apart))


def flat(gradients: dict[nn.Parameter, Tensor], weights: list[nn.Parameter]) -> Tensor:
    return torch.cat([gradients[weight].flatten() for weight in weights if weight in gradients])


def test_a_level_is_what_the_same_tasks_share(world: Any) -> None:
    model = build(world)
    levels = TaskGradients(model, PCGrad()).levels
    names = {weight: name.split(".")[1] for name, weight in model.named_parameters()}
    found = {level: {names[weight] for weight in weights} for level, weights in levels.items()}
    assert found == {
        ("TONE", "SAME", "GRADE"): {"shared/outside", "shared/0", "shared/1"},
        ("TONE", "GRADE"): {"cluster0/2"},
    }
    assert not TaskGradients(build(world, separate(world.names, 4)), PCGrad()).levels


def test_levels_of_skills(world: Any) -> None:
    """Tasks share a skill's blocks or not, which makes levels as clusters do."""
    model = build(world, by_skill(world))
    levels = TaskGradients(model, PCGrad()).levels
    assert set(levels) == {("TONE", "SAME", "GRADE"), ("TONE", "GRADE")}
    blocks = [model.pool[f"shared/{depth}"].blocks[0] for depth in range(4)]
    assert {id(weight) for block in blocks for weight in block.parameters()} == {
        id(weight) for weight in levels["TONE", "GRADE"]
    }


def test_each_level_is_joined_by_its_own_inner_products(world: Any) -> None:
    model = build(world)
    batches = [batch_of(world, model, task) for task in ("GRADE", "SAME", "TONE")]
    plain = {batch.task: plain_gradients(model, batch) for batch in batches}
    surgery = Weighted(2.0, -3.0, 0.5)
    levels = TaskGradients(model, surgery).levels
    step(model, batches, surgery)
    for (level, weights), seen in zip(levels.items(), surgery.seen, strict=True):
        rows = torch.stack([flat(plain[task], weights) for task in level])
        torch.testing.assert_close(seen, rows @ rows.T)
        expected = torch.tensor(surgery.factors[: len(level)]) @ rows
        joined = torch.cat([w.grad.flatten() for w in weights if w.grad is not None])
        torch.testing.assert_close(joined, expected, atol=1e-6, rtol=1e-4)
    in_levels = {weight for weights in levels.values() for weight in weights}
    for gradients in plain.values():
        for weight, gradient in gradients.items():
            if weight not in in_levels:  # heads and task layers
                torch.testing.assert_close(weight.grad, gradient)


def test_pcgrad_projects_within_a_cluster(world: Any) -> None:
    """Two tasks on the cluster's level: the closed form, whatever the shared layers come to."""
    model = build(world)
    level = TaskGradients(model, PCGrad()).levels["TONE", "GRADE"]
    found = None
    for start in range(0, 20, 4):  # the first rows whose tasks conflict
        batches = [batch_of(world, model, task, start) for task in ("TONE", "GRADE")]
        one, other = (flat(plain_gradients(model, batch), level) for batch in batches)
        if (inner := one @ other) < 0:
            found = one - inner / (other @ other) * other + other - inner / (one @ one) * one
            break
    assert found is not None, "no rows conflict: take others"
    step(model, batches, PCGrad())
    torch.testing.assert_close(flat({w: w.grad for w in level}, level), found)


@pytest.mark.parametrize("surgery", [PCGrad(), Weighted(9.0, 9.0, 9.0)])
def test_a_step_of_one_task_is_as_without_surgery(world: Any, surgery: Surgery) -> None:
    """Two batches of one task are no conflict either: they add up."""
    for starts in ([0], [0, 8]):
        found = []
        for way in (None, surgery):
            model = build(world)
            step(model, [batch_of(world, model, "TONE", start) for start in starts], way)
            found.append({name: weight.grad for name, weight in model.named_parameters()})
        for name, gradient in found[0].items():
            if gradient is None:
                assert found[1][name] is None
            else:
                torch.testing.assert_close(found[1][name], gradient)


def test_frozen_layers_have_no_say(world: Any) -> None:
    model = build(world)
    model.pool["shared/outside"].requires_grad_(False)
    model.pool["cluster0/2"].requires_grad_(False)
    step(model, [batch_of(world, model, task) for task in world.names], PCGrad())
    assert all(w.grad is None for w in model.pool["cluster0/2"].parameters())
    assert all(w.grad is not None for w in model.pool["shared/0"].parameters())


def of_several(epochs: Sequence[Sequence[Step]]) -> list[list[Step]]:
    """The same batches, three a step."""
    steps = list(chain.from_iterable(chain.from_iterable(epochs)))
    return [[steps[place : place + 3] for place in range(0, len(steps), 3)]]


@pytest.mark.parametrize("skills", [False, True])
def test_a_run_that_was_stopped_goes_on_with_the_same_orders(
    world: Any, tmp_path: Path, skills: bool
) -> None:
    joined = {"surgery": "pcgrad", "sampler": "round-robin"}
    settings = world.settings.model_copy(update=joined)
    plan = by_skill(world) if skills else hierarchical(SPEC, 2, 1, 1)

    epochs = of_several(world.epochs)
    several = replace(world, settings=settings, steps=epochs)

    def trained(**options: Any) -> dict[str, Tensor]:
        return dict(several.fit(plan=plan, **options).named_parameters())

    def stop(progress: Any) -> None:
        raise KeyboardInterrupt

    unbroken = trained()
    kept = Checkpoints(tmp_path / "checkpoint", 0, every_s=1e-9)
    with pytest.raises(KeyboardInterrupt):
        trained(checkpoints=kept, on_step=lambda p: stop(p) if p.step == 4 else None)
    resumed = trained(checkpoints=kept)
    for name, weight in unbroken.items():
        assert torch.equal(weight, resumed[name]), name


def test_tasks_that_never_meet_have_nothing_to_join(config: RunConfig, tmp_path: Path) -> None:
    given = {"surgery": "pcgrad", "sampler": "round-robin", "method": "single"}
    alone = RunConfig(**{**config.model_dump(), **given})
    with pytest.raises(RelevanceError) as error:
        check_run(alone, None, tmp_path / "run")
    assert str(error.value) == (
        "`surgery='pcgrad'` joins the gradients of tasks that train together, but here each trains"
        ' alone. Leave it out, or train several tasks with `method="multi"` or hmnet.'
    )


def test_frozen_weights_have_no_gradients_to_join(config: RunConfig, tmp_path: Path) -> None:
    """Of four layers {2, 1, 1} three are shared, by all tasks or a cluster's."""
    given = {"surgery": "pcgrad", "sampler": "round-robin", "method": "hmnet"}
    frozen = RunConfig(**{**config.model_dump(), **given, "freeze": "75%"})
    with pytest.raises(RelevanceError) as error:
        check_run(frozen, SPEC, tmp_path / "run")
    assert str(error.value) == (
        "`surgery='pcgrad'` joins the gradients of weights that tasks share, but `freeze='75%'`"
        " leaves all of those as they are. Leave one of the two out."
    )
    check_run(frozen.model_copy(update={"freeze": "50%"}), SPEC, tmp_path / "run")


def test_an_unknown_surgery_is_refused() -> None:
    with pytest.raises(RelevanceError, match=r"^Unknown surgery 'pcgrd'\. Did you mean 'pcgrad'\?"):
        RunConfig(tasks=("RTE",), surgery="pcgrd", sampler="round-robin")
    with pytest.raises(RelevanceError, match=r"^surgery 'pcgrad' takes no parameters, got 'x=1'"):
        RunConfig(tasks=("RTE",), surgery="pcgrad:x=1", sampler="round-robin")


@pytest.mark.parametrize("sampler", samplers.names())
def test_a_sampler_of_one_task_a_step_leaves_nothing_to_join(sampler: str) -> None:
    """What a sampler says of itself is what its steps are."""
    batches = {task: [np.arange(2), np.arange(2, 4)] for task in ("RTE", "CB")}
    built = choose(samplers, sampler).build(batches, epochs=2, seed=0)
    several = any(len(step) > 1 for number in range(built.epochs) for step in built.epoch(number))
    assert built.joint == several
    given = {"tasks": ("RTE", "CB"), "surgery": "pcgrad", "sampler": sampler}
    if several:
        assert str(RunConfig(**given).surgery) == "pcgrad"
        return
    with pytest.raises(RelevanceError) as error:
        RunConfig(**given)
    assert str(error.value) == (
        "`surgery='pcgrad'` joins the gradients of several tasks in one step, but sampler"
        f" '{sampler}' gives every step one task. Add `sampler=\"round-robin\"`."
    )
