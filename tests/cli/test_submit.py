"""`hmnet submit` on test sets as they are published, and `hmnet predict --split`."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands import done, refused, run
from hmnet.backbones.tiny import write_tiny_encoder
from hmnet.submission.answer_files import BENCHMARKS
from hmnet.trained_run import TrainedRun
from relevance.tasks.find import catalogue
from small_tasks import write_rows

Rows = list[dict[str, Any]]
PAIR = {"sentence1": "the dog runs", "sentence2": "a dog 🙂"}
PLACES = {"start1": 4, "end1": 7, "start2": 2, "end2": 5}
SPANS = {"span1_index": 1, "span1_text": "dog", "span2_index": 2, "span2_text": "runs"}
CHOICES = {"premise": "the dog", "choice1": "runs", "choice2": "נהר", "question": "cause"}
OWN: dict[str, dict[str, Any]] = {
    "CoLA": {"sentence": 'the "dog'},
    "SST-2": {"sentence": "a dog"},
    "BoolQ": {"question": "dog", "passage": "the dog runs"},
    "COPA": CHOICES,
    "MultiRC": {"paragraph": "the dog", "question": "runs", "answer": "a dog"}
    | {"idx_paragraph": 0, "idx_question": 0},
    "WiC": PAIR | PLACES,
    "WSC": {"text": "the dog runs"} | SPANS,
    "ReCoRD": {"passage": "the dog runs", "query": "@placeholder", "entities": ["dog", "a"]},
}
"""Texts of a row of each task, others having a pair."""
NAMES = ("CoLA", "SST-2", "MRPC", "STS-B", "QQP", "MNLI", "QNLI", "RTE", "WNLI", "BoolQ", "CB",
         "COPA", "MultiRC", "WiC", "WSC", "ReCoRD")  # fmt: skip
RENAMED = {
    "QQP/test.tsv": ("question1", "question2"),
    "QNLI/test.tsv": ("question", "sentence"),
    "MRPC/test.tsv": ("#1 String", "#2 String"),
    "CB/test.jsonl": ("premise", "hypothesis"),
    "RTE/test.jsonl": ("premise", "hypothesis"),
    "AX-g/AX-g.jsonl": ("premise", "hypothesis"),
}
GLUE = {
    **{f"{name}/test.tsv": name for name in NAMES[:9] if name != "MNLI"},
    "MNLI/test_matched.tsv": "MNLI",
    "MNLI/test_mismatched.tsv": "MNLI",
    "AX/diagnostic.tsv": "MNLI",
}
SUPERGLUE = {
    **{f"{name}/test.jsonl": name for name in ("BoolQ", "CB", "COPA", "RTE", "WiC")},
    "AX-b/AX-b.jsonl": "RTE", "AX-g/AX-g.jsonl": "RTE",
}  # fmt: skip


def published(file: str, task: str) -> Rows:
    """Two rows as a benchmark publishes them, with their numbers and without labels."""
    row = dict(OWN.get(task, PAIR))
    if names := RENAMED.get(file):
        row = dict(zip(names, row.values(), strict=True))
    number = "id" if task == "QQP" else "index" if file.endswith(".tsv") else "idx"
    return [{number: each} | row for each in (0, 1)]


def superglue_nested() -> dict[str, Rows]:
    answers = [[{"text": "dog", "idx": 0}, {"text": "", "idx": 1}], [{"text": "runs", "idx": 2}]]
    questions = [{"question": "a", "answers": each, "idx": n} for n, each in enumerate(answers)]
    passage = {"text": "the dog", "questions": questions}
    long = {"text": " ".join(["the dog 🙂"] * 20), "entities": [{"start": 4, "end": 6}]}
    long["entities"].append({"start": 0, "end": 2})
    asked = [{"idx": n, "query": "@placeholder runs"} for n in (0, 1)]
    return {
        "ReCoRD/test.jsonl": [{"idx": 7, "source": "CNN", "passage": long, "qas": asked}],
        "MultiRC/test.jsonl": [{"idx": 5, "version": 1.1, "passage": passage}],
        "WSC/test.jsonl": [{"idx": n, "text": "the dog runs", "target": SPANS} for n in (0, 1)],
    }


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the tasks of both benchmarks, and their test sets in `glue` and `super glue`."""
    folder = tmp_path_factory.mktemp("benchmark")
    for name in NAMES:
        task = catalogue()[name]
        labels = task.labels or ((0, 1) if task.choices else (0.0, 5.0))
        labels = (["dog"], ["a"]) if task.kind == "cloze" else labels
        rows = [OWN.get(name, PAIR) | {task.label: label} for label in labels]
        for split in ("train", "dev"):
            write_rows(folder / "data" / task.slug / f"{split}.jsonl", rows)
    for place, files in (("glue", GLUE), ("super glue", SUPERGLUE)):
        for file, task_name in files.items():
            rows = published(file, task_name)
            if file.endswith(".tsv"):  # nothing is quoted there
                lines = [list(rows[0]), *(list(map(str, row.values())) for row in rows)]
                (folder / place / file).parent.mkdir(parents=True, exist_ok=True)
                text = "".join("\t".join(line) + "\n" for line in lines)
                (folder / place / file).write_text(text)
            else:
                write_rows(folder / place / file, rows)
    for file, rows in superglue_nested().items():
        write_rows(folder / "super glue" / file, rows)
    write_tiny_encoder(folder / "encoder", ["the", "a", "dog", "runs"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELEVANCE_CACHE", str(folder / "cache"))
        options = ("--method", "multi", "--epochs", 1, "--max-length", 24, "--device", "cpu")
        names = ("--tasks", ",".join(NAMES), "--data-dir", folder / "data")
        done("hmnet", "train", *names, "--backbone", folder / "encoder", *options,
             "--out", folder / "run")  # fmt: skip
    return folder


def submit(folder: Path, name: str, data: Path, *more: object) -> tuple[object, ...]:
    own = ("--benchmark", name, "--data-dir", data, "--device", "cpu")
    return ("submit", folder / "run", *own, *more)


def contents(path: Path) -> dict[str, list[str]]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode().splitlines() for name in archive.namelist()}


def test_the_zip_of_glue_has_every_file(benchmark: Path, tmp_path: Path) -> None:
    data = benchmark / "glue"
    said = done("hmnet", *submit(benchmark, "glue", data, "--out", tmp_path / "out"))
    assert f"wrote {tmp_path / 'out' / 'glue.zip'}" in said.err
    assert "RTE.tsv has 2 rows, and the benchmark's test set 3,000." in said.err
    found = contents(tmp_path / "out" / "glue.zip")
    assert list(found) == [part.name for part in BENCHMARKS["glue"]]
    for part in BENCHMARKS["glue"]:
        first, *lines = found[part.name]
        assert first == "index\tprediction"
        assert [line.split("\t")[0] for line in lines] == ["0", "1"]
        words = {line.split("\t")[1] for line in lines}
        if part.labels is None:
            assert all(0 <= float(word) <= 5 and word[-4] == "." for word in words)
        else:
            assert words <= set(map(str, part.labels.values()))
    asked = done("hmnet", "predict", benchmark / "run", "--task", "MNLI", "--device", "cpu",
                 "--input", data / "MNLI" / "test_matched.tsv")  # fmt: skip
    answers = [json.loads(line) for line in asked.out.splitlines()]
    assert found["MNLI-m.tsv"][1:] == [f"{each['index']}\t{each['label']}" for each in answers]


def test_values_outside_the_scale_are_told(
    benchmark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = TrainedRun.answers

    def wide(self: TrainedRun, *given: Any, **chosen: Any) -> Iterator[dict[str, Any]]:
        for place, each in enumerate(answers(self, *given, **chosen)):
            yield each | {"value": 5.5 - 3 * place} if "value" in each else each

    monkeypatch.setattr(TrainedRun, "answers", wide)
    folder = shutil.copytree(benchmark / "glue" / "STS-B", tmp_path / "data" / "STS-B").parent
    out = ("--out", tmp_path / "out", "--allow-missing")
    said = done("hmnet", *submit(benchmark, "glue", folder, *out))
    assert "STS-B.tsv: 1 of 2 values lie outside 0 to 5 and are written as the nearer" in said.err
    (lines,) = contents(tmp_path / "out" / "glue-incomplete.zip").values()
    assert lines == ["index\tprediction", "0\t5.000", "1\t2.500"]


def test_the_zip_of_superglue_has_every_file(benchmark: Path, tmp_path: Path) -> None:
    data = benchmark / "super glue"
    hidden = (data / "CB").rename(tmp_path / "CB")
    asked = submit(benchmark, "superglue", data, "--out", tmp_path)
    message = refused("hmnet", *asked)
    assert "wants every file, and 1 cannot be written. CB.jsonl: there is no file CB" in message
    assert message.endswith("--allow-missing writes the others.")
    assert not list(tmp_path.glob("*.zip"))
    hidden.rename(data / "CB")
    done("hmnet", *asked)
    found = contents(tmp_path / "superglue.zip")
    parts = {part.name: part for part in BENCHMARKS["superglue"]}
    assert list(found) == list(parts)
    for name, part in parts.items():
        rows = [json.loads(line) for line in found[name]]
        if name == "MultiRC.jsonl":
            (row,) = rows
            questions = row["passage"]["questions"]
            assert row["idx"] == 5
            places = [[each["idx"] for each in one["answers"]] for one in questions]
            assert places == [[0, 1], [2]]
            assert {each["label"] for one in questions for each in one["answers"]} <= {0, 1}
            continue
        assert [row["idx"] for row in rows] == [0, 1]
        assert all(list(row) == ["idx", "label"] for row in rows)
        words = {"dog", "the"} if name == "ReCoRD.jsonl" else set((part.labels or {}).values())
        assert {row["label"] for row in rows} <= words


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "rte/test.jsonl has no rows"),
        ('{"idx": 0, "premise": "a"}\n', "test.jsonl, row 1: column 'sentence2' of task 'RTE'"),
        ('{"idx": 0, "premise": "a", "hypothesis": "b"}\n' * 2, "row 2: number 0 stands before it"),
        ('{"idx": 0, "premise": "a", "hypothesis": "b"}\n{"x\0": 1\n', "test.jsonl, line 2: "),
    ],
)
def test_rows_that_cannot_be_read_cost_their_file_alone(
    benchmark: Path, tmp_path: Path, content: str, message: str
) -> None:
    shutil.copytree(benchmark / "super glue" / "CB", tmp_path / "CB")
    (tmp_path / "rte").mkdir()
    (tmp_path / "rte" / "test.jsonl").write_text(content)
    asked = submit(benchmark, "superglue", tmp_path, "--out", tmp_path, "--allow-missing")
    ended = run("hmnet", *asked)
    assert ended.status == 2
    last = ended.err.splitlines()[-1]
    assert "superglue-incomplete.zip lacks what could not be answered. RTE.jsonl: " in last
    assert message in last
    assert list(contents(tmp_path / "superglue-incomplete.zip")) == ["CB.jsonl"]


