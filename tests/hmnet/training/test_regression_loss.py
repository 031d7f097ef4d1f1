"""The loss of regression tasks: on their own scale, or of standardised labels."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from altering import rewritten
from hmnet.answer_scale import AnswerScale, lent, scale_of_range, standardised
from hmnet.data.batching import collate, input_form
from hmnet.data.encoded import Encoded
from hmnet.data.template import Template
from hmnet.extension.add_task import add_tasks
from hmnet.kinds.kind import ModelOutputs, kind_of
from hmnet.measuring.joint_trainer import JointTrainer
from hmnet.models.build import assemble
from hmnet.models.export import export
from hmnet.models.multitask import MultiTaskModel
from hmnet.regularizers.smart import Smart
from hmnet.runs.checked import has_old_loss
from hmnet.runs.folder import load_run
from hmnet.runs.score import score_run
from hmnet.runs.train import train_run
from hmnet.settings.addition import Addition
from hmnet.settings.config import RunConfig
from hmnet.sharing.plan import fully_shared
from hmnet.training.step import Batch, StepConfig, batch_losses
from killing import killed_and_resumed
from relevance.errors import RelevanceError
from relevance.interfaces.trainer import Result
from relevance.studies.runs import TrainingRun
from relevance.studies.store import JobStore
from relevance.tasks.data import DataOptions, Split
from relevance.tasks.kinds.kind import kind_of as kind_of_task
from relevance.tasks.task import Task
from toys import GRADED, table

STANDARD = {"regression_loss": "standardised"}


def graded(low: float, high: float, name: str = "STS-B") -> Task:
    return Task(
        name=name,
        family="similarity",
        kind="regression",
        text=("sentence1", "sentence2"),
        range=(low, high),
        metrics=("pearson",),
    )


def encoded(labels: list[float]) -> Encoded:
    """Rows of one token each."""
    rows = len(labels)
    return Encoded(
        ids=np.zeros(rows, dtype=np.int32),
        offsets=np.arange(rows + 1),
        first=np.ones(rows, dtype=np.int64),
        template=Template(prefix=(2,), middle=(3,), suffix=(3,)),
        labels=np.array(labels),
        groups=None,
        fingerprint="",
    )


def targets(task: Task, labels: list[float], scale: AnswerScale | None = None) -> Tensor:
    rows = np.arange(len(labels))
    return torch.from_numpy(kind_of(task, scale).targets(encoded(labels), rows))


def values(task: Task, outputs: Tensor, scale: AnswerScale | None = None) -> list[float]:
    said = ModelOutputs([], encoded([0.0] * len(outputs)), list(outputs.detach().numpy()))
    return kind_of(task, scale).predictions(said).tolist()


def test_the_loss_is_the_squared_error_on_the_tasks_own_scale() -> None:
    task = graded(0, 5)
    logits = torch.tensor([[0.5], [1.0], [0.2]])  # 2.5, 5 and 1
    losses = kind_of(task).losses(logits, targets(task, [2.0, 5.0, 4.0]))
    assert losses.tolist() == pytest.approx([0.25, 0.0, 9.0], abs=1e-5)


def test_the_loss_of_standardised_labels_by_hand() -> None:
    task, labels = graded(0, 5), [1.0, 1.0, 4.0, 4.0]  # mean 2.5, deviation 1.5
    scale = standardised(task, np.array(labels))
    assert scale == AnswerScale(offset=2.5, spread=1.5, unit=1.0)
    wanted = targets(task, labels, scale)
    assert wanted.tolist() == [-1.0, -1.0, 1.0, 1.0]
    losses = kind_of(task, scale).losses(torch.tensor([[-1.0], [0.0], [0.0], [3.0]]), wanted)
    assert losses.tolist() == [0.0, 1.0, 1.0, 4.0]


def test_a_cosine_goes_over_the_range_whatever_its_loss() -> None:
    task = graded(0, 5)
    scale = standardised(task, np.array([1.0, 1.0, 4.0, 4.0]), bounded=True)
    assert scale == AnswerScale(offset=0.0, spread=5.0, unit=5 / 1.5)
    losses = kind_of(task, scale).losses(torch.tensor([[0.8]]), targets(task, [1.0], scale))
    assert losses.item() == pytest.approx(((4 - 1) / 1.5) ** 2)


def test_labels_that_are_all_the_same_are_refused() -> None:
    with pytest.raises(RelevanceError) as error:
        standardised(graded(0, 5), np.full(7, 2.0))
    assert str(error.value) == (
        "task 'STS-B': all 7 training labels are 2, so they have no deviation to be divided by."
        ' Take `regression_loss="scale"`.'
    )


LABELS = st.lists(st.floats(-1000, 1000), min_size=2, max_size=8).filter(lambda x: np.std(x) > 1e-3)


@given(labels=LABELS, bounded=st.booleans())
def test_standardised_and_back(labels: list[float], bounded: bool) -> None:
    task = graded(-1000, 1000)
    scale = standardised(task, np.array(labels), bounded=bounded)
    inside = targets(task, labels, scale)
    assert values(task, inside[:, None], scale) == pytest.approx(labels, abs=2e-3)
    in_the_loss = inside.double() * scale.unit
    assert in_the_loss.std(correction=0).item() == pytest.approx(1, rel=2e-2)


def test_a_borrowed_head_says_the_same_share_of_either_range() -> None:
    source, task = graded(1, 5), graded(0, 100, "OTHER")
    assert lent(scale_of_range(source), source, task) == scale_of_range(task)
    scale = lent(AnswerScale(offset=3.0, spread=2.0, unit=1.0), source, task)
    assert scale == AnswerScale(offset=50.0, spread=50.0, unit=50.0)


def test_the_mean_label_has_its_loss_on_the_same_scale() -> None:
    train, held_out = (Split((), np.array(labels)) for labels in ([1.0, 4.0], [2.0, 5.0]))
    losses = kind_of_task(graded(0, 5)).constant(train, held_out).losses
    assert losses.tolist() == [0.25, 6.25]


def grade_batch(world: Any, model: MultiTaskModel) -> Batch:
    rows = np.arange(6)
    inputs = collate(world.data["GRADE"], rows, **input_form(model.config))
    labels = model.kinds["GRADE"].targets(world.data["GRADE"], rows)
    return Batch("GRADE", inputs, torch.from_numpy(labels))


@pytest.mark.parametrize("loss", ["scale", "standardised"])
def test_the_step_and_smart_are_on_the_same_scale(world: Any, loss: str) -> None:
    labels = world.data["GRADE"].labels
    scale = None if loss == "scale" else standardised(world.tasks[2], labels)
    model = assemble(
        world.backbone,
        world.tasks,
        fully_shared(world.names, world.backbone.depth),
        scales={} if scale is None else {"GRADE": scale},
    ).eval()
    batch = grade_batch(world, model)
    found = values(world.tasks[2], model("GRADE", batch.inputs), scale)
    divided_by = 1.0 if scale is None else labels.std()
    wanted = np.mean(((np.array(found) - labels[:6]) / divided_by) ** 2)
    assert batch_losses(model, batch, StepConfig()).loss.item() == pytest.approx(wanted, rel=1e-4)

    smart = Smart(weight=1.0, variant="paper", epsilon=1e-2, step_size=1e-2)
    plain = assemble(
        world.backbone,
        world.tasks,
        model.plan,
        scales={"GRADE": AnswerScale(offset=0, spread=1, unit=1)},
    ).eval()
    torch.manual_seed(0)
    apart = batch_losses(plain, batch, StepConfig(regularizer=smart)).term
    torch.manual_seed(0)
    term = batch_losses(model, batch, StepConfig(regularizer=smart)).term
    unit = 4.0 if scale is None else 1.0
    assert term.item() == pytest.approx(unit**2 * apart.item(), rel=1e-3)


def test_standardised_models_are_kept_and_exported(
    world: Any, tiny_bert: Path, tmp_path: Path
) -> None:
    settings = world.settings.model_copy(update=STANDARD)
    model = dataclasses.replace(world, settings=settings).fit()
    labels = world.data["GRADE"].labels
    scale = AnswerScale(offset=labels.mean(), spread=labels.std(), unit=1.0)
    assert model.blueprint.scales == {"GRADE": scale}
    model.save_pretrained(tmp_path / "model")
    again = MultiTaskModel.from_pretrained(tmp_path / "model")
    assert again.blueprint.scales == model.blueprint.scales
    inputs = grade_batch(world, model).inputs
    outputs = model("GRADE", inputs)
    assert torch.equal(again("GRADE", inputs), outputs)
    export(again, world.tasks[2], AutoTokenizer.from_pretrained(tiny_bert), tmp_path / "grade")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "grade")
    wanted = scale.offset + scale.spread * outputs
    torch.testing.assert_close(plain(**inputs).logits, wanted, rtol=0, atol=1e-5)


def test_plans_without_standardised_labels_are_as_before(world: Any, tmp_path: Path) -> None:
    world.fit().save_pretrained(tmp_path / "model")
    assert "scales" not in json.loads((tmp_path / "model" / "plan.json").read_text())


def test_a_standardised_run_is_resumed_bit_for_bit(world: Any, tmp_path: Path) -> None:
    settings = world.settings.model_copy(update=STANDARD)
    whole = world.fit(settings=settings)
    resumed = killed_and_resumed(world, tmp_path, settings=settings)
    assert resumed.blueprint.scales == whole.blueprint.scales
    for one, other in zip(resumed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(one, other)


@dataclasses.dataclass(frozen=True)
class Counting:
    """The joint trainer's fingerprints, and results without training."""

    trainer: JointTrainer
    calls: list[tuple[str, ...]] = dataclasses.field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        return self.trainer.fingerprint

    def fingerprint_of(self, tasks: tuple[str, ...]) -> str:
        return self.trainer.fingerprint_of(tasks)

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        raise NotImplementedError


