"""Tags and answers in every command: learned by a tiny encoder, and exported for others to use."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

from commands import done, quick_options, refused, trained_on_all
from hmnet.backbones.tiny import write_tiny_encoder
from relevance.matrices.matrix import load_matrix
from toys import table

PLAIN = ["the", "a", "dog", "cat", "river", "city", "sleeps", "runs", "in", "and"]
FIRST, LAST = ["ann", "bob", "eve"], ["stone", "field", "wood"]
NAMES = {
    "family": "named_entity_recognition",
    "kind": "tokens",
    "text": ("tokens",),
    "label": "tags",
    "labels": ("O", "B-person", "I-person"),
    "metrics": ("entity_f1",),
}
QUIZ = {
    "family": "question_answering",
    "kind": "span",
    "text": ("question", "context"),
    "label": "answers",
    "labels": (),
    "metrics": ("span_f1", "span_em"),
}
TONE = {"family": "sentiment", "labels": ("bad", "good")}
TASKS = "\n".join(
    (
        table("NAMES", "names/train.jsonl", "names/dev.jsonl", **NAMES),
        table("QUIZ", "quiz/train.parquet", "quiz/dev.parquet", **QUIZ),
        table("TONE", "tone/train.csv", "tone/dev.csv", **TONE),
    )
)


def names_row(rng: random.Random) -> dict[str, Any]:
    """Words among which there may be a name of one or two."""
    words = rng.choices(PLAIN, k=rng.randint(1, 5))
    tags = ["O"] * len(words)
    at = rng.randrange(len(words))
    name = [rng.choice(FIRST), rng.choice(LAST)][: rng.randint(0, 2)]
    words[at:at], tags[at:at] = name, ["B-person", "I-person"][: len(name)]
    return {"tokens": words, "tags": tags}


def quiz_row(rng: random.Random, words: int) -> dict[str, Any]:
    """A text with a name in it, which is the answer."""
    context = rng.choices(PLAIN, k=words)
    name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
    context.insert(rng.randrange(words), name)
    text = " ".join(context)
    answers = {"text": [name], "answer_start": [text.index(name)]}
    return {"question": "who sleeps", "context": text, "answers": answers}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tasks and an encoder of one token per word."""
    folder = tmp_path_factory.mktemp("kinds")
    for number, (split, count, length) in enumerate([("train", 320, 6), ("dev", 24, 30)]):
        rng = random.Random(number)  # noqa: S311
        for task in ("names", "quiz", "tone"):
            (folder / task).mkdir(exist_ok=True)
        names = [names_row(rng) for _ in range(count)]
        (folder / "names" / f"{split}.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in names)
        )
        quiz = [quiz_row(rng, length) for _ in range(count)]
        pq.write_table(pa.Table.from_pylist(quiz), folder / "quiz" / f"{split}.parquet")
        tone = [rng.choice(["good", "bad"]) for _ in range(40)]
        (folder / "tone" / f"{split}.csv").write_text(
            "".join(f"{a},{b}\n" for a, b in [("sentence", "label"), *((t, t) for t in tone)])
        )
    (folder / "tasks.toml").write_text(TASKS)
    texts = [" ".join([*PLAIN, *FIRST, *LAST]), "who good bad"]
    write_tiny_encoder(folder / "encoder", texts, width=32, depth=2)
    return folder


@pytest.fixture(scope="module")
def quick(world: Path) -> list[object]:
    return quick_options(world, "encoder")


@pytest.fixture(scope="module")
def run(world: Path, quick: list[object]) -> Path:
    return trained_on_all(world, quick)


def test_both_are_learned(run: Path) -> None:
    with (run / "scores.csv").open() as file:
        scores = {
            (row["run"], row["task"], row["metric"]): float(row["value"])
            for row in csv.DictReader(file)
        }
    assert scores["multi", "NAMES", "entity_f1"] > 0.9
    assert scores["majority", "NAMES", "entity_f1"] == 0
    # dev texts have 30 words, of which 14 fit beside the question: the answer is in one of windows
    assert scores["multi", "QUIZ", "span_em"] > 0.7 > 0.3 > scores["majority", "QUIZ", "span_em"]
    assert scores["multi", "QUIZ", "span_f1"] >= scores["multi", "QUIZ", "span_em"]
    assert "entity_f1" in done("hmnet", "evaluate", run).out