def test_what_is_refused_before_anything_is_answered(benchmark: Path, tmp_path: Path) -> None:
    data, out = benchmark / "glue", ("--out", tmp_path)
    assert "gleu" in run("hmnet", *submit(benchmark, "gleu", data, *out)).err
    message = refused("hmnet", *submit(benchmark, "glue", tmp_path / "none", *out))
    assert message == f"--data-dir: {tmp_path / 'none'} is no folder."
    empty = tmp_path / "<img src=x onerror=alert(1)>"
    empty.mkdir()
    message = refused("hmnet", *submit(benchmark, "glue", empty, *out, "--allow-missing"))
    assert message.startswith(
        "No file of glue can be written. CoLA.tsv: there is no file CoLA/test"
    )
    (tmp_path / "file").write_text("")
    message = refused("hmnet", *submit(benchmark, "glue", data, "--out", tmp_path / "file"))
    assert "cannot be written" in message


def test_predict_reads_record_as_superglue_publishes_it(benchmark: Path, tmp_path: Path) -> None:
    (nested,) = superglue_nested()["ReCoRD/test.jsonl"]
    asked = ("predict", benchmark / "run", "--device", "cpu", "--task", "ReCoRD", "--input")
    (tmp_path / "test.jsonl").write_text(f"{json.dumps(nested)}\n\n{json.dumps(nested)}\n")
    said = done("hmnet", *asked, tmp_path / "test.jsonl").out
    answers = [json.loads(line) for line in said.splitlines()]
    assert [each["idx"] for each in answers] == [0, 1, 0, 1]
    assert {each["label"] for each in answers} <= {"dog", "the"}
    stdin = (tmp_path / "test.jsonl").read_bytes()
    assert done("hmnet", *asked, "-", stdin=stdin).out == said
    nested["passage"]["entities"] = [{"start": 4, "end": 6000}]
    (tmp_path / "test.jsonl").write_text(f"\n{json.dumps(nested)}\n")
    message = refused("hmnet", *asked, tmp_path / "test.jsonl")
    assert "test.jsonl, line 2: [4, 6000] is no span" in message


