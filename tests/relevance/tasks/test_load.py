import gzip
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from relevance.errors import RelevanceError
from relevance.tasks.data import DataOptions
from relevance.tasks.kinds.kind import LabelKind
from relevance.tasks.labels import LabelNames
from relevance.tasks.load import evaluation_splits, load_split, load_task
from relevance.tasks.task import Task

MakeTask = Callable[..., Task]
Write = Callable[[Path, Mapping[str, Sequence[Any]]], Path]
SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl")
# What a csv reader likes to turn into something else, and what it trips over.
ODD_TEXTS = [
    "n/a",
    "NULL",
    "",
    "NaN",
    "true",
    "1.50",
    "2020-01-01",
    'a "quoted", word',
    "two\nlines",
    "a\ttab",
    "naïve 😀",
    " blanks ",
    "\u2028 is no line break",
]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_text_comes_back_as_it_was_written(
    tmp_path: Path, make_task: MakeTask, write: Write, suffix: str
) -> None:
    texts = [text for text in ODD_TEXTS if suffix != ".tsv" or not re.search("[\t\n]", text)]
    labels = [row % 2 for row in range(len(texts))]
    columns: dict[str, Any] = {"other": labels, "sentence": texts, "label": labels}
    write(tmp_path / "toy" / f"train{suffix}", columns)
    split = load_split(make_task(), "train", tmp_path)
    assert list(split.texts[0]) == texts
    assert split.labels.tolist() == labels
    assert split.labels.dtype == np.int64


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1),
    suffix=st.sampled_from(SUFFIXES),
)
def test_any_text_comes_back(
    tmp_path: Path, make_task: MakeTask, write: Write, texts: list[str], suffix: str
) -> None:
    folder = tmp_path / suffix[1:]
    if suffix == ".tsv":  # in which such texts have no form, and the last looks like one of csv
        assume(not any(re.search('[\t\n\r]|^".*""', text) for text in texts))
    write(folder / "toy" / f"train{suffix}", {"sentence": texts, "label": [0] * len(texts)})
    assert list(load_split(make_task(), "train", folder).texts[0]) == texts


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "labels", [[0, 1, 1], ["negative", "positive", "positive"], ["0", "1", "1"]]
)
def test_labels_may_be_codes_or_names(
    tmp_path: Path, make_task: MakeTask, write: Write, suffix: str, labels: list[Any]
) -> None:
    write(tmp_path / "toy" / f"dev{suffix}", {"sentence": ["a", "b", "c"], "label": labels})
    assert load_split(make_task(), "dev", tmp_path).labels.tolist() == [0, 1, 1]


