"""Tasks are guessed from files in the forms that people have, and what is guessed loads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from relevance.errors import RelevanceError
from relevance.inspection.definition import definitions, guess_report
from relevance.inspection.files import find_files
from relevance.inspection.guess import Guess
from relevance.inspection.guess_task import guess_task
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.load import load_task
from relevance.tasks.task import Task

ROWS = 40
NAMES = ("neutral", "entailment")


def text(number: int) -> str:
    return f"a text of its own, number {number}"


def lines(rows: list[list[object]], delimiter: str = "\t") -> str:
    return "".join(delimiter.join(map(str, row)) + "\n" for row in rows)


def guessed(folder: Path, files: Mapping[str, str], *places: str) -> tuple[Guess, Task]:
    """The one guess from some files, and the task that its definition gives."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    (found,) = find_files([folder / place for place in places or files])
    guess = guess_task(found)
    toml = folder / "tasks.toml"
    toml.write_text(definitions([guess], folder), encoding="utf-8")
    (task,) = find_tasks([str(toml)])
    load_task(task, DataOptions())
    return guess, task


def pairs(label: str, head: list[object]) -> str:
    rows = [[n, text(n), text(-n), NAMES[n % 2]] for n in range(ROWS)]
    return lines([[*head, "sentence1", "sentence2", label], *rows])


CSV = "text,label\n" + "".join(f'"{text(n)}",{NAMES[n % 2]}\n' for n in range(ROWS))


def labelled(*labels: str) -> str:
    return "text,label\n" + "".join(f'"{text(n)}",{labels[n % len(labels)]}\n' for n in range(ROWS))


def mixed(*labels: str) -> str:
    cells = [labels[n % len(labels)] for n in range(ROWS)]
    return "".join(f'{{"text": "{text(n)}", "label": {label}}}\n' for n, label in enumerate(cells))


COLA = lines([["gj04", n % 2, "*", text(n)] for n in range(ROWS)])
LABEL_TEXT = lines([[f"NUM:{n % 2}", text(n)] for n in range(ROWS)], " ")
CONLL = "".join(f"Ann NNP B-PER\nran{n} VBD O\n\n" for n in range(ROWS))
SPLITS = ("train", "dev", "test")


@pytest.mark.parametrize(
    ("files", "expected", "source"),
    [
        ({"a.csv": CSV}, ("classification", ("text",), ("entailment", "neutral")), {"dev": 0.2}),
        ({"a.csv": "\ufeff" + CSV.replace("\n", "\r\n")}, ("classification", ("text",), None), {}),
        ({"a.tsv": pairs("gold_label", ["index"])}, (None, ("sentence1", "sentence2"), None), {}),
        ({"a.txt": pairs("score", ["index"])}, (None, None, None), {"format": "tsv"}),
        ({"a.tsv": COLA}, (None, ("text",), ("0", "1")), {"header": False}),
        ({"a.label": LABEL_TEXT}, (None, ("text",), None), {"format": "label-first"}),
        ({"a.txt": CONLL}, ("tokens", ("tokens",), ("O", "B-PER", "I-PER")), {"format": "conll"}),
    ],
)
def test_forms(
    files: Mapping[str, str],
    expected: tuple[str | None, tuple[str, ...] | None, tuple[str, ...] | None],
    source: Mapping[str, Any],
    tmp_path: Path,
) -> None:
    guess, task = guessed(tmp_path, files)
    kind, columns, labels = expected
    assert (kind or task.kind) == task.kind
    assert (columns or task.text) == task.text
    assert (labels or task.labels) == task.labels
    assert task.source is not None
    assert {key: getattr(task.source, key) for key in source} == source
    assert guess.rows == {"train": ROWS}
    assert len(guess.examples) == 3
    if task.kind == "classification":
        assert sum(guess.counts.values()) == ROWS


def test_splits_by_the_names_of_files(tmp_path: Path) -> None:
    names = ("train.tsv", "dev_matched.tsv", "dev_mismatched.tsv", "test_matched.tsv", "README.md")
    guess, task = guessed(tmp_path, {name: pairs("label", ["index"]) for name in names}, ".")
    assert task.source is not None
    assert [Path(file).name for file in task.source.files.values()] == [
        *("train.tsv", "dev_matched.tsv", "test_matched.tsv", "dev_mismatched.tsv"),
    ]
    assert guess.unsure == []


