"""Exported checkpoints, loaded by transformers alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from hmnet.models.export import export
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import SharingPlan
from relevance.errors import RelevanceError
from relevance.tasks.task import Task

Batches = Callable[[Path], dict[str, Tensor]]


def test_the_plain_checkpoint_gives_equal_logits(
    backbone: Path,
    tasks: list[Task],
    plan: SharingPlan,
    batch_for: Batches,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    inputs = batch_for(backbone)
    model = MultiTaskModel.from_backbone(str(backbone), tasks, plan)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tokenizer = AutoTokenizer.from_pretrained(backbone)
    for task in tasks:
        folder = tmp_path / task.slug
        capfd.readouterr()
        export(model, task, tokenizer, folder)
        assert capfd.readouterr() == ("", "")
        plain, report = AutoModelForSequenceClassification.from_pretrained(
            folder, output_loading_info=True
        )
        assert not any(report.values())
        logits = model(task.name, inputs)
        if task.range is not None:
            logits = task.range[0] + (task.range[1] - task.range[0]) * logits
        torch.testing.assert_close(plain(**inputs).logits, logits, rtol=0, atol=1e-5)
        texts = {"text": "the dog runs", "text_pair": "yes"}
        assert AutoTokenizer.from_pretrained(folder)(**texts) == tokenizer(**texts)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_labels_travel_along(
    tiny_bert: Path, tasks: list[Task], plan: SharingPlan, tmp_path: Path
) -> None:
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan)
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    configs = {}
    for name in ("CB", "STS-B"):
        export(model, model.definitions[name], tokenizer, tmp_path / name)
        configs[name] = AutoModelForSequenceClassification.from_pretrained(tmp_path / name).config
    assert configs["CB"].id2label == {0: "label 0", 1: "label 1", 2: "label 2"}
    assert configs["CB"].label2id == {"label 0": 0, "label 1": 1, "label 2": 2}
    assert configs["CB"].problem_type == "single_label_classification"
    assert configs["CB"].architectures == ["BertForSequenceClassification"]
    assert configs["STS-B"].problem_type == "regression"
    assert configs["STS-B"].num_labels == 1


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_linear_head_cannot_be_exported(
    tiny_bert: Path, tasks: list[Task], plan: SharingPlan, tmp_path: Path, pooling: str
) -> None:
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan, pooling=pooling)
    with pytest.raises(RelevanceError) as caught:
        export(model, tasks[0], AutoTokenizer.from_pretrained(tiny_bert), tmp_path / "out")
    assert str(caught.value) == (
        f"Task 'RTE' has a linear head on '{pooling}' pooling, which no plain checkpoint can"
        ' express. Heads of `pooling="native"` can be exported, with any of the methods hmnet,'
        " multi and single."
    )
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over(
    tiny_bert: Path, tasks: list[Task], plan: SharingPlan, tmp_path: Path
) -> None:
    model = MultiTaskModel.from_backbone(str(tiny_bert), tasks, plan)
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    (tmp_path / "empty").mkdir()
    export(model, tasks[0], tokenizer, tmp_path / "empty")
    with pytest.raises(RelevanceError, match=r"exists and is not empty\. Give a new folder"):
        export(model, tasks[1], tokenizer, tmp_path / "empty")
    with pytest.raises(RelevanceError, match="out cannot be written: "):
        export(model, tasks[1], tokenizer, tmp_path / "empty" / "config.json" / "out")
    assert [folder.name for folder in tmp_path.iterdir()] == ["empty"]