def test_booleans_and_whole_floats_are_labels_too(
    tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    write(tmp_path / "toy" / "train.jsonl", {"sentence": ["a", "b"], "label": [True, False]})
    write(tmp_path / "toy" / "dev.parquet", {"sentence": ["a", "b"], "label": [1.0, 0.0]})
    task = make_task(labels=["false", "true"])
    assert load_split(task, "train", tmp_path).labels.tolist() == [1, 0]
    assert load_split(task, "dev", tmp_path).labels.tolist() == [1, 0]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_names_that_are_numbers_are_never_taken_for_codes(
    tmp_path: Path, make_task: MakeTask, write: Write, suffix: str
) -> None:
    write(tmp_path / "toy" / f"train{suffix}", {"sentence": ["a", "b"], "label": [1, 3]})
    task = make_task(labels=["1", "2", "3"])
    assert load_split(task, "train", tmp_path).labels.tolist() == [0, 2]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_regression_labels_are_numbers_on_the_tasks_scale(
    tmp_path: Path, make_task: MakeTask, write: Write, suffix: str
) -> None:
    write(tmp_path / "toy" / f"train{suffix}", {"sentence": ["a", "b"], "label": [0.0, 3.25]})
    split = load_split(make_task(kind="regression"), "train", tmp_path)
    assert split.labels.tolist() == [0.0, 3.25]
    assert split.labels.dtype == np.float64


def test_columns_come_in_input_order_and_groups_by_their_columns(
    tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    columns: dict[str, Any] = {"b": list("123"), "label": [0, 1, 0], "a": list("xyz")}
    columns |= {"p": [7, 7, 8], "q": [0, 0, 0]}
    write(tmp_path / "toy" / "train.parquet", columns)
    task = make_task(text=["a", "b"], group=["p", "q"])
    split = load_split(task, "train", tmp_path)
    assert [list(column) for column in split.texts] == [["x", "y", "z"], ["1", "2", "3"]]
    assert split.groups is not None
    assert split.groups.tolist() == [0, 0, 1]


def test_a_group_may_be_told_by_a_list(tmp_path: Path, make_task: MakeTask, write: Write) -> None:
    columns = {"sentence": list("abc"), "label": [0, 1, 0], "g": [[1, 2], [1, 3], [1, 2]]}
    write(tmp_path / "toy" / "dev.jsonl", columns)
    groups = load_split(make_task(group=["g"]), "dev", tmp_path).groups
    assert groups is not None
    assert groups.tolist() == [0, 1, 0]


def test_text_alone_needs_no_labels(tmp_path: Path, make_task: MakeTask, write: Write) -> None:
    write(tmp_path / "toy" / "train.csv", {"sentence": ["a", ""], "other": ["x", "y"]})
    split = load_split(make_task(), "train", tmp_path, text_only=True)
    assert list(split.texts[0]) == ["a", ""]
    assert len(split) == 2


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_row_of_100_000_words(
    tmp_path: Path, make_task: MakeTask, write: Write, suffix: str
) -> None:
    text = "extraordinary " * 100_000
    for split in ("train", "dev"):
        write(tmp_path / "toy" / f"{split}{suffix}", {"sentence": [text], "label": [1]})
    data = load_task(make_task(), DataOptions(tmp_path, max_train=5, max_dev=5))
    assert data.train.texts[0][0] == text
    assert len(data.train) == len(data.evaluation["dev"]) == 1


def test_csv_with_a_byte_order_mark(tmp_path: Path, make_task: MakeTask) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "train.csv").write_text("\ufeffsentence,label\nhi,1\n", encoding="utf-8")
    assert list(load_split(make_task(), "train", tmp_path).texts[0]) == ["hi"]


def test_data_dir_defaults_to_the_cache(make_task: MakeTask, write: Write, tmp_path: Path) -> None:
    write(tmp_path / "cache" / "tasks" / "toy" / "dev.csv", {"sentence": ["a"], "label": [0]})
    assert len(load_split(make_task(), "dev", None)) == 1


def test_own_files_are_read_where_they_are(
    tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    files = {
        name: str(write(tmp_path / f"{name}.csv", {"sentence": ["a"], "label": [0]}))
        for name in ("train", "dev", "hard")
    }
    source = {"train": files["train"], "dev": files["dev"], "extra": {"hard": files["hard"]}}
    data = load_task(make_task(source=source), DataOptions(tmp_path / "elsewhere"))
    assert list(data.evaluation) == ["dev", "hard"]
    with pytest.raises(RelevanceError, match=r"^task 'TOY': Unknown split 'har'\. Did you mean"):
        load_split(make_task(source=source), "har", None)


def test_further_splits_are_found_by_the_beginning_of_their_name(
    tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    task = make_task(source={"hub": "a/b", "extra": {"dev_hard": "validation_hard"}})
    for name in ("train", "dev", "dev_hard_1k", "dev_soft"):
        write(tmp_path / "toy" / f"{name}.csv", {"sentence": ["a"], "label": [0]})
    (tmp_path / "toy" / "dev_hard.md").write_text("notes")
    assert evaluation_splits(task, DataOptions(tmp_path)) == ("dev", "dev_hard_1k")
    assert list(load_task(task, DataOptions(tmp_path)).evaluation) == ["dev", "dev_hard_1k"]
    assert list(load_task(task, DataOptions(tmp_path), gain_split="dev").evaluation) == ["dev"]


def test_texts_and_labels_are_checked_by_columns_and_not_by_cells(
    tmp_path: Path, make_task: MakeTask, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [str(row) for row in range(200)]
    write(tmp_path / "toy" / "train.csv", {"sentence": texts, "label": [0, 1] * 100})
    asked: list[Any] = []
    as_before = LabelNames.code
    monkeypatch.setattr(LabelKind, "text", lambda _, value: asked.append(value) or value)
    monkeypatch.setattr(
        LabelNames, "code", lambda self, value: asked.append(value) or as_before(self, value)
    )
    assert len(load_split(make_task(), "train", tmp_path)) == 200
    assert sorted(asked) == ["0", "1"]


def test_limits_apply_to_every_split(tmp_path: Path, make_task: MakeTask, write: Write) -> None:
    for name in ("train", "dev"):
        texts = [str(row) for row in range(50)]
        write(tmp_path / "toy" / f"{name}.csv", {"sentence": texts, "label": [0, 1] * 25})
    data = load_task(make_task(), DataOptions(tmp_path, max_train=7, max_dev=60))
    assert len(data.train) == 7
    assert len(data.evaluation["dev"]) == 50


def test_a_holdout_comes_first_and_max_train_applies_to_the_rest(
    tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    texts = [str(row) for row in range(100)]
    write(tmp_path / "toy" / "train.csv", {"sentence": texts, "label": [0, 1] * 50})

    def held(**limits: int) -> tuple[list[str], list[str]]:
        data = load_task(make_task(), DataOptions(tmp_path, **limits), gain_split="holdout")
        assert list(data.evaluation) == ["holdout"]
        return list(data.train.texts[0]), list(data.evaluation["holdout"].texts[0])

    train, holdout = held()
    assert sorted(train + holdout) == sorted(texts)
    assert len(holdout) == 20
    smaller, same = held(max_train=10)
    assert same == holdout
    assert len(smaller) == 10
    assert set(smaller) <= set(train)
    assert len(held(max_dev=6)[1]) == 6


def test_a_share_is_of_the_rows_within_the_limits_and_of_no_others(
    tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    texts = [str(row) for row in range(100)]
    write(tmp_path / "toy" / "train.csv", {"sentence": texts, "label": [0, 1] * 50})

    def rows(share: float, max_train: int | None = None) -> tuple[list[str], list[str]]:
        options = DataOptions(tmp_path, max_train=max_train, share=share)
        data = load_task(make_task(), options, gain_split="holdout")
        return list(data.train.texts[0]), list(data.evaluation["holdout"].texts[0])

    every, holdout = rows(1.0)
    found = {share: rows(share) for share in (0.001, 0.25, 0.5)}
    assert [len(train) for train, _ in found.values()] == [1, 20, 40]
    assert set(found[0.001][0]) < set(found[0.25][0]) < set(found[0.5][0]) < set(every)
    assert all(held == holdout for _, held in found.values())
    limited = rows(0.5, max_train=10)[0]
    assert len(limited) == 5
    assert set(limited) < set(rows(1.0, max_train=10)[0])


# What can be wrong


def failure(task: Task, data_dir: Path | None, split: str = "train") -> str:
    with pytest.raises(RelevanceError) as caught:
        load_split(task, split, data_dir)
    message = str(caught.value)
    assert message.startswith("task 'TOY': ")
    assert "\n" not in message
    return message.removeprefix("task 'TOY': ")


def test_a_missing_file(tmp_path: Path, make_task: MakeTask) -> None:
    folder = tmp_path / "toy"
    assert failure(make_task(source={"hub": "a/b"}), tmp_path) == (
        f"{folder} has no train.parquet (nor .csv, .tsv, .jsonl, .json, .txt, packed or not). Fetch"
        " it with `relevance prepare --tasks TOY`, or name the folder that has toy/ with"
        " `data_dir`."
    )
    assert failure(make_task(), tmp_path, "dev") == (
        f"{folder} has no dev.parquet (nor .csv, .tsv, .jsonl, .json, .txt, packed or not). Put it"
        " there, or name the folder that has toy/ with `data_dir`."
    )
    own = make_task(source={"train": "/no/train.csv", "dev": "/no/dev.csv"})
    assert failure(own, tmp_path) == "/no/train.csv: no such file. `source` names it as 'train'."


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".tsv"])
def test_a_missing_column(tmp_path: Path, make_task: MakeTask, write: Write, suffix: str) -> None:
    path = write(tmp_path / "toy" / f"train{suffix}", {"sentence1": ["a"], "label": [0]})
    assert failure(make_task(), tmp_path) == (
        f"column 'sentence' is not in {path}. Columns: sentence1, label."
    )


def test_a_missing_column_of_a_json_line(tmp_path: Path, make_task: MakeTask, write: Write) -> None:
    path = tmp_path / "toy" / "train.jsonl"
    path.parent.mkdir()
    path.write_text('{"sentence": "a", "label": 0}\n\n{"sentence": "b"}\n')
    assert failure(make_task(), tmp_path) == (
        f"column 'label' is not in {path}, line 3. Columns: sentence."
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("label", [2, "neutral", -1, ""])
def test_a_label_outside_the_declared_ones(
    tmp_path: Path, make_task: MakeTask, write: Write, suffix: str, label: Any
) -> None:
    labels = ["negative", str(label)] if isinstance(label, str) else [0, label]
    path = write(tmp_path / "toy" / f"train{suffix}", {"sentence": ["a", "b"], "label": labels})
    got = repr(str(label) if suffix in {".csv", ".tsv"} else label)
    assert failure(make_task(), tmp_path) == (
        f"{path}, row 2: label {got} is not one of: 0, 1, negative, positive."
    )


@pytest.mark.parametrize("label", [5.5, -0.1, float("nan"), float("inf"), None])
def test_a_regression_label_out_of_range(
    tmp_path: Path, make_task: MakeTask, write: Write, label: float | None
) -> None:
    path = write(tmp_path / "toy" / "dev.parquet", {"sentence": ["a", "b"], "label": [1.0, label]})
    assert failure(make_task(kind="regression"), tmp_path, "dev") == (
        f"{path}, row 2: label {label!r} is no number from 0 to 5, the task's `range`."
    )


@pytest.mark.parametrize("label", ["", "high", "nan", "1_0", "٣"])
def test_a_regression_label_that_is_no_number(
    tmp_path: Path, make_task: MakeTask, write: Write, label: str
) -> None:
    path = write(tmp_path / "toy" / "train.csv", {"sentence": ["a"], "label": [label]})
    assert f"{path}, row 1: label {label!r} is no number" in failure(
        make_task(kind="regression"), tmp_path
    )


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_a_null_text(tmp_path: Path, make_task: MakeTask, write: Write, suffix: str) -> None:
    columns: dict[str, Any] = {"sentence": ["a", "", None], "label": [0, 1, 1]}
    path = write(tmp_path / "toy" / f"train{suffix}", columns)
    assert failure(make_task(), tmp_path) == (
        f"{path}, row 3: column 'sentence' is null. An empty string is valid text."
    )


def test_a_null_label_and_a_null_group(tmp_path: Path, make_task: MakeTask, write: Write) -> None:
    path = write(
        tmp_path / "toy" / "train.parquet", {"sentence": ["a"], "label": [None], "idx": [1]}
    )
    assert f"{path}, row 1: label None is not one of" in failure(make_task(), tmp_path)
    write(path, {"sentence": ["a"], "label": [0], "idx": pa.array([None], pa.int64())})
    assert failure(make_task(group=["idx"]), tmp_path) == (
        f"{path}, row 1: a `group` column is null."
    )


@pytest.mark.parametrize(
    ("suffix", "groups"),
    [
        (".parquet", [1.0, float("nan"), float("nan")]),
        (".jsonl", [1, None, None]),
        (".csv", ["q1", "", ""]),
        (".csv", ["q1", " ", "q2"]),
    ],
)
def test_rows_without_a_group_are_neither_lumped_together_nor_dropped(
    tmp_path: Path, make_task: MakeTask, write: Write, suffix: str, groups: list[Any]
) -> None:
    columns = {"sentence": ["a", "b", "c"], "label": [0, 1, 1], "idx": groups}
    path = write(tmp_path / "toy" / f"train{suffix}", columns)
    assert failure(make_task(group=["idx"]), tmp_path) == (
        f"{path}, row 2: a `group` column is null."
    )


def test_text_that_is_a_number(tmp_path: Path, make_task: MakeTask, write: Write) -> None:
    path = write(tmp_path / "toy" / "train.parquet", {"sentence": [3, 4], "label": [0, 1]})
    assert failure(make_task(), tmp_path).startswith(
        f"{path}, row 1: column 'sentence' is 3, which is no text."
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_split(tmp_path: Path, make_task: MakeTask, write: Write, suffix: str) -> None:
    empty: list[str] = []
    path = write(tmp_path / "toy" / f"train{suffix}", {"sentence": empty, "label": empty})
    assert failure(make_task(), tmp_path) == f"{path} has no rows; a split needs at least one."


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
@pytest.mark.parametrize("filler", [0, 200_000])
def test_a_file_that_is_not_utf8(
    tmp_path: Path, make_task: MakeTask, write: Write, suffix: str, filler: int
) -> None:
    path = tmp_path / "toy" / f"train{suffix}"
    write(path, {"sentence": ["x" * filler, "caf@"], "label": [0, 1]})
    path.write_bytes(path.read_bytes().replace(b"@", b"\xe9"))
    assert failure(make_task(), tmp_path) == f"{path} is not UTF-8. Save it as UTF-8."


@pytest.mark.parametrize("content", [b"", b"PAR1 nonsense", b"PAR1" + bytes(200) + b"PAR1"])
def test_a_corrupt_parquet_file(tmp_path: Path, make_task: MakeTask, content: bytes) -> None:
    path = tmp_path / "toy" / "train.parquet"
    path.parent.mkdir()
    path.write_bytes(content)
    assert failure(make_task(), tmp_path).startswith(f"{path} cannot be read as parquet: ")


def test_a_parquet_file_garbled_in_its_pages(tmp_path: Path, make_task: MakeTask) -> None:
    path = tmp_path / "toy" / "train.parquet"
    path.parent.mkdir()
    texts = [f"text {row}" for row in range(1000)]
    pq.write_table(pa.table({"sentence": texts, "label": [0] * 1000}), path)
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)
    path.write_bytes(content)
    assert failure(make_task(), tmp_path).startswith(f"{path} cannot be read as parquet: ")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train.csv", "", "{path} is empty: it has neither names of columns nor rows."),
        ("train.csv", "\ufeff\n", "{path} is empty: it has neither names of columns nor rows."),
        (
            "train.csv",
            "sentence;label\na;0\n",
            "column 'sentence' is not in {path}. Columns: sentence;label. It seems that ';' stands",
        ),
        (
            "train.tsv",
            "sentence,label\na,0\n",
            "column 'sentence' is not in {path}. Columns: sentence,label. It seems that a comma",
        ),
        (
            "train.csv",
            "sentence,label\na,b,c\n",
            "{path}, line 2: 3 columns, but the header has 2.",
        ),
        ("train.csv", "sentence,label,label\na,0,1\n", "column 'label' is in {path} twice."),
        ("train.jsonl", '{"sentence": \n', "{path}, line 1: not valid JSON: Expecting value"),
        ("train.jsonl", "[1, 2]\n", "{path}, line 1: expected an object, got [1, 2]. A list"),
        (
            "train.jsonl",
            json.dumps({"sentence": "\ud800", "label": 0}),
            "{path}, line 1: not valid JSON: half of a surrogate pair is no character.",
        ),
    ],
)
def test_a_malformed_file(
    tmp_path: Path, make_task: MakeTask, name: str, content: str, message: str
) -> None:
    path = tmp_path / "toy" / name
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    assert failure(make_task(), tmp_path).startswith(message.format(path=path))


def test_two_files_for_one_split(tmp_path: Path, make_task: MakeTask, write: Write) -> None:
    for suffix in (".parquet", ".csv"):
        write(tmp_path / "toy" / f"train{suffix}", {"sentence": ["a"], "label": [0]})
    assert failure(make_task(), tmp_path) == (
        f"{tmp_path / 'toy'} has both train.parquet and train.csv. Keep one of them."
    )


def test_an_own_file_with_another_suffix(tmp_path: Path, make_task: MakeTask) -> None:
    path = tmp_path / "train.dat"
    path.write_text("hi")
    assert failure(make_task(source={"train": str(path), "dev": str(path)}), None) == (
        f"{path} has to end in one of .parquet, .csv, .tsv, .jsonl, .json, .txt; all but parquet"
        " may end in .gz after that."
    )


@pytest.mark.parametrize("name", ["max_train", "max_dev"])
def test_limits_below_one(tmp_path: Path, make_task: MakeTask, name: str) -> None:
    with pytest.raises(RelevanceError) as caught:
        load_task(make_task(), DataOptions(tmp_path, **{name: 0}))
    assert str(caught.value) == f"`{name}` must be at least 1, got 0."


def test_a_holdout_of_a_one_row_task(tmp_path: Path, make_task: MakeTask, write: Write) -> None:
    write(tmp_path / "toy" / "train.csv", {"sentence": ["a"], "label": [0]})
    with pytest.raises(RelevanceError) as caught:
        load_task(make_task(), DataOptions(tmp_path), gain_split="holdout")
    assert str(caught.value) == (
        "task 'TOY': a hold-out of 1 training rows would have 0 (20 %, at most `max_dev`); at"
        ' least 2 are needed. Measure on the dev split with `gain_split="dev"`.'
    )


def test_a_jobs_key_holds_what_labels_mean(
    tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    """Codes alone stay the same when labels change places or names; the fingerprint does not."""
    rows: dict[str, Any] = {"sentence": ["a", "b"], "label": [0, 1]}
    for split in ("train", "dev"):
        write(tmp_path / "toy" / f"{split}.csv", rows)
    f1 = {"metrics": ["f1"]}
    tasks = [
        make_task(**f1),
        make_task(**f1, labels=["positive", "negative"]),
        make_task(**f1, labels=["negative", "good"]),
        make_task(**f1, positive="negative"),
        make_task(metrics=["accuracy", "f1"]),
    ]
    options = DataOptions(tmp_path)
    assert len({load_task(task, options).fingerprint for task in tasks}) == len(tasks)
    same = [make_task(**f1, licence="MIT"), make_task(**f1, source={"hub": "x", "test": "test"})]
    prints = {load_task(task, options).fingerprint for task in (tasks[0], *same)}
    assert len(prints) == 1


@pytest.mark.parametrize("name", ["train.json", "train.json.gz", "train.csv.gz", "train.tsv.gz"])
def test_every_format_of_files_is_found_in_a_folder(
    tmp_path: Path, make_task: MakeTask, name: str
) -> None:
    folder = tmp_path / "toy"
    folder.mkdir()
    if ".json" in name:
        text = json.dumps([{"sentence": "a b", "label": "positive"}])
    else:
        text = "sentence,label\na b,positive\n".replace(",", "," if ".csv" in name else "\t")
    content = text.encode()
    (folder / name).write_bytes(
        gzip.compress(content, mtime=0) if name.endswith(".gz") else content
    )
    split = load_split(make_task(), "train", tmp_path)
    assert (split.texts, split.labels.tolist()) == ((["a b"],), [1])
    (folder / "train.parquet").write_bytes(b"")
    with pytest.raises(RelevanceError, match=f"has both train.parquet and {name}. Keep one"):
        load_split(make_task(), "train", tmp_path)


def test_further_splits_may_be_packed(tmp_path: Path, make_task: MakeTask) -> None:
    task = make_task(source={"hub": "a/b", "extra": {"more": "validation"}})
    folder = tmp_path / "toy"
    folder.mkdir()
    for name in ("more_1.json.gz", "more_2.csv", "more.md"):
        (folder / name).touch()
    assert evaluation_splits(task, DataOptions(tmp_path)) == ("dev", "more_1", "more_2")
