"""The catalogue against real files; counts are those of the data's own table."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from relevance.tasks.data import DataOptions
from relevance.tasks.entities import entities
from relevance.tasks.find import catalogue
from relevance.tasks.load import load_split, load_task
from relevance.tasks.metrics import majority
from relevance.tasks.read import read_columns

ROWS = {
    "MNLI": (48_216, {"dev": 9_815, "dev_mismatched_1k": 1_000}),
    "QNLI": (6_463, {"dev": 1_000}),
    "RTE": (2_490, {"dev": 277}),
    "WNLI": (635, {"dev": 71}),
    "CB": (250, {"dev": 56}),
    "SNLI": (94_091, {"dev": 9_842}),
    "IMDB": (25_000, {"dev": 25_000}),
    "SST-2": (67_349, {"dev": 872}),
    "QQP": (45_880, {"dev": 7_600}),
    "STS-B": (5_749, {"dev": 1_500}),
    "MRPC": (3_668, {"dev": 408}),
    "BoolQ": (5_165, {"dev": 3_270}),
    "MultiRC": (27_243, {"dev": 4_848}),
    "CoLA": (8_551, {"dev": 1_043}),
    "SST-5": (8_544, {"dev": 1_101}),
    "WNUT-17": (3_394, {"dev": 1_009, "test": 1_287}),
}
# Published: of the dev splits that are complete, what always answering the commonest label gives.
MAJORITY = {"RTE": 52.7, "WNLI": 56.3, "CB": 50.0, "SST-2": 50.9, "MRPC": 68.4, "BoolQ": 62.2}


@pytest.mark.parametrize("name", ROWS)
def test_every_task_loads_with_its_rows(data_dir: Path, name: str) -> None:
    train, evaluation = ROWS[name]
    task = catalogue()[name]
    data = load_task(task, DataOptions(data_dir))
    assert len(data.train) == train
    assert {name: len(split) for name, split in data.evaluation.items()} == evaluation
    assert len(data.train.texts) == len(task.text)
    if task.kind == "classification":
        assert set(data.train.labels.tolist()) == set(range(len(task.labels)))


@pytest.mark.parametrize(("name", "rows"), [("mnli", 9_815), ("qnli", 1_000), ("cola", 1_043)])
def test_rows_in_glues_own_form(data_dir: Path, tmp_path: Path, name: str, rows: int) -> None:
    """Tabs between columns and nothing quoted, though fields begin with a lone quote."""
    table = pq.read_table(data_dir / name / "dev.parquet").to_pydict()
    columns = {name: [" ".join(str(value).split()) for value in table[name]] for name in table}
    lines = ["\t".join(row) for row in (columns, *zip(*columns.values(), strict=True))]
    path = tmp_path / "dev.tsv"
    path.write_text("\n".join(lines))
    assert read_columns(path, list(columns)) == columns
    assert len(lines) == rows + 1


@pytest.mark.parametrize("name", MAJORITY)
def test_majority_accuracy(data_dir: Path, name: str) -> None:
    data = load_task(catalogue()[name], DataOptions(data_dir), gain_split="dev")
    if name == "BoolQ" or name == "WNLI":  # the training part at hand leans the other way
        dev = data.evaluation["dev"]
        best = np.bincount(dev.labels).max() / len(dev)
    else:
        best = majority(data.task, data.train, data.evaluation["dev"]).metrics["accuracy"]
    assert 100 * best == pytest.approx(MAJORITY[name], abs=0.06)


def test_wnut17_has_its_entities(data_dir: Path) -> None:
    data = load_task(catalogue()["WNUT-17"], DataOptions(data_dir))
    splits = {"train": data.train} | data.evaluation
    found = {
        name: sum(len(entities(tags)) for tags in split.labels) for name, split in splits.items()
    }
    assert found == {"train": 1_975, "dev": 836, "test": 1_079}  # as its authors count them
    dev = data.evaluation["dev"]
    assert dev.texts[0][0].startswith("Stabilized approach or not ? That")
    assert majority(data.task, data.train, dev).metrics == {"entity_f1": 0.0}


def test_multirc_reads_question_then_paragraph_then_answer(data_dir: Path) -> None:
    dev = load_split(catalogue()["MultiRC"], "dev", data_dir)
    question, paragraph, answer = (np.mean([len(text) for text in c]) for c in dev.texts)
    assert answer < question < paragraph
    assert dev.groups is not None
    assert len(set(dev.groups.tolist())) == 953  # Table 4 counts questions


def test_a_holdout_of_multirc_keeps_questions_whole(data_dir: Path) -> None:
    options = DataOptions(data_dir, max_train=1_500, max_dev=500)
    data = load_task(catalogue()["MultiRC"], options, gain_split="holdout")
    held = data.evaluation["holdout"]
    assert data.train.groups is not None
    assert held.groups is not None
    assert set(held.groups.tolist()).isdisjoint(data.train.groups.tolist())
    assert len(data.train) == 1_500
    assert 490 <= len(held) <= 500
    assert abs(held.labels.mean() - 12_025 / 27_243) < 0.01
