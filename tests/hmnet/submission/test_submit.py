"""`hmnet.submit` where a run has the same data set as a task of each benchmark."""

import json
import zipfile
from pathlib import Path

import pytest

import hmnet
from hmnet.backbones.tiny import write_tiny_encoder
from small_tasks import write_rows

LABELS = {"RTE": "entailment", "RTE@superglue": "not_entailment"}
"""All training rows of a task have one label, so its head says nothing else."""
PAIR = {"sentence1": "the dog runs", "sentence2": "a dog"}
TEST_SETS = ("RTE", "AX-b", "AX-g")
SUPERGLUE = [f"{name}.jsonl" for name in TEST_SETS]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rows of both tasks, and the test sets that they answer."""
    monkeypatch.setenv("RELEVANCE_CACHE", str(tmp_path / "cache"))
    for name, label in LABELS.items():
        for split in ("train", "dev"):
            write_rows(tmp_path / name.lower() / f"{split}.jsonl", [PAIR | {"label": label}] * 4)
    for name in TEST_SETS:
        rows = [{"idx": number} | PAIR for number in (0, 1)]
        write_rows(tmp_path / "published" / name / "test.jsonl", rows)
    write_tiny_encoder(tmp_path / "encoder", ["the", "a", "dog", "runs"])
    return tmp_path


def said(data: Path, benchmark: str, tasks: list[str]) -> dict[str, set[str]]:
    """Answers in each file of a zip, from a run of these tasks."""
    run = hmnet.train(
        tasks=tasks,
        data_dir=data,
        backbone=str(data / "encoder"),
        method="multi",
        epochs=3,
        head_lr=1.0,
        max_length=16,
        device="cpu",
        out=data / "-".join(["run", benchmark, *tasks]),
        on_event=lambda _: None,
    )
    found = hmnet.submit(
        run, benchmark, data, data_dir=data / "published", allow_missing=True, device="cpu"
    )
    with zipfile.ZipFile(found.path) as archive:
        lines = {each: archive.read(each).decode().splitlines() for each in found.files}
    if benchmark == "glue":
        return {name: {line.split("\t")[1] for line in each[1:]} for name, each in lines.items()}
    return {name: {json.loads(line)["label"] for line in each} for name, each in lines.items()}


@pytest.mark.parametrize(
    ("benchmark", "tasks", "answering", "files"),
    [
        ("glue", [*LABELS], "RTE", ["RTE.tsv"]),
        ("superglue", [*LABELS], "RTE@superglue", SUPERGLUE),
        ("superglue", ["RTE"], "RTE", SUPERGLUE),
        ("superglue", ["RTE@superglue"], "RTE@superglue", SUPERGLUE),
    ],
)
def test_the_benchmarks_own_task_answers_where_a_run_has_it(
    data: Path, benchmark: str, tasks: list[str], answering: str, files: list[str]
) -> None:
    assert said(data, benchmark, tasks) == {name: {LABELS[answering]} for name in files}
