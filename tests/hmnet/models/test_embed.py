"""Word embeddings in the place of ids: the backbone adds positions, segments and norm once."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import SharingPlan
from relevance.tasks.task import Task

Batches = Callable[[Path], dict[str, Tensor]]


@pytest.mark.parametrize("pooling", ["native", "mean"])
def test_the_answers_are_those_to_the_ids(
    backbone: Path, tasks: list[Task], plan: SharingPlan, batch_for: Batches, pooling: str
) -> None:
    model = MultiTaskModel.from_backbone(str(backbone), tasks, plan, pooling=pooling)
    inputs = batch_for(backbone)
    for task in ("RTE", "STS-B"):
        embedded = {name: values for name, values in inputs.items() if name != "input_ids"}
        embedded["inputs_embeds"] = model.embed(task, inputs["input_ids"])
        assert embedded["inputs_embeds"].requires_grad
        torch.testing.assert_close(model(task, embedded), model(task, inputs))
