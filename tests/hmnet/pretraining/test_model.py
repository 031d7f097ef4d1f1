from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoTokenizer, BertForPreTraining
from transformers.models.bert.modeling_bert import BertLayer

from encoders import FAMILIES
from hmnet.backbones.backbone import load_backbone
from hmnet.backbones.levels import Concat, Levels
from hmnet.data.batching import input_form
from hmnet.data.encoder import Encoder
from hmnet.data.template import boundaries
from hmnet.pretraining.batches import make_batch
from hmnet.pretraining.encoded_corpus import EncodedCorpus
from hmnet.pretraining.masking import IGNORED, Masking
from hmnet.pretraining.model import PretrainingBatch, PretrainingModel
from hmnet.pretraining.pairs import make_pairs
from relevance.errors import RelevanceError

torch.set_num_threads(1)
DEPTH = 4


def batch_of(folder: Path, *, swap: bool = False, rows: int = 6) -> PretrainingBatch:
    """Inputs of random words, whose pairs are true and random ones."""
    tokenizer, rng = AutoTokenizer.from_pretrained(folder), np.random.default_rng(0)
    masking, counts = Masking.of(tokenizer), np.full(5, 8)
    lengths = rng.integers(2, 9, counts.sum())
    ids = rng.choice(masking.words, lengths.sum()).astype(np.int32)
    template = Encoder.of(tokenizer).template
    corpus = EncodedCorpus(ids, boundaries(lengths), boundaries(counts), template, "random")
    pairs = make_pairs(corpus, 32, 0)
    assert set(pairs.is_random[:rows]) == {True, False}
    form = input_form(load_backbone(str(folder)).config)
    return make_batch(pairs, np.arange(rows), masking, form, rng, swap=swap)


def model_of(folder: Path, levels: Levels, seed: int = 0) -> PretrainingModel:
    return PretrainingModel(load_backbone(str(folder)), levels, seed).eval()


@pytest.fixture(scope="module")
def batch(tiny_bert: Path) -> PretrainingBatch:
    return batch_of(tiny_bert, swap=True)


@pytest.fixture
def make(tiny_bert: Path) -> Callable[..., PretrainingModel]:
    return lambda **levels: model_of(tiny_bert, Levels(**levels))


