"""From a corpus to a backbone with levels, and what every command makes of it."""

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from commands import done, refused
from hmnet.backbones.tiny import write_tiny_encoder
from hmnet.measuring.joint_trainer import make_trainer
from hmnet.trained_run import TrainedRun
from relevance.tasks.find import find_tasks
from small_tasks import write_rows
from toys import table

PLAIN = ["the", "a", "dog", "cat", "river", "city", "sleeps", "runs", "in", "and"]
NAMES = ["ann", "bob", "eve"]
torch.set_num_threads(1)
TONE = {"family": "sentiment", "labels": ("bad", "good")}
QUIZ = {
    "family": "question_answering",
    "kind": "span",
    "text": ("question", "context"),
    "label": "answers",
    "labels": (),
    "metrics": ("span_f1", "span_em"),
}
TAGS = {
    "family": "named_entity_recognition",
    "kind": "tokens",
    "text": ("tokens",),
    "label": "tags",
    "labels": ("O", "B-person"),
    "metrics": ("entity_f1",),
}
SPACE = {
    "TONE": ("csv", TONE),
    "MOOD": ("csv", TONE),
    "QUIZ": ("parquet", QUIZ),
    "TAGS": ("jsonl", TAGS),
}


def row(task: str, rng: random.Random) -> dict[str, Any]:
    words, name = rng.choices(PLAIN, k=5), rng.choice(NAMES)
    if task in ("TONE", "MOOD"):
        label = rng.choice(["bad", "good"])
        return {"sentence": " ".join([label, *words]), "label": label}
    words[2:2] = [name]
    if task == "TAGS":
        return {"tokens": words, "tags": ["O"] * 2 + ["B-person"] + ["O"] * 3}
    text = " ".join(words)
    answers = {"text": [name], "answer_start": [text.index(name)]}
    return {"question": "who sleeps", "context": text, "answers": answers}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus, tasks, and an encoder of four layers that was pre-trained on it."""
    folder = tmp_path_factory.mktemp("levels")
    rng = random.Random(0)  # noqa: S311
    for name, (suffix, fields) in SPACE.items():
        low = name.lower()
        for split, count in (("train", 32), ("dev", 8)):
            rows, path = [row(name, rng) for _ in range(count)], folder / low / f"{split}.{suffix}"
            if suffix == "parquet":
                path.parent.mkdir(exist_ok=True)
                pq.write_table(pa.Table.from_pylist(rows), path)
            else:
                write_rows(path, rows)
        text = table(name, f"{low}/train.{suffix}", f"{low}/dev.{suffix}", **fields)
        (folder / f"{low}.toml").write_text(text)
    sentences = [" ".join(rng.choices(PLAIN + NAMES, k=6)).capitalize() + "." for _ in range(200)]
    documents = [" ".join(sentences[at : at + 5]) for at in range(0, 200, 5)]
    (folder / "corpus.txt").write_text("\n\n".join(documents))
    words = " ".join([*PLAIN, *NAMES, "good bad who ."])
    write_tiny_encoder(folder / "encoder", [words], depth=4)
    done(
        *("hmnet", "pretrain", "--corpus", folder / "corpus.txt"),
        *("--backbone", folder / "encoder", "--nsp-layer", 2, "--steps", 6, "--max-length", 24),
        *("--long-length", 48, "--batch-size", 8, "--device", "cpu", "--out", folder / "lower"),
    )
    return folder


def options(world: Path, *tasks: str, backbone: str = "lower") -> list[object]:
    files = ",".join(str(world / f"{task.lower()}.toml") for task in tasks)
    return [
        *("--tasks", files, "--backbone", world / backbone, "--epochs", 1, "--batch-size", 8),
        *("--max-length", 24, "--lr", 1e-3, "--precision", "fp32", "--device", "cpu"),
    ]


@pytest.fixture(scope="module")
def run(world: Path) -> Path:
    given = options(world, "TONE", "QUIZ")
    out = world / "run"
    done("hmnet", "train", *given, "--method", "multi", "--concat", "nsp", "--out", out)
    return out


def answer(run: Path) -> list[str]:
    line = json.dumps({"text": ["good dog ann"]}) + "\n"
    quiz = json.dumps({"text": ["who sleeps", "the dog ann runs"]}) + "\n"
    return [
        done("hmnet", "predict", run, "--task", task, "--input", "-", stdin=text.encode()).out
        for task, text in (("TONE", line), ("QUIZ", quiz))
    ]


def test_a_run_keeps_the_levels_and_every_command_reads_them(run: Path, world: Path) -> None:
    assert 'concat = "nsp"' in (run / "config.toml").read_text()
    assert json.loads((run / "model" / "plan.json").read_text())["concat"] == "nsp"
    model = TrainedRun.load(run).model_for("TONE")
    assert (model.readings["TONE"].own, model.readings["QUIZ"].own) == (2, 4)
    first = answer(run)
    (world / "lower").rename(world / "elsewhere")  # the run needs its backbone no more
    try:
        assert answer(run) == first
        assert "span_em" in done("hmnet", "evaluate", run).out
        done("hmnet", "export", run, "--task", "TONE", "--out", world / "exported")
    finally:
        (world / "elsewhere").rename(world / "lower")
    assert json.loads((world / "exported" / "config.json").read_text())["num_hidden_layers"] == 2
    text = refused("hmnet", "export", run, "--task", "QUIZ", "--out", world / "quiz-out")
    assert "--concat nsp joins" in text


def test_tasks_are_added_at_their_levels(run: Path, world: Path) -> None:
    before = answer(run)
    out = world / "added"
    files = f"{world / 'mood.toml'},{world / 'tags.toml'}"
    done("hmnet", "add-task", run, "--tasks", files, "--init", "random", "--out", out)
    assert answer(out) == before
    assert json.loads((out / "model" / "plan.json").read_text())["concat"] == "nsp"
    line = json.dumps({"tokens": ["the", "dog", "ann"]}) + "\n"
    said = done("hmnet", "predict", out, "--task", "TAGS", "--input", "-", stdin=line.encode())
    assert len(json.loads(said.out)["labels"]) == 3
    lower = world / "sentences"
    done("hmnet", "train", *options(world, "TONE"), "--method", "multi", "--out", lower)
    config = json.loads((lower / "model" / "backbone_config.json").read_text())
    assert config["num_hidden_layers"] == 2
    given = ("--tasks", world / "tags.toml", "--init", "random", "--out", world / "no")
    assert "reads layer 4" in refused("hmnet", "add-task", lower, *given)
    assert not (world / "no").exists()


def test_a_study_has_tasks_at_their_levels_and_keys_of_its_own(world: Path) -> None:
    tasks = find_tasks([str(world / "tone.toml"), str(world / "tags.toml")])
    settings = {"backbone": str(world / "lower"), "max_length": 16, "epochs": 1}
    plain, joined = (
        make_trainer(tasks, {**settings, "concat": concat}, device="cpu")
        for concat in ("none", "cls")
    )
    for run in (("TONE",), ("TAGS",), ("TAGS", "TONE")):
        assert plain.fingerprint_of(run) != joined.fingerprint_of(run)
        losses = [
            {task: found.loss for task, found in trainer(run, 0, "cpu").items()}
            for trainer in (plain, joined)
        ]
        assert losses[0].keys() == losses[1].keys() == set(run)
        # what is joined stands in heads of tokens alone
        assert (losses[0] == losses[1]) == (run == ("TONE",))


@pytest.mark.parametrize(
    ("tasks", "backbone", "reason"),
    [
        (("QUIZ",), "encoder", "the backbone has no layer for that"),
        (("TONE",), "lower", "none of these tasks labels parts of a text"),
    ],
)
def test_what_cannot_be_joined_is_told_in_one_line(
    world: Path, tmp_path: Path, tasks: tuple[str, ...], backbone: str, reason: str
) -> None:
    given = options(world, *tasks, backbone=backbone)
    out = tmp_path / "out"
    assert reason in refused("hmnet", "train", *given, "--concat", "cls", "--out", out)
    assert not out.exists()


def test_counting_goes_by_levels(world: Path) -> None:
    files = ["--tasks", f"{world / 'tone.toml'},{world / 'tags.toml'}"]
    given = [*files, "--backbone", world / "lower", "--method", "multi"]
    counted = json.loads(done("hmnet", "count", *given).out)
    joined = json.loads(done("hmnet", "count", *given, "--concat", "cls").out)
    assert counted["active"]["TONE"] < counted["active"]["TAGS"]
    assert joined["overall"] - counted["overall"] == 2 * 16  # two labels read 16 values more


LAYOUT = """
runs = "rows"
by = ["name", "pretrained_concat", "concat", "nsp_layer"]
own_tasks = ["NONE"]
[[score]]
name = "corpus"
family = "Quiz"
task = "QUIZ"
metric = ["span_em", "span_f1"]
where = { corpus = ["*corpus.txt*"] }
[[score]]
name = "other"
family = "Quiz"
task = "quiz"
metric = ["span_em", "span_f1"]
where = { corpus = ["*wiki*"] }
[[score]]
name = "none"
task = "NONE"
metric = "accuracy"
"""


def test_a_layout_reads_what_a_run_keeps_of_its_backbone(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(LAYOUT)
    shown = done("hmnet", "compare", run, "--layout", file).out
    rows = [line for line in shown.splitlines() if line.startswith("| multi ")]
    assert [cell.strip() for cell in rows[0].split("|")[2:5]] == ["none", "nsp", "2"]
    assert "Quiz: corpus (EM / F1)" in shown
    assert "No run has a score of Quiz: other, none." in shown
    said = refused("hmnet", "compare", run, "--layout", file, "--figure", "f.pdf")
    assert said == "--figure draws the table without --layout. Leave one of them out."
    file.write_text(LAYOUT.replace('"NONE"\nmetric', '"NONNE"\nmetric'))
    said = refused("hmnet", "compare", run, "--layout", file)
    assert said.startswith(f"{file}: score 'none': Unknown task 'NONNE'. Did you mean 'NONE'?")


def test_tasks_that_read_a_level_below_their_own_layers_are_told(
    world: Path, tmp_path: Path
) -> None:
    clusters = tmp_path / "out.json"
    clusters.write_text(json.dumps({"clusters": [["TONE"], ["QUIZ"]]}))
    said = done(
        *("hmnet", "train", *options(world, "TONE", "QUIZ"), "--clusters", clusters),
        *("--out", tmp_path / "run"),
    ).err
    # four layers are two shared ones, one of the cluster, one of the task
    assert (
        "TONE read layer 2 and have no cluster and task layers, which lie above it. --layers with"
        " fewer shared ones gives them some." in said
    )
    assert "QUIZ read" not in said
