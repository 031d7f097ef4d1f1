"""The trainer of joint-training gains: paired runs, a fingerprint, rows that give nothing away."""

import dataclasses
import json
import pickle
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from hmnet.backbones.backbone import load_backbone
from hmnet.measuring import joint_runs as joint
from hmnet.measuring.drop_overlap import overlapping_rows, without_rows
from hmnet.measuring.joint_trainer import (
    JointTrainer,
    make_trainer,
)
from hmnet.measuring.probe import EncoderProbe
from hmnet.prepared import PreparedSplit, PreparedTask
from hmnet.samplers.sampler import TaskBatch
from hmnet.settings.config import RunConfig
from relevance.errors import RelevanceError
from relevance.gains.gain_choice import GainChoice
from relevance.interfaces.trainer import Trainer, unlearned_rows
from relevance.jobs.job import Schedule
from relevance.measures.joint_training import JointTraining, joint_training_gains
from relevance.measures.measure import Inputs
from relevance.studies.store import JobStore
from relevance.studies.study import Study
from relevance.tasks.data import DataOptions, Split
from relevance.tasks.find import catalogue
from relevance.tasks.task import Source, Task
from toys import toy


@pytest.fixture
def trainer(world: Any, tiny_bert: Path) -> JointTrainer:
    tasks = {task.name: task for task in world.tasks}
    return JointTrainer(tasks, DataOptions(), str(tiny_bert), world.settings, gain_split="dev")


def test_it_scores_every_task(trainer: Trainer) -> None:
    results = trainer(("TONE", "GRADE"), 0, "cpu")
    assert list(results) == ["TONE", "GRADE"]
    assert set(results["TONE"].metrics) == {"accuracy", "f1"}
    assert set(results["GRADE"].metrics) == {"pearson", "spearman"}
    assert results["TONE"].loss > 0
    assert len(results["TONE"].predictions or ()) == 12


def test_texts_of_another_language_are_refused_before_any_job(
    trainer: JointTrainer, tmp_path: Path
) -> None:
    """Else every job would fail, and say the same."""
    (tmp_path / "odd.csv").write_text("text,label\n" + "\u6f22\u5b57,no\n\u8a9e,yes\n" * 8)
    file = str(tmp_path / "odd.csv")
    odd = toy("ODD", text=("text",), source=Source(train=file, dev=file))
    measure = JointTraining.build(
        Inputs(trainer=lambda: dataclasses.replace(trainer, tasks={**trainer.tasks, "ODD": odd}))
    )
    with pytest.raises(RelevanceError, match=r"^Task 'ODD': 100% of the tokens are unknown"):
        measure.measure([*trainer.tasks.values(), odd])


def test_rows_that_teach_nothing_are_told_before_training(
    trainer: JointTrainer, tmp_path: Path
) -> None:
    """By the trainer, and by the probe that trains as it does."""
    rows = [("no", "no"), ("no \u0301 yes", "\u0301")]
    written = [
        {"q": "who", "c": context, "a": [{"text": answer, "answer_start": context.index(answer)}]}
        for context, answer in rows
    ]
    (tmp_path / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in written))
    file = str(tmp_path / "quiz.jsonl")
    source = Source(train=file, dev=file)
    quiz = Task(
        name="QUIZ",
        family="f",
        kind="span",
        text=("q", "c"),
        label="a",
        metrics=("span_f1",),
        source=source,
    )
    asked = dataclasses.replace(trainer, tasks={**trainer.tasks, "QUIZ": quiz})
    names = tuple(asked.tasks)
    (line,) = asked.unlearned(names).values()
    assert line.startswith("Task 'QUIZ': in 1 of 2 training rows no window holds the whole answer")
    assert unlearned_rows(EncoderProbe(asked), names) == {"QUIZ": line}
    (tmp_path / "quiz.jsonl").write_text(json.dumps(written[1]) + "\n")
    with pytest.raises(RelevanceError, match=r"^Task 'QUIZ': in 1 of 1 .*and there are no others"):
        asked.unlearned(names)


