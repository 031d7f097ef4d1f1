"""Training on the rows that a sampler chooses as the model is at a step."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import torch

from hmnet.samplers.sampler import TaskBatch
from hmnet.training.candidate_scorer import ModelScorer
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.progress import Progress
from relevance.errors import RelevanceError


def choosing(world: Any, text: str = "uncertainty", **settings: Any) -> Any:
    settings = world.settings.model_copy(update={"sampler": text} | settings)
    return dataclasses.replace(world, settings=settings)


def test_every_step_trains_one_batch_of_what_it_was_offered(world: Any) -> None:
    told: list[Progress] = []
    unsure = choosing(world)
    unsure.fit(on_step=told.append)
    offered = [step for steps in unsure.epochs for step in steps]
    assert [sum(p.rows.values()) for p in told] == [
        max(len(batch.rows) for batch in step) for step in offered
    ]
    assert [set(p.uncertainty or {}) for p in told] == [{b.task for b in s} for s in offered]
    assert all(0 <= value <= 1 for p in told for value in (p.uncertainty or {}).values())
    assert sum(sum(p.rows.values()) for p in told) < sum(len(b.rows) for s in offered for b in s)


@pytest.mark.parametrize("text", ["uncertainty", "uncertainty:variant=released,proxy=dropout"])
@pytest.mark.process
def test_a_run_broken_off_chooses_the_same_rows(world: Any, text: str, tmp_path: Any) -> None:
    unsure = choosing(world, text, epochs=1)
    whole = unsure.fit().state_dict()

    def stop(progress: Progress) -> None:
        if progress.step == 4:
            raise KeyboardInterrupt

    checkpoints = Checkpoints(tmp_path / "checkpoint", 0, 0.0)
    with pytest.raises(KeyboardInterrupt):
        unsure.fit(checkpoints=checkpoints, on_step=stop)
    resumed = unsure.fit(checkpoints=checkpoints).state_dict()
    assert all(torch.equal(weights, resumed[name]) for name, weights in whole.items())


@pytest.mark.parametrize("sampler", ["uncertainty", "packed"])
def test_a_run_begun_by_another_version_of_its_sampler_is_not_gone_on_with(
    world: Any, sampler: str, tmp_path: Any
) -> None:
    run = choosing(world, sampler, epochs=1)

    def stop(progress: Progress) -> None:
        if progress.step == 2:
            raise KeyboardInterrupt

    checkpoints = Checkpoints(tmp_path / "run" / "checkpoint", 0, 0.0)
    with pytest.raises(KeyboardInterrupt):
        run.fit(checkpoints=checkpoints, on_step=stop)
    state = checkpoints.folder / "state.json"
    content = json.loads(state.read_text())
    del content["record"]["versions"], content["seal"]  # as before they were written down
    state.write_text(json.dumps(content))
    if sampler == "packed":  # whose steps are what they were
        run.fit(checkpoints=checkpoints)
        return
    with pytest.raises(RelevanceError) as error:
        run.fit(checkpoints=checkpoints)
    assert str(error.value) == (
        f"{tmp_path / 'run'} was begun by version 2 of sampler uncertainty, which is now at version"
        " 3 and takes other steps. Train anew with another `out`."
    )


def test_asking_leaves_the_model_and_its_random_numbers_alone(world: Any) -> None:
    model = world.fit().train()
    ask = ModelScorer(model, world.data, "fp32")
    before = torch.get_rng_state()
    batch = TaskBatch("GRADE", np.arange(5))
    plain = ask(batch, "GRADE")
    passes = [ask(batch, "GRADE", dropout=number) for number in (0, 0, 1)]
    assert model.training
    assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(plain, ask(batch, "GRADE"))
    assert np.array_equal(passes[0], passes[1])
    assert not np.array_equal(passes[0], passes[2])
    assert not np.array_equal(passes[0], plain)
    assert ask(batch, "SAME").shape == (5, 3)


def test_the_first_choice_is_the_largest_entropy_of_the_untrained_model(world: Any) -> None:
    """Slowly: every candidate alone, in fp64, by the sum of p log p."""
    unsure = choosing(world)
    told: list[Progress] = []
    trained = unsure.fit(
        on_step=told.append, settings=unsure.settings.model_copy(update={"lr": 1e-12})
    )
    entropies = []
    with torch.no_grad():
        for batch in unsure.epochs[0][0]:
            path = {"TONE": "TONE", "SAME": "SAME"}.get(batch.task)
            if path is None:
                overlap = {
                    name: len(set(world.data[name].ids) & set(world.data["GRADE"].ids))
                    for name in ("TONE", "SAME")
                }
                path = max(overlap, key=overlap.__getitem__)
            for row in batch.rows:
                (logits,) = ModelScorer(trained, world.data, "fp32")(
                    TaskBatch(batch.task, np.array([row])), path
                )
                p = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum()
                entropies.append((-(p * np.log(p)).sum() / np.log(len(p)), batch.task))
    size = max(len(batch.rows) for batch in unsure.epochs[0][0])
    best = sorted(entropies, reverse=True)[:size]
    expected = {task: sum(t == task for _, t in best) for _, task in best}
    assert dict(told[0].rows) == expected
