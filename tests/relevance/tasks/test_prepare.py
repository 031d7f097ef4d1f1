"""Preparing from a local folder, which `datasets` reads the way it reads a hub repository."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from relevance.errors import RelevanceError
from relevance.tasks.data import DataOptions, as_rows
from relevance.tasks.find import catalogue
from relevance.tasks.groups import GROUPS
from relevance.tasks.load import load_split, load_task
from relevance.tasks.metrics import score
from relevance.tasks.prepare import prepare_task
from relevance.tasks.task import Task

MakeTask = Callable[..., Task]
Write = Callable[[Path, Mapping[str, Sequence[Any]]], Path]


@pytest.fixture(autouse=True)
def _no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return tmp_path / "hub"


def at(task: Task, hub: Path) -> Task:
    """The catalogue's task, fetched from a folder of its training and dev splits instead."""
    assert task.source is not None
    own = {split: name for split, name in task.source.splits.items() if "test" not in split}
    test = task.source.test if task.diagnoses else None
    given = {"hub": str(hub), "config": None, "test": test, "splits": own}
    source = task.source.model_copy(update=given)
    return task.model_copy(update={"source": source})


def write_classes(path: Path, columns: Mapping[str, Any], names: list[str]) -> None:
    """A parquet file whose label column knows the names of its classes, as the hub's do."""
    features = datasets.Features(
        {name: datasets.Value("string") for name in columns if name != "label"}
        | {"label": datasets.ClassLabel(names=names)}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    datasets.Dataset.from_dict(dict(columns), features=features).to_parquet(path)


def test_columns_are_renamed_and_unlabelled_rows_left_out(hub: Path, tmp_path: Path) -> None:
    names = ["entailment", "neutral", "contradiction"]
    for split in ("train", "validation"):
        columns = {"premise": ["a", "b", "c"], "hypothesis": ["d", "", "f"], "label": [2, -1, 0]}
        write_classes(hub / f"{split}.parquet", columns, names)
    task = at(catalogue()["SNLI"], hub)
    out = tmp_path / "out"
    prepared = prepare_task(task, out)
    assert [one.path for one in prepared] == [
        out / "snli" / f"{s}.parquet" for s in ("train", "dev")
    ]
    assert str(prepared[1]) == (
        "task 'SNLI', dev: 2 rows, 1 left out because they have no label (1 with -1)"
    )
    table = pq.read_table(out / "snli" / "train.parquet")
    assert table.to_pydict() == {"sentence1": ["a", "c"], "sentence2": ["d", "f"], "label": [2, 0]}
    assert table.schema.metadata is None
    assert len(list((out / "snli").iterdir())) == 2


def test_codes_follow_the_names_and_not_the_hubs_order(hub: Path, tmp_path: Path) -> None:
    columns = {"text": ["x", "y"], "label": [0, 1]}
    for split in ("train", "test"):
        write_classes(hub / f"{split}.parquet", columns, ["pos", "neg"])
    prepare_task(at(catalogue()["IMDB"], hub), tmp_path / "out")
    data = load_task(catalogue()["IMDB"], DataOptions(tmp_path / "out"))
    assert data.train.labels.tolist() == [1, 0]
    assert list(data.evaluation["dev"].texts[0]) == ["x", "y"]


def test_multirc_keeps_its_ids(hub: Path, tmp_path: Path) -> None:
    rows = {
        "paragraph": ["p", "p"],
        "question": ["q", "q"],
        "answer": ["", "b"],
        "idx": [{"paragraph": 4, "question": 2, "answer": n} for n in range(2)],
        "label": [1, 0],
    }
    for split in ("train", "validation"):
        (hub / "data").mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(rows), hub / "data" / f"{split}-00000-of-00001.parquet")
    prepare_task(at(catalogue()["MultiRC"], hub), tmp_path / "out")
    assert pq.read_table(tmp_path / "out" / "multirc" / "dev.parquet").to_pydict() == {
        "question": ["q", "q"],
        "paragraph": ["p", "p"],
        "answer": ["", "b"],
        "idx_paragraph": [4, 4],
        "idx_question": [2, 2],
        "idx_answer": [0, 1],
        "label": [1, 0],
    }


