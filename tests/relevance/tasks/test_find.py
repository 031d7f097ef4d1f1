import csv
import json
import re
from pathlib import Path

import pytest

from relevance.errors import RelevanceError
from relevance.tasks.data import DataOptions
from relevance.tasks.find import PAPER_TASKS, catalogue, find_tasks, settled_names
from relevance.tasks.groups import GROUPS
from relevance.tasks.kinds.kind import kinds
from relevance.tasks.load import load_diagnosis, load_split, load_task
from relevance.tasks.metrics import FUNCTIONS

REVIEWS = """
[[task]]
name = "REVIEWS"
family = "sentiment_classification"
kind = "classification"
text = ["sentence"]
labels = ["negative", "positive"]
metrics = ["accuracy", "f1"]
source = { train = "reviews/train.csv", dev = "/data/dev.csv", extra = { hard = "hard.csv" } }
"""


def test_the_catalogue_has_the_papers_tasks_in_its_order_and_further_ones(paper_dir: Path) -> None:
    with (paper_dir / "table2_vocabulary_overlap.csv").open() as file:
        header = next(csv.reader(file))[1:]
    assert tuple(header) == PAPER_TASKS
    assert tuple(catalogue())[: len(PAPER_TASKS)] == PAPER_TASKS
    for group in GROUPS.values():
        assert set(group) <= set(catalogue())


def test_a_group_is_its_tasks_and_names_no_task_twice() -> None:
    assert tuple(task.name for task in find_tasks(["Paper13"])) == PAPER_TASKS
    both = [task.name for task in find_tasks(["glue", "SuperGLUE"])]
    assert {"RTE", "RTE@superglue"} <= set(both)
    named = [task.name for task in find_tasks(["wnli", "glue", "SNLI"])]
    assert named == ["WNLI", *GROUPS["glue"][:-1], "SNLI"]
    assert settled_names(["glue", "x.toml"], find_tasks(["glue"])) == (*GROUPS["glue"], "x.toml")
    with pytest.raises(RelevanceError, match=r"Unknown task 'camtl23'\. Did you mean 'camtl24'"):
        find_tasks(["camtl23"])
    with pytest.raises(RelevanceError, match="'RTE' is listed twice"):
        find_tasks(["glue", "RTE", "rte"])


def test_one_data_set_under_two_names(tmp_path: Path) -> None:
    first, second = find_tasks(["RTE", "rte@SuperGLUE"])
    (tmp_path / "rte").mkdir()
    (tmp_path / "rte" / "dev.tsv").write_text("sentence1\tsentence2\tlabel\na\tb\t0\n")
    assert load_split(second, "dev", tmp_path).texts == load_split(first, "dev", tmp_path).texts
    (tmp_path / "rte@superglue").mkdir()  # its own folder wins
    with pytest.raises(RelevanceError, match=r"rte@superglue has no dev\.parquet .*rte@superglue/"):
        load_split(second, "dev", tmp_path)


def test_a_diagnostic_set_has_no_training_rows(tmp_path: Path) -> None:
    (task,) = find_tasks(["ax-b"])
    with pytest.raises(RelevanceError) as caught:
        load_task(task, DataOptions(tmp_path))
    assert str(caught.value) == (
        "task 'AX-b': it is a diagnostic set and has no train rows. Train RTE@superglue or RTE;"
        " `hmnet evaluate` then scores AX-b too, where its rows are at hand."
    )


