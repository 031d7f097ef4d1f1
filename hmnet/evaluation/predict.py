"""Answers to lines of JSON: labels with their probabilities, values, or what else tasks answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby, islice
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from hmnet.data.batching import collate
from hmnet.data.encoder import Encoder
from hmnet.data.template import Sequences
from hmnet.evaluation.evaluate import batches_by_length, inference
from hmnet.evaluation.lines import TextLine
from hmnet.kinds.kind import Logits, ModelOutputs, Texts, kind_of
from hmnet.models.multitask import MultiTaskModel
from hmnet.precision import Precision
from relevance.errors import RelevanceError
from relevance.tasks.task import Task

MOST_BATCHES = 32
"""Batches in a window of lines at most."""

Columns = tuple[Texts, ...]
"""What a task reads in some lines, text by text."""


def predict(
    models: Mapping[str, MultiTaskModel],
    tasks: Sequence[Task],
    lines: Iterable[TextLine],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int,
    batch_size: int | None,
    precision: Precision = "fp32",
) -> Iterator[dict[str, Any]]:
    """Answer every line for every task, window by window as the lines come.

    The texts of a window are sorted by length, so that a batch has next to no padding. The first
    window is one batch, so that answers begin to come at once, and each next one is twice as long,
    up to `MOST_BATCHES` batches: memory stays flat however many lines there are. Where tasks read
    the same, each layer that they share runs once.

    Args:
        models: For each of the tasks the model that has a path for it, most often one for all; on
            any device, and left in the mode they were in.
        tasks: Tasks whose answers are wanted, in the order of the answers.
        lines: Texts of the tasks from `hmnet.evaluation.lines.read_lines`.
        tokenizer: The backbone's.
        max_length: Most tokens of one input, special ids included.
        batch_size: Lines per forward pass at most; None answers each line before the next is read,
            as who types them expects.
        precision: Numbers that the forward pass calculates with.

    Yields:
        For each line one object per task: the columns that tell the line from others (`id`, `idx`,
        `idx_...`, `guid`, `index`), where it has them, then `{"task", "label", "probabilities"}`,
        probabilities in the order of the task's labels, `{"task", "value"}` for regression, or the
        fields of another kind.
    """
    encoder, names = Encoder.of(tokenizer), [task.name for task in tasks]
    for window in _windows(lines, batch_size):
        read = {
            name: tuple(zip(*(line.texts[name] for line in window), strict=True)) for name in names
        }
        encoded = _encoded(encoder, tasks, read, max_length)
        logits = _logits(models, tasks, encoded, batch_size or 1, precision)
        answers = [
            models[name].kinds[name].answers(ModelOutputs(read[name], encoded[name], logits[name]))
            for name in names
        ]
        for line, *answers_to_line in zip(window, *answers, strict=True):
            for name, answer in zip(names, answers_to_line, strict=True):
                yield {**line.ids, "task": name, **answer}


def logits_of(
    models: Mapping[str, MultiTaskModel],
    tasks: Sequence[Task],
    lines: Sequence[TextLine],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int,
) -> dict[str, list[Logits]]:
    """What models say to some lines before it becomes answers, in fp32, one line at a time.

    Args:
        models: For each of the tasks the model that has a path for it.
        tasks: Tasks that are asked.
        lines: Texts of the tasks; all of one form.
        tokenizer: The backbone's.
        max_length: Most tokens of one input, special ids included.

    Returns:
        Logits of each sequence, by task.
    """
    read = {
        task.name: tuple(zip(*(line.texts[task.name] for line in lines), strict=True))
        for task in tasks
    }
    encoded = _encoded(Encoder.of(tokenizer), tasks, read, max_length)
    return _logits(models, tasks, encoded, 1, "fp32")


def _windows(lines: Iterable[TextLine], batch_size: int | None) -> Iterator[list[TextLine]]:
    """Neighbouring lines of one form; a line that cannot be read stops only what comes after it.

    The sizes depend on nothing but the lines, so that the same input has the same answers to the
    last digit.
    """
    failure: RelevanceError | None = None

    def readable() -> Iterator[TextLine]:
        nonlocal failure
        try:
            yield from lines
        except RelevanceError as error:
            failure = error

    size, most = (batch_size, batch_size * MOST_BATCHES) if batch_size else (1, 1)
    # Only neighbours are put together: answers come in the order of the lines.
    for _, same_form in groupby(readable(), key=_form):
        while window := list(islice(same_form, size)):
            yield window
            size = min(2 * size, most)
    if failure is not None:
        raise failure


def _form(line: TextLine) -> list[int]:
    """Number of texts per task: lines of one form fit into one batch."""
    return [len(of_task) for of_task in line.texts.values()]


def _encoded(
    encoder: Encoder, tasks: Sequence[Task], read: Mapping[str, Columns], max_length: int
) -> dict[str, Sequences]:
    """Encoded sequences of a batch by task; most often several tasks make equal ones."""
    made: dict[tuple[Columns, int | str | None], Sequences] = {}
    encoded = {}
    for task in tasks:
        columns, kind = read[task.name], kind_of(task)
        key = columns, kind.layout(len(columns))
        if key not in made:
            made[key] = kind.encode(columns, encoder, max_length)
        encoded[task.name] = made[key]
    return encoded


def _logits(
    models: Mapping[str, MultiTaskModel],
    tasks: Sequence[Task],
    encoded: Mapping[str, Sequences],
    batch_size: int,
    precision: Precision,
) -> dict[str, list[Logits]]:
    """Logits for each sequence, by task; tasks that read the same are asked in turn."""
    logits: dict[str, list[Logits]] = {
        task.name: [np.empty(0, np.float32)] * len(encoded[task.name]) for task in tasks
    }
    forms = {task: model.input_form(task) for task, model in models.items()}
    readers: dict[tuple[bytes, ...], list[Task]] = {}
    for task in tasks:
        made = encoded[task.name]
        content = (made.ids.tobytes(), made.offsets.tobytes(), made.first.tobytes())
        readers.setdefault(content, []).append(task)
    used = dict.fromkeys(models.values())
    with ExitStack() as stack:
        for model in used:
            stack.enter_context(inference(model, precision))
        for same in readers.values():
            # Tasks that want the texts apart come last, so that shared layers meet each form once.
            same.sort(key=lambda task: forms[task.name]["apart"])
            sequences = encoded[same[0].name]
            for rows in batches_by_length(sequences, batch_size):
                with ExitStack() as remembering:
                    for model in used:
                        remembering.enter_context(model.activation_cache())
                    for task in same:
                        model = models[task.name]
                        marked = encoded[task.name]  # equal tokens may be marked otherwise
                        batch = collate(marked, rows, **forms[task.name], device=model.device)
                        answer = model(task.name, batch).float().cpu().numpy()
                        unpadded = kind_of(task).unpadded(answer, sequences.lengths[rows])
                        for row, own in zip(rows, unpadded, strict=True):
                            logits[task.name][row] = own
    return logits