def answers(run: Path, task: str, *lines: dict[str, Any]) -> list[dict[str, Any]]:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    out = done("hmnet", "predict", run, "--task", task, "--input", "-", stdin=text.encode()).out
    return [json.loads(line) for line in out.splitlines()]


def test_a_dry_run_says_what_training_takes_and_writes_nothing(
    quick: list[object], tmp_path: Path
) -> None:
    options = ("--method", "multi", "--max-steps-per-task", 2, "--dry-run")
    shown = done("hmnet", "train", *quick, *options, "--out", tmp_path / "run").out.splitlines()
    assert [line.split("|")[1].strip() for line in shown[2:5]] == ["NAMES", "QUIZ", "TONE"]
    assert [line.split()[0] for line in shown[5:]] == ["time", "memory", "disk"]
    assert not (tmp_path / "run").exists()


def test_uncertainty_ranks_rows_of_every_kind(quick: list[object], tmp_path: Path) -> None:
    options = ("--method", "multi", "--sampler", "uncertainty", "--max-steps-per-task", 3)
    done("hmnet", "train", *quick, *options, "--out", tmp_path / "run")
    log = (tmp_path / "run" / "log.jsonl").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert len(lines) == 3
    for line in lines:
        assert line["uncertainty"].keys() == {"NAMES", "QUIZ", "TONE"}
        assert all(0 < value <= 1 for value in line["uncertainty"].values())
        assert sum(line["rows"].values()) == 16


def test_words_get_tags(run: Path) -> None:
    words = ["the", "dog", "and", "eve", "stone", "sleeps"]
    listed, typed = answers(
        run, "NAMES", {"tokens": words}, {"text": ["the dog  and eve stone\tsleeps"]}
    )
    assert listed == typed
    assert list(listed) == ["task", "tokens", "labels", "probabilities", "entities"]
    assert listed["tokens"] == words
    assert listed["labels"] == ["O", "O", "O", "B-person", "I-person", "O"]
    assert listed["entities"] == [{"type": "person", "start": 3, "end": 5, "text": "eve stone"}]
    assert all(1 / 3 <= chance <= 1 for chance in listed["probabilities"])


def test_an_answer_far_from_the_beginning_is_found(run: Path) -> None:
    context = " ".join([*PLAIN * 4, "bob wood", *PLAIN])
    columns = {"question": "who sleeps", "context": context}
    named, listed = answers(run, "QUIZ", columns, {"text": ["who sleeps", context]})
    assert named == listed
    start = context.index("bob")
    assert (named["answer"], named["start"], named["end"]) == ("bob wood", start, start + 8)
    assert 0 < named["probability"] <= 1


def test_all_tasks_answer_texts_that_they_can_read(run: Path) -> None:
    found = answers(run, "NAMES,TONE", {"text": ["good"]}, {"text": ["ann runs"]})
    assert [(one["task"], len(one)) for one in found] == [("NAMES", 5), ("TONE", 3)] * 2


@pytest.mark.parametrize(
    ("task", "line", "message"),
    [
        ("NAMES", {"text": ["a", "b"]}, "task 'NAMES' reads one text, got 2 under 'text'."),
        ("NAMES", {"tokens": "a b"}, "column 'tokens' is 'a b', expected a list of words"),
        ("QUIZ", {"text": ["who"]}, "task 'QUIZ' reads a question and a context, got 1 under"),
    ],
)
def test_a_line_that_cannot_be_read(
    run: Path, tmp_path: Path, task: str, line: dict[str, Any], message: str
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(line))
    assert message in refused("hmnet", "predict", run, "--task", task, "--input", path)


