"""Marked words as a model reads them: tokens of the marks, and a layer on their means."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from hmnet.backbones.backbone import load_backbone
from hmnet.data.batching import collate
from hmnet.data.encoder import Encoder
from hmnet.evaluation.evaluate import evaluate
from hmnet.kinds.kind import kind_of
from hmnet.models.export import export
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.trial import check_reading
from hmnet.prepared import PreparedSplit, encode_split
from hmnet.settings.config import TrainingSettings
from hmnet.sharing.plan import fully_shared
from relevance.errors import RelevanceError
from relevance.tasks.check import to_split
from relevance.tasks.data import Split
from relevance.tasks.find import catalogue
from relevance.tasks.kinds.marked_words import BEHIND
from relevance.tasks.load import load_split
from relevance.tasks.task import Task

SENSE = Task(
    name="SENSE",
    family="f",
    kind="marked-words",
    text=("one", "other"),
    marks=({"text": "one", "word": "at"}, {"text": "other", "start": "from", "end": "to"}),
    labels=("apart", "close", "same"),
    metrics=("accuracy",),
)
TEXTS = [("the dog runs in the city", "a dog", 1, 2, 5), ("dog", "the woman plays", 0, 4, 9)]


def split_of() -> Split:
    names = ("one", "other", "at", "from", "to")
    columns = {
        name: list(column) for name, column in zip(names, zip(*TEXTS, strict=True), strict=True)
    }
    return to_split(SENSE, {**columns, "label": ["close", "same"]}, "here")


def encoder(folder: Path) -> Encoder:
    return Encoder.of(AutoTokenizer.from_pretrained(folder))


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_logits_are_a_layer_on_the_first_token_and_the_means(
    tiny_backbones: dict[str, Path], family: str
) -> None:
    folder = tiny_backbones[family]
    plan = fully_shared(["SENSE"], 4)
    model = MultiTaskModel.from_backbone(str(folder), [SENSE], plan, pooling="cls").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoded = encode_split(SENSE, split_of(), tokenizer, 96)
    with torch.no_grad():
        logits = model("SENSE", collate(encoded, np.array([1, 0]), **model.input_form("SENSE")))
    inner = model.path("SENSE").path
    linear = model.head("SENSE").linear
    weight, bias = linear.weight.reshape(3, 3, -1), linear.bias.reshape(3, 3)
    for said, (one, other, at, start, end) in zip(logits, TEXTS[::-1], strict=True):
        pair = tokenizer(one, other, return_tensors="pt", return_offsets_mapping=True)
        offsets, sides = pair.pop("offset_mapping")[0].tolist(), pair.sequence_ids(0)
        first = sum(len(word) + 1 for word in one.split()[:at])
        places = [(0, first, first + len(one.split()[at])), (1, start, end)]
        with torch.no_grad():
            (hidden,) = inner.encoder(**pair).last_hidden_state
            means = [
                torch.stack(
                    [
                        hidden[token]
                        for token, (begin, stop) in enumerate(offsets)
                        if sides[token] == side and begin < last and stop > from_ and stop > begin
                    ]
                ).mean(dim=0)
                for side, from_, last in places
            ]
            vectors = torch.stack([hidden[0], *means])
            expected = torch.einsum("vlh,vh->l", weight, vectors) + bias.sum(dim=0)
        torch.testing.assert_close(said, expected, atol=1e-5, rtol=1e-4)


@settings(max_examples=60)
@given(
    words=st.lists(st.sampled_from(["dog", "zebra", "the", "é"]), min_size=1, max_size=20),
    at=st.integers(0, 19),
    other=st.integers(0, 12),
    max_length=st.integers(6, 24),
)
def test_a_mark_survives_what_is_cut(
    tiny_bert: Path, words: list[str], at: int, other: int, max_length: int
) -> None:
    at %= len(words)
    start = sum(len(word) + 1 for word in words[:at])
    text, end = " ".join(words), start + len(words[at])
    columns = [
        [f"{text}{BEHIND}{start}-{end}"],
        [f"{'cat ' * other}x{BEHIND}{4 * other}-{4 * other + 1}"],
    ]
    own = encoder(tiny_bert)
    ids = own.pieces([words[at]]).ids.tolist()
    longest, tokens = (max_length - 3) // 2, len(own.pieces([text]).ids)
    if len(ids) > longest and tokens + other + 1 > max_length - 3:
        with contextlib.suppress(RelevanceError):  # there may be room
            kind_of(SENSE).encode(columns, own, max_length)
        return
    encoded = kind_of(SENSE).encode(columns, own, max_length)
    assert encoded.alignment is not None
    assert len(encoded.ids) <= max_length
    marks = encoded.alignment.begins
    assert encoded.ids[marks == 1].tolist() == ids
    assert encoded.ids[marks == 2].tolist() == own.pieces(["x"]).ids.tolist()
    # what stands around the mark stood there before
    kept = encoded.ids[1 : encoded.first[0] - 1].tolist()
    whole = own.pieces([text]).ids.tolist()
    assert any(whole[n : n + len(kept)] == kept for n in range(len(whole) - len(kept) + 1))


def test_marks_too_far_apart_are_told_in_one_line(tiny_bert: Path) -> None:
    wsc = catalogue()["WSC"]
    text = f"dog {'the ' * 30}cat"
    with pytest.raises(RelevanceError) as caught:
        kind_of(wsc).encode(
            [[f"{text}{BEHIND}0-3 {len(text) - 3}-{len(text)}"]], encoder(tiny_bert), 16
        )
    assert str(caught.value).startswith("Task 'WSC': the marked words of 'dog the the")
    assert str(caught.value).endswith(
        "span 32 tokens, and `max_length` leaves 14 for that text. Choose a larger `max_length`, or"
        " leave the row out."
    )


def test_marks_without_a_token_are_told(tiny_bert: Path) -> None:
    wsc = catalogue()["WSC"]
    text = "dog \u200b\u200b cat"
    with pytest.raises(RelevanceError, match="makes no token of the marked"):
        kind_of(wsc).encode([[f"{text}{BEHIND}0-3 4-6"]], encoder(tiny_bert), 16)


def test_no_plain_checkpoint_can_express_it(tiny_bert: Path, tmp_path: Path) -> None:
    model = MultiTaskModel.from_backbone(str(tiny_bert), [SENSE], fully_shared(["SENSE"], 4))
    with pytest.raises(RelevanceError, match="reads marked words, for which transformers has no"):
        export(model, SENSE, AutoTokenizer.from_pretrained(tiny_bert), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_real_rows(data_dir: Path, tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    for name, longest in (("WiC", 64), ("WSC", 128)):
        task = catalogue()[name]
        split = load_split(task, "dev", data_dir)
        split = split.take(np.argsort(list(map(len, split.texts[0])))[:6])
        model = MultiTaskModel.from_backbone(str(tiny_bert), [task], fully_shared([name], 4))
        encoded = encode_split(task, split, tokenizer, longest)
        together, alone = (
            evaluate(model, task, PreparedSplit(split, encoded), batch_size=size) for size in (6, 1)
        )
        assert together.losses == pytest.approx(alone.losses, abs=1e-5)
        assert set(together.predictions) <= {0, 1}


def test_a_backbone_is_tried_at_any_length(tiny_bert: Path) -> None:
    settings = TrainingSettings(max_length=9)
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    check_reading(load_backbone(str(tiny_bert)), tokenizer, [SENSE], settings)
