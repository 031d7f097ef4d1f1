"""Files in the forms that benchmarks publish are read as they are."""

import gzip
import json
from functools import partial
from pathlib import Path

import pytest

from relevance.errors import RelevanceError
from relevance.tasks.data import as_rows
from relevance.tasks.find import catalogue, find_tasks
from relevance.tasks.load import load_split
from relevance.tasks.metrics import score

packed = partial(gzip.compress, mtime=0)  # without the time, which would be in names of tests
HEAD = '[[task]]\nname = "T"\nfamily = "f"\n'
NER = f"""{HEAD}kind = "tokens"
text = ["words"]
label = "tags"
labels = ["O", "B-PER", "I-PER"]
metrics = ["entity_f1"]
"""
SPAN = f"""{HEAD}kind = "span"
text = ["question", "context"]
label = "answers"
metrics = ["span_f1", "span_em"]
"""
CLASS = f"""{HEAD}kind = "classification"
text = ["question"]
labels = ["DESC:manner", "NUM"]
metrics = ["accuracy"]
"""


def rows(folder: Path, table: str, source: str, content: str) -> list[tuple[object, ...]]:
    """Texts and labels of a task whose one file holds the content."""
    (folder / "d.txt").write_text(content, encoding="utf-8")
    toml = folder / "t.toml"
    toml.write_text(f'{table}source = {{ train = "d.txt", dev = "d.txt", {source} }}\n')
    (task,) = find_tasks([str(toml)])
    split = load_split(task, "train", None)
    return list(zip(*split.texts, split.labels.tolist(), strict=True))


CONLL_2003 = """-DOCSTART- -X- O O

# NN B-NP O
Ann NNP I-NP B-PER
Stone NNP I-NP I-PER

ran VBD B-VP O
"""


def test_conll_takes_the_first_and_the_last_column(tmp_path: Path) -> None:
    assert rows(tmp_path, NER, 'format = "conll"', CONLL_2003) == [
        ("# Ann Stone", ("O", "B-PER", "I-PER")),
        ("ran", ("O",)),
    ]


def test_conll_columns_by_number_and_comments(tmp_path: Path) -> None:
    text = "# id = 1\n1\tAnn\tB-PER\tx\n2\truns\tO\tx\n\n\n# id = 2\n1\tYes\tO\ty"
    source = 'format = "conll", columns = { words = "2", tags = "3" }'
    expected = [("Ann runs", ("B-PER", "O")), ("Yes", ("O",))]
    assert rows(tmp_path, NER, source, text) == expected
    assert rows(tmp_path, NER, source, text.replace("\n", "\r\n")) == expected
    assert rows(tmp_path, NER, source, "\ufeff" + text) == expected


def test_conll_with_a_line_too_short(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match=r"d\.txt, line 2: 1 fields, but the first line of"):
        rows(tmp_path, NER, 'format = "conll"', "Ann B-PER\nruns\n")


def test_a_label_before_a_text(tmp_path: Path) -> None:
    text = 'DESC:manner How did "it"  go ?\nNUM\tHow many, then\n\n'
    assert rows(tmp_path, CLASS, 'format = "label-first"', text) == [
        ('How did "it"  go ?', 0),
        ("How many, then", 1),
    ]
    with pytest.raises(RelevanceError, match=r"d\.txt, line 1: expected a label, a blank and a"):
        rows(tmp_path, CLASS, 'format = "label-first"', "NUM\n")


def test_a_tab_separated_file_whatever_it_is_called(tmp_path: Path) -> None:
    text = 'id\tquestion\tkind\n1\tHow "so\tNUM\n2\tWhy\t-\n'
    source = 'format = "tsv", columns = { label = "kind" }, drop = ["-"]'
    assert rows(tmp_path, CLASS, source, text) == [('How "so', 1)]


CONTEXT = "Ann \U0001f600 ran to Rome."
ANSWER = {"text": "Rome", "answer_start": CONTEXT.index("Rome")}


def squad(**more: object) -> str:
    one = {"id": "1", "question": "Where?", "answers": [ANSWER], **more}
    return json.dumps({"data": [{"paragraphs": [{"context": CONTEXT, "qas": [one]}]}]})


def test_squads_nested_json(tmp_path: Path) -> None:
    expected = [("Where?", CONTEXT, (("Rome", 13),))]
    assert CONTEXT.index("Rome") == 13
    assert rows(tmp_path, SPAN, 'format = "squad"', squad()) == expected
    table = SPAN.replace("metrics", "unanswerable = true\nmetrics")
    found = rows(tmp_path, table, 'format = "squad"', squad(is_impossible=True))
    assert found == [("Where?", CONTEXT, ())]
    with pytest.raises(RelevanceError, match="expected a list of objects under 'data'"):
        rows(tmp_path, SPAN, 'format = "squad"', "[]")


def test_mrqa_counts_the_last_character_in(tmp_path: Path) -> None:
    answer = {"text": "rome", "char_spans": [[13, 16]]}
    line = {"context": CONTEXT, "qas": [{"question": "Where?", "detected_answers": [answer]}]}
    text = json.dumps({"header": {"dataset": "x"}}) + "\n" + json.dumps(line) + "\n"
    expected = [("Where?", CONTEXT, (("Rome", 13),))]
    assert rows(tmp_path, SPAN, 'format = "mrqa"', text) == expected
    with pytest.raises(RelevanceError, match=r"line 2: \[13, 99\] is no span of the context's 18"):
        rows(tmp_path, SPAN, 'format = "mrqa"', text.replace("16", "99"))


