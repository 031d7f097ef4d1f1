"""Candidates in the gap as a model reads them, the loss over all right ones, what stays whole."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForMultipleChoice, AutoTokenizer

from hmnet.data.batching import collate
from hmnet.data.encoder import Encoder
from hmnet.evaluation.evaluate import evaluate
from hmnet.kinds.kind import ModelOutputs, kind_of
from hmnet.models.export import export
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedSplit, encode_split
from hmnet.sharing.plan import fully_shared
from relevance.errors import RelevanceError
from relevance.tasks.check import to_split
from relevance.tasks.data import Split
from relevance.tasks.find import catalogue
from relevance.tasks.load import load_split

RECORD = catalogue()["ReCoRD"]
KIND = kind_of(RECORD)
ROWS: list[tuple[str, str, list[str], list[str]]] = [
    ("the dog saw a cat", "@placeholder runs", ["dog", "cat", "dog"], ["dog"]),
    ("", "the @placeholder and @placeholder", ["river"], ["river"]),
    ("who", "a @placeholder", ["city", "cat", "dog", "the city"], ["the city", "dog"]),
    ("who", "a @placeholder", ["city", "cat"], ["guitar"]),
]


def split_of(rows: list[tuple[str, str, list[str], list[str]]]) -> Split:
    columns = zip(RECORD.columns, map(list, zip(*rows, strict=True)), strict=True)
    return to_split(RECORD, dict(columns), "here")


def built(folder: Path, **options: Any) -> MultiTaskModel:
    plan = fully_shared(["ReCoRD"], 4)
    return MultiTaskModel.from_backbone(str(folder), [RECORD], plan, **options).eval()


def test_scores_are_those_of_the_familys_own_class(tiny_bert: Path, tmp_path: Path) -> None:
    model, tokenizer = built(tiny_bert), AutoTokenizer.from_pretrained(tiny_bert)
    encoded = encode_split(RECORD, split_of(ROWS), tokenizer, 64)
    with torch.no_grad():
        logits = model("ReCoRD", collate(encoded, np.array([2, 0]), **model.input_form("ReCoRD")))
    export(model, RECORD, tokenizer, tmp_path / "plain")
    plain = AutoModelForMultipleChoice.from_pretrained(tmp_path / "plain")
    filled = [["a city", "a cat", "a dog", "a the city"], ["dog runs", "cat runs"]]
    for said, passage, inputs in zip(logits, ("who", ROWS[0][0]), filled, strict=True):
        pairs = tokenizer([passage] * len(inputs), inputs, padding=True, return_tensors="pt")
        with torch.no_grad():
            (expected,) = plain(**{name: ids[None] for name, ids in pairs.items()}).logits
        torch.testing.assert_close(said[: len(inputs)], expected, atol=1e-5, rtol=1e-4)
        assert said[len(inputs) :].tolist() == [float("-inf")] * (4 - len(inputs))


def test_the_loss_counts_all_right_candidates_together() -> None:
    logits = torch.tensor(
        [[0.0, 1, 2], [3, 1, -torch.inf], [0, 0, 0], [1, 2, 3]], requires_grad=True
    )
    right = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 1, 1], [0, 0, 0]])
    losses = KIND.losses(logits, right)
    e = np.e
    by_hand = [-np.log((1 + e**2) / (1 + e + e**2)), -np.log(e / (e**3 + e)), 0, 0]
    assert losses.tolist() == pytest.approx(by_hand, abs=1e-6)
    losses.sum().backward()
    assert logits.grad is not None
    # of the last row nothing is learned, and nothing of candidates that a row does not have
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[3].tolist() == pytest.approx([0, 0, 0])
    expected = torch.tensor([1, e, e**2]) / (1 + e + e**2) - torch.tensor([1, 0, e**2]) / (1 + e**2)
    torch.testing.assert_close(logits.grad[0], expected.float(), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("head", ["linear", "siamese"])
def test_company_changes_no_loss(tiny_bert: Path, head: str) -> None:
    model, split = built(tiny_bert, head=head, pooling="mean"), split_of(ROWS)
    encoded = encode_split(RECORD, split, AutoTokenizer.from_pretrained(tiny_bert), 24)
    together, alone = (
        evaluate(model, RECORD, PreparedSplit(split, encoded), batch_size=size) for size in (3, 1)
    )
    assert together.predictions == alone.predictions
    assert together.losses == pytest.approx(alone.losses, abs=1e-5)
    assert (together.predictions[1], together.losses[1]) == ("river", 0)
    assert together.losses[3] == 0
    assert all(said in row[2] for said, row in zip(together.predictions, ROWS, strict=True))
    assert KIND.targets(encoded, np.array([3, 0])).tolist() == [[0, 0], [1, 0]]
    assert KIND.targets(encoded, np.array([2, 0])).tolist() == [[1, 0, 1, 1], [1, 0, 0, 0]]


def test_what_is_learned_of_no_row_is_said(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    note = KIND.unlearned(encode_split(RECORD, split_of(ROWS), tokenizer, 24))
    assert note == (
        "Task 'ReCoRD': in 1 of 4 training rows no candidate is an answer, so that nothing is"
        " learned from them."
    )
    assert KIND.unlearned(encode_split(RECORD, split_of(ROWS[:3]), tokenizer, 24)) is None
    with pytest.raises(RelevanceError, match="in 1 of 1 training rows no candidate is an answer"):
        KIND.unlearned(encode_split(RECORD, split_of(ROWS[3:]), tokenizer, 24))


def test_the_passage_gives_way_and_the_query_stays_whole(tiny_bert: Path) -> None:
    encoder = Encoder.of(AutoTokenizer.from_pretrained(tiny_bert))
    row = ("the dog saw a cat in the city", "a @placeholder", ["dog", "the cat"], ["dog"])
    texts = split_of([row]).texts
    for max_length in (6, 7, 9):
        encoded = KIND.encode(texts, encoder, max_length)
        inputs = collate(encoded, np.array([0]), pad_id=0, with_segments=True, further=KIND.further)
        lengths, second = (
            inputs[name].sum(dim=-1)[:, 0].tolist() for name in ("attention_mask", "token_type_ids")
        )
        assert second == [3, 4]  # "a dog", "a the cat", and [SEP]
        assert lengths == [max_length - 1, max_length]
    with pytest.raises(RelevanceError) as caught:
        KIND.encode(texts, encoder, 5)
    assert str(caught.value) == (
        "Task 'ReCoRD': what is read whole, among it the query 'a @placeholder' with its longest"
        " candidate, has 3 tokens, and `max_length` leaves 2. Choose a larger `max_length`, or"
        " leave the row out."
    )


def test_answers_name_candidates() -> None:
    texts = split_of(ROWS).take(np.array([0, 2])).texts
    logits = [np.array([0.0, 1.0], np.float32), np.zeros(4, np.float32)]
    sequences: Any = None
    first, second = KIND.answers(ModelOutputs(texts, sequences, logits))
    assert first["label"] == "cat"
    assert first["probabilities"] == pytest.approx(
        {"dog": 1 / (1 + np.e), "cat": np.e / (1 + np.e)}
    )
    assert second["probabilities"] == {"city": 0.25, "cat": 0.25, "dog": 0.25, "the city": 0.25}


def test_real_rows(data_dir: Path, tiny_bert: Path) -> None:
    split = load_split(RECORD, "dev", data_dir).take(np.array([0, 0]))
    encoded = encode_split(RECORD, split, AutoTokenizer.from_pretrained(tiny_bert), 96)
    found = evaluate(built(tiny_bert), RECORD, PreparedSplit(split, encoded), batch_size=4)
    assert np.isfinite(found.losses).all()
    assert min(found.losses) > 0
