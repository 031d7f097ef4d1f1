"""Runs from Python: train, open, ask, score, export, compare, extend."""

import csv
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from transformers import AutoModelForSequenceClassification

import hmnet
from commands import done
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from toys import table

ELEMENTS = {"table", "thead", "tbody", "tr", "th", "td", "b"}
ATTACK = "<img src=x onerror=alert(1)>"
TONE = {"family": "sentiment", "labels": ("bad", ATTACK)}
PAIR = {"family": "pairs", "text": ("first", "second"), "labels": ("other", "same")}
NEW = {"family": "sentiment", "labels": ("bad", "good")}


def write_tasks(folder: Path) -> dict[str, str]:
    """Two files of tasks: TONE and PAIR, and NEW."""
    tone, pair, new = (
        table(name, f"{name}.csv", **fields)
        for name, fields in {"TONE": TONE, "PAIR": PAIR, "NEW": NEW}.items()
    )
    texts = {"TONE": f"{tone}\n{pair}", "NEW": new}
    files = {"TONE": ("sentence",), "NEW": ("sentence",), "PAIR": ("first", "second")}
    for name, columns in files.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*columns, "label"])
            writer.writerows(
                [f"a film {n}", *("b film",) * (len(columns) - 1), n % 2] for n in range(8)
            )
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text)
    return {name: str(folder / f"{name}.toml") for name in texts}


pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return write_tasks(tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="module")
def settings(files: dict[str, str], tiny_bert: Path) -> dict[str, Any]:
    return {
        "tasks": [files["TONE"]],
        "data_dir": str(Path(files["TONE"]).parent),
        "backbone": str(tiny_bert),
        "epochs": 1,
        "max_length": 16,
        "device": "cpu",
    }