def test_predict_answers_a_tasks_own_split(benchmark: Path, tmp_path: Path) -> None:
    asked = ("predict", benchmark / "run", "--device", "cpu")
    said = done("hmnet", *asked, "--task", "ReCoRD", "--split", "dev").out
    for number, line in enumerate(said.splitlines(), start=1):
        answer = json.loads(line)
        assert (answer["row"], answer["label"] in {"dog", "a"}) == (number, True)
        assert [*answer["probabilities"]] == ["dog", "a"]
    said = done("hmnet", *asked, "--task", "SST-2", "--split", "dev").out
    answers = [json.loads(line) for line in said.splitlines()]
    assert [(each["row"], each["task"]) for each in answers] == [(1, "SST-2"), (2, "SST-2")]
    rows = done("hmnet", *asked, "--task", "SST-2", "--split", "dev", "--format", "csv").out
    assert rows.splitlines()[0] == "row,task,label,probability: negative,probability: positive"
    assert "no split 'test'. It has train, dev." in refused(
        "hmnet", *asked, "--task", "SST-2", "--split", "test"
    )
    assert refused("hmnet", *asked, "--task", "SST-2").startswith(
        "Give the rows to answer: --input"
    )
    both = (*asked, "--task", "SST-2", "--split", "dev", "--input", "-")
    assert refused("hmnet", *both).startswith("Give one of both as the rows to answer: --input")
    assert "--format csv, takes one here" in refused(
        "hmnet", *asked, "--task", "SST-2,CoLA", "--split", "dev", "--format", "csv"
    )