class Older(Counting):
    """As it was before: one fingerprint for all tasks."""

    def fingerprint_of(self, tasks: tuple[str, ...]) -> str:
        return self.trainer.fingerprint


def test_only_jobs_with_a_regression_task_have_a_new_key(
    world: Any, tiny_bert: Path, tmp_path: Path
) -> None:
    tasks = {task.name: task for task in world.tasks}
    trainer = JointTrainer(tasks, DataOptions(), str(tiny_bert), world.settings)
    store = JobStore(tmp_path)

    def job(trainer: Any, *names: str) -> TrainingRun:
        return TrainingRun(tuple(tasks[n] for n in names), ("data",) * len(names), 0, trainer)

    names = [("TONE",), ("SAME", "TONE"), ("GRADE",), ("GRADE", "TONE")]
    for of_job in names:
        older = job(Older(trainer), *of_job)
        kept = {n: {"metrics": dict.fromkeys(tasks[n].metrics, 0.5), "loss": 0.5} for n in of_job}
        result = {"results": kept, "seconds": 1.0, "device": "cpu"}
        store.write(older.inputs, result)
    found = [job(trainer, *of_job).finished(store) is not None for of_job in names]
    assert found == [True, True, False, False]
    chosen = trainer.settings.model_copy(update=STANDARD)
    other = dataclasses.replace(trainer, settings=chosen)
    found = [job(other, *of_job).finished(store) is not None for of_job in names]
    assert found == [True, True, False, False]
    assert other.fingerprint_of(("GRADE",)) != trainer.fingerprint_of(("GRADE",))


