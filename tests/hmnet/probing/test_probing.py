"""Probing a tiny random encoder: vectors, classifiers, what no layer can tell."""

import gzip
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from transformers import AutoModel, AutoTokenizer

from encoders import FAMILIES, write_backbone
from hmnet.backbones.tiny import write_tiny_encoder
from hmnet.probing import features
from hmnet.probing.classifiers import Classifiers, tell
from hmnet.probing.encoder import open_encoder
from hmnet.probing.features import VECTORS, LayerFeatures
from hmnet.probing.files import Line
from hmnet.probing.probing import run_probing
from hmnet.probing.settings import ProbingConfig, Recipe
from hmnet.probing.splits import ProbingTask, make_task
from relevance.disk.files import cache_dir
from relevance.errors import RelevanceError
from relevance.text import minilm

WORDS = [f"w{number}" for number in range(40)]
CPU = torch.device("cpu")
torch.set_num_threads(1)


def sentences(count: int, seed: int = 0) -> list[list[str]]:
    rng = random.Random(seed)  # noqa: S311
    found = {tuple(rng.sample(WORDS, rng.randint(4, 9))): None for _ in range(2 * count)}
    return list(map(list, found))[:count]


def first_word(words: list[str]) -> tuple[str, str]:
    return " ".join(words), "low" if words[0] < WORDS[20] else "high"


def shifted(words: list[str]) -> tuple[str, str]:
    label = "O" if sum(map(len, words)) % 2 else "I"
    words = list(words)
    if label == "I":
        words[1], words[2] = words[2], words[1]
    return " ".join(words), label


