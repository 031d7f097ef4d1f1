"""Lines of leaderboards' files, as the benchmarks document them."""

import json
from typing import Any

import pytest

from hmnet.submission.answer_files import BENCHMARKS
from hmnet.submission.lines import answer_lines
from relevance.errors import RelevanceError
from relevance.tasks.find import catalogue

FILES = {part.name: part for parts in BENCHMARKS.values() for part in parts}


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
    task = catalogue().get(part.tasks[0])
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
    with pytest.raises(RelevanceError, match="the run answers nan, which is no number"):
        lines("STS-B.tsv", {"value": float("nan")})


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


def test_answers_of_record_are_texts() -> None:
    (line,) = lines("ReCoRD.jsonl", {"idx_passage": 3, "idx_query": 9, "label": "São Paulo"})
    assert line == '{"idx": 9, "label": "São Paulo"}'


@pytest.mark.parametrize("column", ["idx", "ID", "Index"])
def test_rows_out_of_order_keep_their_numbers(column: str) -> None:
    answers = [{column: number, "label": "entailment"} for number in (8, 3)]
    assert list(lines("RTE.tsv", *answers))[1:] == ["8\tentailment", "3\tentailment"]


QUESTION = {"idx_paragraph": 0, "idx_question": 1, "idx_answer": 2, "label": "true"}


@pytest.mark.parametrize(
    ("name", "answers", "message"),
    [
        ("RTE.tsv", [{"label": "yes"}], "input, row 1: the run answers 'yes', which is none of"),
        ("RTE.tsv", [{"idx": 1, "label": "entailment"}] * 2, "row 2: number 1 stands before it"),
        ("RTE.tsv", [{"idx": "x1", "label": "entailment"}], "row 1: 'idx' is 'x1', expected a"),
        ("RTE.tsv", [{"idx": None, "label": "entailment"}], "row 1: 'idx' is None, expected a"),
        ("RTE.tsv", [{"idx": -1, "label": "entailment"}], "row 1: 'idx' is -1, expected a whole"),
        (
            "CB.jsonl",
            [{"idx": 0, "label": "neutral"}, {"label": "neutral"}],
            "row 2: 'idx' is None, expected a whole number",
        ),
        (
            "CB.jsonl",
            [{"label": "neutral"}, {"idx": 1, "label": "neutral"}],
            "row 2: there is 'idx', and the rows before have none",
        ),
        ("MultiRC.jsonl", [{"label": "true"}], "row 1: column 'idx_paragraph' is missing"),
        ("MultiRC.jsonl", [QUESTION] * 2, "row 2: answer 2 to question 1 of passage 0 stands"),
    ],
)
def test_answers_that_are_none_of_the_benchmarks(
    name: str, answers: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(RelevanceError, match=message):
        lines(name, *answers)