def test_a_new_probe_reads_the_files_as_they_are_now(trainer: JointTrainer, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    task = toy("ROWS", text=("s",), source=Source(train=str(file), dev=str(file)))
    asked = dataclasses.replace(trainer, tasks={"ROWS": task})
    for count in (4, 6):  # as a notebook may go on after its data has grown
        file.write_text("s,label\n" + "the film,no\na story,yes\n" * (count // 2))
        found = EncoderProbe(asked).features(["ROWS"], rows=9, seed=0)
        assert len(found["ROWS"].labels) == count


def test_a_copy_in_another_process_does_the_same(trainer: JointTrainer) -> None:
    copy = pickle.loads(pickle.dumps(trainer))  # noqa: S301
    assert copy.fingerprint == trainer.fingerprint
    assert copy(("TONE",), 3, "cpu") == trainer(("TONE",), 3, "cpu")


@pytest.mark.parametrize("name", ["ReCoRD", "COPA"])
def test_results_without_windows_or_parts_are_not_taken(trainer: JointTrainer, name: str) -> None:
    asked = dataclasses.replace(trainer, tasks={**trainer.tasks, name: catalogue()[name]})
    assert asked.fingerprint_of(("TONE",)) == asked.fingerprint
    found = {asked.fingerprint_of(each) for each in ((name,), ("TONE", name))}
    assert len(found) == 1
    assert asked.fingerprint not in found


def test_single_and_joint_runs_are_paired(
    trainer: JointTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same head weights at the start, and the same batches in the same order."""
    seen: list[tuple[dict[str, torch.Tensor], list[tuple[str, list[int]]]]] = []
    fit = joint.fit

    def spy(model: Any, tasks: Any, epochs: Any, *rest: Any) -> Any:
        record = fit(model, tasks, [], *rest)
        heads = {name: w for name, w in model.named_parameters() if "TONE/head" in name}
        rows = [(t, r.tolist()) for steps in epochs for step in steps for t, r in step]
        seen.append((heads, [batch for batch in rows if batch[0] == "TONE"]))
        return record

    monkeypatch.setattr(joint, "fit", spy)
    for tasks in (("TONE",), ("TONE", "SAME"), ("GRADE", "TONE")):
        trainer(tasks, 5, "cpu")
    for heads, rows in seen[1:]:
        assert rows == seen[0][1]
        assert Counter(task for task, _ in rows) == {"TONE": 10}
        assert all(torch.equal(weight, seen[0][0][name]) for name, weight in heads.items())


def test_held_out_rows_come_from_the_training_split(trainer: JointTrainer) -> None:
    held = dataclasses.replace(trainer, gain_split="holdout")
    (result,) = held(("TONE",), 0, "cpu").values()
    assert len(result.predictions or ()) == 7  # 20 % of 37 rows


def test_the_fingerprint_holds_what_changes_results(
    trainer: JointTrainer, tiny_backbones: dict[str, Path]
) -> None:
    def with_settings(**settings: Any) -> JointTrainer:
        return dataclasses.replace(trainer, settings=trainer.settings.model_copy(update=settings))

    others = [
        with_settings(lr=1e-5),
        with_settings(precision="bf16"),
        with_settings(max_steps_per_task=3),
        dataclasses.replace(trainer, gain_split="holdout"),
        dataclasses.replace(trainer, drop_overlap=True),
        dataclasses.replace(trainer, backbone=str(tiny_backbones["electra"])),
    ]
    assert len({other.fingerprint for other in (trainer, *others)}) == len(others) + 1


def test_the_fingerprint_leaves_out_what_does_not(trainer: JointTrainer, config: RunConfig) -> None:
    fewer = dataclasses.replace(trainer, tasks={"TONE": trainer.tasks["TONE"]})
    of_a_run = dataclasses.replace(trainer, settings=config)
    assert fewer.fingerprint == of_a_run.fingerprint == trainer.fingerprint


def test_the_fingerprint_outlives_a_version_of_the_library(
    trainer: JointTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configuration says which version wrote it."""
    before = trainer.fingerprint
    monkeypatch.setattr(transformers.configuration_utils, "__version__", "5.5.0")
    assert '"5.5.0"' in load_backbone(trainer.backbone).config.to_json_string()
    joint._read_backbone.cache_clear()
    assert dataclasses.replace(trainer).fingerprint == before


def test_a_backbone_is_read_anew_only_where_a_seed_draws_weights(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = []

    def load(name: str, seed: int) -> Any:
        seeds.append(seed)
        return load_backbone(name, seed=seed)

    monkeypatch.setattr(joint, "load_backbone", load)
    for cache in (joint._read_backbone, joint._goes_by_seed):
        cache.cache_clear()
    assert joint._backbone(str(tiny_bert), 1) is joint._backbone(str(tiny_bert), 2)
    assert seeds == [0]
    lacking = shutil.copytree(tiny_bert, tmp_path / "lacking")
    weights = load_file(lacking / "model.safetensors")
    rest = {key: value for key, value in weights.items() if not key.startswith("pooler.")}
    save_file(rest, lacking / "model.safetensors", metadata={"format": "pt"})
    for seed in (1, 2):
        pooler = joint._backbone(str(lacking), seed).copy_pooler().state_dict()
        expected = load_backbone(str(lacking), seed=seed).copy_pooler().state_dict()
        assert torch.equal(pooler["dense.weight"], expected["dense.weight"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"checkpoint": "best"},
            '`checkpoint="best"` and `patience` go by scores on the rows that',
        ),
        ({"patience": 2}, "gains are made of, so a study takes neither. Leave them out of the"),
        ({"freeze": "all"}, "`freeze='all'` trains heads alone, and tasks share none, so that no"),
        ({"freeze": "5"}, "`freeze='5'` is more than the backbone's 4 layers. Give 4 at most, or"),
    ],
)
def test_what_a_study_cannot_use_is_refused(
    world: Any, tiny_bert: Path, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(RelevanceError) as error:
        make_trainer(
            world.tasks, {"backbone": str(tiny_bert), "max_length": 24} | settings, device="cpu"
        )
    assert words in str(error.value)


def test_a_study_freezes_and_clips(trainer: JointTrainer) -> None:
    chosen = {"freeze": "50%", "clip_norm": 1.0, "warmup": 0.1, "label_smoothing": 0.1}
    settings = trainer.settings.model_copy(update=chosen)
    other = dataclasses.replace(trainer, settings=settings)
    assert other.fingerprint != trainer.fingerprint
    assert other(("TONE",), 0, "cpu")["TONE"].losses != trainer(("TONE",), 0, "cpu")["TONE"].losses


@pytest.mark.process
def test_it_fills_a_matrix(trainer: JointTrainer, tmp_path: Path) -> None:
    study = Study.of(
        list(trainer.tasks.values()),
        trainer,
        single_seeds=1,
        store=JobStore(tmp_path),
        data=dict.fromkeys(trainer.tasks, "data"),
    )
    gains = joint_training_gains(study, GainChoice("loss"), schedule=Schedule(threads=1))
    assert np.isfinite(gains.values).all()
    assert (np.diag(gains.values) == 0).all()


def prepared(any_task: PreparedTask, train: list[str], evaluation: list[str]) -> PreparedTask:
    """A task of other texts; their tokens play no part."""

    def split(texts: list[str]) -> PreparedSplit:
        rows = Split((texts,), np.zeros(len(texts), dtype=np.int64))
        return PreparedSplit(rows, any_task.train.encoded)

    return PreparedTask(any_task.definition, split(train), {"dev": split(evaluation)})


def test_rows_with_a_text_of_another_tasks_evaluation_are_found(world: Any) -> None:
    tone = world.prepared[0]
    run = {
        "a": prepared(tone, ["one", "two", "three", "own"], ["own"]),
        "b": prepared(tone, ["four", "own"], ["two", "three"]),
    }
    rows = {task: found.tolist() for task, found in overlapping_rows(run).items()}
    assert rows == {"a": [1, 2], "b": [1]}
    run["b"] = prepared(tone, ["own"], ["two"])
    with pytest.raises(RelevanceError) as error:
        overlapping_rows(run)
    assert str(error.value) == (
        "task 'b': all 1 training rows hold a text of the evaluation split of a."
        " Leave out `drop_overlap`."
    )


def test_left_out_rows_leave_the_other_batches_alone() -> None:
    epochs = [[[TaskBatch("a", np.array([3, 1]))], [TaskBatch("a", np.array([2, 0]))]]]
    (steps,) = without_rows(epochs, {"a": np.array([1, 0, 2])})
    assert [(task, rows.tolist()) for step in steps for task, rows in step] == [("a", [3])]


def test_tasks_lose_unequal_numbers_of_rows() -> None:
    every = {"a": np.arange(6), "b": np.arange(3)}
    epochs = [[[TaskBatch(task, rows)] for task, rows in every.items()]]
    lost = {"a": np.array([0, 4, 5]), "b": np.array([1])}
    for given in (lost, dict(reversed(lost.items()))):  # of a mapping one item is checked
        (steps,) = without_rows(epochs, given)
        left = [(task, rows.tolist()) for step in steps for task, rows in step]
        assert left == [("a", [1, 2, 3]), ("b", [0, 2])]


def test_dropping_overlap_changes_joint_runs_only_where_texts_are_shared(
    trainer: JointTrainer,
) -> None:
    clean = dataclasses.replace(trainer, drop_overlap=True)
    assert clean(("TONE", "SAME"), 0, "cpu") == trainer(("TONE", "SAME"), 0, "cpu")