def test_a_named_config_and_a_further_split(hub: Path, tmp_path: Path, write: Write) -> None:
    names = ["entailment", "neutral", "contradiction"]
    held_back = ("test_matched", "test_mismatched")
    splits = ("train", "validation_matched", "validation_mismatched", *held_back)
    for split in splits:
        label = -1 if split in held_back else 1
        columns = {"premise": ["a"], "hypothesis": [split], "label": [label]}
        write_classes(hub / "mnli" / f"{split}.parquet", columns, names)
    files = "".join(f"  - split: {name}\n    path: mnli/{name}.parquet\n" for name in splits)
    (hub / "README.md").write_text(
        f"---\nconfigs:\n- config_name: mnli\n  data_files:\n{files}---\n"
    )
    task = catalogue()["MNLI"]
    assert task.source is not None
    task = task.model_copy(update={"source": task.source.model_copy(update={"hub": str(hub)})})
    prepare_task(task, tmp_path / "out")
    data = load_task(task, DataOptions(tmp_path / "out"))
    assert list(data.evaluation["dev"].texts[1]) == ["validation_matched"]
    assert list(data.evaluation["dev_mismatched"].texts[1]) == ["validation_mismatched"]
    for split, name in zip(("test", "test_mismatched"), held_back, strict=True):
        kept_back = load_split(task, split, tmp_path / "out", text_only=True)
        assert list(kept_back.texts[1]) == [name]


def test_regression_and_labels_that_are_words(hub: Path, tmp_path: Path, write: Write) -> None:
    for split in ("train", "validation"):
        columns: dict[str, Any] = {"sentence1": ["a"], "sentence2": ["b"], "label": [3.8]}
        write(hub / "stsb" / f"{split}.csv", columns)
        columns = {"premise": ["a", "b"], "hypothesis": ["c", "d"], "label": ["entails", "neutral"]}
        write(hub / "scitail" / f"{split}.jsonl", columns)
    for name in ("STS-B", "SciTail"):
        task = catalogue()[name]
        prepare_task(at(task, hub / task.slug), tmp_path / "out")
    options = DataOptions(tmp_path / "out")
    assert load_task(catalogue()["STS-B"], options).train.labels.tolist() == [3.8]
    assert load_task(catalogue()["SciTail"], options).train.labels.tolist() == [0, 1]


def test_tags_are_renamed_from_lists_of_classes(hub: Path, tmp_path: Path) -> None:
    names = ["I-person", "O", "B-person"]  # in another order than the catalogue's
    classes = datasets.List(datasets.ClassLabel(names=names))
    features = {"id": datasets.Value("string"), "tokens": datasets.List(datasets.Value("string"))}
    for split in ("train", "validation", "test"):
        path = hub / "wnut_17" / split / "0000.parquet"  # as the hub's own parquet files lie
        path.parent.mkdir(parents=True)
        rows = {"id": ["0", "1"], "tokens": [["Ann", "Stone"], ["no"]], "ner_tags": [[2, 0], [1]]}
        datasets.Dataset.from_dict(
            rows, features=datasets.Features({**features, "ner_tags": classes})
        ).to_parquet(path)
    task = catalogue()["WNUT-17"]
    prepare_task(at(task, hub), tmp_path / "out")
    data = load_task(task, DataOptions(tmp_path / "out"))
    assert list(data.train.texts[0]) == ["Ann Stone", "no"]
    assert data.train.labels.tolist() == [("B-person", "I-person"), ("O",)]
    assert list(data.evaluation) == ["dev", "test"]


def test_answers_keep_their_places(hub: Path, tmp_path: Path) -> None:
    answers = {"text": ["Kim", "a Kim"], "answer_start": [8, 6]}
    rows = {"id": ["0"], "context": ["it is a Kim"], "question": ["who"]}
    for split in ("train", "validation"):
        (hub / "plain_text").mkdir(parents=True, exist_ok=True)
        table = pa.table({**rows, "answers": [answers]})
        pq.write_table(table, hub / "plain_text" / f"{split}-00000-of-00001.parquet")
    task = catalogue()["SQuAD"]
    prepare_task(at(task, hub), tmp_path / "out")
    data = load_task(task, DataOptions(tmp_path / "out"))
    assert data.train.labels.tolist() == [(("Kim", 8), ("a Kim", 6))]
    assert [list(column) for column in data.train.texts] == [["who"], ["it is a Kim"]]


