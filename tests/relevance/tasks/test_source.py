"""Where data comes from: files with other names for columns and labels, shares, test splits."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from relevance.errors import RelevanceError
from relevance.tasks.data import DataOptions, Split
from relevance.tasks.find import read_tasks, write_tasks
from relevance.tasks.load import load_split, load_task, load_training_texts, with_files
from relevance.tasks.source import Source, source_columns
from relevance.tasks.subset import dev_rows
from relevance.tasks.task import Task

MakeTask = Callable[..., Task]
Write = Callable[[Path, Mapping[str, Sequence[Any]]], Path]


@pytest.fixture
def source(tmp_path: Path, write: Write) -> dict[str, Any]:
    """Two files whose columns and labels are called something else."""
    rows = {"text": ["a", "b"], "stars": ["bad", "good"], "sentence": ["x", "y"]}
    files = {split: str(write(tmp_path / f"{split}.csv", rows)) for split in ("train", "dev")}
    return files | {"labels": {"bad": "negative", "good": "positive"}}


@pytest.mark.parametrize(
    "columns", [{"sentence": "text", "label": "stars"}, {"text": "sentence", "stars": "label"}]
)
def test_columns_and_labels_of_files_are_renamed(
    make_task: MakeTask, source: dict[str, Any], columns: dict[str, str]
) -> None:
    data = load_task(make_task(source=source | {"columns": columns}), DataOptions())
    assert list(data.train.texts[0]) == ["a", "b"]
    assert data.train.labels.tolist() == data.evaluation["dev"].labels.tolist() == [0, 1]
    task = make_task(source=source | {"columns": columns})
    assert list(load_split(task, "train", None, text_only=True).texts[0]) == ["a", "b"]


def test_a_column_that_the_file_lacks_is_named_as_the_file_would(
    make_task: MakeTask, source: dict[str, Any]
) -> None:
    task = make_task(source=source | {"columns": {"sentence": "txt", "label": "stars"}})
    with pytest.raises(
        RelevanceError, match=r"column 'txt' is not in .*train\.csv\. Columns: text"
    ):
        load_task(task, DataOptions())


@pytest.mark.parametrize(
    "columns", [{}, {"2": "label", "1": "sentence"}, {"sentence": "1", "label": "2"}]
)
def test_files_without_header(tmp_path: Path, make_task: MakeTask, columns: dict[str, str]) -> None:
    file = tmp_path / "d.tsv"
    file.write_text("good film\t1\nbad film\t0\n")
    task = make_task(
        source={"train": str(file), "dev": str(file), "header": False, "columns": columns}
    )
    split = load_split(task, "dev", None)
    assert (list(split.texts[0]), split.labels.tolist()) == (["good film", "bad film"], [1, 0])
    assert list(load_split(task, "dev", None, text_only=True).texts[0]) == ["good film", "bad film"]


def test_two_columns_may_change_places() -> None:
    source = Source(train="t.csv", dev="d.csv", columns={"a": "b", "b": "a"})
    assert source_columns(source, ["a", "b", "label"]) == {"a": "b", "b": "a", "label": "label"}


def test_tags_are_renamed_one_by_one(tmp_path: Path, make_task: MakeTask, write: Write) -> None:
    rows = {"tokens": ['["a", "b"]'], "tags": ['["O", "PER"]']}
    files = {split: str(write(tmp_path / f"{split}.csv", rows)) for split in ("train", "dev")}
    task = make_task(
        kind="tokens",
        text=["tokens"],
        label="tags",
        labels=["O", "B-p"],
        metrics=["entity_f1"],
        source=files | {"labels": {"PER": "B-p"}},
    )
    assert load_split(task, "dev", None).labels.tolist() == [("O", "B-p")]


# A share of the training rows


@given(
    texts=st.lists(st.integers(0, 30), min_size=20, max_size=200),
    share=st.sampled_from([0.1, 0.2, 0.5]),
    seed=st.integers(0, 3),
    grouped=st.booleans(),
)
def test_equal_texts_and_groups_stay_on_one_side(
    texts: list[int], share: float, seed: int, grouped: bool
) -> None:
    rows = [str(text) for text in texts]
    labels = np.array(texts) % 2
    groups = np.arange(len(rows)) // 3 if grouped else None
    split = Split((rows, rows), labels, groups)
    try:
        left, held = dev_rows(split, share, seed)
    except RelevanceError:
        return  # the rows are tied together too closely
    assert sorted([*left, *held]) == list(range(len(rows)))
    assert {rows[row] for row in left}.isdisjoint(rows[row] for row in held)
    if groups is not None:
        assert set(groups[left]).isdisjoint(groups[held])
    assert 2 <= len(held) <= round(len(rows) * share)
    again = dev_rows(split, share, seed)
    assert again[1].tolist() == held.tolist()


def test_a_share_is_stratified_and_drawn_by_the_seed() -> None:
    labels = np.repeat([0, 1, 2], [700, 200, 100])
    split = Split(([str(row) for row in range(1000)],), labels)
    _, held = dev_rows(split, 0.2, 0)
    assert Counter(labels[held].tolist()) == {0: 140, 1: 40, 2: 20}
    assert dev_rows(split, 0.2, 1)[1].tolist() != held.tolist()


def test_a_share_is_taken_before_max_train_and_whatever_else_is_read(
    tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    rows = {"sentence": [f"s{row}" for row in range(50)], "label": [0, 1] * 25}
    file = str(write(tmp_path / "train.csv", rows))
    task = make_task(source={"train": file, "dev": 0.2, "seed": 3})
    whole = load_task(task, DataOptions())
    assert (len(whole.train), len(whole.evaluation["dev"])) == (40, 10)
    few = load_task(task, DataOptions(max_train=7))
    assert few.evaluation["dev"].texts == whole.evaluation["dev"].texts
    assert set(few.train.texts[0]) < set(whole.train.texts[0])
    assert load_training_texts(task, DataOptions()).texts == whole.train.texts
    held = load_task(task, DataOptions(), gain_split="holdout")
    assert len(held.train) == 32
    assert set(held.evaluation["holdout"].texts[0]).isdisjoint(whole.evaluation["dev"].texts[0])


def test_too_few_rows_for_a_share(tmp_path: Path, make_task: MakeTask, write: Write) -> None:
    file = str(write(tmp_path / "train.csv", {"sentence": ["a"] * 9, "label": [0] * 9}))
    with pytest.raises(RelevanceError) as caught:
        load_task(make_task(source={"train": file, "dev": 0.5}), DataOptions())
    assert str(caught.value) == (
        "task 'TOY': `dev = 0.5` leaves 0 of 9 training rows for dev; at least 2 are needed there"
        " and to train on. Rows of equal texts stay together."
    )


# Test rows


def test_a_test_split_is_loaded_where_it_is_asked_for(
    tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    files = {
        split: str(write(tmp_path / "toy" / f"{split}.csv", {"sentence": [split], "label": [1]}))
        for split in ("train", "dev", "test")
    }
    own, looked_up = make_task(source=files), make_task()
    for task in (own, looked_up, with_files(looked_up, tmp_path)):
        options = DataOptions(tmp_path)
        assert list(load_task(task, options).evaluation) == ["dev"]
        asked = load_task(task, options, also=["test", "other"]).evaluation
        assert list(asked) == ["dev", "test"]
        assert list(asked["test"].texts[0]) == ["test"]
    (tmp_path / "toy" / "test.csv").unlink()
    assert list(load_task(looked_up, DataOptions(tmp_path), also=["test"]).evaluation) == ["dev"]


def test_all_of_it_is_written_and_read_again(tmp_path: Path, make_task: MakeTask) -> None:
    task = make_task(
        metrics=["f1"],
        positive="negative",
        source={
            "train": "/a/t.tsv",
            "dev": 0.25,
            "seed": 1,
            "test": "/a/x.tsv",
            "columns": {"sentence": "text"},
            "labels": {"neg": "negative"},
            "extra": {"hard": "/a/h.tsv"},
        },
    )
    write_tasks(tmp_path / "own.toml", [task])
    assert read_tasks(tmp_path / "own.toml") == (task,)


def test_what_older_versions_wrote_is_still_what_is_written(make_task: MakeTask) -> None:
    task = make_task(source={"train": "t.csv", "dev": "d.csv"})
    written = task.model_dump(mode="json")
    assert not {"positive", "unanswerable"} & set(written)
    assert not {"seed", "test", "header"} & set(written["source"])


# What can be wrong


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": None, "dev": None}, "needs either 'train' and 'dev' files or a `hub` dataset"),
        ({"dev": None}, "`dev = 0.2` takes its rows from those of 'train'"),
        ({"dev": 0.0}, "`dev = 0` is no share of the training rows"),
        ({"dev": 1}, "`dev = 1` is no share"),
        ({"dev": True}, "`dev = 1` is no share"),
        ({"dev": "0.2"}, '`dev = "0.2"` stands in quotes, so it names a file. A share'),
        ({"dev": "20 %"}, '`dev = "20 %"` stands in quotes'),
        ({"dev": float("nan")}, "`dev = nan` is no share"),
        ({"dev": 20}, "give one between 0 and 1, such as 0.2, or a file"),
        ({"seed": 1}, "'seed' draws a share"),
        ({"dev": 0.5, "seed": -1}, "greater than or equal to 0"),
        ({"dev": 0.5, "seed": "0"}, "valid integer"),
        ({"train": ""}, "is no path of a file"),
        ({"train": "a\0b"}, "is no path of a file"),
        ({"config": "c"}, "'config' is of a `hub` dataset"),
        ({"splits": {"dev": "test"}}, "'splits' is of a `hub` dataset"),
        ({"extra": {"train": "x.csv"}}, "`extra` cannot name a split 'train'"),
        ({"extra": {"DEV": "x.csv"}}, "`extra` cannot name a split 'DEV'"),
        ({"extra": {"holdout": "x.csv"}}, "`extra` cannot name a split 'holdout'"),
        ({"extra": {"test": "x.csv"}, "test": "y.csv"}, "`extra` cannot name a split 'test'"),
        ({"extra": {"hard": "x.csv", "HARD": "y.csv"}}, "names one split twice: hard, HARD"),
        ({"extra": {"a b": "x.csv"}}, "without spaces"),
        ({"columns": {"a": "b"}}, "neither is a column of the task: 'sentence', 'label'"),
        ({"columns": {"sentence": "label"}}, "which are both columns of the task"),
        ({"columns": {"sentence": "a", "b": "sentence"}}, "says twice where 'sentence' comes from"),
        ({"labels": {"bad": "negativ"}}, "Unknown label 'negativ'. Did you mean 'negative'?"),
        ({"header": "no"}, "valid boolean"),
        ({"train": None, "dev": 0.5, "hub": "x", "header": False}, "'header' is of files"),
        ({"train": None, "dev": 0.5, "hub": "x", "format": "tsv"}, "'format' is of files"),
        ({"hub": "x"}, "whose splits are named by `splits`"),
        ({"train": None, "dev": 0.5, "hub": "x", "splits": {"dev": "v"}}, "`splits` names one too"),
    ],
)
def test_sources_that_are_refused(
    make_task: MakeTask, changes: dict[str, Any], message: str
) -> None:
    given = {"train": "t.csv", "dev": "d.csv"} | changes
    fields = {key: value for key, value in given.items() if value is not None}
    with pytest.raises(ValidationError) as caught:
        make_task(source=fields)
    assert message in str(caught.value)


def test_labels_of_a_source_mean_nothing_without_labels(make_task: MakeTask) -> None:
    source = {"train": "t.csv", "dev": "d.csv", "labels": {"five": "5"}}
    with pytest.raises(ValidationError, match="means nothing to a task of kind regression"):
        make_task(kind="regression", source=source)