def test_runs_of_the_old_loss_are_read_and_not_gone_on_with(
    config: RunConfig, tmp_path: Path
) -> None:
    run = train_run(config, None, tmp_path / "run")
    assert not has_old_loss(run.folder, run.tasks)
    scores = score_run(run, device="cpu")
    settings = (run.folder / "config.toml").read_text()
    rewritten(run.folder / "config.toml", settings.replace('regression_loss = "scale"\n', ""))
    old = load_run(run.folder)
    assert has_old_loss(old.folder, old.tasks)
    assert not has_old_loss(old.folder, [t for t in old.tasks if t.kind != "regression"])
    assert score_run(old, device="cpu") == scores
    words = (
        f"{run.folder} was begun by an older version, whose loss of regression tasks lay on [0, 1];"
        " it is on a task's own scale now, so this would mix the two. Train anew with another"
        " `out`; evaluate, predict and export still read the run."
    )
    for go_on in (
        lambda: train_run(config, None, run.folder, resume=True),
        lambda: add_tasks(old, Addition(tasks=("RTE",)), tmp_path / "more"),
    ):
        with pytest.raises(RelevanceError) as error:
            go_on()
        assert str(error.value) == words
    assert not (tmp_path / "more").exists()


def test_labels_without_deviation_are_refused_before_a_folder_is_made(
    config: RunConfig, task_file: Path, tmp_path: Path
) -> None:
    text = task_file.read_text().replace('"grade/train.jsonl"', '"flat.jsonl"')
    flat = task_file.with_name("flat.toml")
    flat.write_text(text)
    rows = [{"sentence": "the film", "label": 2.0}] * 9
    task_file.with_name("flat.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    chosen = config.model_copy(update={"tasks": (str(flat),), **STANDARD})
    with pytest.raises(RelevanceError, match=r"task 'GRADE': all 9 training labels are 2, so"):
        train_run(chosen, None, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_new_task_learns_and_borrows_on_the_scale_of_its_source(
    config: RunConfig, tmp_path: Path
) -> None:
    (tmp_path / "rating.toml").write_text(
        table("RATING", "rating.jsonl", **GRADED, family="sentiment", range=(0, 10))
    )
    rows = [{"sentence": f"{'good ' * (n % 5)}film", "label": 2.0 * (n % 5)} for n in range(20)]
    (tmp_path / "rating.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = train_run(config.model_copy(update=STANDARD), None, tmp_path / "run")
    graded_as = run.model_for("GRADE").kinds["GRADE"].scale
    assert graded_as is not None
    assert graded_as.unit == 1.0

    def added(name: str, **choice: Any) -> MultiTaskModel:
        addition = Addition(tasks=(str(tmp_path / "rating.toml"),), init="GRADE", **choice)
        settings = {"epochs": 1, "max_steps_per_task": 2}
        return add_tasks(run, addition, tmp_path / name, settings=settings).model_for("RATING")

    borrowed = added("borrowed", fraction=0.0).kinds["RATING"].scale
    # the share of 0 to 10 is that of 1 to 5
    assert borrowed is not None
    assert borrowed.offset == pytest.approx(10 * (graded_as.offset - 1) / 4)
    assert borrowed.spread == pytest.approx(10 * graded_as.spread / 4)
    learned = added("learned").kinds["RATING"].scale
    assert learned is not None
    assert (learned.offset, learned.spread) == (borrowed.offset, borrowed.spread)
    deviation = np.std([row["label"] for row in rows])
    assert learned.unit == pytest.approx(learned.spread / deviation)
