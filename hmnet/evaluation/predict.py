"""Answers to lines of JSON: labels with their probabilities, or values on the task's own scale."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby, islice
from typing import Any

import numpy as np
from jaxtyping import Float32
from transformers import PreTrainedTokenizerBase

from hmnet.data.batching import collate
from hmnet.data.encoder import Encoder
from hmnet.data.labels import predictions
from hmnet.data.template import Sequences
from hmnet.evaluation.evaluate import inference, on_device
from hmnet.evaluation.lines import Texts, read_lines
from hmnet.models.multitask import MultiTaskModel
from hmnet.precision import Precision
from relevance.tasks.task import Task


def predict(
    models: Mapping[str, MultiTaskModel],
    tasks: Sequence[Task],
    lines: Iterable[str | bytes],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int,
    batch_size: int,
    precision: Precision = "fp32",
    where: str = "--input",
) -> Iterator[dict[str, Any]]:
    """Answer every line for every task, batch by batch as the lines come.

    A line is a JSON object with the text columns of the tasks, or with `{"text": [a]}`,
    `{"text": [a, b]}` or three texts, which every task reads as they are, one after another,
    however many columns it has itself. Blank lines are skipped. Where tasks read the same, each
    layer that they share runs once.

    Args:
        models: For each of the tasks the model that has a path for it, most often one for all; on
            any device, and left in the mode they were in.
        tasks: Whose answers are wanted, in the order of the answers.
        lines: As text, or as UTF-8 bytes.
        tokenizer: The backbone's.
        max_length: Most tokens of one input, special ids included.
        batch_size: Lines per forward pass at most.
        precision: Of the forward pass.
        where: How to name the place of the lines in messages.

    Yields:
        For each line one object per task: `{"task", "label", "probabilities"}`, probabilities in
        the order of the task's labels, or `{"task", "value"}` for regression.

    Raises:
        RelevanceError: If a line is no JSON object, lacks a column, or has something else than text
            where text is wanted.
    """
    encoder = Encoder.of(tokenizer)
    for _, same_form in groupby(read_lines(tasks, lines, where), key=_form):
        while batch := list(islice(same_form, batch_size)):
            inputs = _inputs(encoder, tasks, batch, max_length)
            logits = _logits(models, inputs, precision)
            answers = [_answers(task, logits[task.name]) for task in tasks]
            for answers_to_line in zip(*answers, strict=True):
                yield from answers_to_line


def _form(texts: Mapping[str, Texts]) -> list[int]:
    """Number of texts per task: lines of one form fit into one batch."""
    return [len(of_task) for of_task in texts.values()]


def _inputs(
    encoder: Encoder, tasks: Sequence[Task], batch: Sequence[Mapping[str, Texts]], max_length: int
) -> list[tuple[Sequences, list[Task]]]:
    """The different inputs that the tasks make of a batch, and who reads which.

    Tasks differ in columns and in which of them gives way, so most often all read the same.
    """
    encoded: dict[tuple[tuple[Texts, ...], int | None], Sequences] = {}
    readers: dict[tuple[bytes, ...], tuple[Sequences, list[Task]]] = {}
    for task in tasks:
        columns = tuple(zip(*(texts[task.name] for texts in batch), strict=True))
        place = None if task.truncate is None else task.text.index(task.truncate)
        truncate = place if place is not None and place < len(columns) else None
        if (columns, truncate) not in encoded:
            encoded[columns, truncate] = encoder.encode(columns, max_length, truncate)
        made = encoded[columns, truncate]
        content = (made.ids.tobytes(), made.offsets.tobytes(), made.first.tobytes())
        readers.setdefault(content, (made, []))[1].append(task)
    return list(readers.values())


def _logits(
    models: Mapping[str, MultiTaskModel],
    inputs: Sequence[tuple[Sequences, list[Task]]],
    precision: Precision,
) -> dict[str, Float32[np.ndarray, "row _"]]:
    """Logits of a batch by task."""
    logits = {}
    forms = {task: model.input_form(task) for task, model in models.items()}
    with ExitStack() as stack:
        for model in dict.fromkeys(models.values()):
            stack.enter_context(inference(model, precision))
            stack.enter_context(model.remembering())
        for sequences, tasks in inputs:
            # Tasks that want the texts apart come last, so that shared layers meet each form once.
            for task in sorted(tasks, key=lambda task: forms[task.name]["apart"]):
                batch = collate(sequences, np.arange(len(sequences)), **forms[task.name])
                model = models[task.name]
                answer = model(task.name, on_device(model, batch))
                logits[task.name] = answer.float().cpu().numpy()
    return logits


def _answers(task: Task, logits: Float32[np.ndarray, "row outputs"]) -> list[dict[str, Any]]:
    """What a task says about each row, ready for JSON."""
    predicted = predictions(task, logits).tolist()
    if task.kind == "regression":
        return [{"task": task.name, "value": value} for value in predicted]
    scores = logits.astype(np.float64)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities = (odds / odds.sum(axis=1, keepdims=True)).tolist()
    return [
        {
            "task": task.name,
            "label": task.labels[code],
            "probabilities": dict(zip(task.labels, row, strict=True)),
        }
        for code, row in zip(predicted, probabilities, strict=True)
    ]
