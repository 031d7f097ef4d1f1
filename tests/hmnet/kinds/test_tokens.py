"""Tags at the first tokens of words: against the tokenizers' own offsets, and learned."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812  what everybody calls it
from transformers import AutoTokenizer

from hmnet.data.batching import collate
from hmnet.data.encoder import Encoder
from hmnet.evaluation.evaluate import evaluate
from hmnet.kinds.kind import ModelOutputs, kind_of
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedSplit, encode_split
from hmnet.sharing.plan import fully_shared
from relevance.errors import RelevanceError
from relevance.tasks.check import to_split
from relevance.tasks.data import Split
from relevance.tasks.task import Task

NER = Task(
    name="NER",
    family="named_entity_recognition",
    kind="tokens",
    text=("tokens",),
    label="tags",
    labels=("O", "B-person", "I-person"),
    metrics=("entity_f1",),
)
TAGS = NER.labels
ROWS = [
    ("the woman Anna Kowalska sleeps", "O O B-person I-person O"),
    ("", ""),
    ("who plays guitar", "O O O"),
    ("Ann", "B-person"),
]
# Words whose characters the tiny tokenizers know, split up, or drop.
WORD = st.text("aebgz019é中🙂\u200d\ufe0f-.", min_size=1, max_size=5)


def split_of(rows: list[tuple[str, str]]) -> Split:
    columns = {"tokens": [r.split() for r, _ in rows], "tags": [t.split() for _, t in rows]}
    return to_split(NER, columns, "here")


def plain_words(folder: Path, text: str, max_length: int) -> list[int | None]:
    """For each word the first token of the whole text that covers one of its characters."""
    backend = AutoTokenizer.from_pretrained(folder).backend_tokenizer
    backend.no_truncation()
    found: list[int | None] = []
    offsets = backend.encode(text, add_special_tokens=False).offsets
    for place, word in enumerate(text.split(" ") if text else []):
        start = sum(len(before) + 1 for before in text.split(" ")[:place])
        covering = [
            number
            for number, (begin, end) in enumerate(offsets)
            if any(start <= c < start + len(word) for c in range(begin, end))
        ]
        fits = covering and covering[0] + 1 < max_length - 1  # [CLS] before, [SEP] at the end
        found.append(covering[0] + 1 if fits else None)
    return found


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2"])
@settings(max_examples=30)
@given(words=st.lists(WORD, max_size=6), max_length=st.integers(4, 12))
def test_a_words_tag_is_at_its_first_token(
    tiny_backbones: dict[str, Path], family: str, words: list[str], max_length: int
) -> None:
    folder = tiny_backbones[family]
    text = " ".join(words)
    encoded = kind_of(NER).encode([[text]], encoder(folder), max_length)
    assert encoded.alignment is not None
    first = {int(word): at for at, word in enumerate(encoded.alignment.begins) if word >= 0}
    expected = dict(enumerate(plain_words(folder, text, max_length)))
    assert first == {word: at for word, at in expected.items() if at is not None}


def encoder(folder: Path) -> Encoder:
    return Encoder.of(AutoTokenizer.from_pretrained(folder))


def test_targets_are_codes_there_and_nothing_elsewhere(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    encoded = encode_split(NER, split_of(ROWS), tokenizer, 24)
    found = kind_of(NER).targets(encoded, np.array([2, 0]))
    assert found.shape == (2, encoded.lengths[0])
    assert found[0].tolist()[:5] == [-100, 0, 0, 0, -100]
    assert sorted(found[1][found[1] >= 0].tolist()) == [0, 0, 0, 1, 2]
    again = encode_split(NER, split_of(ROWS), tokenizer, 24)  # now from the cache
    assert np.array_equal(kind_of(NER).targets(again, np.array([2, 0])), found)
    taken = encoded.take(np.array([2, 0]))
    assert np.array_equal(kind_of(NER).targets(taken, np.arange(2)), found)


def test_what_was_cut_is_outside_of_entities(tiny_bert: Path) -> None:
    texts = ["no no Anna"]
    encoded = kind_of(NER).encode([texts], encoder(tiny_bert), 4)  # [CLS] no no [SEP]
    logits = np.zeros((3, 4), dtype=np.float32)
    logits[1, 1] = logits[2, 2] = 9
    (answer,) = kind_of(NER).answers(ModelOutputs([texts], encoded, [logits]))
    assert answer["tokens"] == ["no", "no", "Anna"]
    assert answer["labels"] == ["B-person", "I-person", "O"]
    sure = np.exp(9) / (np.exp(9) + 2)
    assert answer["probabilities"] == [pytest.approx(sure), pytest.approx(sure), None]
    assert answer["entities"] == [{"type": "person", "start": 0, "end": 2, "text": "no no"}]
    (predicted,) = kind_of(NER).predictions(ModelOutputs([texts], encoded, [logits]))
    assert predicted == ("B-person", "I-person", "O")


def test_uncertainty_is_the_mean_over_words_and_nothing_else(tiny_bert: Path) -> None:
    """By hand: tags of probabilities 1/2, 1/4, 1/4 have 1.5 log 2 nats, all equal ones log 3."""
    split = split_of(ROWS)
    encoded = encode_split(NER, split, AutoTokenizer.from_pretrained(tiny_bert), 24)
    rows = np.array([2, 1, 0])
    logits = np.zeros((3, 3, encoded.lengths[rows].max()), dtype=np.float32)
    half = 1.5 * np.log(2) / np.log(3)
    logits[0, 0, 1] = np.log(2)  # the first of three words; two are left to chance
    logits[0, 1, [0, 4]] = 50  # what [CLS] and [SEP] say counts nowhere
    logits[2, 1] = 50  # sure of every word
    found = kind_of(NER).entropies(logits, encoded, rows)
    assert found.tolist() == pytest.approx([(half + 2) / 3, 0, 0], abs=1e-7)
    first = kind_of(NER).targets(encoded, rows)[2] >= 0
    assert first.sum() == 5 < encoded.lengths[0] - 2  # a word of several tokens counts once
    logits[2][:, ~first] = 0
    logits[2, 1, np.flatnonzero(first)[-1]] = 0
    assert kind_of(NER).entropies(logits, encoded, rows)[2] == pytest.approx(1 / 5)


def built(folder: Path, pooling: Any = "native") -> MultiTaskModel:
    plan = fully_shared(["NER"], 4)
    return MultiTaskModel.from_backbone(str(folder), [NER], plan, pooling=pooling).eval()


@pytest.mark.parametrize("pooling", ["native", "mean"])
def test_the_loss_of_a_row_is_the_mean_over_its_words(tiny_bert: Path, pooling: Any) -> None:
    model = built(tiny_bert, pooling)
    tokenizer, split = AutoTokenizer.from_pretrained(tiny_bert), split_of(ROWS)
    encoded = encode_split(NER, split, tokenizer, 24)
    prepared = PreparedSplit(split, encoded)
    results = [evaluate(model, NER, prepared, batch_size=size) for size in (1, 3)]
    assert results[0].predictions == results[1].predictions
    assert results[0].losses == pytest.approx(results[1].losses, abs=1e-5)
    expected = []
    for row in range(len(split)):
        inputs = collate(encoded, np.array([row]), **model.input_form("NER"))
        logits = model("NER", inputs)[0].detach()
        targets = torch.from_numpy(kind_of(NER).targets(encoded, np.array([row])))[0]
        tokens = [
            F.cross_entropy(logits[:, at], targets[at]) for at in torch.where(targets >= 0)[0]
        ]
        expected.append(float(sum(tokens) / len(tokens)) if tokens else 0.0)
    assert results[0].losses == pytest.approx(expected, abs=1e-5)
    assert [len(tags) for tags in results[0].predictions or ()] == [5, 0, 3, 1]


def test_smoothing_is_that_of_the_words(tiny_bert: Path) -> None:
    logits = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[-100, 2, 0, -100]])
    log_p = logits.log_softmax(dim=1)[0]
    each = [0.9 * -log_p[code, at] - 0.1 * log_p[:, at].mean() for at, code in ((1, 2), (2, 0))]
    torch.testing.assert_close(kind_of(NER).losses(logits, labels, 0.1)[0], sum(each) / 2)


def test_words_of_entities_without_a_token_are_counted(tiny_bert: Path) -> None:
    tokenizer, dropped = AutoTokenizer.from_pretrained(tiny_bert), "\u200b\ufeff"
    rows = [(f"no {dropped} {dropped}", "O B-person O"), ("no no Ann", "O O B-person")]
    encoded = encode_split(NER, split_of(rows), tokenizer, 4)  # [CLS] no no [SEP]
    assert kind_of(NER).targets(encoded, np.arange(2)).tolist() == [
        [-100, 0, -100, -100],
        [-100, 0, 0, -100],
    ]
    assert "2 words of entities" in str(kind_of(NER).unlearned(encoded))
    whole = encode_split(NER, split_of(ROWS), tokenizer, 24)
    assert kind_of(NER).unlearned(whole) is None
    nothing = encode_split(NER, split_of([(dropped, "B-person")]), tokenizer, 24)
    with pytest.raises(RelevanceError, match="no word of the training rows has a token"):
        kind_of(NER).unlearned(nothing)
