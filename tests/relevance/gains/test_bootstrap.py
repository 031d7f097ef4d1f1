"""Noise of the evaluation, against closed forms and against scoring the rows of every resample."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relevance.gains.bootstrap import RESAMPLES, baseline_noise, evaluation_noise
from relevance.gains.formulas import gain, scores
from relevance.gains.gain_choice import METRICS, NORMALISATIONS, GainChoice
from relevance.interfaces.trainer import Result
from relevance.tasks.data import Split
from relevance.tasks.find import catalogue
from relevance.tasks.metrics import resampled_scores, score
from relevance.tasks.resampled import taken, units
from relevance.tasks.task import Task

RTE, CB, MRPC, STSB, MULTIRC = (
    catalogue()[name] for name in ("RTE", "CB", "MRPC", "STS-B", "MultiRC")
)


def rows(task: Task, number: int, seed: int = 0) -> Split:
    random = np.random.default_rng(seed)
    if task.kind == "regression":
        labels = random.uniform(0, 5, number)
    else:
        labels = random.integers(0, len(task.labels), number)
    groups = np.arange(number) // 4 if task.group else None
    return Split(([""] * number,), labels, groups)


def result(task: Task, split: Split, seed: int, skill: float = 0.7) -> Result:
    """Right where a coin says so, the same for all runs in one half of the rows."""
    random, shared = np.random.default_rng(seed), np.random.default_rng(99)
    number = len(split)
    coin = np.where(np.arange(number) % 2, shared.random(number), random.random(number))
    if task.kind == "regression":
        predictions = split.labels + random.normal(0, 2 - skill, number)
    else:
        wrong = (split.labels + 1) % len(task.labels)
        predictions = np.where(coin < skill, split.labels, wrong)
    losses = np.where(coin < skill, 0.2, 1.5) + random.uniform(0, 0.1, number)
    return Result(
        score(task, split, predictions),
        float(losses.mean()),
        predictions.astype(float).tolist(),
        losses.tolist(),
    )


def noise(
    tasks: list[Task],
    split: dict[str, Split],
    single_seeds: int = 3,
    choice: GainChoice = GainChoice(),  # noqa: B008  # frozen
    resamples: int = RESAMPLES,
) -> np.ndarray:
    single = [
        [result(task, split[task.name], seed) for task in tasks] for seed in range(single_seeds)
    ]
    joint = [
        [
            None
            if source is target
            else result(target, split[target.name], 10 + ord(source.name[0]), 0.8)
            for target in tasks
        ]
        for source in tasks
    ]
    return evaluation_noise(tasks, split, single, joint, choice, resamples=resamples)


def test_the_standard_error_of_a_difference_of_accuracies() -> None:
    split = {"RTE": rows(RTE, 400), "CB": rows(CB, 400)}
    errors = noise([RTE, CB], split, 1, GainChoice(normalise="absolute"), 4000)
    single = result(RTE, split["RTE"], 0)
    joint = result(RTE, split["RTE"], 10 + ord("C"), 0.8)
    right = [np.array(run.predictions) == split["RTE"].labels for run in (joint, single)]
    difference = right[0].astype(float) - right[1]
    assert errors[1, 0] == pytest.approx(difference.std() / np.sqrt(400), rel=0.03)
    unpaired = np.sqrt(sum(one.var() for one in right) / 400)
    assert errors[1, 0] < 0.85 * unpaired


def test_the_standard_error_of_a_mean_loss_over_several_baselines() -> None:
    split = {"RTE": rows(RTE, 400), "CB": rows(CB, 400)}
    errors = noise([RTE, CB], split, choice=GainChoice("loss"), resamples=4000)
    single = np.mean([result(RTE, split["RTE"], seed).losses for seed in range(3)], axis=0)
    joint = np.array(result(RTE, split["RTE"], 10 + ord("C"), 0.8).losses)
    ratio = joint.mean() / single.mean()
    expected = (joint - ratio * single).std() / np.sqrt(400) / single.mean()
    assert errors[1, 0] == pytest.approx(expected, rel=0.03)


CHOICES = [
    (metric, normalise)
    for metric in METRICS
    for normalise in NORMALISATIONS
    if (metric, normalise) != ("loss", "absolute")
]


@pytest.mark.parametrize("task", [MRPC, STSB, MULTIRC], ids=lambda task: task.name)
def test_drawing_the_rows_and_scoring_them_gives_the_same(task: Task) -> None:
    split = rows(task, 60)
    single, joint = result(task, split, 0), result(task, split, 10 + ord("R"), 0.8)
    size = int(units(split).max()) + 1
    drawn = np.random.default_rng(0).integers(size, size=(8, size))
    scored: list[list[dict[str, float]]] = [[], []]
    for counts in (np.bincount(one, minlength=size)[units(split)] for one in drawn):
        for run, found in zip((joint, single), scored, strict=True):
            there, predictions = taken(split, np.array(run.predictions), counts)
            loss = float(np.repeat(np.array(run.losses), counts).mean())
            found.append(scores(task, Result(score(task, there, predictions), loss)))
    tables = {task.name: split, "RTE": rows(RTE, 50)}
    for metric in METRICS:
        together, alone = (np.array([one[metric] for one in found]) for found in scored)
        f_joint, f_single = (scores(task, run)[metric] for run in (joint, single))
        spread = (together - f_joint / f_single * alone).std(ddof=1) / f_single
        errors = noise([RTE, task], tables, 1, GainChoice(metric), resamples=8)
        assert errors[0, 1] == pytest.approx(spread)


@pytest.mark.parametrize(("metric", "normalise"), CHOICES)
def test_many_rows_make_the_first_order_equal_to_the_ratio(metric: str, normalise: str) -> None:
    split = rows(MRPC, 1500)
    single, joint = result(MRPC, split, 0), result(MRPC, split, 10 + ord("R"), 0.8)
    random = np.random.default_rng(5)
    draws = random.multinomial(1500, [1 / 1500] * 1500, size=500).astype(float)
    both = []
    for run in (joint, single):
        names = {"loss": [], "primary": ["accuracy"], "gain": ["accuracy", "f1"]}[metric]
        kept = np.array(run.predictions)
        found = [resampled_scores(name, split, kept[None], draws)[0] for name in names]
        both.append(np.mean(found, axis=0) if names else draws @ np.array(run.losses) / 1500)
    expected = np.std(gain(*both, GainChoice(metric, normalise)))
    tables = {"MRPC": split, "RTE": rows(RTE, 50)}
    errors = noise([RTE, MRPC], tables, 1, GainChoice(metric, normalise))
    assert errors[0, 1] == pytest.approx(expected, rel=0.1)


@settings(max_examples=4)
@given(order=st.permutations(range(3)))
def test_tasks_in_another_order_have_the_same_noise(order: list[int]) -> None:
    tasks = [RTE, CB, STSB]
    split = {task.name: rows(task, 40 + place) for place, task in enumerate(tasks)}
    errors = noise(tasks, split, resamples=20)
    again = noise([tasks[place] for place in order], split, resamples=20)
    np.testing.assert_allclose(again, errors[np.ix_(order, order)])
    np.testing.assert_array_equal(np.diag(errors), 0)


def test_blocks_make_no_difference_to_speak_of(monkeypatch: pytest.MonkeyPatch) -> None:
    split = {"RTE": rows(RTE, 100), "CB": rows(CB, 100)}
    whole = noise([RTE, CB], split)
    monkeypatch.setattr("relevance.gains.bootstrap.BLOCK", 20_000)
    np.testing.assert_allclose(noise([RTE, CB], split), whole, rtol=0.15)


def test_what_was_not_kept_has_no_known_noise() -> None:
    tasks = [RTE, CB, MRPC]
    split = {task.name: rows(task, 30) for task in tasks}
    single = [[result(task, split[task.name], 0) for task in tasks]]
    joint = [[result(task, split[task.name], 1) for task in tasks] for _ in tasks]
    single[0][2] = replace(single[0][2], predictions=[1.0])
    short = [list(row) for row in joint]
    short[0][1] = replace(short[0][1], predictions=None)
    short[1][0] = None  # type: ignore[call-overload]
    unknown = np.isnan(evaluation_noise(tasks, split, single, short))
    assert unknown.tolist() == [[False, True, True], [True, False, True], [False, False, False]]
    by_loss = evaluation_noise(tasks, split, single, short, GainChoice("loss"))
    assert np.argwhere(np.isnan(by_loss)).tolist() == [[1, 0]]


def test_an_undefined_gain_has_no_noise() -> None:
    split = {"RTE": rows(RTE, 30), "STS-B": rows(STSB, 30)}
    errors = noise([RTE, STSB], split)
    assert np.isfinite(errors).all()
    bad = Result({"pearson": -0.1, "spearman": -0.1}, 1.0, [2.0, 3.0] * 15, [1.0] * 30)
    good = result(RTE, split["RTE"], 0)
    found = evaluation_noise([RTE, STSB], split, [[good, bad]], [[None, bad], [good, None]])
    assert np.isnan(found).tolist() == [[False, True], [False, False]]


def test_thirteen_tasks_take_seconds() -> None:
    tasks = [
        task
        for name, task in catalogue().items()
        if name
        in {
            "MNLI",
            "QNLI",
            "RTE",
            "WNLI",
            "SNLI",
            "CB",
            "BoolQ",
            "IMDB",
            "SST-2",
            "STS-B",
            "MRPC",
            "QQP",
            "MultiRC",
        }
    ]
    assert len(tasks) == 13
    split = {task.name: rows(task, 400) for task in tasks}
    start = time.process_time()
    errors = noise(tasks, split, resamples=RESAMPLES)
    assert time.process_time() - start < 20  # 0.7 s without the checks of shapes
    assert np.isfinite(errors).all()


def test_the_noise_of_one_single_run_by_its_rows_or_else_by_a_formula() -> None:
    split = {task.name: rows(task, 400) for task in (RTE, STSB, CB)}
    kept = result(RTE, split["RTE"], 0)
    bare = replace(result(STSB, split["STS-B"], 0), predictions=None, losses=None)
    found = baseline_noise([RTE, STSB, CB], split, [kept, bare, None], resamples=4000)
    accuracy = kept.metrics["accuracy"]
    expected = np.sqrt(accuracy * (1 - accuracy) / 400)
    assert found["gain"]["RTE"] == pytest.approx(expected, rel=0.05)
    assert found["loss"]["RTE"] == pytest.approx(np.std(kept.losses or []) / 20, rel=0.05)
    assert found["primary"]["STS-B"] == pytest.approx(
        (1 - bare.metrics["pearson"] ** 2) / np.sqrt(399)
    )
    assert list(found["loss"]) == ["RTE"]
    assert list(found["gain"]) == ["RTE", "STS-B"]
