"""Answers to lines of JSON: what is read, what comes out in what order, which line is wrong."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from answers import all_logits
from hmnet.data.encoder import Encoder
from hmnet.evaluation.answers import CsvAnswers
from hmnet.evaluation.lines import input_rows, read_lines, read_texts
from hmnet.evaluation.predict import predict
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import separate
from relevance.errors import RelevanceError
from relevance.tasks.source import Source
from relevance.tasks.task import Task

LISTS = 'Every task can also read {"text": [...]}.'
TEXTS = ["a good film", "", "the dog runs in the city", "no", "who plays the guitar"]


@pytest.fixture
def ask(model: MultiTaskModel, tasks: dict[str, Task], tokenizer: PreTrainedTokenizerBase) -> Any:
    """Answers of the named tasks to some lines."""

    def answers(names: str, lines: Iterable[Any], **options: Any) -> list[dict[str, Any]]:
        texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        chosen = [tasks[name] for name in names.split()]
        settings = {"max_length": 16, "batch_size": 2} | options
        read = read_lines(chosen, texts, "in.jsonl")
        return list(predict(dict.fromkeys(tasks, model), chosen, read, tokenizer, **settings))

    return answers


def logits_of(
    model: MultiTaskModel, task: Task, tokenizer: PreTrainedTokenizerBase, *columns: list[str]
) -> np.ndarray:
    encoded = Encoder.of(tokenizer).encode(columns, 16)
    return all_logits(model, task, encoded, batch_size=1).astype(np.float64)


def test_labels_and_probabilities(
    ask: Any, model: MultiTaskModel, tasks: dict[str, Task], tokenizer: PreTrainedTokenizerBase
) -> None:
    second = TEXTS[::-1]
    lines = [{"sentence1": a, "sentence2": b} for a, b in zip(TEXTS, second, strict=True)]

    answers = ask("SAME", lines)

    odds = np.exp(logits_of(model, tasks["SAME"], tokenizer, TEXTS, second))
    for answer, row in zip(answers, odds / odds.sum(axis=1, keepdims=True), strict=True):
        assert list(answer) == ["task", "label", "probabilities"]
        assert list(answer["probabilities"]) == ["same", "other", "none"]
        assert answer["label"] == ("same", "other", "none")[row.argmax()]
        assert list(answer["probabilities"].values()) == pytest.approx(row.tolist(), abs=1e-6)
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-12)


def test_values_on_the_tasks_own_scale(
    ask: Any, model: MultiTaskModel, tasks: dict[str, Task], tokenizer: PreTrainedTokenizerBase
) -> None:
    answers = ask("GRADE", [{"text": text} for text in TEXTS])

    values = 1 + 4 * logits_of(model, tasks["GRADE"], tokenizer, TEXTS)[:, 0]
    assert [list(answer) for answer in answers] == [["task", "value"]] * 5
    assert [answer["value"] for answer in answers] == pytest.approx(values.tolist(), abs=1e-4)


def test_a_list_of_texts_is_read_by_every_task_as_it_is(
    ask: Any, model: MultiTaskModel, tasks: dict[str, Task], tokenizer: PreTrainedTokenizerBase
) -> None:
    one, two = ask("TONE GRADE", [{"text": ["no", "a dog"]}])

    odds = np.exp(logits_of(model, tasks["TONE"], tokenizer, ["no"], ["a dog"]))[0]
    value = logits_of(model, tasks["GRADE"], tokenizer, ["no"], ["a dog"])[0, 0]
    assert one["probabilities"]["good"] == pytest.approx(odds[1] / odds.sum(), abs=1e-6)
    assert two["value"] == pytest.approx(1 + 4 * value, abs=1e-5)


def test_answers_come_line_by_line_and_in_the_order_of_the_tasks(ask: Any) -> None:
    lines = [{"text": [text]} for text in TEXTS]

    together = ask("QA TONE GRADE SAME", lines, batch_size=2)

    assert [answer["task"] for answer in together] == ["QA", "TONE", "GRADE", "SAME"] * 5
    for place, line in enumerate(lines):
        for offset, name in enumerate(["QA", "TONE", "GRADE", "SAME"]):
            (alone,) = ask(name, [line])
            assert together[4 * place + offset] == json.loads(
                json.dumps(alone), parse_float=lambda text: pytest.approx(float(text), abs=1e-5)
            )


def test_lines_of_different_forms_and_blank_ones(ask: Any) -> None:
    lines = [
        {"text": ["no"]},
        {"sentence1": "no", "sentence2": "a dog", "label": None, "more": 1},
        {"text": ["a", "dog", "runs"]},
        "\n",
        {"text": ["no", "a dog"]},
    ]

    answers = ask("SAME", lines, batch_size=8)

    assert len(answers) == 4
    assert answers[1]["probabilities"] == pytest.approx(answers[3]["probabilities"], abs=1e-6)


def test_a_row_that_has_the_tasks_columns_is_read_by_them(ask: Any) -> None:
    """Whatever else it has under the name of the other form."""
    (alone,) = ask("TONE", [{"sentence": "no"}])
    for other in ("y", ["a", "dog"], 5, None):
        (answer,) = ask("TONE", [{"sentence": "no", "text": other}])
        assert answer["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-6)
    (listed,) = ask("GRADE", [{"text": ["no"]}])
    (own,) = ask("GRADE", [{"text": "no"}])
    assert own["value"] == pytest.approx(listed["value"], abs=1e-5)


def test_a_token_task_whose_words_are_called_text() -> None:
    task = Task.model_validate(
        {"name": "NER", "family": "f", "kind": "tokens", "text": ["text"], "label": "tags"}
        | {"labels": ["O", "B-p"], "metrics": ["entity_f1"]}
    )
    words = ["the", "man", "runs", "to", "city"]
    for row, text in [
        ({"text": words, "tags": ["O"] * 5}, "the man runs to city"),
        ({"text": ["Ann"]}, "Ann"),
        ({"text": ["a", "b"]}, "a b"),
        ({"text": ["words between spaces"]}, "words between spaces"),
        ({"text": '["in", "csv"]'}, "in csv"),
    ]:
        assert read_texts(task, row) == (text,)
    with pytest.raises(RelevanceError, match="has 5 as word 2"):
        read_texts(task, {"text": ["a", 5]})


def test_columns_may_be_called_as_the_tasks_files_call_them(tasks: dict[str, Task]) -> None:
    source = {"train": "a.csv", "dev": "b.csv", "columns": {"sentence1": "premise"}}
    task = tasks["SAME"].model_copy(update={"source": Source.model_validate(source)})
    for row in ({"premise": "a", "sentence2": "b"}, {"sentence1": "a", "sentence2": "b"}):
        assert read_texts(task, row) == ("a", "b")


def test_what_tells_lines_apart_comes_back(ask: Any) -> None:
    lines = [
        {"sentence": "no", "text": "no", "idx": 7, "id": "x", "label": 0},
        {"text": ["a"], "guid": [1]},
    ]
    first, other, second, _ = ask("TONE GRADE", lines)
    assert (first["idx"], first["id"], other["idx"]) == (7, "x", 7)
    assert list(first) == ["idx", "id", "task", "label", "probabilities"]
    assert (second["guid"], second["task"]) == ([1], "TONE")


@pytest.mark.parametrize(
    "name", ["d.csv", "d.tsv", "d.csv.gz", "d.json", "d.jsonl.gz", "d.parquet"]
)
def test_rows_of_every_format_have_the_same_answers(ask: Any, tmp_path: Path, name: str) -> None:
    rows = [
        {"sentence1": "no", "sentence2": "a dog", "label": "x", "idx": str(n)} for n in range(3)
    ]
    path = tmp_path / name
    if name == "d.parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        mark = "\t" if ".tsv" in name else ","
        table = [list(rows[0]), *(list(row.values()) for row in rows)]
        text = "\n".join(mark.join(row) for row in table)
        if ".json" in name:
            lines = [json.dumps(row) for row in rows]
            text = f"[{','.join(lines)}]" if name == "d.json" else "\n".join(lines)
        path.write_bytes(gzip.compress(text.encode(), mtime=0) if ".gz" in name else text.encode())
    read = list(input_rows([], path))
    assert read == rows
    expected = ask("SAME", rows)
    assert [answer["idx"] for answer in expected] == ["0", "1", "2"]


def test_rows_of_texts_and_of_files_without_header(tasks: dict[str, Task], tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text("no\n\na dog\n")
    assert list(input_rows([], tmp_path / "d.txt")) == [
        {"text": ["no"]},
        {"text": [""]},
        {"text": ["a dog"]},
    ]
    source = Source.model_validate({"train": "a.tsv", "dev": "b.tsv", "header": False})
    task = tasks["TONE"].model_copy(update={"source": source})
    (tmp_path / "d.tsv").write_text('"no\na dog\n')
    assert list(input_rows([task], tmp_path / "d.tsv")) == [
        {"sentence": '"no'},
        {"sentence": "a dog"},
    ]


def test_answers_as_a_table() -> None:
    lay_out = CsvAnswers()
    answers = [
        {"id": "=1+1", "task": "T", "label": "a,b", "probabilities": {"a,b": 0.75, "c": 0.25}},
        {"id": 2, "task": "T", "label": "c", "probabilities": {"a,b": 0.5, "c": 0.5}},
    ]
    assert [line for answer in answers for line in lay_out(answer)] == [
        'id,task,label,"probability: a,b",probability: c',
        '\'=1+1,T,"a,b",0.75,0.25',
        "2,T,c,0.5,0.5",
    ]
    assert CsvAnswers()({"task": "Q", "answer": "two\nlines\r"})[1] == 'Q,"two\nlines\r"'
    lay_out = CsvAnswers(tasks=2)
    both = [part for one in answers for part in (one, {"id": one["id"], "task": "U", "value": 1.5})]
    assert [line for answer in both for line in lay_out(answer)] == [
        'id,T: label,"T: probability: a,b",T: probability: c,U: value',
        '\'=1+1,"a,b",0.75,0.25,1.5',
        "2,c,0.5,0.5,1.5",
    ]


@pytest.mark.parametrize("line", ["[" * 100_000, '{"sentence": ' + "9" * 5000 + "}"])
def test_json_that_python_refuses(ask: Any, line: str) -> None:
    with pytest.raises(RelevanceError, match=r"^in\.jsonl, line 1: not valid JSON: "):
        ask("TONE", [line])


def test_lines_as_bytes(
    model: MultiTaskModel, tasks: dict[str, Task], tokenizer: PreTrainedTokenizerBase
) -> None:
    def ask(*lines: bytes | str) -> list[dict[str, Any]]:
        read = read_lines([tasks["TONE"]], lines, "in.jsonl")
        options = {"max_length": 8, "batch_size": 2}
        return list(predict({"TONE": model}, [tasks["TONE"]], read, tokenizer, **options))

    line = '{"text": ["é"]}'

    assert ask(b"\xef\xbb\xbf" + line.encode(), b"\r\n") == ask(line)
    with pytest.raises(RelevanceError) as error:
        ask(line.encode(), line.encode("latin-1"))
    assert str(error.value) == "in.jsonl, line 2: not UTF-8 (byte 11). Save it as UTF-8."


def test_no_lines(ask: Any) -> None:
    assert ask("TONE", []) == []


@pytest.mark.parametrize(
    ("batch_size", "read_before"),
    [
        # the first two, then four more, then six at most, which is three batches here
        (2, [2, 2, 6, 6, 6, 6, *[12] * 6, *[13]]),
        (None, list(range(1, 14))),
    ],
)
def test_lines_are_answered_as_they_come(
    model: MultiTaskModel,
    tasks: dict[str, Task],
    tokenizer: PreTrainedTokenizerBase,
    monkeypatch: pytest.MonkeyPatch,
    batch_size: int | None,
    read_before: list[int],
) -> None:
    monkeypatch.setattr("hmnet.evaluation.predict.MOST_BATCHES", 3)
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        for _ in range(13):
            read += 1
            yield '{"text": ["no"]}'

    models, chosen = {"TONE": model}, [tasks["TONE"]]
    answers = predict(
        models,
        chosen,
        read_lines(chosen, lines()),
        tokenizer,
        max_length=8,
        batch_size=batch_size,
    )

    assert [read for _ in answers] == read_before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(texts=st.lists(st.sampled_from(TEXTS), max_size=12), batch_size=st.integers(1, 5))
def test_the_order_and_the_size_of_batches_change_no_answer(
    ask: Any, texts: list[str], batch_size: int
) -> None:
    lines = [{"id": number, "text": [text]} for number, text in enumerate(texts)]
    alone = [answer for line in lines for answer in ask("TONE GRADE", [line])]

    together = ask("TONE GRADE", lines, batch_size=batch_size)

    assert [answer["id"] for answer in together] == [answer["id"] for answer in alone]
    assert [number_in(answer) for answer in together] == pytest.approx(
        [number_in(answer) for answer in alone], abs=1e-5
    )


def number_in(answer: Mapping[str, Any]) -> float:
    """The value, or the probability of the first label."""
    return answer["value"] if "value" in answer else next(iter(answer["probabilities"].values()))


def test_lines_before_a_wrong_one_are_answered(
    model: MultiTaskModel, tasks: dict[str, Task], tokenizer: PreTrainedTokenizerBase
) -> None:
    chosen, lines = [tasks["TONE"]], ['{"text": ["no"]}'] * 5 + ["oops"]
    answers = predict(
        {"TONE": model},
        chosen,
        read_lines(chosen, lines, "stdin"),
        tokenizer,
        max_length=8,
        batch_size=4,
    )

    got = []
    with pytest.raises(RelevanceError, match="stdin, line 6: not valid JSON"):
        got.extend(answers)

    assert len(got) == 5


@pytest.mark.parametrize("long", [False, True])
def test_all_tasks_on_one_text_share_the_work(
    long: bool, ask: Any, model: MultiTaskModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwards = count_forwards(model, monkeypatch)
    texts = ["who plays", "the guitar " * 9 * long]

    ask("TONE SAME GRADE QA", [{"text": texts}])

    expected = 2 if long else 1  # QA's first text gives way, the others' longest: two inputs
    assert forwards["shared.0"] == forwards["shared.1"] == expected
    assert forwards["TONE.3"] == forwards["QA.3"] == 1


def count_forwards(model: MultiTaskModel, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each layer's own forward runs."""
    counts: Counter[str] = Counter()
    layer_class = type(model.pool["shared/0"])
    names = {id(model.pool[name.replace(".", "/")]): name for name in model.plan.depths}
    forward = layer_class.forward

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        counts[names[id(self)]] += 1
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(layer_class, "forward", counted)
    return counts


