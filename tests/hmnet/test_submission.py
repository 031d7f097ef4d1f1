"""Zips for leaderboards: lines as the benchmarks document them, and what is missing."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hmnet.evaluation.lines import read_texts
from hmnet.runs.train import train_run
from hmnet.settings.config import RunConfig
from hmnet.submission import BENCHMARKS, AnswerFile, _renamed, answer_lines, submit
from hmnet.trained_run import TrainedRun
from relevance.errors import RelevanceError
from relevance.tasks.find import catalogue

FILES = {part.name: part for parts in BENCHMARKS.values() for part in parts}
TASK = """
[[task]]
name = "RTE"
family = "inference"
kind = "classification"
text = ["sentence1", "sentence2"]
labels = ["entailment", "not_entailment"]
metrics = ["accuracy"]
source = {{ train = "{0}", dev = "{0}" }}
"""


def lines(name: str, *answers: dict[str, Any]) -> list[str]:
    return list(answer_lines(FILES[name], answers))


def test_the_files_are_those_of_the_leaderboards() -> None:
    names = [[part.name for part in parts] for parts in BENCHMARKS.values()]
    assert [len(each) for each in names] == [11, 10]
    assert {"MNLI-m.tsv", "MNLI-mm.tsv", "AX.tsv"} < set(names[0])
    assert {"AX-b.jsonl", "AX-g.jsonl", "ReCoRD.jsonl"} < set(names[1])


@pytest.mark.parametrize("name", FILES)
def test_labels_of_the_catalogue_all_have_a_word(name: str) -> None:
    part = FILES[name]
    task = catalogue().get(part.task)
    if task is not None and part.labels is not None and task.labels:
        assert set(task.labels) == set(part.labels)


@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [
        ("CoLA.tsv", "acceptable", "0\t1"),
        ("SST-2.tsv", "negative", "0\t0"),
        ("MRPC.tsv", "equivalent", "0\t1"),
        ("QQP.tsv", "not_duplicate", "0\t0"),
        ("MNLI-mm.tsv", "contradiction", "0\tcontradiction"),
        ("QNLI.tsv", "not_entailment", "0\tnot_entailment"),
        ("RTE.tsv", "entailment", "0\tentailment"),
        ("WNLI.tsv", "entailment", "0\t1"),
        ("AX.tsv", "neutral", "0\tneutral"),
    ],
)
def test_lines_of_glue(name: str, label: str, expected: str) -> None:
    assert lines(name, {"label": label}) == ["index\tprediction", expected]


def test_values_stay_on_the_scale_of_sts_b() -> None:
    said = lines("STS-B.tsv", *({"value": value} for value in (-0.2, 2.34567, 5.1)))
    assert said == ["index\tprediction", "0\t0.000", "1\t2.346", "2\t5.000"]


@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [
        ("BoolQ.jsonl", "true", "true"),
        ("CB.jsonl", "neutral", "neutral"),
        ("COPA.jsonl", 1, 1),
        ("RTE.jsonl", "not_entailment", "not_entailment"),
        ("WiC.jsonl", "false", "false"),
        ("WSC.jsonl", "true", "True"),
        ("AX-g.jsonl", "entailment", "entailment"),
    ],
)
def test_lines_of_superglue(name: str, label: object, expected: object) -> None:
    (line,) = lines(name, {"idx": 7, "label": label})
    assert json.loads(line) == {"idx": 7, "label": expected}


def test_lines_of_record_have_the_querys_number_and_the_text() -> None:
    said = lines(
        "ReCoRD.jsonl",
        {"idx": {"passage": 3, "query": 40}, "label": "Ann Lee", "probabilities": {}},
        {"idx": 41, "label": "0"},
    )
    assert list(map(json.loads, said)) == [
        {"idx": 40, "label": "Ann Lee"},
        {"idx": 41, "label": "0"},
    ]


def test_answers_of_multirc_stand_by_passage_and_question() -> None:
    rows = [(0, 0, 0, "true"), (0, 0, 1, "false"), (0, 1, 2, "true"), (3, 9, 20, "false")]
    keys = ("idx_paragraph", "idx_question", "idx_answer", "label")
    said = lines("MultiRC.jsonl", *(dict(zip(keys, row, strict=True)) for row in rows))
    first = [
        {"idx": 0, "answers": [{"idx": 0, "label": 1}, {"idx": 1, "label": 0}]},
        {"idx": 1, "answers": [{"idx": 2, "label": 1}]},
    ]
    last = [{"idx": 9, "answers": [{"idx": 20, "label": 0}]}]
    assert [json.loads(line) for line in said] == [
        {"idx": 0, "passage": {"questions": first}},
        {"idx": 3, "passage": {"questions": last}},
    ]


@pytest.mark.parametrize(
    ("name", "answers", "message"),
    [
        ("RTE.tsv", [{"label": "yes"}], "RTE.tsv: the run answers 'yes', which is no label"),
        ("RTE.tsv", [{"idx": 1, "label": "entailment"}] * 2, "two rows have number 1"),
        ("RTE.tsv", [{"idx": "x1", "label": "entailment"}], "a row has number 'x1'"),
        ("MultiRC.jsonl", [{"label": "true"}], "needs a column 'idx_paragraph'"),
    ],
)
def test_answers_that_are_none_of_the_benchmarks(
    name: str, answers: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(RelevanceError, match=message):
        lines(name, *answers)


def test_a_run_of_one_task_names_every_file_that_it_lacks(
    config: RunConfig, tmp_path: Path
) -> None:
    rows = [{"sentence1": f"the film {n}", "sentence2": "a dog", "label": n % 2} for n in range(8)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "mine.toml").write_text(TASK.format("rows.jsonl"))
    changes = {"tasks": (str(tmp_path / "mine.toml"),), "data_dir": None}
    brief = config.model_copy(update={"epochs": 1, "max_steps_per_task": 1, **changes})
    train_run(brief, None, tmp_path / "run")
    run = TrainedRun.load(tmp_path / "run")
    with pytest.raises(RelevanceError, match=r"No file of glue can be written. CoLA.tsv: the run"):
        submit(run, "glue", tmp_path / "out")
    published = tmp_path / "test sets" / "rte"
    published.mkdir(parents=True)
    head = "index\tsentence1\tsentence2\n"
    (published / "test.tsv").write_text(head + '0\tthe "film\tno 🙂\n1\tनमस्ते\ta city\n')

    written = submit(run, "glue", tmp_path / "out", data_dir=published.parent)

    assert written.path == tmp_path / "out" / "glue-incomplete.zip"
    assert written.files == ("RTE.tsv",)
    assert written.missing["AX.tsv"] == "the run has no task MNLI"
    with zipfile.ZipFile(written.path) as archive:
        first, *said = archive.read("RTE.tsv").decode().splitlines()
    asked = run.predict([('the "film', "no 🙂"), ("नमस्ते", "a city")], "RTE")
    assert first == "index\tprediction"
    assert said == [f"{place}\t{answer['label']}" for place, answer in enumerate(asked)]
    published.rename(published.parent / "axb")
    written = submit(run, "superglue", tmp_path / "out", data_dir=published.parent)
    assert written.files == ("AX-b.jsonl",)
    assert written.missing["RTE.jsonl"].startswith("there is no file rte/test.tsv")


def test_an_unknown_benchmark_is_told(config: RunConfig, tmp_path: Path) -> None:
    run = TrainedRun(tmp_path, config)
    with pytest.raises(RelevanceError, match=r"Unknown benchmark 'gleu'\. Did you mean 'glue'\?"):
        submit(run, "gleu", tmp_path)
    assert AnswerFile("x.tsv", "X", None).splits == ("test",)


def test_rows_of_wsc_are_read_as_they_are_published() -> None:
    spans = {"span1_index": 0, "span1_text": "Ann", "span2_index": 3, "span2_text": "she"}
    row = {"text": "Ann said that she left.", "idx": 4}
    wsc = catalogue()["WSC"]
    published = read_texts(wsc, _renamed(wsc, {**row, "target": spans}))
    assert published == read_texts(wsc, {**row, **spans})