def task_of(make: Callable[[list[str]], tuple[str, str]], count: int = 600) -> ProbingTask:
    lines = [Line(*make(words), "here") for words in sentences(count)]
    return make_task("task", {"tr": lines[: 2 * count // 3], "te": lines[2 * count // 3 :]})


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("tiny") / "e", WORDS, width=32, depth=2)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELEVANCE_CACHE", str(tmp_path / "cache"))


def vectors_of(folder: Path, texts: list[str], vector: Any) -> np.ndarray:
    return LayerFeatures(open_encoder(str(folder)), texts, 32, "fp32", CPU).read(vector)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_vectors_are_those_of_hidden_states(family: str, tmp_path: Path) -> None:
    folder = write_backbone(family, tmp_path / family)
    texts = ["the woman plays guitar", "no", "it is a very very dull story", "שלום 😀"]
    model, tokenizer = (
        AutoModel.from_pretrained(folder).eval(),
        AutoTokenizer.from_pretrained(folder),
    )
    for vector in VECTORS:
        found = vectors_of(folder, texts, vector)
        for number, text in enumerate(texts):
            with torch.no_grad():
                states = model(
                    **tokenizer(text, return_tensors="pt"), output_hidden_states=True
                ).hidden_states
            for layer, state in enumerate(states):
                expected = state[0, 0] if vector == "cls" else state[0].mean(0)
                np.testing.assert_allclose(found[layer, number], expected, atol=2e-5)


def test_one_pass_serves_both_vectors_and_damage_is_mended(
    encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []
    batches = features._batches
    monkeypatch.setattr(features, "_batches", lambda *of: passes.append(1) or batches(*of))
    texts = [" ".join(words) for words in sentences(30)]
    first = np.array(vectors_of(encoder, texts, "mean"))
    vectors_of(encoder, texts, "cls")
    assert len(passes) == 1
    (file,) = cache_dir().glob("features/*/mean.npy")
    damaged = bytearray(file.read_bytes())
    damaged[-1] ^= 1
    file.write_bytes(damaged)
    np.testing.assert_array_equal(vectors_of(encoder, texts, "mean"), first)
    assert len(passes) == 2
    vectors_of(encoder, texts[:-1], "mean")
    assert len(passes) == 3


def test_two_processes_may_read_the_same_sentences(
    encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = features._write
    texts = [" ".join(words) for words in sentences(5)]

    def second(draft: Path, *others: Any) -> None:
        write(draft, *others)
        key = LayerFeatures(open_encoder(str(encoder)), texts, 32, "fp32", CPU).key
        shutil.copytree(draft, cache_dir() / "features" / key)  # the other one is done before

    monkeypatch.setattr(features, "_write", second)
    assert vectors_of(encoder, texts, "mean").shape == (3, 5, 32)


def test_the_first_token_of_layer_0_is_the_same_everywhere(encoder: Path) -> None:
    task = task_of(first_word)
    vectors = vectors_of(encoder, list(task.sentences), "cls")
    assert (vectors[0] == vectors[0, :1]).all()
    told = tell(task, vectors, Recipe(epochs=1), CPU)
    assert (told[0].accuracy, told[0].epoch) == (task.majority, 0)
    assert told[1].epoch == 1
    # and so a classifier that is trained on it answers one label throughout
    model = Classifiers(1, (32, 8, 8, 2), "x", 0, CPU)
    answers = model(torch.from_numpy(np.array(vectors[:1]))).argmax(-1)
    assert len(answers.unique()) == 1


def test_word_order_cannot_be_told_from_the_mean_of_embeddings(encoder: Path) -> None:
    task = task_of(shifted, 1500)
    vectors = vectors_of(encoder, list(task.sentences), "mean")
    told = tell(task, vectors[:1], Recipe(epochs=10), CPU)
    # three deviations of a share of 500 rows around that of answering at random
    assert told[0].accuracy < max(task.majority, 1 - task.majority) + 3 * 0.5 / 500**0.5


def test_layer_0_of_a_real_encoder_knows_neither_sentence_nor_order(data_dir: Path) -> None:
    if find_spec(minilm.PACKAGE) is None:
        pytest.skip("the extra `demo` is not installed")
    encoder = open_encoder("minilm")

    def read(texts: list[str], vector: Any) -> np.ndarray:
        return LayerFeatures(encoder, texts, 64, "fp32", CPU).read(vector)

    texts = []
    for path in sorted((data_dir / "probing").glob("*.te.tsv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            texts += [next(lines).split("\t")[0] for _ in range(2)]
    assert len(set(texts)) == 18
    first = read(texts, "cls")
    assert (first[0] == first[0, :1]).all()
    assert (first[1:, 1:] != first[1:, :1]).any(axis=-1).all()
    # words that change places: the same pieces at other positions, which hardly shows in the mean
    words = texts[-1].split()
    moved = [" ".join(words), " ".join([words[1], words[0], *words[2:]])]
    mean = read(moved, "mean")
    lowest, *others = np.linalg.norm(mean[:, 0] - mean[:, 1], axis=-1)
    assert lowest < 0.2 * min(others)


def test_what_is_there_is_told(encoder: Path) -> None:
    task = task_of(first_word)
    planted = np.random.default_rng(0).normal(size=(2, len(task.sentences), 32)).astype(np.float32)
    for rows in (task.train, task.dev, task.test):
        planted[1, rows.sentences, 0] += 6 * rows.labels
    told = tell(task, planted, Recipe(epochs=5), CPU)
    assert told[1].accuracy > 0.95
    assert told[0].accuracy < task.majority + 0.1


def test_what_differs_by_little_is_told_too(encoder: Path) -> None:
    # as the first token of a pretrained encoder's lower layers: almost the same in all sentences
    task = task_of(first_word)
    planted = np.random.default_rng(0).normal(size=(1, len(task.sentences), 32)).astype(np.float32)
    for rows in (task.train, task.dev, task.test):
        planted[0, rows.sentences, 0] += 6 * rows.labels
    little = 8 + 1e-3 * planted
    little[..., 1] = 8 + 8e-7 * np.sign(planted[..., 1])  # rounding
    assert tell(task, little, Recipe(epochs=10), CPU)[0].accuracy > 0.95
    as_it_stands = tell(task, little, Recipe(epochs=5, standardize=False), CPU)[0]
    assert as_it_stands.accuracy < 0.7


def test_classifiers_side_by_side_are_those_trained_alone() -> None:
    task = task_of(first_word, 200)
    vectors = np.random.default_rng(0).normal(size=(3, len(task.sentences), 16)).astype(np.float32)
    recipe = Recipe(epochs=3, lr=1e-2, standardize=False)
    together = tell(task, vectors, recipe, CPU)
    for number, each in enumerate(together):
        assert tell(task, vectors[number : number + 1], recipe, CPU) == [each]
        assert reference(task, vectors[number], recipe) == pytest.approx(each.accuracy, abs=0.03)
    assert tell(task, vectors, recipe, CPU) == together
    assert tell(task, vectors, replace(recipe, seed=1), CPU) != together


@pytest.mark.parametrize("labels", [2, 5])
def test_gradients_are_those_of_autograd(labels: int) -> None:
    model = Classifiers(3, (7, 6, 6, labels), "x", 0, CPU)
    vectors, answers = torch.randn(3, 11, 7), torch.randint(labels, (11,))
    loss = torch.zeros(())
    flat = model.flat.clone().requires_grad_()
    views = model.views(flat)
    for layer in range(3):
        hidden = vectors[layer]
        for depth in range(3):
            hidden = hidden @ views[2 * depth][layer] + views[2 * depth + 1][layer]
            hidden = F.relu(hidden) if depth < 2 else hidden
        loss = loss + F.cross_entropy(hidden, answers)
    loss.backward()
    for _ in range(2):  # older gradients are written over
        model.write_gradients(vectors, answers)
        torch.testing.assert_close(model.flat.grad, flat.grad, rtol=1e-4, atol=1e-6)


def reference(task: ProbingTask, vectors: np.ndarray, recipe: Recipe) -> float:
    """The same by plain modules, on the same batches."""
    drawn = Classifiers(1, (16, 128, 128, 2), task.name, recipe.seed, CPU)
    linear = [nn.Linear(16, 128), nn.Linear(128, 128), nn.Linear(128, 2)]
    for own, weight, bias in zip(linear, drawn.weights, drawn.biases, strict=True):
        own.weight.data.copy_(weight[0].T)
        own.bias.data.copy_(bias[0, 0])
    model = nn.Sequential(linear[0], nn.ReLU(), linear[1], nn.ReLU(), linear[2])
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.lr)
    order = np.random.default_rng(recipe.seed)

    def right(rows: Any) -> float:
        with torch.no_grad():
            answers = model(torch.from_numpy(vectors[rows.sentences])).argmax(-1)
        return float((answers == torch.from_numpy(rows.labels)).double().mean())

    scores = []
    for _ in range(recipe.epochs):
        shuffled = order.permutation(len(task.train.labels))
        for start in range(0, len(shuffled), recipe.batch_size):
            rows = shuffled[start : start + recipe.batch_size]
            x = torch.from_numpy(vectors[task.train.sentences[rows]])
            loss = F.cross_entropy(model(x), torch.from_numpy(task.train.labels[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scores.append((right(task.dev), right(task.test)))
    return max(scores, key=lambda score: score[0])[1]


def write_task(folder: Path) -> Path:
    folder.mkdir()
    lines = [first_word(words) for words in sentences(60)]
    text = "".join(f"{'te' if n % 3 else 'tr'}\t{b}\t{a}\n" for n, (a, b) in enumerate(lines))
    (folder / "first.txt").write_text(text)
    return folder


def test_a_pretrained_folder_has_its_levels_marked(encoder: Path, tmp_path: Path) -> None:
    import json

    folder = shutil.copytree(encoder, tmp_path / "pretrained")
    config = json.loads((folder / "config.json").read_text())
    config["pretraining_levels"] = {"mlm": 2, "nsp": 1, "bigram": None, "concat": "none"}
    (folder / "config.json").write_text(json.dumps(config))
    data = write_task(tmp_path / "data")
    found = run_probing(str(folder), ProbingConfig(data=data, epochs=1, max_length=32))
    assert found.layers == ("0", "1 (NSP)", "2 (MLM)")
    assert [row["level"] for row in found.score_rows()] == ["", "NSP", "MLM"]
    assert [row["layer"] for row in found.table_rows()] == ["majority", *found.layers]


def test_inputs_longer_than_the_encoder_takes_are_refused(encoder: Path, tmp_path: Path) -> None:
    data = write_task(tmp_path / "data")
    with pytest.raises(RelevanceError, match="max_length"):
        run_probing(str(encoder), ProbingConfig(data=data, max_length=65))