def test_tasks_with_models_of_their_own(
    model: MultiTaskModel,
    tasks: dict[str, Task],
    tokenizer: PreTrainedTokenizerBase,
    tiny_bert: Any,
) -> None:
    other = MultiTaskModel.from_backbone(
        str(tiny_bert), [tasks["TONE"]], separate(["TONE"], 4), seed=7
    )
    chosen = [tasks["TONE"], tasks["GRADE"]]

    answers = list(
        predict(
            {"TONE": other, "GRADE": model},
            chosen,
            read_lines(chosen, ['{"text": ["no"]}']),
            tokenizer,
            max_length=8,
            batch_size=2,
        )
    )

    odds = np.exp(logits_of(other, tasks["TONE"], tokenizer, ["no"]))[0]
    assert answers[0]["probabilities"]["good"] == pytest.approx(odds[1] / odds.sum(), abs=1e-6)
    assert answers[1]["task"] == "GRADE"


@pytest.mark.parametrize(
    ("task", "line", "message"),
    [
        (
            "TONE",
            '{"sentence": ',
            "not valid JSON: Expecting value at column 14. Each line is one JSON object.",
        ),
        ("TONE", '["a"]', "expected a JSON object, got ['a']. Each line is one JSON object."),
        (
            "SAME",
            '{"sentence1": "a", "label": 1}',
            "column 'sentence2' of task 'SAME' is missing; found: sentence1, label. " + LISTS,
        ),
        (
            "TONE",
            "{}",
            "column 'sentence' of task 'TONE' is missing; found: nothing. " + LISTS,
        ),
        ("TONE", '{"sentence": null}', "column 'sentence' is null. An empty string is valid text."),
        (
            "GRADE",
            '{"text": 5}',
            "column 'text' is 5, which is no text. An empty string is valid text.",
        ),
        ("TONE", '{"text": "a"}', "'text' must be a list of 1 to 3 strings, got 'a'."),
        ("TONE", '{"text": []}', "'text' must be a list of 1 to 3 strings, got []."),
        ("TONE", '{"text": ["a", 2]}', "text 2 of the list must be a string, got 2."),
        (
            "TONE",
            r'{"sentence": "a\ud800"}',
            (
                "not valid JSON: half of a surrogate pair is no character."
                " Each line is one JSON object."
            ),
        ),
    ],
)
def test_a_wrong_line_is_named(ask: Any, task: str, line: str, message: str) -> None:
    with pytest.raises(RelevanceError) as error:
        ask(task, ['{"text": ["fine"]}', "", line])

    assert str(error.value) == f"in.jsonl, line 3: {message}"