def test_the_rows_of_a_diagnostic_set(tmp_path: Path) -> None:
    (task,) = find_tasks(["AX-b"])
    assert load_diagnosis(task, tmp_path) is None
    folder = tmp_path / "axb"
    folder.mkdir()
    (folder / "dev.tsv").write_text("sentence1\tsentence2\tlabel\na\tb\t1\n")
    found = load_diagnosis(task, tmp_path)
    assert found is not None
    assert (found[0], found[1].labels.tolist()) == ("dev", [1])
    test = folder / "test.tsv"  # which is looked at first
    for rows in ("sentence1\tsentence2\na\tb\n", "sentence1\tsentence2\tlabel\na\tb\t-1\n"):
        test.write_text(rows)
        assert load_diagnosis(task, tmp_path) is None
    for rows in ("sentence1\n\n", "sentence1\tsentence2\tlabel\na\tb\tmaybe\n"):
        test.write_text(rows)
        with pytest.raises(RelevanceError):
            load_diagnosis(task, tmp_path)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ('diagnoses = ["RTE"]', "is of the catalogue's diagnostic sets"),
        ('rows_of = "../x"', "may hold letters"),
        ('gain = ["gender_parity"]', "is of the diagnostic set AX-g"),
    ],
)
def test_what_only_the_catalogue_may_say(tmp_path: Path, field: str, said: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(REVIEWS.replace("kind =", f"{field}\nkind ="))
    with pytest.raises(RelevanceError, match=said):
        find_tasks([str(path)])


def test_families_are_the_papers(paper_dir: Path) -> None:
    families = json.loads((paper_dir / "groups.json").read_text())["manual_taxonomy"]
    for family, names in families.items():
        assert {name for name in PAPER_TASKS if catalogue()[name].family == family} == set(names)


def test_gain_metrics_are_the_papers() -> None:
    special = {
        "CB": ("accuracy", "macro_f1"),
        "MRPC": ("accuracy", "f1"),
        "QQP": ("accuracy", "f1"),
        "STS-B": ("pearson", "spearman"),
        "MultiRC": ("f1a",),
        "WNUT-17": ("entity_f1",),
        "AX": ("matthews",),
        "AX-b": ("matthews",),
        "AX-g": ("accuracy", "gender_parity"),
    }
    kinds = dict.fromkeys(("span", "cloze"), ("span_f1", "span_em"))
    for name, task in catalogue().items():
        expected = special.get(name, kinds.get(task.kind, ("accuracy",)))
        assert task.gain_metrics == expected, name


@pytest.mark.parametrize(
    ("name", "label", "code"),
    [
        ("MNLI", "contradiction", 2),
        ("SNLI", "neutral", 1),
        ("CB", "contradiction", 1),
        ("RTE", "entailment", 0),
        ("QNLI", "not_entailment", 1),
        ("WNLI", "entailment", 1),
        ("QQP", "duplicate", 1),
        ("MRPC", "equivalent", 1),
        ("BoolQ", "true", 1),
        ("MultiRC", "false", 0),
        ("IMDB", "negative", 0),
        ("SST-2", "positive", 1),
        ("CoLA", "acceptable", 1),
    ],
)
def test_label_codes(name: str, label: str, code: int) -> None:
    assert catalogue()[name].labels[code] == label


def test_every_hub_source_is_pinned_to_a_commit() -> None:
    for task in catalogue().values():
        assert task.source is not None
        assert re.fullmatch(r"[0-9a-f]{40}", task.source.revision or ""), task.name


def test_every_metric_that_a_task_may_name_has_a_function() -> None:
    named = [kinds.find(kind).metrics for kind in kinds.names()]
    assert set(FUNCTIONS) == frozenset().union(*named)


def test_names_are_found_in_any_case_and_in_the_order_asked_for() -> None:
    assert [task.name for task in find_tasks(["sst-2", "RTE", "multirc"])] == [
        "SST-2",
        "RTE",
        "MultiRC",
    ]


def test_own_tasks_come_from_toml_with_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.toml").write_text(REVIEWS)
    monkeypatch.chdir(tmp_path)
    first, second = find_tasks(["RTE", "own.toml"])
    assert (first.name, second.name) == ("RTE", "REVIEWS")
    assert second.source is not None
    assert second.source.train == str(tmp_path / "reviews" / "train.csv")
    assert second.source.dev == "/data/dev.csv"
    assert second.source.extra == {"hard": str(tmp_path / "hard.csv")}


def test_a_task_listed_twice() -> None:
    with pytest.raises(RelevanceError, match=r"^Task 'RTE' is listed twice\. Name each task once"):
        find_tasks(["RTE", "CB", "rte"])


def test_a_name_that_the_catalogue_has(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(REVIEWS.replace("REVIEWS", "sst2"))
    assert [task.name for task in find_tasks([str(own)])] == ["sst2"]
    with pytest.raises(RelevanceError) as caught:
        find_tasks(["SST-2", str(own)])
    assert str(caught.value) == (
        f"Task 'sst2' is listed twice: in the catalogue (as 'SST-2') and in {own}."
        " Rename one of them, or leave one out."
    )


def test_an_unknown_task() -> None:
    with pytest.raises(RelevanceError, match=r"^Unknown task 'QNLY'\. Did you mean 'QNLI'\? Known"):
        find_tasks(["QNLY"])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"REVIEWS"', '"a/b"', "task 'a/b': name: 'a/b' may hold letters, digits"),
        ('"REVIEWS"', '"..\\\\b"', "may hold letters, digits"),
        ('name = "REVIEWS"', "", r"task number 1: name: Field required\."),
        ("family", "famly", "Unknown field 'famly'. Did you mean 'family'?"),
        ('"classification"', '"token"', r"kind: Unknown kind 'token'\. Did you mean 'tokens'\?"),
        ('"classification"', '"tokens"', "metric 'accuracy' is not one for tokens: entity_f1"),
        ('["negative", "positive"]', "[]", "needs at least two `labels`"),
        ('["accuracy", "f1"]', '["pearson"]', "metric 'pearson' is not one for classification"),
        ('"negative", "positive"', '"a", "b", "c"', "'f1' is for two labels; `macro_f1` takes any"),
        ('["accuracy", "f1"]', '["question_em"]', "metric 'question_em' needs `group`"),
        (', dev = "/data/dev.csv"', "", "source needs both 'train' and 'dev'"),
        ("[[task]]", "[[tasks]]", r"one \[\[task\]\] table per task, found tasks\. Call it 'task'"),
        ("[[task]]", "[task]", r"found \[task\]\. Write it with double brackets: \[\[task\]\]\."),
        ("[[task]]", "", r"found 'name' outside of one\. Put \[\[task\]\] above it\."),
        ("[[task]]", "[[job]]", r"expected one \[\[task\]\] table per task, found job\."),
        (REVIEWS, "", r"expected one \[\[task\]\] table per task, found no task\."),
        (REVIEWS, "task = 1", r"expected one \[\[task\]\] table per task, found 1\."),
        (REVIEWS, "task = ['RTE']", r"task number 1: Input should be a valid dictionary"),
        ('dev = "', 'dve = "', r"Unknown field 'source\.dve'\. Did you mean 'source\.dev'\? Known"),
        ('"REVIEWS"', '"all"', "task 'all': the name means something else on the command line"),
        ('"REVIEWS"', '"a.toml"', "the name means something else on the command line"),
        ('"REVIEWS"', '"-."', "name '-.' needs a letter or digit"),
        ('"REVIEWS"', '"a\\nb"', "task number 1: name: 'a.nb' holds a line break"),
        ('"REVIEWS"', '""', "task number 1: name: '' is empty"),
        ("REVIEWS", "R" * 121, "is too long for a file: 120 bytes are the most"),
        ('"sentence"', '"sent\\u0000ence"', r"text\.0: 'sent.x00ence' holds a control character"),
        ('"sentiment_classification"', '"a\\u202Eb"', "family: .* holds a control character"),
        ('["negative", "positive"]', '["a", "a"]', "`labels` names one thing twice: a"),
        ('["negative", "positive"]', '["a", " a"]', "`labels` names one thing twice: a"),
        ('["negative", "positive"]', '["a", ""]', r"labels\.1: '' is empty"),
        ('["negative", "positive"]', "[0, 1]", r"labels\.0: Input should be a valid string, got 0"),
        ('["accuracy", "f1"]', '["f1", "f1"]', "`metrics` names one thing twice: f1"),
        ('["accuracy", "f1"]', '["f1"]\ngain = ["f1", "f1"]', "`gain` names one thing twice: f1"),
        ('["accuracy", "f1"]', '["f1"]\ngain = ["pearson"]', "metric 'pearson' is not one for"),
        ('["accuracy", "f1"]', '["f1"]\ntruncate = "x"', "`truncate` names 'x', which is no text"),
        ('["accuracy", "f1"]', '["f1"]\ngroup = ["a", "a"]', "`group` names one thing twice: a"),
        (
            '["accuracy", "f1"]',
            '["f1"]\nlabel = "sentence"',
            "'label' names 'sentence', which",
        ),
        ('["accuracy", "f1"]', '["f1"]\nrange = [0, 5]', "`range` means nothing to a task of kind"),
        (
            '["accuracy", "f1"]',
            '["f1"]\npositive = "pos"',
            "Unknown label 'pos'. Did you",
        ),
        ('["accuracy", "f1"]', '["accuracy"]\npositive = "positive"', "which `metrics` leaves out"),
        ("[[task]]", "[[task]", "is not valid TOML"),
        ("REVIEWS", "R\xc9", "is not UTF-8"),
    ],
)
def test_a_wrong_toml_file(tmp_path: Path, before: str, after: str, message: str) -> None:
    own = tmp_path / "own.toml"
    own.write_bytes(REVIEWS.replace(before, after).encode("latin-1"))
    with pytest.raises(RelevanceError, match=message) as caught:
        find_tasks([str(own)])
    assert str(caught.value).startswith(str(own))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "limits",
    ["[0, inf]", "[-inf, inf]", "[nan, 5]", "[0, nan]", "[5, 5]", "[5, 0]", "[-1.7e308, 1.7e308]",
     "[0, 1e30]", "[0]", "[0, 1, 2]", '["0", "5"]', "[false, true]", "5", "[]"],
)  # fmt: skip
def test_a_range_that_labels_cannot_be_scaled_by(tmp_path: Path, limits: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[[task]]\nname = "R"\nfamily = "f"\nkind = "regression"\ntext = ["s"]\n'
        f'metrics = ["pearson"]\nrange = {limits}\n'
    )
    with pytest.raises(RelevanceError, match=r"own\.toml: task 'R': .*(range|number)") as caught:
        find_tasks([str(own)])
    assert "\n" not in str(caught.value)