def test_exported_models_say_the_same(run: Path, tmp_path: Path) -> None:
    texts = {"NAMES": ["the dog and eve stone"], "QUIZ": ["who sleeps", "the dog and ann field"]}
    (tagged,) = answers(run, "NAMES", {"text": texts["NAMES"]})
    (found,) = answers(run, "QUIZ", {"text": texts["QUIZ"]})
    for task in texts:
        done("hmnet", "export", run, "--task", task, "--out", tmp_path / task)

    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "NAMES")
    tagger = AutoModelForTokenClassification.from_pretrained(tmp_path / "NAMES")
    with torch.no_grad():
        logits = tagger(**tokenizer(texts["NAMES"], return_tensors="pt")).logits[0, 1:-1]
    assert [tagger.config.id2label[code] for code in logits.argmax(1).tolist()] == tagged["labels"]
    chances = logits.softmax(dim=1).amax(dim=1)
    assert chances.tolist() == pytest.approx(tagged["probabilities"], abs=1e-5)

    reader = AutoModelForQuestionAnswering.from_pretrained(tmp_path / "QUIZ")
    inputs = tokenizer(*texts["QUIZ"], return_tensors="pt", return_offsets_mapping=True)
    offsets = inputs.pop("offset_mapping")[0]
    with torch.no_grad():
        said = reader(**inputs)
    first, last = (int(logits[0].argmax()) for logits in (said.start_logits, said.end_logits))
    assert (int(offsets[first, 0]), int(offsets[last, 1])) == (found["start"], found["end"])


def test_counting(quick: list[object]) -> None:
    out = done("hmnet", "count", *quick[:4], "--method", "multi").out
    counted = json.loads(out)["active"]
    width, pooler = 32, 32 * 33
    assert counted["NAMES"] - counted["QUIZ"] == width + 1  # three outputs and two, no poolers
    assert counted["TONE"] - counted["QUIZ"] == pooler


@pytest.mark.usefixtures("_inline")
def test_gains_and_vocabularies(quick: list[object], tmp_path: Path) -> None:
    out = tmp_path / "gains.json"
    options = [*quick, "--epochs", 1, "--max-train", 64, "--max-dev", 12, "--gpus", 0]
    options += ["--single-seeds", 1, "--normalise", "absolute", "--drop-overlap"]
    done("relevance", "pairwise", *options, "--out", out)
    gains = load_matrix(out)
    assert np.isfinite(gains.values).all()
    assert gains.standard_errors is not None  # of the evaluation, by resampling rows
    assert np.isfinite(gains.standard_errors).all()

    tasks = quick[:2]
    done("relevance", "vocab", *tasks, "--tokenizer", "word", "--out", out)
    overlap = load_matrix(out)
    assert overlap.values[0, 1] == pytest.approx(16 / 17)  # all words of QUIZ but "who"


@pytest.mark.parametrize(
    "measure", ["logme", "h-score", "fisher", "linearised", "usable-information"]
)
def test_estimators_that_need_a_label_for_each_row(
    quick: list[object], tmp_path: Path, measure: str
) -> None:
    options = [*quick, "--epochs", 1, "--out", tmp_path / "m.json"]
    assert refused("relevance", "estimate", measure, *options) == (
        f"Measure '{measure}' needs one label or value for each row, but task 'NAMES' is of kind"
        " tokens. Leave it out, or take embedding, gradient-cosine or lookahead, which read any."
    )


@pytest.mark.parametrize("measure", ["embedding", "gradient-cosine", "lookahead"])
def test_estimators_that_read_any_kind(quick: list[object], tmp_path: Path, measure: str) -> None:
    options = [*quick, "--epochs", 1, "--max-train", 64, "--max-dev", 12]
    done("relevance", "estimate", measure, *options, "--out", tmp_path / "m.json")
    assert np.isfinite(load_matrix(tmp_path / "m.json").values).all()


NEEDS_ONE = (
    "--regularizer smart needs one label or value for each row, but task 'NAMES' is of kind tokens."
    " Leave out the task or the regularizer."
)
NEEDS_A_WHOLE = (
    "Head 'siamese-difference' answers a text as a whole, but task 'NAMES' is of kind tokens. Give"
    " it another, such as --head siamese-difference,NAMES=linear."
)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--regularizer", "smart"), NEEDS_ONE),
        (("--head", "siamese-difference"), NEEDS_A_WHOLE),
    ],
)
def test_what_does_not_go_together(
    quick: list[object], tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    out = tmp_path / "run"
    assert refused("hmnet", "train", *quick, "--method", "multi", *options, "--out", out) == message
    assert not out.exists()