@pytest.fixture(scope="module")
def run(settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> hmnet.TrainedRun:
    spec = ClusterSpec(clusters=(("TONE",), ("PAIR",)))
    out = tmp_path_factory.mktemp("runs") / ATTACK.replace("/", "")
    return hmnet.train(clusters=spec, out=out, name=ATTACK, **settings)


def test_a_run_is_the_one_that_the_command_trains(
    run: hmnet.TrainedRun, settings: dict[str, Any], tmp_path: Path
) -> None:
    spec = tmp_path / "out.json"
    ClusterSpec.load(run.folder / "clusters.json").save(spec)
    options = [f"--{name.replace('_', '-')}" for name in settings]
    values = [",".join(v) if isinstance(v, list) else str(v) for v in settings.values()]
    arguments = [part for pair in zip(options, values, strict=True) for part in pair]
    done("hmnet", "train", *arguments, "--clusters", spec, "--out", tmp_path / "run")
    other = hmnet.load(tmp_path / "run")
    assert [score.value for score in other.scores] == [score.value for score in run.scores]
    assert other.predict(["a film 1"], "TONE") == run.predict(["a film 1"], "TONE")


def test_settings_events_and_the_folder_are_what_was_asked_for(
    run: hmnet.TrainedRun, settings: dict[str, Any], tmp_path: Path
) -> None:
    assert run.config.epochs == 1
    assert run.config.method.name == "hmnet"
    events: list[object] = []
    again = hmnet.train(
        clusters=run.folder / "clusters.json",
        out=str(run.folder),
        name=ATTACK,
        resume=True,
        on_event=events.append,
        **settings,
    )
    assert again == run
    assert len(events) == 1  # that it is finished
    with pytest.raises(RelevanceError, match="exists"):
        hmnet.train(clusters=run.folder / "clusters.json", out=run.folder, **settings)
    with pytest.raises(RelevanceError, match=r"settings: Unknown field 'epoch'. Did you mean 'epo"):
        hmnet.train(out=tmp_path / "new", epoch=1)
    assert not (tmp_path / "new").exists()


def test_texts_pairs_rows_and_frames_are_answered_alike(run: hmnet.TrainedRun) -> None:
    texts = ["a film 1", "dull"]
    answers = run.predict(texts, task="TONE")
    assert [answer["task"] for answer in answers] == ["TONE", "TONE"]
    assert list(answers[0]["probabilities"]) == ["bad", ATTACK]
    assert sum(answers[0]["probabilities"].values()) == pytest.approx(1)
    rows = [{"sentence": text} for text in texts]
    assert run.predict(rows, task="TONE") == answers
    assert run.predict(pd.DataFrame(rows), task="TONE") == answers
    assert run.predict(iter(texts), task=["tone"]) == answers
    assert hmnet.predict(run.folder, texts, task="TONE") == answers
    for one in (texts[0], rows[0]):
        assert run.predict(one, task="TONE") == run.predict([texts[0]], task="TONE")
    pairs = run.predict([("a film", "b film")], task="PAIR")
    assert pairs == run.predict({"first": "a film", "second": "b film"}, task="PAIR")
    assert [answer["task"] for answer in run.predict([("a", "b"), "c"])] == ["TONE", "PAIR"] * 2
    assert run.predict([], task="TONE") == []
    assert run.predict([("a", "b")], task="all") == run.predict([("a", "b")])


def test_a_stream_is_answered_before_it_ends(run: hmnet.TrainedRun) -> None:
    endless = (f"film {number}" for number in itertools.count())
    answers = itertools.islice(run.stream(endless, "TONE", batch_size=2), 3)
    whole = run.predict(["film 0", "film 1", "film 2"], "TONE")
    for one, other in zip(answers, whole, strict=True):  # padding changes the last digits
        assert one["probabilities"] == pytest.approx(other["probabilities"], rel=1e-5)


def test_answers_are_those_of_the_command(run: hmnet.TrainedRun, tmp_path: Path) -> None:
    lines = tmp_path / "in.jsonl"
    lines.write_text('{"idx": 3, "sentence": "a film"}\n')
    out = done(
        "hmnet", "predict", run.folder, "--task", "TONE", "--input", lines, "--device", "cpu"
    )
    assert run.predict({"idx": 3, "sentence": "a film"}, "TONE", device="cpu") == [
        json.loads(out.out)
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([3], "input, row 1: expected a text, a tuple of texts or an object"),
        (["a", {"text": 3}], "input, row 2: 'text' must be a list"),
        ([{"words": "a"}], "input, row 1: column 'sentence' of task 'TONE' is missing"),
        ([("a", 2)], "input, row 1: text 2 of the list must be a string"),
        ([{"sentence": None}], "input, row 1: "),
    ],
)
def test_what_is_no_text_is_named_by_its_row(
    run: hmnet.TrainedRun, rows: list[Any], said: str
) -> None:
    with pytest.raises(RelevanceError) as error:
        run.predict(iter(rows), task="TONE")
    assert said in str(error.value)
    with pytest.raises(RelevanceError, match="might be one row or several"):
        run.predict(("a film", "b film"), task="PAIR")
    with pytest.raises(RelevanceError, match=r"Unknown task 'TON'. Did you mean 'TONE'"):
        run.predict(["a"], task="TON")


def test_scores_are_read_and_made_anew(run: hmnet.TrainedRun) -> None:
    assert run.evaluate() == run.scores
    assert {score.task for score in run.evaluate(tasks=["PAIR"])} == {"PAIR"}
    assert hmnet.evaluate(str(run.folder), splits=["dev"]) == run.scores
    with pytest.raises(RelevanceError, match="Unknown split 'deev'"):
        run.evaluate(splits=["deev"])


def test_the_model_and_a_plain_checkpoint_of_it(run: hmnet.TrainedRun, tmp_path: Path) -> None:
    assert isinstance(run.model, hmnet.MultiTaskModel)
    assert run.model is run.model_for("PAIR")
    folder = run.export("tone", tmp_path / "tone")
    plain = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        encoded = run.tokenizer("a film 1", return_tensors="pt")
        logits = plain(**encoded).logits.softmax(-1)[0].tolist()
    (answer,) = run.predict("a film 1", "TONE", device="cpu")
    assert list(answer["probabilities"].values()) == pytest.approx(logits, abs=1e-6)


