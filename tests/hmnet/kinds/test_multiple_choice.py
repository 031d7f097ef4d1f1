"""Alternatives as a model reads them: against the family's own class, one row at a time."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from hmnet.data.batching import collate
from hmnet.data.encoder import Encoder
from hmnet.evaluation.evaluate import evaluate
from hmnet.kinds.kind import kind_of
from hmnet.models.export import export
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedSplit, encode_split
from hmnet.sharing.plan import fully_shared
from relevance.tasks.check import to_split
from relevance.tasks.data import Split
from relevance.tasks.find import catalogue
from relevance.tasks.kinds.multiple_choice import BETWEEN
from relevance.tasks.load import load_split
from relevance.tasks.task import Task

PLANS = Task(
    name="PLANS",
    family="f",
    kind="multiple-choice",
    text=("premise",),
    choices=("plans",),
    metrics=("accuracy",),
)
ROWS = [
    ("the dog runs", ["a woman plays the guitar in the city", "no"], 1),
    ("", ["yes"], 0),
    ("who", ["the river", "", "a cat", "the cat sleeps"], 3),
]


def split_of(rows: list[tuple[str, list[str], int]]) -> Split:
    premises, plans, labels = zip(*rows, strict=True)
    columns = {"premise": list(premises), "plans": list(plans), "label": list(labels)}
    return to_split(PLANS, columns, "here")


def built(folder: Path, **options: Any) -> MultiTaskModel:
    plan = fully_shared(["PLANS"], 4)
    return MultiTaskModel.from_backbone(str(folder), [PLANS], plan, **options).eval()


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
def test_scores_are_those_of_the_familys_own_class(
    tiny_backbones: dict[str, Path], family: str, tmp_path: Path
) -> None:
    from transformers import AutoModelForMultipleChoice

    model, tokenizer = (
        built(tiny_backbones[family]),
        AutoTokenizer.from_pretrained(tiny_backbones[family]),
    )
    encoded = encode_split(PLANS, split_of(ROWS), tokenizer, 96)
    inputs = collate(encoded, np.array([2, 0, 1]), **model.input_form("PLANS"))
    with torch.no_grad():
        logits = model("PLANS", inputs)
    assert logits.shape == (3, 4)
    export(model, PLANS, tokenizer, tmp_path / "plain")
    plain = AutoModelForMultipleChoice.from_pretrained(tmp_path / "plain")
    for said, (premise, plans, _) in zip(logits, [ROWS[2], ROWS[0], ROWS[1]], strict=True):
        pairs = tokenizer([premise] * len(plans), plans, padding=True, return_tensors="pt")
        with torch.no_grad():
            (expected,) = plain(**{name: ids[None] for name, ids in pairs.items()}).logits
        torch.testing.assert_close(said[: len(plans)], expected, atol=1e-5, rtol=1e-4)
        assert said[len(plans) :].tolist() == [float("-inf")] * (4 - len(plans))


@pytest.mark.parametrize("head", ["linear", "siamese"])
def test_company_changes_no_loss(tiny_bert: Path, head: str) -> None:
    model = built(tiny_bert, head=head, pooling="mean")
    split, kind = split_of(ROWS), kind_of(PLANS)
    encoded = encode_split(PLANS, split, AutoTokenizer.from_pretrained(tiny_bert), 24)
    together, alone = (
        evaluate(model, PLANS, PreparedSplit(split, encoded), batch_size=size) for size in (3, 1)
    )
    assert together.predictions == alone.predictions
    assert together.losses == pytest.approx(alone.losses, abs=1e-5)
    assert together.losses[1] == 0  # there is nothing to choose
    logits = torch.tensor([[1.0, 2.0, float("-inf")]], requires_grad=True)
    loss = kind.losses(logits, torch.tensor([0]))
    assert loss.item() == pytest.approx(np.log1p(np.e))
    loss.sum().backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@settings(max_examples=30)
@given(
    premise=st.lists(st.sampled_from(["dog", "a", "zebra"]), max_size=12),
    plans=st.lists(st.lists(st.sampled_from(["the", "cat"]), max_size=9), min_size=1, max_size=4),
    max_length=st.integers(5, 16),
)
def test_all_alternatives_see_the_same_of_the_texts(
    tiny_bert: Path, premise: list[str], plans: list[list[str]], max_length: int
) -> None:
    encoder = Encoder.of(AutoTokenizer.from_pretrained(tiny_bert))
    text = BETWEEN.join(map(" ".join, plans))
    encoded = kind_of(PLANS).encode([[" ".join(premise)], [text]], encoder, max_length)
    inputs = collate(encoded, np.array([0]), pad_id=0, with_segments=True, further="alternatives")
    ids, segments = inputs["input_ids"][:, 0], inputs["token_type_ids"][:, 0]
    assert inputs["alternatives"].tolist() == [list(range(len(plans)))]
    lengths = inputs["attention_mask"][:, 0].sum(dim=1)
    assert int(lengths.max()) <= max_length
    first = int(encoded.first[0])
    assert (ids[:, :first] == ids[0, :first]).all()
    assert (segments.sum(dim=1) == lengths - first).all()
    whole = len(encoder.pieces([" ".join(premise)]).ids)
    longest = max(len(encoder.pieces([" ".join(plan)]).ids) for plan in plans)
    if whole + longest + 3 <= max_length:
        assert first == whole + 2


def test_uncertainty_is_relative_to_a_rows_own_alternatives(tiny_bert: Path) -> None:
    none = float("-inf")
    encoded = encode_split(PLANS, split_of(ROWS), AutoTokenizer.from_pretrained(tiny_bert), 24)
    logits = np.array([[0, 0, none, none], [5, none, none, none], [np.log(2), 0, 0, none]])
    found = kind_of(PLANS).entropies(logits, encoded, np.array([0, 1, 2]))
    assert found.tolist() == pytest.approx([1, 0, 1.5 * np.log(2) / np.log(3)])


def test_real_rows(data_dir: Path, tiny_bert: Path) -> None:
    task = catalogue()["COPA"]
    split = load_split(task, "dev", data_dir).take(np.arange(6))
    model = MultiTaskModel.from_backbone(str(tiny_bert), [task], fully_shared(["COPA"], 4))
    encoded = encode_split(task, split, AutoTokenizer.from_pretrained(tiny_bert), 24)
    found = evaluate(model, task, PreparedSplit(split, encoded), batch_size=4)
    assert set(found.predictions) <= {0, 1}
    assert np.isfinite(found.losses).all()
    assert found.metrics["accuracy"] == np.mean(found.predictions == split.labels)