def test_a_folder_of_folders_and_several_tasks_in_one(tmp_path: Path) -> None:
    for name in ("x/train.csv", "x/dev.csv", "y/a_train.csv", "y/a_val.csv", "y/b_train.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(CSV)
    found = find_files([tmp_path])
    assert [sorted(each.splits) for each in found] == [
        ["dev", "train"],
        ["dev", "train"],
        ["train"],
    ]
    guesses = [guess_task(each) for each in found]
    (tmp_path / "t.toml").write_text(definitions(guesses, tmp_path))
    assert [task.name for task in find_tasks([str(tmp_path / "t.toml")])] == ["x", "y-a", "y-b"]


def test_numbers_are_a_scale_where_they_are_no_codes(tmp_path: Path) -> None:
    rows = "text,score\n" + "".join(f"row {n} of many,{n / 8}\n" for n in range(ROWS))
    guess, task = guessed(tmp_path, {"a.csv": rows})
    assert (task.kind, task.range) == ("regression", (0, 5))
    assert "put in the ends of the scale" in guess.unsure[0]
    assert "unsure  The range of 'score'" in guess_report([guess])


def test_what_a_file_leaves_out_and_what_it_says_of_splits(tmp_path: Path) -> None:
    rows = [
        {
            "premise": text(n),
            "hypothesis": text(-n),
            "set": ("train", "test")[n % 2],
            "label": "-" if n == 3 else NAMES[n % 2],
        }
        for n in range(ROWS)
    ]
    guess, task = guessed(tmp_path, {"a.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    assert task.source is not None
    assert task.source.drop == ("-",)
    assert sum(guess.counts.values()) == ROWS - 1
    assert guess.unsure[0] == "Rows whose label is - are left out: 1."
    assert guess.unsure[1].startswith("'set' says which split a row is of (test, train), which a")


def test_a_test_file_with_other_columns_is_left_out(tmp_path: Path) -> None:
    test = lines([["index", "sentence"], *([n, text(n)] for n in range(ROWS))])
    guess, task = guessed(tmp_path, {"train.tsv": COLA, "dev.tsv": COLA, "test.tsv": test}, ".")
    assert task.source is not None
    assert (task.source.test, "test" in guess.rows) == (None, False)
    assert "test.tsv has other columns, so it is left out." in guess.unsure


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "text,label\n", "has no rows to guess from"),
        ("a.csv", "text\n" + "".join(f"number {n}\n" for n in range(9)), "looks like labels"),
        ("a.csv", CSV.replace(",neutral", ",", 1), "1 of 40 rows have no label in 'label'"),
        (
            "a.csv",
            labelled("1e400", "1.5"),
            "'label' holds numbers and 1e400, which stands for none",
        ),
        ("a.csv", labelled("nan", "1.5", "-inf"), "holds numbers and -inf, nan, which stands for"),
        ("a.conll", "A B-X\r\r\nb O\r\r\n\r\r\n" * 9, "every sentence has one word"),
        (
            "a.csv",
            "q,choice0,choice1,option1,label\n" + "a,b,c,d,1\n" * 9,
            "look like alternatives, and two have one number",
        ),
        ("a.jsonl", mixed("true", "1"), "'label' holds true and 1, which may mean the same. Write"),
        ("a.csv", labelled("TRUE", "0", "1"), "'label' holds TRUE and 0, 1, which may mean"),
        ("a.txt", "One line.\nTwo of them.\n", "are neither `LABEL text`, nor columns"),
        ("a.txt", "A S-PER\nran O\n\n" * 9, "not in BIO form"),
        ("a.conllu", "1\tA" + "\t_" * 8 + "\n\n1\tB" + "\t_" * 8 + "\n", "is CoNLL-U"),
        (
            "a.csv",
            "text;label\n" + lines([[f"nr {n}", "ab"[n % 2]] for n in range(9)], ";"),
            "It seems that ';' stands between",
        ),
    ],
)
def test_what_fits_nothing_is_refused(name: str, content: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match=said):
        guessed(tmp_path, {name: content})


