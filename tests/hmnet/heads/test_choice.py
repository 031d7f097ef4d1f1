"""Which head a task gets: one for all, others for some, and pooling to go with them."""

from pathlib import Path

import pytest

from hmnet.heads._choice import HeadChoice
from hmnet.heads.cosine import CosineHead
from hmnet.heads.head import heads
from hmnet.heads.linear import LinearHead
from hmnet.heads.siamese import SiameseHead
from hmnet.models.count import count_parameters
from hmnet.models.multitask import MultiTaskModel
from hmnet.settings.config import TrainingSettings
from hmnet.sharing.plan import fully_shared
from relevance.errors import RelevanceError
from relevance.tasks.find import find_tasks

TRIO = tuple(find_tasks(["SST-5", "QQP", "STS-B"]))
CHOICE = "siamese,STS-B=cosine"


def test_names_by_task() -> None:
    assert HeadChoice.parse("auto").names == {"": "auto"}
    spaced = HeadChoice.parse("QQP=siamese , STS-B = cosine")
    assert spaced.names == {"": "auto", "qqp": "siamese", "sts-b": "cosine"}
    assert str(spaced) == "QQP=siamese , STS-B = cosine"
    choice = HeadChoice.parse(CHOICE)
    assert choice.name("sts-b", "mean") == "cosine"
    assert choice.name("QQP", "mean") == "siamese"
    assert HeadChoice.parse("STS-B=cosine").name("QQP", "cls") == "linear"


@pytest.mark.parametrize(
    ("head", "pooling"),
    [
        ("auto", "native"),
        ("native", "native"),
        ("linear", "cls"),
        ("siamese", "mean"),
        ("cosine", "mean"),
        (CHOICE, "mean"),
        ("STS-B=cosine", "mean"),
    ],
)
def test_a_head_says_how_it_pools(head: str, pooling: str) -> None:
    assert TrainingSettings(head=head).pooling == pooling
    other = "cls" if pooling == "mean" else pooling
    assert TrainingSettings(head=head, pooling=other).pooling == other


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (
            "siamse",
            (f"Unknown head 'siamse'. Did you mean 'siamese'? Known: {', '.join(heads.names())}."),
        ),
        (
            "siamese,cosine",
            "`head='siamese,cosine'` gives the tasks not named two heads. Give one.",
        ),
        ("A=cosine,a=linear", "`head='A=cosine,a=linear'` gives task 'a' two heads. Give one."),
        ("cosine,A=native", "Head 'native' takes `pooling` native, not mean."),
    ],
)
def test_a_wrong_choice_is_one_line(head: str, message: str) -> None:
    with pytest.raises(RelevanceError) as error:
        TrainingSettings(head=head)
    assert str(error.value) == message


def test_a_choice_must_fit_the_tasks_of_the_run() -> None:
    HeadChoice.parse(CHOICE).check("mean", TRIO)
    with pytest.raises(RelevanceError) as error:
        HeadChoice.parse("siamese,STSB=cosine").check("mean", TRIO)
    assert str(error.value) == (
        "`head='siamese,STSB=cosine'` names 'stsb', which is not trained here. Tasks: SST-5, QQP,"
        " STS-B."
    )
    with pytest.raises(RelevanceError, match="task 'SST-5' is classification"):
        HeadChoice.parse("cosine").check("mean", TRIO)


def test_a_model_of_several_heads(tiny_bert: Path, tmp_path: Path) -> None:
    plan = fully_shared([task.name for task in TRIO], 4)
    choice = "siamese,STS-B=cosine,sst-5=linear"
    model = MultiTaskModel.from_backbone(str(tiny_bert), TRIO, plan, head=choice, pooling="mean")
    kinds = {"SST-5": LinearHead, "QQP": SiameseHead, "STS-B": CosineHead}
    assert {task: type(model.pool[f"{task}/head"]) for task in model.tasks} == kinds
    forms = {task: model.input_form(task)["apart"] for task in model.tasks}
    assert forms == {"SST-5": False, "QQP": True, "STS-B": True}
    model.save_pretrained(tmp_path)
    loaded = MultiTaskModel.from_pretrained(tmp_path)
    assert {task: type(loaded.pool[f"{task}/head"]) for task in loaded.tasks} == kinds
    count = count_parameters(str(tiny_bert), TRIO, plan, "mean", choice)
    assert count["overall"] == sum(weight.numel() for weight in model.parameters())
    assert count["active"]["QQP"] == sum(w.numel() for w in model.path_parameters("QQP"))