def test_more_labels_than_any_head_should_have(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    labels = str([f"l{number}" for number in range(10_001)])
    own.write_text(REVIEWS.replace('["negative", "positive"]', labels))
    with pytest.raises(RelevanceError, match="labels: Tuple should have at most 10000 items"):
        find_tasks([str(own)])


def test_one_task_defined_twice(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(REVIEWS + REVIEWS.replace('"REVIEWS"', '"Reviews"'))
    with pytest.raises(RelevanceError) as caught:
        find_tasks([str(own)])
    assert str(caught.value) == (
        f"{own}: task 'Reviews' is defined twice (as 'REVIEWS'). Rename one, or take it out."
    )
    own.write_text(REVIEWS + REVIEWS.replace('"REVIEWS"', '"\uff32EVIEWS"'))  # a wide R
    with pytest.raises(RelevanceError, match="is defined twice"):
        find_tasks([str(own)])


def test_f1_of_one_label_among_several(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    three = REVIEWS.replace('"negative", "positive"', '"negative", "mixed", "positive"')
    own.write_text(three.replace("metrics =", 'positive = "mixed"\nmetrics ='))
    (task,) = find_tasks([str(own)])
    assert task.positive_code == 1


def test_a_missing_toml_file() -> None:
    with pytest.raises(RelevanceError, match=r"^nowhere\.toml: no such file\.$"):
        find_tasks(["nowhere.toml"])
