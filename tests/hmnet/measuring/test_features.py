"""Features of the plain encoder and of fine-tuned ones, against one row at a time."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from hmnet.measuring.probe import EncoderProbe
from hmnet.training import fit as fitting
from relevance.interfaces.probe import Probe
from relevance.tasks.data import DataOptions
from relevance.tasks.load import load_task


def by_row(values: np.ndarray) -> np.ndarray:
    """Rows in an order of their own, whatever the order they came in."""
    return values[np.lexsort(np.round(values, 4).T)]


def test_it_is_a_probe(probe: EncoderProbe) -> None:
    assert isinstance(probe, Probe)


@pytest.mark.parametrize(
    "family", ["bert", "roberta", "distilbert", "electra", "deberta-v2", "modernbert"]
)
def test_mean_over_tokens_of_every_row(
    family: str, make_probe: Callable[..., EncoderProbe], tiny_backbones: dict[str, Path]
) -> None:
    probe = make_probe(tiny_backbones[family])
    found = probe.features(["TONE"], rows=1000, seed=0)["TONE"]
    encoder = AutoModel.from_pretrained(tiny_backbones[family]).eval()
    tokenizer = AutoTokenizer.from_pretrained(tiny_backbones[family])
    task = probe.trainer.tasks["TONE"]
    rows = load_task(task, DataOptions(), gain_split="holdout").train
    expected = []
    with torch.no_grad():
        for text, label in zip(rows.texts[0], rows.labels, strict=True):
            inputs = tokenizer(text, truncation=True, max_length=24, return_tensors="pt")
            hidden = encoder(**inputs).last_hidden_state
            expected.append([*hidden[0].mean(dim=0).tolist(), label])
    got = np.column_stack([found.values, found.labels])
    np.testing.assert_allclose(by_row(got), by_row(np.array(expected)), atol=2e-4)


def test_labels_of_a_regression_lie_between_0_and_1(probe: EncoderProbe) -> None:
    labels = probe.features(["GRADE"], rows=1000, seed=0)["GRADE"].labels
    assert sorted(set(labels.tolist())) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_rows_depend_on_task_and_seed_alone(probe: EncoderProbe) -> None:
    one = probe.features(["TONE", "SAME"], rows=10, seed=0)
    other = probe.features(["GRADE", "SAME"], rows=10, seed=0)
    assert one["SAME"].values.shape == (10, 16)
    np.testing.assert_array_equal(one["SAME"].values, other["SAME"].values)
    again = probe.features(["SAME"], rows=10, seed=1)["SAME"]
    assert not np.array_equal(one["SAME"].values, again.values)


def test_a_fine_tuned_encoder_is_that_of_the_single_run(
    probe: EncoderProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = []
    monkeypatch.setattr(
        "hmnet.measuring.joint_runs.fit",
        lambda model, *rest: models.append(model) or fitting.fit(model, *rest),
    )
    probe.trainer(("TONE",), 3, "cpu")
    tuned = probe._tuned_encoder(3, "TONE")
    head = [name for name in models[0].state_dict() if "/head" in name]
    trained = {n: w for n, w in models[0].state_dict().items() if n not in head}
    weights = list(tuned.state_dict().values())
    assert len(weights) == len(trained) > 0
    assert sum(w.double().sum() for w in weights) == sum(w.double().sum() for w in trained.values())
    plain = probe.features(["SAME"], rows=10, seed=3)["SAME"]
    after = probe.features(["SAME"], rows=10, seed=3, source="TONE")["SAME"]
    np.testing.assert_array_equal(plain.labels, after.labels)
    assert np.abs(plain.values - after.values).max() > 1e-3


def test_what_it_says_of_itself(probe: EncoderProbe) -> None:
    said = probe.provenance
    assert said["backbone"] == probe.trainer.backbone
    assert said["training"]["max_steps_per_task"] == 3
    assert said["trainer"] == probe.trainer.fingerprint_of(tuple(probe.trainer.tasks))
    assert said["device"] == "cpu"


def test_cores_count_as_the_workers_that_they_would_hold(probe: EncoderProbe) -> None:
    assert probe.workers == 1.0
    assert EncoderProbe(probe.trainer, "cpu", threads=1).workers == torch.get_num_threads()
    assert EncoderProbe(probe.trainer, "cpu", threads=1000).workers == 1.0
    assert EncoderProbe(probe.trainer, "cuda:0", threads=1).workers == 1.0


def test_both_splits_come_of_one_training(probe: EncoderProbe) -> None:
    """Training rows as `features` gives them; held-out ones are others, with their own labels."""
    found = probe.features_by_split(["SAME", "GRADE"], rows=1000, seed=3, source="TONE")
    for name, (train, held_out) in found.items():
        alone = probe.features([name], rows=1000, seed=3, source="TONE")[name]
        np.testing.assert_array_equal(train.values, alone.values)
        np.testing.assert_array_equal(train.labels, alone.labels)
        split = probe.trainer.prepared(name).held_out.encoded
        assert len(held_out.values) == len(held_out.labels) == len(split)
        assert held_out.values.shape[1] == train.values.shape[1]
