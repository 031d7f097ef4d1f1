"""Candidates in the gap as a model reads them, the loss over all right ones, what stays whole."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForMultipleChoice, AutoTokenizer

from hmnet.data.alignment import aligned
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
from relevance.tasks.metrics import score

RECORD = catalogue()["ReCoRD"]
KIND = kind_of(RECORD)
ROWS: list[tuple[str, str, list[str], list[str]]] = [
    ("the dog saw a cat", "@placeholder runs", ["dog", "cat", "dog"], ["dog"]),
    ("", "the @placeholder and @placeholder", ["river"], ["river"]),
    ("who", "a @placeholder", ["city", "cat", "dog", "the city"], ["the city", "dog"]),
    ("who", "a @placeholder", ["city", "cat"], ["guitar"]),
]

PASSAGE = ["river", *["dog"] * 38, "city"]
LONG: list[tuple[str, str, list[str], list[str]]] = [
    (" ".join(PASSAGE), "a @placeholder", ["river", "city", "guitar"], right)
    for right in (["river", "city"], ["guitar"])
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
    model, split = built(tiny_bert, head=head, pooling="mean"), split_of([*ROWS, *LONG])
    encoded = encode_split(RECORD, split, AutoTokenizer.from_pretrained(tiny_bert), 24)
    together, alone = (
        evaluate(model, RECORD, PreparedSplit(split, encoded), batch_size=size) for size in (3, 1)
    )
    assert together.predictions == alone.predictions
    assert together.losses == pytest.approx(alone.losses, abs=1e-5)
    assert (together.predictions[1], together.losses[1]) == ("river", 0)
    assert together.losses[3] == 0
    assert all(said in row[2] for said, row in zip(together.predictions, ROWS, strict=False))
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


def test_answers_name_candidates(tiny_bert: Path) -> None:
    split = split_of(ROWS).take(np.array([0, 2]))
    sequences = encode_split(RECORD, split, AutoTokenizer.from_pretrained(tiny_bert), 24)
    logits = [np.array([0.0, 1.0], np.float32), np.zeros(4, np.float32)]
    first, second = KIND.answers(ModelOutputs(split.texts, sequences, logits))
    assert first["label"] == "cat"
    assert first["probabilities"] == pytest.approx(
        {"dog": 1 / (1 + np.e), "cat": np.e / (1 + np.e)}
    )
    assert second["probabilities"] == {"city": 0.25, "cat": 0.25, "dog": 0.25, "the city": 0.25}


def test_a_long_passage_is_read_in_windows_that_learn_what_they_show(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    # 21 tokens: 3 special ones, 2 of "a river", 16 of the passage, of which the next window has 8
    encoded = encode_split(RECORD, split_of([ROWS[0], *LONG]), tokenizer, 21)
    assert aligned(encoded).rows.tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2]
    for window, start in enumerate((0, 8, 16, 24), start=1):
        inputs = collate(
            encoded, np.array([window]), pad_id=0, with_segments=True, further=KIND.further
        )
        seen = " ".join(PASSAGE[start : start + 16])
        for place, each in enumerate(("river", "city", "guitar")):
            plain = tokenizer(seen, f"a {each}")
            assert inputs["input_ids"][place, 0].tolist() == plain["input_ids"]
            assert inputs["token_type_ids"][place, 0].tolist() == plain["token_type_ids"]
    every = KIND.targets(encoded, np.arange(9)).tolist()
    shown = [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0]]
    nowhere = [[0, 0, 1]] * 4  # which stands in no window, so that each learns it
    assert every == [[1, 0, 0], *shown, *nowhere]
    losses = np.array([7.0, 1, 9, 9, 3, 1, 2, 3, 4])
    assert KIND.row_losses(encoded, losses).tolist() == [7, 2, 2.5]
    assert KIND.unlearned(encoded) is None
    some = encoded.take(np.array([2, 4]))
    assert KIND.targets(some, np.array([0, 1])).tolist() == [[0, 0, 0], [0, 1, 0]]


def test_a_candidate_has_its_highest_score_of_all_windows(tiny_bert: Path) -> None:
    split = split_of([ROWS[0], LONG[0]])
    encoded = encode_split(RECORD, split, AutoTokenizer.from_pretrained(tiny_bert), 21)
    scores = [[2, 1], [1, -1, 0], [0, -1, 0], [0, 3, 0], [0, -1, 2]]
    said = ModelOutputs(split.texts, encoded, list(map(np.float32, scores)))
    assert KIND.predictions(said).tolist() == ["dog", "city"]
    best = np.exp([1, 3, 2])
    assert KIND.answers(said)[1]["probabilities"] == pytest.approx(
        dict(zip(("river", "city", "guitar"), best / best.sum(), strict=True))
    )
    assert score(RECORD, split, KIND.predictions(said)) == {"span_f1": 1.0, "span_em": 1.0}


def test_windows_too_short_to_say_anything_are_none(tiny_bert: Path) -> None:
    encoder = Encoder.of(AutoTokenizer.from_pretrained(tiny_bert))
    texts = split_of(LONG[:1]).texts
    assert [len(KIND.encode(texts, encoder, most)) for most in (20, 21, 44, 45)] == [1, 4, 2, 1]


def test_real_rows(data_dir: Path, tiny_bert: Path) -> None:
    split = load_split(RECORD, "dev", data_dir).take(np.array([0, 0]))
    encoded = encode_split(RECORD, split, AutoTokenizer.from_pretrained(tiny_bert), 96)
    found = evaluate(built(tiny_bert), RECORD, PreparedSplit(split, encoded), batch_size=4)
    assert np.isfinite(found.losses).all()
    assert min(found.losses) > 0
