"""Covariance similarity: closed forms, and equation 3.7 read slowly from the inputs themselves."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from hmnet.analysis.covariance import input_gram, low_rank_root, mean_similarity
from hmnet.data.batching import collate
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import encode_split
from hmnet.sharing.plan import fully_shared
from relevance.tasks.data import Split
from toys import toy


def test_the_same_inputs_are_alike_and_inputs_at_right_angles_are_not() -> None:
    one, other = np.diag([4.0, 1.0, 0.0, 0.0]), np.diag([0.0, 0.0, 3.0, 2.0])
    # of one dimension, U D^½ is the vector, and its product with itself its squared norm
    line = np.outer([3.0, 4.0], [3.0, 4.0])
    assert mean_similarity([line, 7 * line]) == pytest.approx([1, 1])
    assert mean_similarity([one, other]) == pytest.approx([0, 0])
    # two equal directions: ‖I‖_F / (√2 √2)
    assert mean_similarity([np.eye(2), np.eye(2)]) == pytest.approx([2**0.5 / 2] * 2)


def plainly(inputs: list[np.ndarray]) -> list[float]:
    """Singular vectors of `XᵀX`, as few as hold 99 % of the sum, pair by pair."""
    roots = []
    for x in inputs:
        left, singular, _ = np.linalg.svd(x.T @ x)
        rank = 1
        while singular[:rank].sum() < 0.99 * singular.sum():
            rank += 1
        roots.append(left[:, :rank] @ np.diag(singular[:rank] ** 0.5))
    means = []
    for i, one in enumerate(roots):
        others = [other for j, other in enumerate(roots) if j != i]
        norm = np.sqrt((one**2).sum())
        values = [
            np.sqrt(((one.T @ other) ** 2).sum()) / (norm * np.sqrt((other**2).sum()))
            for other in others
        ]
        means.append(sum(values) / len(values))
    return means


def test_similarity_is_that_of_the_equation() -> None:
    draw = np.random.default_rng(0)
    inputs = [draw.normal(size=(30, 6)) * draw.uniform(0.01, 2, size=6) for _ in range(4)]
    assert mean_similarity([x.T @ x for x in inputs]) == pytest.approx(plainly(inputs))


def test_the_rank_is_the_lowest_that_holds_99_percent() -> None:
    assert low_rank_root(np.diag([99.0, 1.0, 0.0])).shape == (3, 1)
    assert low_rank_root(np.diag([98.9, 1.1, 0.0])).shape == (3, 2)


def test_the_inputs_are_those_of_all_tokens_but_padding(tiny_bert: Path) -> None:
    texts = ["a good film", "the dog runs in the city", "no"]
    task = toy("TONE", family="sentiment", labels=("bad", "good"))
    split = Split(texts=(texts,), labels=np.array([1, 0, 0]), groups=None)
    encoded = encode_split(task, split, AutoTokenizer.from_pretrained(tiny_bert), 16)
    model = MultiTaskModel.from_backbone(str(tiny_bert), [task], fully_shared(["TONE"], 4))
    inputs = collate(encoded, np.arange(3), **model.input_form("TONE"))
    base = next(part for part in model.path("TONE").modules() if hasattr(part, "embeddings"))
    with torch.no_grad():
        hidden = base.embeddings(inputs["input_ids"], token_type_ids=inputs["token_type_ids"])
    real = hidden[inputs["attention_mask"].bool()].double()
    assert input_gram(model, "TONE", encoded, 2, "fp32") == pytest.approx(
        (real.T @ real).numpy(), rel=1e-5, abs=1e-9
    )