def write_mrqa(hub: Path, *, nested: bool) -> None:
    """MRQA as `datasets` keeps it: lists of objects as an object of lists, or as they are."""
    first, second = {"start": [0], "end": [2]}, {"start": [8, 0], "end": [10, 0]}
    spans = [[{"start": 0, "end": 2}], [{"start": 8, "end": 10}, {"start": 0, "end": 0}]]
    detected = (
        [{"text": ["kim"], "char_spans": [first]}, {"text": ["kim"], "char_spans": [second]}]
        if nested
        else [[{"text": "kim", "char_spans": each}] for each in spans]
    )
    rows = {
        "subset": ["SQuAD", "NewsQA"],
        "context": ["Kim ran", "she is, Kim"],
        "context_tokens": [{"tokens": ["Kim"]}, {"tokens": ["she"]}],
        "qid": ["7", "8"],
        "question": ["who", "which"],
        "detected_answers": detected,
        "answers": [["Kim"], ["Kim", "Kim Kardashian"]],
    }
    hub.mkdir(exist_ok=True)
    for split in ("train", "validation"):
        pq.write_table(pa.table(rows), hub / f"{split}-00000-of-00001.parquet")


@pytest.mark.parametrize("nested", [True, False])
def test_a_subset_of_mrqa_with_its_answers_in_squads_form(
    hub: Path, tmp_path: Path, nested: bool
) -> None:
    write_mrqa(hub, nested=nested)
    out = tmp_path / "out"
    task = at(catalogue()["NewsQA"], hub)
    assert [one.rows for one in prepare_task(task, out)] == [1, 1]
    found = load_split(task, "dev", out)
    assert found.labels.tolist() == [(("Kim", 8), ("s", 0), ("Kim Kardashian", -1))]
    table = pq.read_table(out / "newsqa" / "dev.parquet").to_pydict()
    assert table["id"] == ["8"]
    assert set(table) == {"id", "question", "context", "answers"}


def test_a_subset_that_does_not_exist(hub: Path, tmp_path: Path) -> None:
    write_mrqa(hub, nested=True)
    task = at(catalogue()["SearchQA"], hub)
    with pytest.raises(RelevanceError) as caught:
        prepare_task(task, tmp_path / "out")
    assert str(caught.value).endswith(
        "no row has 'SearchQA' as its 'subset', as `where` wants it. There are: 'NewsQA', 'SQuAD'."
    )
    assert task.source is not None
    source = task.source.model_copy(update={"where": {"part": "x"}})
    with pytest.raises(RelevanceError, match="no column is 'part', by which `where` chooses rows"):
        prepare_task(task.model_copy(update={"source": source}), tmp_path / "out")
    assert not (tmp_path / "out" / "searchqa").exists()


def test_questions_without_an_answer_are_kept(hub: Path, tmp_path: Path) -> None:
    hub.mkdir()
    answers = [{"text": ["Kim"], "answer_start": [0]}, {"text": [], "answer_start": []}]
    rows = {"id": ["0", "1"], "context": ["Kim ran"] * 2, "question": ["who", "why"]}
    for split in ("train", "validation"):
        pq.write_table(pa.table({**rows, "answers": answers}), hub / f"{split}-0.parquet")
    task = catalogue()["SQuAD2"]
    prepare_task(at(task, hub), tmp_path / "out")
    found = load_split(task, "dev", tmp_path / "out")
    assert found.labels.tolist() == [(("Kim", 0),), ()]
    assert score(task, found, as_rows(["Kim", ""])) == {"span_f1": 1.0, "span_em": 1.0}
    assert score(task, found, as_rows(["", "Kim"])) == {"span_f1": 0.0, "span_em": 0.0}


def test_a_diagnostic_set_has_one_split_with_labels_or_without(hub: Path, tmp_path: Path) -> None:
    columns = {"sentence1": ["a", "b"], "sentence2": ["c", "d"]}
    names = ["entailment", "not_entailment"]
    write_classes(hub / "test.parquet", {**columns, "label": [1, 0]}, names)
    (one,) = prepare_task(at(catalogue()["AX-b"], hub), tmp_path / "out")
    assert (one.path.name, one.rows, one.labelled) == ("test.parquet", 2, True)
    three = ["entailment", "neutral", "contradiction"]
    columns = {"premise": ["a", "b"], "hypothesis": ["c", "d"]}
    write_classes(hub / "test.parquet", {**columns, "label": [-1, -1]}, three)
    (one,) = prepare_task(at(catalogue()["AX"], hub), tmp_path / "out")
    assert (one.path.name, one.rows, one.labelled) == ("test.parquet", 2, False)


def lines(task: Task, out: Path) -> list[str]:
    """What is said of each split."""
    return [str(one).partition(", ")[2] for one in prepare_task(task, out)]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_a_label_called_minus_one_is_a_label(
    hub: Path, tmp_path: Path, make_task: MakeTask, write: Write, suffix: str
) -> None:
    rows: dict[str, Any] = {"sentence": list("abcd"), "label": [-1, 0, 1, -1]}
    for split in ("train", "validation"):
        write(hub / f"{split}{suffix}", rows)
    task = make_task(source={"hub": str(hub)}, labels=["-1", "0", "1"])
    assert lines(task, tmp_path / "out") == [
        "train: 4 rows, none left out",
        "dev: 4 rows, none left out",
    ]
    assert load_split(task, "train", tmp_path / "out").labels.tolist() == [0, 1, 2, 0]


