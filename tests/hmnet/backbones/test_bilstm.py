"""The BiLSTM on word vectors: padding, one row against many, pairs, weights by seed, and saving."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from hmnet.backbones.backbone import Backbone, load_backbone
from hmnet.backbones.bilstm import max_over_time
from hmnet.backbones.folder import resolve_backbone
from hmnet.data.batching import collate
from hmnet.data.encoder import Encoder
from hmnet.data.tokenizer import read_tokenizer
from hmnet.models.build import assemble
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import fully_shared
from relevance.tasks.task import Task
from toys import GRADED, toy
from vectors import write_small_vectors

TONE = toy("TONE", labels=("bad", "good"))
SAME = toy("SAME", text=("one", "other"), labels=("same", "other", "none"))
GRADE = toy("GRADE", text=("one", "other"), range=(0, 5), **GRADED)
QUIZ = toy("QUIZ", kind="span", text=("question", "context"), labels=(), metrics=("span_f1",))
SHORT, LONG = "the dog runs", "who saw the great woman in the city and the river ?"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_vectors(tmp_path_factory.mktemp("vectors") / "small.vec")


@pytest.fixture(autouse=True)
def _cache(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELEVANCE_CACHE", str(file.parent / "cache"))


@pytest.fixture
def backbone(file: Path) -> Backbone:
    return load_backbone(str(file))


@pytest.fixture
def model(backbone: Backbone) -> MultiTaskModel:
    tasks = (TONE, SAME, GRADE, QUIZ)
    return assemble(backbone, tasks, fully_shared([t.name for t in tasks], 1)).eval()


def asked(model: MultiTaskModel, file: Path, task: Task, *rows: tuple[str, ...]) -> Tensor:
    """Logits of rows in one batch."""
    encoder = Encoder.of(read_tokenizer(resolve_backbone(str(file))))
    encoded = encoder.encode(list(zip(*rows, strict=True)), 64)
    with torch.no_grad():
        return model(
            task.name, collate(encoded, np.arange(len(rows)), **model.input_form(task.name))
        )


@pytest.mark.parametrize("task", [TONE, SAME, GRADE, QUIZ], ids=lambda task: task.name)
def test_padding_never_changes_an_answer(model: MultiTaskModel, file: Path, task: Task) -> None:
    rows = [(SHORT, LONG), (LONG, LONG), (LONG, ""), ("", SHORT)]
    rows = [row[: len(task.text)] for row in rows]
    together = asked(model, file, task, *rows)
    for number, row in enumerate(rows):
        (alone,) = asked(model, file, task, row)
        kept = together[number][: len(alone)]  # of a span, the row's own tokens
        torch.testing.assert_close(kept, alone, rtol=0, atol=1e-6)


def test_the_layer_is_an_lstm_each_way_over_the_words_alone(backbone: Backbone) -> None:
    layer = backbone.copy_layer(0)
    lengths = [3, 1, 5]
    mask = (torch.arange(5) < torch.tensor(lengths)[:, None]).long()
    vectors = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(0))
    states = layer(vectors, mask)
    assert states.shape == (3, 5, 512)
    both = torch.nn.LSTM(8, 256, batch_first=True, bidirectional=True)
    ways = {"": layer.onwards.state_dict(), "_reverse": layer.backwards.state_dict()}
    both.load_state_dict({n + way: w for way, state in ways.items() for n, w in state.items()})
    packed = pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(both(packed)[0], batch_first=True)
    torch.testing.assert_close(states, expected, rtol=0, atol=1e-6)
    for row, length in enumerate(lengths):
        alone, _ = both(vectors[row : row + 1, :length])
        torch.testing.assert_close(states[row, :length], alone[0], rtol=0, atol=1e-6)


def test_a_sentence_is_the_maximum_over_time(model: MultiTaskModel, file: Path) -> None:
    path, head = model.path("TONE"), model.head("TONE").shell
    encoder = Encoder.of(read_tokenizer(resolve_backbone(str(file))))
    ids = torch.from_numpy(encoder.encode([[SHORT]], 64).ids).long()[None]
    with torch.no_grad():
        states = path.model.bilstm(ids).last_hidden_state[0]
        expected = head.classifier(torch.stack([unit.max() for unit in states.T]))
        found = asked(model, file, TONE, (SHORT,))[0]
    torch.testing.assert_close(found, expected)


def test_padding_is_no_maximum() -> None:
    states = torch.tensor([[[-2.0, 1.0], [-1.0, -3.0], [0.0, 0.0]]])
    found = max_over_time(states, torch.tensor([[True, True, False]]))
    assert found.tolist() == [[-1.0, 1.0]]


def test_a_pair_is_read_text_by_text_as_infersent_does(model: MultiTaskModel, file: Path) -> None:
    path, head = model.path("SAME"), model.head("SAME").shell
    encoder = Encoder.of(read_tokenizer(resolve_backbone(str(file))))
    with torch.no_grad():
        u, v = (
            path.model.bilstm(torch.from_numpy(encoder.encode([[text]], 64).ids).long()[None])
            .last_hidden_state[0]
            .amax(dim=0)
            for text in (SHORT, LONG)
        )
        hidden = torch.tanh(head.hidden(torch.cat([u, v, (u - v).abs(), u * v])))
        found = asked(model, file, SAME, (SHORT, LONG))[0]
    torch.testing.assert_close(found, head.classifier(hidden))


def test_question_and_context_are_one_sequence(model: MultiTaskModel, file: Path) -> None:
    one, other = (asked(model, file, QUIZ, (question, LONG)) for question in ("who", "where"))
    assert one.shape == other.shape
    assert not torch.allclose(one[:, -3:], other[:, -3:])


def test_vectors_are_the_file_and_the_layer_is_drawn_by_the_seed(file: Path) -> None:
    first, again, other = (load_backbone(str(file), seed=seed) for seed in (0, 0, 1))
    assert first.by_seed
    assert torch.equal(first.base.word_embeddings.weight, other.base.word_embeddings.weight)
    for name, weight in first.base.layers.state_dict().items():
        assert torch.equal(weight, again.base.layers.state_dict()[name])
        if "weight" in name:
            assert not torch.equal(weight, other.base.layers.state_dict()[name])


def test_a_saved_model_answers_the_same(model: MultiTaskModel, file: Path, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    loaded = MultiTaskModel.from_pretrained(tmp_path)
    for task in (TONE, SAME, GRADE, QUIZ):
        row = (SHORT, LONG)[: len(task.text)]
        assert torch.equal(asked(loaded, file, task, row), asked(model, file, task, row))
