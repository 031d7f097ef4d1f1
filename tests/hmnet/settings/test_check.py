"""One check for all that trains: `train`, studies of gains and `add-task` refuse the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hmnet.extension.add_task import add_tasks
from hmnet.measuring.joint_trainer import make_trainer
from hmnet.runs.folder import Run
from hmnet.runs.train import train_run
from hmnet.settings.addition import Addition
from hmnet.settings.config import RunConfig
from relevance.errors import RelevanceError
from relevance.tasks.find import find_tasks
from toys import GRADED, table

TAGS = table(
    "TAGS",
    "rows.jsonl",
    family="names",
    kind="tokens",
    text=("tokens",),
    label="tags",
    labels=("O", "B-film", "I-film"),
    metrics=("entity_f1",),
)
VALUE = table(
    "VALUE",
    "rows.jsonl",
    **GRADED,
    family="sentiment",
    text=("tokens",),
    label="value",
    range=(0, 1),
)
PER_ROW = (
    "`regularizer=\"smart\"` needs one label or value for each row, but task 'TAGS' is of kind"
    " tokens. Leave out the task or the regularizer."
)
NO_LABELS = (
    "Sampler 'uncertainty' asks a classification task in place of 'VALUE', and there is none. Add"
    ' one, or say `sampler="uncertainty:proxy=dropout"`.'
)
UNKNOWN_WEIGHT = "Unknown task in `loss_weights` 'none'."


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The TOML file of a task of another kind."""
    folder = tmp_path_factory.mktemp("new")
    row = {"tokens": ["the", "film"], "tags": ["O", "B-film"], "value": 0.5}
    (folder / "rows.jsonl").write_text(8 * (json.dumps(row) + "\n"))
    for name, text in {"TAGS": TAGS, "VALUE": VALUE}.items():
        (folder / f"{name}.toml").write_text(text)
    return lambda name: str(folder / f"{name}.toml")


@pytest.fixture(scope="module")
def trained(task_file: Path, tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on TONE, SAME and GRADE."""
    config = RunConfig(
        tasks=(str(task_file),),
        backbone=str(tiny_bert),
        method="multi",
        device="cpu",
        epochs=1,
        max_steps_per_task=1,
        batch_size=8,
        max_length=24,
    )
    return train_run(config, None, tmp_path_factory.mktemp("trained") / "run")


def refusals(new: str, trained: Run, settings: dict[str, Any], out: Path, method: str) -> list[str]:
    """What training the new task, studying it, and adding it to a run say."""
    fields = {"backbone": trained.config.backbone, "max_length": 24, "device": "cpu", **settings}
    config = RunConfig(tasks=(new,), method=method, **fields)
    ways: list[Callable[[], object]] = [
        lambda: train_run(config, None, out / "train"),
        lambda: make_trainer(find_tasks([new]), fields, device="cpu"),
        lambda: add_tasks(trained, Addition(tasks=(new,)), out / "add", settings=settings),
    ]
    said = []
    for way in ways:
        with pytest.raises(RelevanceError) as error:
            way()
        said.append(str(error.value))
    assert list(out.iterdir()) == []
    return said


@pytest.mark.parametrize("method", ["multi", "single"])
@pytest.mark.parametrize(
    ("task", "settings", "message"),
    [
        ("TAGS", {"regularizer": "smart"}, PER_ROW),
        ("VALUE", {"sampler": "uncertainty"}, NO_LABELS),
        ("TAGS", {"loss_weights": "NONE=2"}, UNKNOWN_WEIGHT),
    ],
)
def test_what_one_way_to_train_refuses_all_refuse(
    new: Callable[[str], str],
    trained: Run,
    tmp_path: Path,
    method: str,
    task: str,
    settings: dict[str, Any],
    message: str,
) -> None:
    said = refusals(new(task), trained, settings, tmp_path, method)
    assert [one[: len(message)] for one in said] == [message] * 3


def test_a_runs_own_settings_are_checked_for_a_new_task(
    new: Callable[[str], str], trained: Run, tmp_path: Path
) -> None:
    smart = Run(trained.folder, trained.config.model_copy(update={"regularizer": "smart"}))
    with pytest.raises(RelevanceError) as error:
        add_tasks(smart, Addition(tasks=(new("TAGS"),)), tmp_path / "run2")
    assert str(error.value) == PER_ROW
    assert not (tmp_path / "run2").exists()


def test_alone_a_regression_task_has_nobody_to_ask(config: RunConfig, tmp_path: Path) -> None:
    """GRADE is trained last; what it lacks is told before the others are trained."""
    chosen = config.model_copy(update={"method": "single", "sampler": "uncertainty"})
    with pytest.raises(RelevanceError, match="in place of 'GRADE', and there is none"):
        train_run(chosen, None, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("freeze", ["all", "100%"])
def test_frozen_layers_leave_nothing_to_join_or_to_gain(
    config: RunConfig, tmp_path: Path, freeze: str
) -> None:
    surgery = {"freeze": freeze, "sampler": "round-robin", "surgery": "pcgrad"}
    chosen = config.model_copy(update=surgery)
    with pytest.raises(
        RelevanceError, match=f"`freeze='{freeze}'` leaves all of those as they are"
    ):
        train_run(chosen, None, tmp_path / "run")
    fields = {"backbone": config.backbone, "freeze": freeze}
    with pytest.raises(RelevanceError, match=f"`freeze='{freeze}'` trains heads alone"):
        make_trainer(find_tasks(config.tasks), fields, device="cpu")