def test_a_code_that_the_source_gives_a_name_is_a_label(
    hub: Path, tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    for split in ("train", "validation"):
        write(hub / f"{split}.csv", {"sentence": list("abc"), "label": [-1, 1, -1]})
    labels = {"-1": "negative", "1": "positive"}
    task = make_task(source={"hub": str(hub), "labels": labels})
    assert lines(task, tmp_path / "out")[0] == "train: 3 rows, none left out"
    assert load_split(task, "dev", tmp_path / "out").labels.tolist() == [0, 1, 0]


def test_rows_without_label_are_counted_by_what_stands_there(
    hub: Path, tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    write(hub / "train.parquet", {"sentence": list("abcde"), "label": [0.0, None, -1.0, 1.0, None]})
    write(hub / "validation.parquet", {"sentence": ["a", "b"], "label": [float("nan"), 1.0]})
    assert lines(make_task(source={"hub": str(hub)}), tmp_path / "out") == [
        "train: 2 rows, 3 left out because they have no label (2 with null and 1 with -1)",
        "dev: 1 rows, 1 left out because they have no label (1 with nan)",
    ]


def test_a_class_without_name_is_no_label_even_where_a_class_is_called_minus_one(
    hub: Path, tmp_path: Path, make_task: MakeTask
) -> None:
    for split in ("train", "validation"):
        columns = {"sentence": list("abc"), "label": [0, -1, 1]}
        write_classes(hub / f"{split}.parquet", columns, ["1", "-1"])
    task = make_task(source={"hub": str(hub)}, labels=["-1", "1"])
    assert lines(task, tmp_path / "out")[0].endswith(
        "1 left out because they have no label (1 with -1)"
    )
    assert load_split(task, "train", tmp_path / "out").labels.tolist() == [1, 0]


def test_a_test_split_that_is_kept_back_keeps_its_texts(
    hub: Path, tmp_path: Path, make_task: MakeTask
) -> None:
    for split, label in (("train", 0), ("validation", 1), ("test", -1)):
        columns = {"sentence": ["a", "b"], "label": [label, label]}
        write_classes(hub / f"{split}.parquet", columns, ["negative", "positive"])
    task = make_task(source={"hub": str(hub), "test": "test"})
    said = "test: 2 rows, all without a label; they can be predicted and not scored"
    assert lines(task, tmp_path / "out")[2] == said
    assert len(load_split(task, "test", tmp_path / "out", text_only=True)) == 2
    with pytest.raises(RelevanceError, match=r"test\.parquet, row 1: label None is not one of"):
        load_split(task, "test", tmp_path / "out")
    assert list(load_task(task, DataOptions(tmp_path / "out")).evaluation) == ["dev"]


def test_a_share_of_the_training_rows_becomes_dev(
    hub: Path, tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    write(hub / "train.csv", {"sentence": [f"s{n}" for n in range(50)], "label": [0, 1] * 25})
    task = make_task(source={"hub": str(hub), "dev": 0.2})
    assert [one.rows for one in prepare_task(task, tmp_path / "out")] == [40, 10]
    splits = [load_split(task, name, tmp_path / "out") for name in ("train", "dev")]
    assert np.bincount(splits[1].labels).tolist() == [5, 5]
    texts = [set(split.texts[0]) for split in splits]
    assert len(texts[0] | texts[1]) == 50


# What can be wrong


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["pos", "neg"], "its class 'pos' is none of the task's labels. Classes: pos, neg;"),
        (["positive", "2"], "its class '2' is none of the task's labels"),
        (["positive"], "none of its classes is the task's label 'negative'"),
    ],
)
def test_classes_that_are_not_the_tasks_labels(
    hub: Path, tmp_path: Path, make_task: MakeTask, names: list[str], message: str
) -> None:
    for split in ("train", "validation"):
        write_classes(hub / f"{split}.parquet", {"sentence": ["a"], "label": [0]}, names)
    assert message in failure(make_task(source={"hub": str(hub)}), tmp_path / "out")


@pytest.mark.parametrize("key", ["extra", "splits"])
@pytest.mark.parametrize("name", ["../../x", "/abs", "a/b", "", ".", "..", "a\nb", "Dev", "train"])
def test_nothing_is_written_outside_the_folder(
    hub: Path, make_task: MakeTask, key: str, name: str
) -> None:
    if key == "splits" and name == "train":
        return
    with pytest.raises(ValidationError):
        make_task(source={"hub": str(hub), key: {name: "validation"}})


