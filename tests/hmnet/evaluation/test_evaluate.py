"""Logits in the order of the rows, and scores and losses as written out by hand."""

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerBase

from answers import all_logits
from hmnet.data.batching import collate, input_form
from hmnet.data.encoded import Encoded
from hmnet.evaluation.evaluate import evaluate
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedSplit, encode_split
from relevance.tasks.data import Split
from relevance.tasks.task import Task

NAMES = ["TONE", "SAME", "GRADE", "QA"]


@pytest.fixture
def encoded(
    tasks: dict[str, Task], splits: dict[str, Split], tokenizer: PreTrainedTokenizerBase
) -> dict[str, Encoded]:
    return {name: encode_split(tasks[name], splits[name], tokenizer, 24) for name in tasks}


def one_by_one(model: MultiTaskModel, task: str, encoded: Encoded) -> np.ndarray:
    with torch.no_grad():
        rows = [
            model(task, collate(encoded, np.array([row]), **input_form(model.config)))
            for row in range(len(encoded))
        ]
    return torch.cat(rows).numpy()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_logits_are_those_of_single_rows(
    name: str,
    batch_size: int,
    model: MultiTaskModel,
    tasks: dict[str, Task],
    encoded: dict[str, Encoded],
) -> None:
    logits = all_logits(model, tasks[name], encoded[name], batch_size=batch_size)

    assert logits.dtype == np.float32
    assert logits.shape == (6, tasks[name].outputs)
    np.testing.assert_allclose(logits, one_by_one(model, name, encoded[name]), atol=1e-5)


def test_bf16_is_near_fp32(
    model: MultiTaskModel, tasks: dict[str, Task], encoded: dict[str, Encoded]
) -> None:
    fp32 = all_logits(model, tasks["SAME"], encoded["SAME"], batch_size=4)
    bf16 = all_logits(model, tasks["SAME"], encoded["SAME"], batch_size=4, precision="bf16")

    assert not np.array_equal(fp32, bf16)
    np.testing.assert_allclose(bf16, fp32, atol=0.2)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_keeps_its_mode_and_has_no_dropout_meanwhile(
    training: bool, model: MultiTaskModel, tasks: dict[str, Task], encoded: dict[str, Encoded]
) -> None:
    expected = all_logits(model, tasks["TONE"], encoded["TONE"], batch_size=6)
    model.train(training)
    try:
        found = all_logits(model, tasks["TONE"], encoded["TONE"], batch_size=6)
        assert model.training is training
        assert model.path("TONE").training is training
    finally:
        model.eval()

    assert np.array_equal(found, expected)


def test_classification(
    model: MultiTaskModel,
    tasks: dict[str, Task],
    splits: dict[str, Split],
    encoded: dict[str, Encoded],
) -> None:
    result = evaluate(
        model, tasks["SAME"], PreparedSplit(splits["SAME"], encoded["SAME"]), batch_size=4
    )

    logits = one_by_one(model, "SAME", encoded["SAME"]).astype(np.float64)
    labels = splits["SAME"].labels
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert result.predictions == logits.argmax(axis=1).tolist()
    assert result.metrics["accuracy"] == np.mean(logits.argmax(axis=1) == labels)
    assert list(result.metrics) == ["accuracy", "macro_f1"]
    assert result.loss == pytest.approx(-log_probabilities[np.arange(6), labels].mean(), abs=1e-5)


def test_regression_on_its_own_scale(
    model: MultiTaskModel,
    tasks: dict[str, Task],
    splits: dict[str, Split],
    encoded: dict[str, Encoded],
) -> None:
    result = evaluate(
        model, tasks["GRADE"], PreparedSplit(splits["GRADE"], encoded["GRADE"]), batch_size=4
    )

    values = one_by_one(model, "GRADE", encoded["GRADE"])[:, 0]
    labels = splits["GRADE"].labels
    assert result.predictions == pytest.approx((1 + 4 * values).tolist(), abs=1e-4)
    assert result.metrics["pearson"] == pytest.approx(np.corrcoef(values, labels)[0, 1], abs=1e-4)
    assert result.loss == pytest.approx(np.mean((1 + 4 * values - labels) ** 2), abs=1e-3)


def test_rows_scored_together(
    model: MultiTaskModel,
    tasks: dict[str, Task],
    splits: dict[str, Split],
    encoded: dict[str, Encoded],
) -> None:
    result = evaluate(model, tasks["QA"], PreparedSplit(splits["QA"], encoded["QA"]), batch_size=4)

    right = np.array(result.predictions) == splits["QA"].labels
    assert result.metrics["question_em"] == np.mean(right.reshape(3, 2).all(axis=1))
