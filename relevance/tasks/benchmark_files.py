"""Rows of files in the forms that benchmarks publish: CoNLL, SQuAD, MRQA, a label before a text."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from relevance.errors import RelevanceError, shown

Placed = tuple[str, dict[str, Any]]
"""A row as an object, after the words that name its place in messages."""

LAST = "-1"
DOCUMENT = "-DOCSTART-"
NOT_A_WORD = re.compile(r"\d+[-.]\d+")
"""What CoNLL-U numbers words joined in writing, and words left out, by."""
CONLLU_FIELDS = 10
NAMES = {"conll": ("1", LAST), "label-first": ("text", "label")}
"""What the first and the last column of a task are called in a form, unless a source says so."""


def conll_rows(lines: Iterable[str], where: str) -> Iterator[Placed]:
    """Sentences of a file with a word and its tags on each line, and blank lines between.

    Fields stand between tabs where the first line of words has any, else between blanks. Lines that
    begin with `-DOCSTART-` are left out, as are those that begin with `#` before the first word of
    a sentence and have another number of fields, and CoNLL-U's lines that are no word.

    Args:
        lines: Lines of the file.
        where: Name of the file.

    Yields:
        Lists of fields by the number of their column, from 1, and of the last as `-1`.

    Raises:
        RelevanceError: If a line has more or fewer fields than the first one.
    """
    every = [line.rstrip("\r\n") for line in lines]
    # A word may begin with "#" too, so what a line of words looks like is told by another one.
    model = next((each for each in every if each.strip() and not each.startswith("#")), "")
    delimiter = "\t" if "\t" in model else None
    count = len(model.split(delimiter))
    words: list[list[str]] = []
    start, lengths = 1, []
    for number, text in enumerate(every, start=1):
        if not text.strip() or text.startswith(DOCUMENT):
            if words:
                lengths.append(len(words))
                yield _sentence(words, where, start)
            words = []
            continue
        fields = text.split(delimiter)
        if text.startswith("#") and not words and len(fields) != count:
            continue
        if len(fields) != count:
            raise RelevanceError(
                f"{where}, line {number}: {len(fields)} fields, but the first line of words has"
                f" {count}. Each line has a word and its tags, a blank line ends a sentence."
            )
        if count == CONLLU_FIELDS and NOT_A_WORD.fullmatch(fields[0]):
            continue
        start = start if words else number
        words.append(fields)
    if words:
        lengths.append(len(words))
        yield _sentence(words, where, start)
    if len(lengths) > 1 and max(lengths) == 1:
        raise RelevanceError(
            f"{where}: every sentence has one word, as a blank line stands after each line, or line"
            " ends are doubled. Take them out between words of one sentence."
        )


def _sentence(words: Sequence[Sequence[str]], where: str, start: int) -> tuple[str, dict[str, Any]]:
    columns = [list(column) for column in zip(*words, strict=True)]
    row = {str(number): column for number, column in enumerate(columns, start=1)}
    return f"{where}, the sentence at line {start}", row | {LAST: columns[-1]}


def label_first_rows(lines: Iterable[str], where: str) -> Iterator[Placed]:
    """Rows of a file in which a label, a blank or tab, and a text stand on each line.

    Args:
        lines: Lines of the file; blank ones are left out.
        where: Name of the file.

    Yields:
        Objects with `label` and `text`.

    Raises:
        RelevanceError: If a line has no text.
    """
    for number, line in enumerate(lines, start=1):
        label, _, text = re.sub(r"\s", " ", line.strip(), count=1).partition(" ")
        if label and not text:
            raise RelevanceError(
                f"{where}, line {number}: expected a label, a blank and a text, got {shown(label)}."
            )
        if label:
            yield f"{where}, line {number}", {"label": label, "text": text}


def squad_rows(content: Any, where: str) -> Iterator[Placed]:
    """Questions of SQuAD's nested JSON, 1.1 or 2.0.

    Args:
        content: The file's value.
        where: Name of the file.

    Yields:
        Objects with `id`, `title`, `context`, `question` and `answers`; answers of questions that
        are said to be impossible are left out, as SQuAD 2.0 calls them plausible ones.

    Raises:
        RelevanceError: If the nesting is another one.
    """
    for article in _listed(content, "data", where):
        for paragraph in _listed(article, "paragraphs", where):
            for asked in _listed(paragraph, "qas", where):
                place = f"{where}, question {shown(asked.get('id'))}"
                given = [] if asked.get("is_impossible") else _listed(asked, "answers", place)
                yield (
                    place,
                    {
                        "id": asked.get("id"),
                        "title": article.get("title"),
                        "context": paragraph.get("context"),
                        "question": asked.get("question"),
                        "answers": {
                            "text": [each.get("text") for each in given],
                            "answer_start": [each.get("answer_start") for each in given],
                        },
                    },
                )


def mrqa_rows(lines: Iterable[tuple[str, Any]]) -> Iterator[Placed]:
    """Questions of MRQA's JSON Lines, whose first line is a header.

    Args:
        lines: Values of the lines, each after the words that name its place.

    Yields:
        Objects with `id`, `context`, `question` and `answers`, as `mrqa_answers` gives them.

    Raises:
        RelevanceError: If the first line is no header, another is no context with questions, or a
            span is none of the context.
    """
    begun = False
    for place, line in lines:
        if is_mrqa_header(line):
            begun = True
            continue
        if not begun:
            raise RelevanceError(
                f'{place}: expected MRQA\'s header, {{"header": {{"dataset": ...}}}}, before the'
                f" first context, got {shown(line)}. Put the file's first line back, or leave"
                ' out `format = "mrqa"` for rows with columns.'
            )
        context = line.get("context") if isinstance(line, dict) else None
        if not isinstance(context, str):
            raise RelevanceError(f"{place}: expected an object with `context` and `qas`.")
        for asked in _listed(line, "qas", place):
            detected = _listed(asked, "detected_answers", place)
            yield (
                place,
                {
                    "id": asked.get("qid", asked.get("id")),
                    "context": context,
                    "question": asked.get("question"),
                    "answers": mrqa_answers(context, detected, asked.get("answers"), place),
                },
            )


def is_mrqa_header(line: Any) -> bool:
    """Whether the value of a line is the header that MRQA's files begin with."""
    return isinstance(line, dict) and isinstance(line.get("header"), dict) and "qas" not in line