def mrqa(*lines: object, header: bool = True) -> str:
    head = [{"header": {"dataset": "x", "split": "train"}}] if header else []
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in (*head, *lines))


def asked(question: str, *spans: list[int], **more: object) -> dict[str, object]:
    detected = [{"text": "x", "char_spans": [span]} for span in spans]
    return {"qid": question, "question": question, "detected_answers": detected, **more}


def test_mrqa_of_several_contexts_packed_and_plain_under_the_suffix_alone(tmp_path: Path) -> None:
    lines = (
        {
            "context": "Rome, Rome \u05e8\u05d5\u05de\u05d0",
            "qas": [asked("a", [0, 3], [6, 9]), asked("b", [11, 14])],
        },
        {"context": "no question", "qas": []},
        {
            "context": "\U0001f600",
            "qas": [asked("c", [0, 0], answers=["\U0001f600", "smile", " "])],
        },
    )
    expected = [
        ("a", lines[0]["context"], (("Rome", 0), ("Rome", 6))),
        ("b", lines[0]["context"], (("\u05e8\u05d5\u05de\u05d0", 11),)),
        # what is accepted and stands nowhere counts in scores, as in MRQA's own script
        ("c", "\U0001f600", (("\U0001f600", 0), ("smile", -1))),
    ]
    folder = tmp_path / "newsqa"
    folder.mkdir()
    text = mrqa(*lines).encode()
    (folder / "train.jsonl.gz").write_bytes(packed(text))
    (folder / "dev.jsonl").write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    task = catalogue()["NewsQA"]
    for name in ("train", "dev"):
        split = load_split(task, name, tmp_path)
        assert list(zip(*split.texts, split.labels.tolist(), strict=True)) == expected
    assert score(task, split, as_rows(["rome", "\u05e8\u05d5\u05de\u05d0", "Smile!"])) == {
        "span_f1": 1.0,
        "span_em": 1.0,
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"header": 1}', "cannot be read as gzip: Not a gzipped file"),
        (
            packed(mrqa({"context": "c", "qas": []}, header=False).encode()),
            "line 1: expected MRQA's header",
        ),
        (
            packed(mrqa({"context": "abc", "qas": [asked("q", [1, 3])]}).encode()),
            "line 2: [1, 3] is no span of the context's 3 characters. Spans are [first, last],",
        ),
        (
            packed(mrqa({"context": "abc", "qas": [asked("q", [-1, 1])]}).encode()),
            "line 2: [-1, 1] is no span",
        ),
        (
            packed(mrqa({"context": "abc", "qas": [{"detected_answers": [{}]}]}).encode()),
            "line 2: expected a list under 'char_spans', got None.",
        ),
        (packed(mrqa({"qas": []}).encode()), "line 2: expected an object with `context`"),
        (
            packed(mrqa({"context": "c"}).encode()),
            "line 2: expected a list of objects under",
        ),
        (packed(mrqa({"context": "c", "qas": []}).encode()), "has no rows"),
        (packed(mrqa().encode())[:-9], "cannot be read as gzip"),
        (packed(b'{"header": {}}\n\0'), "line 2:"),
    ],
)
def test_mrqa_that_is_none(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "d.jsonl.gz").write_bytes(content)
    toml = tmp_path / "t.toml"
    toml.write_text(
        f'{SPAN}source = {{ train = "d.jsonl.gz", dev = "d.jsonl.gz", format = "mrqa" }}\n'
    )
    (task,) = find_tasks([str(toml)])
    with pytest.raises(RelevanceError) as caught:
        load_split(task, "train", None)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_answer_that_stands_nowhere_comes_behind_one_that_does(tmp_path: Path) -> None:
    answers = {"text": ["Ann", "her"], "answer_start": [0, -1]}
    row = {"question": "Who?", "context": CONTEXT, "answers": answers}
    read = rows(tmp_path, SPAN, 'format = "jsonl"', json.dumps(row))
    assert read == [("Who?", CONTEXT, (("Ann", 0), ("her", -1)))]
    row["answers"] = {"text": ["her"], "answer_start": [-1]}
    with pytest.raises(RelevanceError, match="'her' does not stand at character -1"):
        rows(tmp_path, SPAN, 'format = "jsonl"', json.dumps(row))


def test_published_files_have_the_rows_of_the_flat_ones(tmp_path: Path, data_dir: Path) -> None:
    def read(name: str, form: str) -> list[tuple[object, ...]]:
        toml, file = tmp_path / "t.toml", data_dir / name
        files = f'train = "{file}", dev = "{file}"'
        toml.write_text(f'{SPAN}source = {{ {files}, format = "{form}" }}\n')
        (task,) = find_tasks([str(toml)])
        split = load_split(task, "train", None)
        # nested files have questions of one context together
        return sorted(zip(*split.texts, split.labels.tolist(), strict=True), key=str)

    flat = read("squad/train.parquet", "parquet")
    assert read("squad/train-v1.1.json.gz", "squad") == flat
    assert [row[:2] for row in read("mrqa/SQuAD-train.jsonl.gz", "mrqa")] == [
        row[:2] for row in flat
    ]


def test_packed_with_gzip_under_any_name(tmp_path: Path) -> None:
    (tmp_path / "d.label.gz").write_bytes(packed(b"NUM How many\nDESC:manner How\n"))
    toml = tmp_path / "t.toml"
    toml.write_text(
        f'{CLASS}source = {{ train = "d.label.gz", dev = "d.label.gz", format = "label-first" }}\n'
    )
    (task,) = find_tasks([str(toml)])
    assert load_split(task, "train", None).labels.tolist() == [1, 0]