def test_several_models_are_asked_for_by_task(settings: dict[str, Any], tmp_path: Path) -> None:
    single = hmnet.train(out=tmp_path / "single", method="single", **settings)
    with pytest.raises(RelevanceError, match=r"has 2 models.*run\.model_for\(task\)"):
        _ = single.model
    assert single.model_for("TONE").plan.tasks == ("TONE",)
    assert len(single.predict("a", "TONE")) == 1
    compared = hmnet.compare([tmp_path / "single", single.folder.parent / "single"][:1])
    assert compared.columns == ("majority class", "single")


def test_runs_are_compared_as_the_command_does(run: hmnet.TrainedRun) -> None:
    compared = hmnet.compare([run])
    table = done("hmnet", "compare", run.folder).out
    assert compared.to_table("markdown").strip() == table.strip()
    assert repr(compared) == f"Comparison(majority class, {ATTACK}; {len(compared.lines)} rows)"
    with pytest.raises(RelevanceError, match="no scores to compare"):
        hmnet.compare([])


def test_runs_stand_in_a_layout_as_by_command(run: hmnet.TrainedRun, tmp_path: Path) -> None:
    layout = tmp_path / "mine.toml"
    layout.write_text(
        'runs = "rows"\n[[score]]\nname = "tone"\ntask = "TONE"\nmetric = "accuracy"\n'
    )
    laid_out = hmnet.compare([run], layout=layout)
    told = done("hmnet", "compare", run.folder, "--layout", layout).out
    assert laid_out.to_table("markdown").strip() == told.strip()
    assert repr(laid_out) == f"LaidOut(majority class, {ATTACK}; tone)"
    assert set(re.findall(r"<\s*/?\s*(\w+)", laid_out._repr_html_())) <= ELEMENTS
    with pytest.raises(RelevanceError, match=r"Unknown layout 'tabel1'\. Did you mean 'table1'"):
        hmnet.compare([run], layout="tabel1")
    with pytest.raises(RelevanceError, match="table1: None of these runs has a score of"):
        hmnet.compare([], layout="table1")


def test_a_task_is_added(run: hmnet.TrainedRun, files: dict[str, str], tmp_path: Path) -> None:
    grown = hmnet.add_tasks(
        run, tasks=[files["NEW"]], init="TONE", fraction=0.0, out=tmp_path / "run2"
    )
    assert [task.name for task in grown.tasks] == ["TONE", "PAIR", "NEW"]
    assert grown.predict("a", "PAIR") == run.predict("a", "PAIR")
    assert hmnet.load(tmp_path / "run2") == grown
    with pytest.raises(RelevanceError, match=r"options: Unknown field 'task'. Did you mean 'tas"):
        hmnet.add_tasks(run.folder, task=["x"], out=tmp_path / "run3")


def test_a_run_shows_itself_as_scores_without_markup_of_its_name(run: hmnet.TrainedRun) -> None:
    html = run._repr_html_()
    assert set(re.findall(r"<\s*/?\s*(\w+)", html)) <= ELEMENTS
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "majority class" in html
    assert ">PAIR</td>" in html
    (score,) = (score for score in run.scores if score.task == "PAIR")
    assert f"{100 * score.value:.1f}" in html


def test_reprs_are_one_short_line(run: hmnet.TrainedRun) -> None:
    assert repr(run).startswith("TrainedRun(")
    assert repr(run).endswith(f"{ATTACK})")
    config = hmnet.RunConfig(tasks=("RTE",), epochs=1)
    assert repr(config) == "RunConfig(epochs=1, tasks=('RTE',))"
    plan = hmnet.fully_shared(["RTE", "CB"], 2)
    assert repr(plan) == "SharingPlan(RTE, CB; 2 layers, 2 a task)"
    settings = {"backbone": run.config.backbone, "max_length": 16}
    trainer = hmnet.make_trainer(run.tasks, settings, device="cpu")
    things = (
        *(run, config, plan, hmnet.SkillTable.load(), *run.tasks, run.data("TONE"), run.model),
        *(trainer, hmnet.EncoderProbe(trainer), hmnet.curves(run), *hmnet.diagnose(run)),
        *(hmnet.compare_attention(run, run, "TONE"), hmnet.similarity(run), hmnet.compare([run])),
    )
    for thing in things:
        assert "\n" not in repr(thing)
        assert len(repr(thing).replace(str(run.folder.parent), "")) < 300