def test_with_both_levels_at_the_top_losses_are_those_of_transformers(
    tiny_bert: Path, batch: PretrainingBatch, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    config = load_backbone(str(tiny_bert)).config
    theirs = BertForPreTraining(config).double().eval()
    nn.init.normal_(theirs.cls.predictions.decoder.bias)
    theirs.float().save_pretrained(tmp_path)
    theirs.double()
    ours = model_of(tmp_path, Levels(mlm=DEPTH, nsp=DEPTH)).double()
    assert ours.nsp is not None
    head = theirs.cls.predictions
    ours.mlm.transform.load_state_dict(head.transform.dense.state_dict())
    ours.mlm.norm.load_state_dict(head.transform.LayerNorm.state_dict())
    ours.mlm.bias.data = head.decoder.bias.data
    ours.nsp.classifier.load_state_dict(theirs.cls.seq_relationship.state_dict())
    found = ours(batch)
    said = theirs(**batch.inputs, labels=batch.mlm, next_sentence_label=batch.nsp)
    logits = said.prediction_logits[batch.mlm != IGNORED]
    mlm = nn.functional.cross_entropy(logits, batch.mlm[batch.mlm != IGNORED])
    nsp = nn.functional.cross_entropy(said.seq_relationship_logits, batch.nsp)
    assert found["mlm"].loss.dtype == torch.float64
    assert found["mlm"].loss.item() == pytest.approx(mlm.item(), abs=1e-9)
    assert found["nsp"].loss.item() == pytest.approx(nsp.item(), abs=1e-9)
    assert ours.loss(batch).item() == pytest.approx(said.loss.item(), abs=1e-9)
    right = (said.seq_relationship_logits.argmax(-1) == batch.nsp).sum()
    assert found["nsp"].correct == right
    assert found["mlm"].correct == (logits.argmax(-1) == batch.mlm[batch.mlm != IGNORED]).sum()
    assert found["mlm"].asked == (batch.mlm != IGNORED).sum()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_objective_reads_the_layer_of_its_own(
    family: str, tiny_backbones: dict[str, Path]
) -> None:
    folder = tiny_backbones[family]
    batch, levels = batch_of(folder, swap=True), Levels(mlm=4, nsp=1, bigram=2)
    model, whole = model_of(folder, levels), load_backbone(str(folder)).base.eval()
    with torch.no_grad():
        states = whole(**batch.inputs, output_hidden_states=True).hidden_states
        found = model(batch)
        assert model.nsp is not None
        assert model.bigram is not None
        asked = batch.mlm != IGNORED
        words = whole.get_input_embeddings().weight
        expected = {
            "nsp": (model.nsp(states[1][:, 0]), batch.nsp),
            "mlm": (model.mlm(states[4][asked], words), batch.mlm[asked]),
            "bigram": (
                model.bigram(states[2][batch.bigram != IGNORED]),
                batch.bigram[batch.bigram != IGNORED],
            ),
        }
    assert found.keys() == expected.keys()
    for name, (logits, labels) in expected.items():
        loss = nn.functional.cross_entropy(logits, labels)
        assert found[name].loss.item() == pytest.approx(loss.item(), abs=1e-5), name


@pytest.mark.parametrize(("mlm", "nsp", "run"), [(4, 2, 4), (2, 3, 3), (1, 1, 1), (2, None, 2)])
def test_layers_above_the_highest_level_are_not_run(
    make: Callable[..., PretrainingModel],
    batch: PretrainingBatch,
    monkeypatch: pytest.MonkeyPatch,
    mlm: int,
    nsp: int | None,
    run: int,
) -> None:
    model, calls, forward = make(mlm=mlm, nsp=nsp), [], BertLayer.forward

    def counted(self: BertLayer, *given: object, **named: object) -> object:
        calls.append(self)
        return forward(self, *given, **named)

    monkeypatch.setattr(BertLayer, "forward", counted)
    model.loss(batch).backward()
    assert len(calls) == run
    assert all(weight.grad is not None for weight in model.layers.parameters())


@pytest.mark.parametrize("concat", ["cls", "nsp"])
@pytest.mark.parametrize(("mlm", "nsp"), [(4, 2), (2, 4)])
def test_joined_vectors_of_weight_zero_change_nothing(
    make: Callable[..., PretrainingModel],
    batch: PretrainingBatch,
    concat: Concat,
    mlm: int,
    nsp: int,
) -> None:
    plain, joined = make(mlm=mlm, nsp=nsp), make(mlm=mlm, nsp=nsp, concat=concat)
    width = plain.mlm.transform.in_features
    assert joined.mlm.transform.in_features == width + {"cls": width, "nsp": 2}[concat]
    with torch.no_grad():
        extra = joined.mlm.transform.weight[:, width:]
        joined.mlm.transform.weight[:, :width] = plain.mlm.transform.weight
        assert joined(batch)["mlm"].loss != plain(batch)["mlm"].loss
        extra.zero_()
        assert joined(batch)["mlm"].loss.item() == pytest.approx(
            plain(batch)["mlm"].loss.item(), abs=1e-6
        )
        extra[:] = 0.5  # by hand: what is joined adds its sum to every unit
        vectors = torch.ones(1, width)
        more = torch.full((1, extra.shape[1]), 2.0)
        seen = joined.mlm.transform(torch.cat([vectors, more], dim=1))
        assert torch.allclose(seen, plain.mlm.transform(vectors) + extra.shape[1], atol=1e-5)


def test_what_is_frozen_stays_bit_by_bit_and_runs_without_dropout(
    make: Callable[..., PretrainingModel], batch: PretrainingBatch
) -> None:
    model = make(mlm=4, nsp=2, bigram=4, concat="nsp")
    model.freeze()
    layers = tuple(f"encoder.encoder.layer.{depth}." for depth in (0, 1))
    below = ("encoder.embeddings", "nsp.", *layers)
    frozen = {name for name in model.state_dict() if name.startswith(below)}
    before = {name: value.clone() for name, value in model.state_dict().items()}
    adam = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=0.1, amsgrad=True)
    model.train()
    torch.manual_seed(0)
    answers = [model(batch) for _ in range(2)]
    assert answers[0]["nsp"].loss == answers[1]["nsp"].loss
    assert answers[0]["mlm"].loss != answers[1]["mlm"].loss
    for _ in range(3):
        adam.zero_grad()
        model.loss(batch).backward()
        adam.step()
    after = model.state_dict()
    same = {name for name in after if torch.equal(after[name], before[name])}
    learned = {name for name in after if after[name].is_floating_point()} - frozen
    assert frozen <= same
    assert not learned & same
    assert {"mlm.bias", "mlm.transform.weight"} <= learned


def test_classifiers_begin_the_same_whatever_else_there_is(
    make: Callable[..., PretrainingModel], tiny_bert: Path
) -> None:
    alone, beside = make(mlm=4), make(mlm=2, nsp=4, bigram=1)
    assert torch.equal(alone.mlm.transform.weight, beside.mlm.transform.weight)
    pooler = load_backbone(str(tiny_bert)).base.pooler.dense.weight
    assert beside.nsp is not None
    assert torch.equal(beside.nsp.pooler.weight, pooler)


def test_training_learns_all_objectives(
    make: Callable[..., PretrainingModel], batch: PretrainingBatch
) -> None:
    model = make(mlm=4, nsp=2, bigram=3)
    adam = torch.optim.Adam(model.parameters(), lr=3e-3)
    first = model(batch)
    for _ in range(150):
        adam.zero_grad()
        model.loss(batch).backward()
        adam.step()
    last = model(batch)
    for name in ("mlm", "nsp", "bigram"):
        assert last[name].loss < 0.5 * first[name].loss, name
        assert last[name].correct > 0.8 * last[name].asked, name


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        ({"mlm": 5}, "`mlm_layer=5` is none of the 4 layers"),
        ({"mlm": 4, "nsp": 0}, "`nsp_layer=0` is none of the 4 layers"),
        ({"mlm": 4, "bigram": 9}, "`bigram_layer=9`"),
        ({"mlm": 4, "concat": "nsp"}, "`concat=nsp` joins what next sentence prediction reads"),
    ],
)
def test_levels_that_are_not_there_are_told(
    make: Callable[..., PretrainingModel], levels: dict[str, int], reason: str
) -> None:
    with pytest.raises(RelevanceError, match=reason):
        make(**levels)
    with pytest.raises(ValueError, match="nothing to freeze"):
        make(mlm=2).freeze()