@pytest.mark.parametrize("name", ["RTE", "STS-B", "WNUT-17", "COPA", "CoLA"])
def test_real_files_are_guessed_as_the_catalogue_has_them(name: str, data_dir: Path) -> None:
    (task,) = find_tasks([name])
    (files,) = find_files([data_dir / task.slug])
    guess = guess_task(files)
    assert guess.table["kind"] == task.kind
    assert guess.table["label"] == task.label
    assert len(guess.table.get("labels", ())) == len(task.labels)
    if name != "COPA":  # its column of cause or effect is short
        assert tuple(guess.table["text"]) == task.text


@pytest.mark.parametrize("form", ["lines", "csv"])
def test_queries_with_a_gap_are_cloze(form: str, tmp_path: Path) -> None:
    rows = []
    for n in range(ROWS):
        passage = {"text": f"Ann met Bob {n}.", "entities": [{"start": 0, "end": 2}]}
        asked = {"idx": n, "query": f"@placeholder met {n}", "answers": [{"text": "Ann"}]}
        rows.append(json.dumps({"idx": n, "passage": passage, "qas": [asked]}))
    files = {"train.jsonl": "\n".join(rows)}
    if form == "csv":
        head = ["query", "passage", "entities", "answers"]
        flat = [[f"@placeholder {n}", f"p {n}", '["Ann"]', '["Ann"]'] for n in range(ROWS)]
        files = {"train.tsv": lines([head, *flat])}
    _, task = guessed(tmp_path, files)
    assert (task.kind, task.text, task.choices) == ("cloze", ("passage", "query"), ("entities",))
    assert set(load_task(task, DataOptions()).train.labels) == {(("Ann", 0),)}


def test_numbers_of_alternatives_may_begin_at_one(tmp_path: Path) -> None:
    rows = [["sentence", "option1", "option2", "label"]]
    rows += [[text(n), f"a {n}", f"b {n}", n % 2 + 1] for n in range(ROWS)]
    _, task = guessed(tmp_path, {"train.tsv": lines(rows)})
    assert (task.choices, task.first) == (("option1", "option2"), 1)
    assert load_task(task, DataOptions()).train.labels.max() == 1


def test_alternatives_stand_by_their_numbers_wherever_their_columns_are(tmp_path: Path) -> None:
    rows = [["ending10", "ending1", "ending0", "sentence", "label"]]
    rows += [["no", f"b {n}", f"a {n}", text(n), n % 2] for n in range(ROWS)]
    guess, task = guessed(tmp_path, {"train.tsv": lines(rows)})
    assert task.choices == ("ending0", "ending1")
    assert "alternatives, without ending10: numbers between are missing" in guess.unsure[0]
    data = load_task(task, DataOptions())
    assert all(row.startswith("a ") for row in data.train.texts[-1])


@pytest.mark.parametrize(
    ("labels", "doubt"),
    [
        (("caf\u00e9", "cafe\u0301"), "differ in capitals or in how they are written only"),
        (("1", "1.0", "2"), "1, 1.0 differ in capitals or in how they are written only"),
        (("-1", "0", "1"), "-1 often stands for a row without label"),
    ],
)
def test_doubtful_labels_are_told(labels: tuple[str, ...], doubt: str, tmp_path: Path) -> None:
    guess, task = guessed(tmp_path, {"a.csv": labelled(*labels)})
    assert doubt in " ".join(guess.unsure)
    assert set(task.labels) == set(labels)


def test_alternatives_counted_from_one_are_doubted(tmp_path: Path) -> None:
    names = [f"choice{n}" for n in range(1, 11)]  # the tenth is one of them, not a text
    rows = [[text(n), *(f"{name} {n}" for name in names), 1 + n % 8] for n in range(ROWS)]
    content = lines([["q", *names, "label"], *rows])
    guess, task = guessed(tmp_path, {"a.tsv": content})
    assert (task.text, task.choices) == (("q",), tuple(names))
    assert "No row has 0: if they count from 1" in " ".join(guess.unsure)


def test_codes_of_languages_are_no_splits_beside_a_word_for_one(tmp_path: Path) -> None:
    for code in ("en", "te", "tr"):
        (tmp_path / f"train_{code}.csv").write_text(CSV)
        (tmp_path / f"dev_{code}.csv").write_text(CSV)
    found = find_files([tmp_path])
    files = sorted((each.train.name, each.dev.name) for each in found if each.dev)
    assert files == [(f"train_{code}.csv", f"dev_{code}.csv") for code in ("en", "te", "tr")]