def mrqa_answers(
    context: str, detected: Sequence[Mapping[str, Any]], accepted: Any, place: str
) -> dict[str, list[Any]]:
    """Answers of MRQA in SQuAD's form.

    Args:
        context: Text that the spans count the characters of.
        detected: Answers with `char_spans`: pairs of a first and a last character, the last one
            counted in.
        accepted: Texts that count as right whether or not they stand in the context, as MRQA's
            evaluation script has it; None where there are none.
        place: Words that name the question's place.

    Returns:
        `text` and `answer_start`: every detected span as the context has it, then what else is
        accepted, at -1, as it stands nowhere.

    Raises:
        RelevanceError: If a span is none of the context.

    Source:
        Fisch et al. (2019), "MRQA 2019 Shared Task", and its `mrqa_official_eval.py`.
    """
    spans = [
        _span(span, context, place)
        for answer in detected
        for span in _spans(answer.get("char_spans"), place)
    ]
    texts = [context[start:end] for start, end in spans]
    others = accepted if spans and isinstance(accepted, list) else []
    others = [each for each in others if isinstance(each, str) and each.strip() not in {"", *texts}]
    return {
        "text": [*texts, *others],
        "answer_start": [*(start for start, _ in spans), *(-1 for _ in others)],
    }


def hub_mrqa_answers(context: str, detected: Any, accepted: Any, place: str) -> dict[str, Any]:
    """Answers of MRQA as a hub dataset holds them: lists of objects, or an object of lists.

    Args:
        context: Text that the spans count the characters of.
        detected: Value of the column `detected_answers`.
        accepted: Value of the column `answers`.
        place: Words that name the question's place.

    Returns:
        What `mrqa_answers` gives.

    Raises:
        RelevanceError: If the spans have another form, or one is none of the context.
    """
    answers = [
        {"char_spans": [[each.get("start"), each.get("end")] for each in _objects(spans, place)]}
        for spans in (each.get("char_spans") for each in _objects(detected, place))
    ]
    return mrqa_answers(context, answers, accepted, place)


def _objects(value: Any, place: str) -> list[dict[str, Any]]:
    """A list of objects, which `datasets` may keep as an object of equally long lists."""
    if isinstance(value, Mapping) and all(isinstance(each, list) for each in value.values()):
        return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return value
    raise RelevanceError(f"{place}: expected MRQA's `detected_answers`, got {shown(value)}.")


def _spans(value: Any, place: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise RelevanceError(f"{place}: expected a list under 'char_spans', got {shown(value)}.")


def spread(lines: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Values of JSON Lines, those with several questions about a passage as a row for each.

    Args:
        lines: Values of the lines, each after the words that name its place.

    Yields:
        Values as they are; of ReCoRD's lines, as SuperGLUE publishes them, objects with `idx` of
        the query, `passage`, `query`, `entities` and, where there are any, `answers`: the texts
        that differ, in alphabetical order, as the hub has them.

    Raises:
        RelevanceError: If an entity is no span of its passage, or a list is missing.

    Source:
        Zhang et al. (2018), "ReCoRD", and the readme of its data: spans count the last character.
    """
    for place, line in lines:
        passage = line.get("passage") if isinstance(line, dict) else None
        if not isinstance(passage, dict) or "qas" not in line:
            yield place, line
            continue
        text = passage.get("text")
        if not isinstance(text, str):
            raise RelevanceError(f"{place}: 'text' of the passage is {shown(text)}, no text.")
        found = (
            _span([each.get("start"), each.get("end")], text, place)
            for each in _listed(passage, "entities", place)
        )
        entities = sorted({text[start:end] for start, end in found})
        for each in _listed(line, "qas", place):
            row = {
                "idx": each.get("idx", each.get("id")),
                "passage": text,
                "query": each.get("query"),
                "entities": entities,
            }
            if "answers" in each:
                texts = [answer.get("text") for answer in _listed(each, "answers", place)]
                row["answers"] = sorted(set(texts), key=str)
            yield place, row


def _span(span: Any, context: str, place: str) -> tuple[int, int]:
    """First character of a span, and the one behind it; MRQA counts the last one in."""
    match span:
        case [int(start), int(last)] if 0 <= start <= last < len(context):
            return start, last + 1
    raise RelevanceError(
        f"{place}: {shown(span)} is no span of the context's {len(context):,} characters. Spans are"
        " [first, last], counted from 0, the last character counted in."
    )


def _listed(value: Any, key: str, where: str) -> list[dict[str, Any]]:
    """A list of objects under a key of an object."""
    found = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise RelevanceError(f"{where}: expected a list of objects under '{key}'.")
    return found
