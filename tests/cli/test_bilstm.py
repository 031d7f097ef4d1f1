"""A BiLSTM on word vectors by command: sentence, pair and span tasks, and what it cannot do."""

import csv
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

import hmnet
from commands import done, quick_options, refused, trained_on_all
from hmnet.training.hooks.progress import Progress
from relevance.errors import RelevanceError
from small_tasks import write_rows
from toys import table
from vectors import WORDS, write_small_vectors

SAME = {"text": ("one", "other"), "labels": ("same", "other")}
QUIZ = {
    "kind": "span",
    "text": ("question", "context"),
    "label": "answers",
    "labels": (),
    "metrics": ("span_f1", "span_em"),
}
PLAIN = ["the", "a", "dog", "cat", "river", "city", "sleeps", "runs", "in", "and"]
NAMES = ["ann", "bob", "eve", "stone"]


def rows(rng: random.Random, count: int) -> dict[str, list[dict[str, object]]]:
    """Rows of the tasks, each decided by single words."""
    tone, same, quiz = [], [], []
    for _ in range(count):
        words = rng.choices(PLAIN, k=rng.randint(2, 7))
        good = rng.randrange(2)
        tone.append(
            {"sentence": " ".join([*words, ("bad", "good")[good]]), "label": ("no", "yes")[good]}
        )
        other = rng.randrange(2)
        name = rng.choice(NAMES)
        second = rng.choice([each for each in NAMES if each != name]) if other else name
        same.append({"one": name, "other": second, "label": ("same", "other")[other]})
        context = " ".join([*words[:2], name, *words[2:]])
        answers = {"text": [name], "answer_start": [context.index(name)]}
        quiz.append({"question": "who sleeps", "context": context, "answers": answers})
    return {"tone": tone, "same": same, "quiz": quiz}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tasks and vectors."""
    folder = tmp_path_factory.mktemp("bilstm")
    for seed, (split, count) in enumerate([("train", 96), ("dev", 24)]):
        for task, each in rows(random.Random(seed), count).items():  # noqa: S311
            write_rows(folder / task / f"{split}.jsonl", each)
    write_rows(folder / "new" / "train.jsonl", rows(random.Random(7), 24)["tone"])  # noqa: S311
    (folder / "tasks.toml").write_text(
        table("TONE", "tone/train.jsonl", "tone/dev.jsonl", labels=("no", "yes"))
        + table("SAME", "same/train.jsonl", "same/dev.jsonl", **SAME)
        + table("QUIZ", "quiz/train.jsonl", "quiz/dev.jsonl", **QUIZ)
    )
    (folder / "new.toml").write_text(table("NEW", "new/train.jsonl", "new/train.jsonl"))
    write_small_vectors(folder / "small.vec")
    return folder


@pytest.fixture(autouse=True)
def _cache(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELEVANCE_CACHE", str(world / "cache"))


@pytest.fixture(scope="module")
def quick(world: Path) -> list[object]:
    return [*quick_options(world, "small.vec", max_length=24), "--device", "cpu"]


@pytest.fixture(scope="module")
def run(world: Path, quick: list[object]) -> Path:
    return trained_on_all(world, quick, epochs=4)


def scores(run: Path) -> dict[tuple[str, str], float]:
    with (run / "scores.csv").open() as file:
        return {
            (row["task"], row["metric"]): float(row["value"])
            for row in csv.DictReader(file)
            if row["run"] != "majority"
        }


def test_sentences_pairs_and_answers_are_learned(run: Path) -> None:
    found = scores(run)
    assert found["TONE", "accuracy"] == 1
    assert found["SAME", "accuracy"] > 0.9
    assert found["QUIZ", "span_em"] > 0.9


def test_a_saved_run_answers_as_it_was_scored(run: Path, world: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(run, tmp_path / "moved")
    again = hmnet.load(moved).evaluate(device="cpu")
    assert {(one.task, one.metric): one.value for one in again if one.run != "majority"} == scores(
        run
    )
    lines = [json.loads(line) for line in (world / "same" / "dev.jsonl").read_text().splitlines()]
    answers = hmnet.load(moved).predict(lines, "SAME")
    right = sum(
        answer["label"] == line["label"] for answer, line in zip(answers, lines, strict=True)
    )
    assert right / len(lines) == scores(run)["SAME", "accuracy"]


def test_frozen_vectors_stay_those_of_the_file(world: Path, quick: list[object]) -> None:
    out = world / "frozen"
    done(
        *("hmnet", "train", *quick, "--epochs", 1, "--method", "multi"),
        *("--freeze", "embeddings", "--out", out),
    )
    vectors = hmnet.load(out).model.module("shared.outside").word_embeddings.weight
    file = [line.split(" ") for line in (world / "small.vec").read_text().splitlines()[1:]]
    np.testing.assert_array_equal(
        vectors[4:].detach().numpy(),
        np.array([numbers for _, *numbers in file], dtype=np.float32),
    )


def test_the_other_commands_see_it_as_any_backbone(
    run: Path, world: Path, quick: list[object]
) -> None:
    count = done("hmnet", "count", *quick[:4], "--method", "multi").out
    lstm = 2 * 4 * 256 * (8 + 256 + 2)
    assert json.loads(count)["backbone"] == lstm + (len(WORDS) + 4) * 8
    assert "QUIZ" in done("hmnet", "compare", run).out
    out = world / "added"
    done("hmnet", "add-task", run, "--tasks", world / "new.toml", "--init", "TONE", "--out", out)
    assert {key: scores(out)[key] for key in scores(run)} == scores(run)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--method", "hmnet"], "too few for the three levels"),
        (["--method", "multi", "--freeze", "2"], "more than the backbone's 1 layers"),
        (["--method", "adapters"], "is not built as method 'adapters' needs it"),
        (["--method", "pals"], "is not built as method 'pals' needs it"),
        (["--method", "camtl"], "is not built as method 'camtl' needs it"),
        (["--method", "multi", "--concat", "cls"], "has no layer for that"),
        (["--method", "multi", "--head", "siamese"], "task 'QUIZ' is of kind span"),
    ],
)
def test_what_needs_a_transformer_is_one_line(
    world: Path, quick: list[object], options: list[str], said: str
) -> None:
    if options[1] == "hmnet":
        content = {"clusters": [["TONE", "SAME"], ["QUIZ"]]}
        (world / "clusters.json").write_text(json.dumps(content))
        options = [*options, "--clusters", str(world / "clusters.json")]
    assert said in refused("hmnet", "train", *quick, *options, "--out", world / "refused")
    assert not (world / "refused").exists()


def test_no_checkpoint_can_express_it(run: Path, world: Path, quick: list[object]) -> None:
    said = refused("hmnet", "export", run, "--task", "TONE", "--out", world / "exported")
    assert "a family that transformers does not have" in said
    program = ["--format", "torch", "--out", world / "exported"]
    for which in (["--task", "TONE"], ["--all"]):
        said = refused("hmnet", "export", run, *which, *program)
        assert "torch.export then fixes the program to one length. Ask the run itself" in said
    corpus = world / "corpus.txt"
    corpus.write_text("the dog runs . the cat sleeps .\n\na man saw it . the river runs .\n")
    said = refused(
        *("hmnet", "pretrain", "--corpus", corpus, "--backbone", world / "small.vec"),
        *("--steps", 1, "--out", world / "pretrained"),
    )
    assert "holds word vectors, and there is no pre-training" in said


def test_new_tasks_want_the_words_of_the_run(world: Path, quick: list[object]) -> None:
    vectors = write_small_vectors(world / "changed.vec")
    options = [*quick[:2], "--backbone", vectors, *quick[4:], "--max-train", 32]
    done("hmnet", "train", *options, "--epochs", 1, "--method", "multi", "--out", world / "old")
    write_small_vectors(vectors, WORDS[::-1])
    said = refused(
        *("hmnet", "add-task", world / "old", "--tasks", world / "new.toml", "--init", "TONE"),
        *("--out", world / "wrong"),
    )
    assert "has other words than when" in said
    assert not (world / "wrong").exists()


def test_a_run_is_gone_on_with_on_the_same_vectors_only(world: Path, tmp_path: Path) -> None:
    vectors, out = write_small_vectors(tmp_path / "mine.vec"), tmp_path / "run"
    settings = {
        "tasks": [str(world / "tasks.toml")],
        "backbone": str(vectors),
        "method": "single",
        "batch_size": 16,
        "max_length": 24,
        "max_train": 16,
        "epochs": 1,
        "device": "cpu",
    }

    def stop(event: object) -> None:
        if isinstance(event, Progress) and event.step == 2:  # the first task has its model by then
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hmnet.train(out=out, on_event=stop, **settings)
    whole = vectors.read_text()
    vectors.write_text(whole.replace("dog -", "dog ", 1))
    said = r"run was started with other weights or word vectors than .*mine\.vec has now\."
    with pytest.raises(RelevanceError, match=said):
        hmnet.train(out=out, resume=True, **settings)
    vectors.write_text(whole)
    run = hmnet.train(out=out, resume=True, **settings)
    assert {score.task for score in run.scores} == {"TONE", "SAME", "QUIZ"}
    assert not (out / "start.json").exists()


def test_faults_of_the_file_come_before_anything_is_written(
    world: Path, quick: list[object], tmp_path: Path
) -> None:
    (tmp_path / "bad.vec").write_text("2 3\nthe 1 2 3\ndog 4 5\n")
    options = [*quick, "--backbone", tmp_path / "bad.vec", "--method", "multi"]
    said = refused("hmnet", "train", *options, "--out", tmp_path / "run")
    assert "bad.vec, line 3: a word and 2 numbers, where the first line says 3" in said
    assert not (tmp_path / "run").exists()
