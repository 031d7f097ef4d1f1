from pathlib import Path

import pytest

from relevance.errors import RelevanceError
from relevance.inspection.difficulty import difficulty
from relevance.inspection.facts import Lengths, SplitFacts, check_tasks
from relevance.inspection.remarks import remarks
from relevance.inspection.shared import Shared
from relevance.report.inspection import inspection_content, inspection_report
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.task import Task
from relevance.text.tokenizers import WordTokenizer

TONE = """
[[task]]
name = "TONE"
family = "sentiment"
kind = "classification"
text = ["sentence"]
labels = ["bad", "good", "never"]
metrics = ["accuracy"]
"""
NOT_ALL = "No model can have all of them right."


def tone(folder: Path, train: str, dev: str, test: str = "") -> Task:
    """A task of rows `label,sentence`."""
    for split, rows in (("train", train), ("dev", dev), ("test", test)):
        (folder / f"{split}.csv").write_text("label,sentence\n" + rows)
    more = ', test = "test.csv"' if test else ""
    toml = folder / "tone.toml"
    toml.write_text(f'{TONE}source = {{ train = "train.csv", dev = "dev.csv"{more} }}\n')
    (task,) = find_tasks([str(toml)])
    return task


def test_what_a_split_holds(tmp_path: Path) -> None:
    task = tone(tmp_path, "bad,a b\ngood,a b\nbad,c\nbad,c\ngood, \n", "good,c\ngood,a\n")
    train, dev = check_tasks([task], tokenizer=WordTokenizer(), max_length=1).splits
    assert train == SplitFacts(
        "TONE",
        "train",
        rows=5,
        labels={"bad": 3, "good": 2, "never": 0},
        empty=1,
        repeated=2,
        contradicted=2,
        lengths=Lengths(median=1, q95=2, longest=2, over=0.4, rows=5),
        difficulty=difficulty(["a b", "a b", "c", "c", " "], [0, 1, 0, 0, 1]),
    )
    assert dev.difficulty is None
    assert (dev.rows, dev.repeated, dev.lengths and dev.lengths.over) == (2, 0, 0.0)


def test_what_is_likely_to_mislead_is_said(tmp_path: Path) -> None:
    train = "bad,a b\ngood,a b\n" + "".join(f"bad,x {number}\n" for number in range(300))
    facts = check_tasks([tone(tmp_path, train, "good,a b\nnever,<b>\n")])
    assert [said.removeprefix("TONE, ") for said in remarks(facts)] == [
        f"train: 2 rows have the same texts as another row, and another label. {NOT_ALL}",
        "train: 99.7% of the rows are 'bad'. Look at the majority class before any score.",
        "dev: 2 rows score within about 69 points (95 % interval of an accuracy of one half).",
        "dev: no training row is 'never', 1 row here.",
        "dev: 1 of 2 rows (50.0%) stand in its own training split too, so they test memory.",
    ]
    assert "- TONE, dev: no training row is 'never', 1 row here." in inspection_report(facts)
    assert inspection_content(facts)["remarks"] == remarks(facts)


def test_other_shares_of_labels_look_like_other_data(tmp_path: Path) -> None:
    rows = [f"{'bad' if number < 150 else 'good'},{number}\n" for number in range(300)]
    dev = [f"{'bad' if number < 60 else 'good'},d{number}\n" for number in range(300)]
    said = remarks(check_tasks([tone(tmp_path, "".join(rows), "".join(dev))]))
    assert "TONE, dev: 20% of the rows are 'bad', of the training rows 50%." in said


def test_a_test_split_without_labels_is_read_for_its_texts(tmp_path: Path) -> None:
    facts = check_tasks([tone(tmp_path, "bad,a\ngood,b\n", "bad,c\ngood,d\n", "-1,e\n-1,a\n")])
    test = facts.splits[-1]
    assert (test.split, test.rows, test.labels) == ("test", 2, None)
    assert any(said.startswith("TONE, test: read without labels") for said in remarks(facts))
    assert not any("rows score within" in said for said in remarks(facts) if "test:" in said)
    assert [(each.split, each.rows) for each in facts.shared] == [("test", 1)]


def test_what_would_not_load_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match=r"train\.csv, row 2: label 'mad' is not one of"):
        check_tasks([tone(tmp_path, "bad,a\nmad,b\n", "bad,c\n")])
    with pytest.raises(RelevanceError, match="`max_length` must be at least 1, got 0"):
        check_tasks([tone(tmp_path, "bad,a\n", "bad,c\n")], max_length=0)


def test_real_rows(data_dir: Path) -> None:
    facts = check_tasks(find_tasks(["RTE"]), DataOptions(data_dir))
    assert [(each.split, each.rows, each.labels) for each in facts.splits] == [
        ("train", 2490, {"entailment": 1249, "not_entailment": 1241}),
        ("dev", 277, {"entailment": 146, "not_entailment": 131}),
    ]
    assert facts.splits[0].repeated == 2


@pytest.mark.parametrize("name", ["COPA", "ReCoRD", "WiC", "WSC", "STS-B", "WNUT-17", "SQuAD"])
def test_every_kind_has_counts(name: str, data_dir: Path) -> None:
    (task,) = find_tasks([name])
    options = DataOptions(data_dir, max_train=50, max_dev=50)
    facts = check_tasks([task], options, tokenizer=WordTokenizer())
    for each in facts.splits:
        assert each.labels
        assert each.lengths
        if task.kind != "tokens":
            assert sum(each.labels.values()) == each.rows


def test_a_data_set_under_two_names_is_told(tmp_path: Path) -> None:
    (tmp_path / "rte").mkdir()
    rows = "sentence1\tsentence2\tlabel\na\tb\t0\nc\td\t1\n"
    for split in ("train", "dev"):
        (tmp_path / "rte" / f"{split}.tsv").write_text(rows.replace("\na", f"\n{split}"))
    facts = check_tasks(find_tasks(["RTE", "RTE@superglue"]), DataOptions(tmp_path))
    assert Shared("RTE", "RTE@superglue", "train", 2, 2, 2) in facts.shared
    assert (
        "RTE@superglue, train: 2 of 2 rows (100.0%) are duplicates of RTE's, so a run of both"
        " trains on them twice, and each hardly tells more than the other."
    ) in remarks(facts)