def failure(task: Task, out_dir: Path) -> str:
    with pytest.raises(RelevanceError) as caught:
        prepare_task(task, out_dir)
    assert "\n" not in str(caught.value)
    assert not out_dir.exists()
    return str(caught.value)


def test_no_hub_within_reach(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert failure(catalogue()["RTE"], out) == (
        "task 'RTE' cannot be fetched from nyu-mll/glue: Couldn't reach 'nyu-mll/glue' on the Hub"
        " (OfflineModeIsEnabled). Where there is no network, put train.parquet and dev.parquet into"
        f" {out / 'rte'} yourself."
    )


def test_a_dataset_with_a_script_of_its_own(hub: Path, tmp_path: Path, make_task: MakeTask) -> None:
    hub.mkdir(exist_ok=True)
    (hub / f"{hub.name}.py").write_text("raise SystemExit", encoding="utf-8")
    assert "Dataset scripts are no longer supported" in failure(
        make_task(source={"hub": str(hub)}), tmp_path / "out"
    )


def test_a_task_without_a_hub_source(tmp_path: Path, make_task: MakeTask) -> None:
    assert failure(make_task(), tmp_path / "out") == (
        "task 'TOY' names no hub dataset to fetch. Put its files into"
        f" {tmp_path / 'out' / 'toy'}, or name them in its `source`."
    )


def test_a_dataset_of_another_shape(
    hub: Path, tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    source = {"hub": str(hub), "splits": {"dev": "train"}}
    out = tmp_path / "out"
    write(hub / "train.csv", {"text": ["a"], "label": [0], "other": ["a"]})
    assert failure(make_task(source={"hub": str(hub)}, text=["text"]), out) == (
        f"task 'TOY': {hub}, split 'validation': no such split. It has train."
    )
    assert failure(make_task(source=source), out) == (
        f"task 'TOY': {hub}, split 'train': no column is 'sentence'. Columns: text, label, other."
    )
    wrong = make_task(source=source, text=["text"], labels=["one", "two"], label="other")
    assert failure(wrong, out) == (
        f"task 'TOY': {hub}, split 'train', row 1: label 'a' is not one of: 0, 1, one, two."
    )


def test_a_split_without_any_label(hub: Path, tmp_path: Path, make_task: MakeTask) -> None:
    columns = {"sentence": ["a"], "label": [-1]}
    write_classes(hub / "train.parquet", columns, ["negative", "positive"])
    task = make_task(source={"hub": str(hub), "splits": {"dev": "train"}})
    assert failure(task, tmp_path / "out").endswith("has no rows; a split needs at least one.")


@pytest.mark.process
def test_importing_tasks_imports_nothing_heavy() -> None:
    code = (
        "import sys, relevance.tasks.find, relevance.tasks.load, relevance.tasks.metrics,"
        " relevance.tasks.prepare, relevance.tasks.overlap, relevance.tasks.overview;"
        " print({'datasets', 'pyarrow', 'sklearn', 'scipy', 'pandas', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("kind", "options", "label"),
    [("regression", {}, 1.5), ("multiple-choice", {"labels": [], "choices": ["a", "b"]}, 1)],
)
def test_minus_one_in_place_of_every_label_keeps_a_test_split_back(
    hub: Path, tmp_path: Path, make_task: MakeTask, write: Write, kind: str,
    options: dict[str, Any], label: float,
) -> None:  # fmt: skip
    held: dict[str, Any] = {"sentence": ["x", "y"], "a": ["c", "d"], "b": ["e", "f"]}
    for split in ("train", "validation"):
        write(hub / f"{split}.parquet", held | {"label": [0 * label, label]})
    write(hub / "test.parquet", held | {"label": [type(label)(-1)] * 2})
    task = make_task(kind=kind, source={"hub": str(hub), "test": "test"}, **options)
    assert lines(task, tmp_path / "out")[2].startswith("test: 2 rows, all without a label")
    write(hub / "test.parquet", held | {"label": [type(label)(-1), label]})
    with pytest.raises(RelevanceError, match="label -1"):
        prepare_task(task, tmp_path / "again")


def test_every_task_of_a_benchmark_has_its_test_rows_prepared() -> None:
    for group in ("glue", "superglue"):
        for name in GROUPS[group]:
            source = catalogue()[name].source
            assert source is not None
            assert source.test in {"test", "test_matched"}
