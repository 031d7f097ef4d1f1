"""What files of tasks hold, as tables and as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from relevance.escaping import for_line
from relevance.inspection.facts import SplitFacts, TaskFacts
from relevance.inspection.remarks import remarks
from relevance.report.tables import Row, table

MOST_LABELS = 12
"""Labels of a split that a table has room for, the commonest ones."""


def inspection_report(facts: TaskFacts) -> str:
    """Facts of splits as Markdown that can be read on a terminal as well.

    Args:
        facts: What `relevance.check_tasks` found.

    Returns:
        What to look at first, then tables of rows, labels and shared texts; it ends with a line
        break.
    """
    return "\n".join(_parts(facts))


def inspection_content(facts: TaskFacts) -> dict[str, Any]:
    """Facts of splits for a JSON file.

    Args:
        facts: What `relevance.check_tasks` found.

    Returns:
        Every field of the facts, the names of the tasks, and the remarks on them.
    """
    return {
        "tasks": [task.name for task in facts.tasks],
        "tokenizer": facts.tokenizer,
        "max_length": facts.max_length,
        "remarks": remarks(facts),
        "splits": [_content(each) for each in facts.splits],
        "shared": [each._asdict() for each in facts.shared],
    }


def _content(each: SplitFacts) -> dict[str, Any]:
    hard = each.difficulty
    return asdict(each) | {
        "difficulty": None if hard is None else {**hard._asdict(), "total": hard.total}
    }


def _parts(facts: TaskFacts) -> Iterator[str]:
    if said := remarks(facts):
        yield "Look at\n"
        yield from (f"- {each}" for each in said)
        yield ""
    yield table([_row(each, facts) for each in facts.splits], "markdown")
    if facts.tokenizer is not None:
        yield (
            f"Tokens: of '{for_line(facts.tokenizer)}', special ones counted; 95 %: what so many"
            f" rows do not exceed.{_looked_at(facts)}"
        )
    yield (
        "Repeated: rows whose texts are an earlier row's; other label: rows whose texts stand with"
        " another label too.\n"
    )
    if hard := ", ".join(_difficulties(facts)):
        yield (
            f"Difficulty of training rows by words and labels (D2, higher is harder): {hard}. A"
            " guide to which data set is harder, not a bound on a score.\n"
        )
    yield table([_labels(each) for each in facts.splits], "markdown")
    if facts.shared:
        yield table([_shared(each._asdict()) for each in facts.shared], "markdown")
        yield (
            "Rows of a split that hold a text, in any column, that the training rows of the"
            " first task hold; whole: all their texts."
        )
    else:
        yield "No scored row holds a text that a training row holds."


def _row(each: SplitFacts, facts: TaskFacts) -> Row:
    row: dict[str, str | int] = {"task": each.task, "split": each.split, "rows": each.rows}
    if each.lengths is not None:
        row["tokens: median"] = each.lengths.median
        row["95 %"] = each.lengths.q95
        row["longest"] = each.lengths.longest
        row[f"over {facts.max_length}"] = f"{each.lengths.over:.1%}"
    return row | {
        "empty": each.empty,
        "repeated": each.repeated,
        "other label": each.contradicted,
    }


def _difficulties(facts: TaskFacts) -> Iterator[str]:
    for each in facts.splits:
        if each.difficulty is not None:
            yield f"{for_line(each.task)} {each.difficulty.total:.2f}"


def _looked_at(facts: TaskFacts) -> str:
    """Say where not every row was counted."""
    some = [each for each in facts.splits if each.lengths and each.lengths.rows < each.rows]
    if not some or some[0].lengths is None:
        return ""
    return f" Of splits with more rows {some[0].lengths.rows:,} were counted, evenly spread."


def _labels(each: SplitFacts) -> Row:
    if each.labels is None:
        said = "none"
    else:
        common = sorted(each.labels.items(), key=lambda label: -label[1])[:MOST_LABELS]
        kept = [(label, count) for label, count in each.labels.items() if (label, count) in common]
        left = len(each.labels) - len(kept)
        said = ", ".join(f"{label}: {count:,}" for label, count in kept)
        said += f" and {left:,} rarer ones" if left else ""
    return {"task": each.task, "split": each.split, "labels": said}


def _shared(each: Mapping[str, Any]) -> Row:
    return {
        "trained on": each["source"],
        "scored on": each["target"],
        "split": each["split"],
        "rows": each["rows"],
        "whole": each["whole_rows"],
        "of": each["of"],
    }
