"""Tasks that read a line joined and tasks that read its texts apart, asked at once."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from hmnet.evaluation.lines import read_lines
from hmnet.evaluation.predict import predict
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import fully_shared
from relevance.tasks.task import Task

LINES = [{"text": ["who plays", "the guitar"]}, {"text": ["no", "yes"]}]


@pytest.fixture
def model(tiny_bert: Path, tasks: dict[str, Task]) -> MultiTaskModel:
    chosen = "siamese,TONE=linear,QA=siamese-difference"
    plan = fully_shared(list(tasks), 4)
    return MultiTaskModel.from_backbone(
        str(tiny_bert), list(tasks.values()), plan, head=chosen, pooling="mean"
    )


def ask(model: MultiTaskModel, folder: Path, names: list[str]) -> list[dict[str, Any]]:
    tasks = [model.definitions[name] for name in names]
    return list(
        predict(
            dict.fromkeys(names, model),
            tasks,
            read_lines(tasks, map(json.dumps, LINES)),
            AutoTokenizer.from_pretrained(folder),
            max_length=24,
            batch_size=4,
        )
    )


def test_each_layer_runs_once_for_each_way_to_read(
    model: MultiTaskModel, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TONE and GRADE have one text, SAME and QA two: the order of the tasks makes no difference."""
    names = ["SAME", "TONE", "QA", "GRADE"]
    expected = {name: ask(model, tiny_bert, [name]) for name in names}
    runs: Counter[str] = Counter()
    layer = type(model.pool["shared/0"])
    forward = layer.forward

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        runs.update([str(id(self))])
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(layer, "forward", counted)
    together = ask(model, tiny_bert, names)
    assert set(runs.values()) == {2}
    assert together == [expected[name][line] for line in range(2) for name in names]
