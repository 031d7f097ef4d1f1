"""Heads on texts read one by one, against the encoder and a few lines of torch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812
from transformers import AutoModel, AutoTokenizer

from hmnet.data.batching import collate
from hmnet.data.encoder import Encoder
from hmnet.heads.head import find_head
from hmnet.kinds.kind import ModelOutputs, kind_of
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import fully_shared
from relevance.errors import RelevanceError
from relevance.tasks.task import Task

FIRST = ["the dog runs", "no", "a woman plays the guitar in the city"]
SECOND = ["the cat sleeps", "no", "who"]


def a_task(texts: int, labels: int = 0, name: str = "T") -> Task:
    kind: dict[str, Any] = {"kind": "regression", "range": (0, 5), "metrics": ("pearson",)}
    if labels:
        names = tuple(f"l{code}" for code in range(labels))
        kind = {"kind": "classification", "labels": names, "metrics": ("accuracy",)}
    return Task(name=name, family="f", text=tuple(f"t{n}" for n in range(texts)), **kind)


def built(folder: Path, task: Task, head: str, pooling: Any = "mean") -> MultiTaskModel:
    plan = fully_shared([task.name], 4)
    return MultiTaskModel.from_backbone(str(folder), [task], plan, head=head, pooling=pooling)


def answers(model: MultiTaskModel, folder: Path, *columns: list[str]) -> torch.Tensor:
    encoded = Encoder.of(AutoTokenizer.from_pretrained(folder)).encode(columns, 60)
    inputs = collate(encoded, np.arange(len(columns[0])), **model.input_form("T"))
    with torch.no_grad():
        return model("T", inputs)


def vectors(folder: Path, texts: list[str], pooling: str = "mean") -> torch.Tensor:
    """Each text alone through the plain encoder."""
    tokenizer, encoder = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    with torch.no_grad():
        hidden = [
            encoder(**tokenizer(text, return_tensors="pt")).last_hidden_state[0] for text in texts
        ]
    return torch.stack([h[0] if pooling == "cls" else h.mean(dim=0) for h in hidden])


@pytest.mark.parametrize("family", ["bert", "roberta"])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_pairs_of_vectors_go_through_a_hidden_layer(
    tiny_backbones: dict[str, Path], family: str, pooling: str
) -> None:
    folder = tiny_backbones[family]
    u, v = vectors(folder, FIRST, pooling), vectors(folder, SECOND, pooling)
    joined = {"siamese": [u, v], "siamese-difference": [u, v, (u - v).abs()]}
    for head, parts in joined.items():
        model = built(folder, a_task(2, 3), head, pooling)
        layers = model.pool["T/head"]
        width = 16
        assert layers.hidden.weight.shape == (width, len(parts) * width)
        expected = layers.output(F.relu(layers.hidden(torch.cat(parts, dim=1))))
        torch.testing.assert_close(answers(model, folder, FIRST, SECOND), expected)


def test_two_labels_have_one_logit_and_binary_cross_entropy(tiny_bert: Path) -> None:
    model = built(tiny_bert, a_task(2, 2), "siamese")
    assert model.pool["T/head"].output.out_features == 1
    logits = answers(model, tiny_bert, FIRST, SECOND)
    assert torch.equal(logits[:, 0], torch.zeros(3))
    labels = torch.tensor([0, 1, 1])
    torch.testing.assert_close(
        model.kinds["T"].losses(logits, labels),
        F.binary_cross_entropy_with_logits(logits[:, 1], labels.float(), reduction="none"),
    )


@pytest.mark.parametrize(("labels", "outputs"), [(2, 2), (5, 5), (0, 1)])
def test_a_single_sentence_has_the_same_layers_on_its_vector(
    tiny_bert: Path, labels: int, outputs: int
) -> None:
    model = built(tiny_bert, a_task(1, labels), "siamese-difference")
    layers = model.pool["T/head"]
    assert (layers.hidden.in_features, layers.hidden.out_features) == (16, 16)
    assert layers.output.out_features == outputs
    expected = layers.output(F.relu(layers.hidden(vectors(tiny_bert, FIRST))))
    torch.testing.assert_close(answers(model, tiny_bert, FIRST), expected)


def test_the_cosine_is_relu_of_the_projected_vectors_times_five(tiny_bert: Path) -> None:
    model = built(tiny_bert, a_task(2), "cosine")
    project = model.pool["T/head"].project
    u, v = project(vectors(tiny_bert, FIRST)), project(vectors(tiny_bert, SECOND))
    logits = answers(model, tiny_bert, FIRST, SECOND)
    cosines = F.relu(torch.stack([a @ b / a.norm() / b.norm() for a, b in zip(u, v, strict=True)]))
    torch.testing.assert_close(logits[:, 0], cosines)
    torch.testing.assert_close(answers(model, tiny_bert, SECOND, FIRST), logits)
    assert logits[1, 0].item() == pytest.approx(1, abs=1e-6)  # equal texts
    encoded = Encoder.of(AutoTokenizer.from_pretrained(tiny_bert)).encode((FIRST, SECOND), 60)
    said = ModelOutputs((FIRST, SECOND), encoded, list(logits.numpy()))
    values = kind_of(a_task(2)).predictions(said)
    np.testing.assert_allclose(values, 5 * cosines.detach().numpy(), rtol=1e-5)


@pytest.mark.parametrize(
    ("task", "what"), [(a_task(2, 2), "is classification"), (a_task(1), "has one text")]
)
def test_the_cosine_refuses_other_tasks(tiny_bert: Path, task: Task, what: str) -> None:
    with pytest.raises(RelevanceError) as error:
        built(tiny_bert, task, "cosine")
    assert str(error.value) == (
        f"Head 'cosine' is for regression on two texts, but task 'T' {what}."
        " Give it another, such as `head='cosine,T=siamese'`."
    )


def test_pooling_is_the_mean_unless_told(tiny_bert: Path) -> None:
    for head in ("siamese", "siamese-difference", "cosine"):
        assert find_head(head, "cls").poolings == ("mean", "cls")
        with pytest.raises(RelevanceError) as error:
            find_head(head, "native")
        assert str(error.value) == f"Head '{head}' takes `pooling` mean or cls, not native."
