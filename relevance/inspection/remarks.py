"""What to look at before training, as sentences that say what it means."""

from collections.abc import Iterator
from itertools import groupby

from relevance.escaping import for_line
from relevance.inspection.facts import SplitFacts, TaskFacts
from relevance.names import some
from relevance.tasks.kinds.kind import kind_of
from relevance.tasks.task import Task

ONE_SIDED = 0.9
"""Share of the commonest label above which a model may learn to answer nothing else."""
APART = 0.1
"""Difference of a label's shares in two splits above which they look like different data."""
FEW_ROWS = 200
"""Scored rows below which a score is noisy: half a 95 % interval is up to 7 points."""
CUT = 0.05
"""Share of cut rows that is worth a remark."""


def remarks(facts: TaskFacts) -> list[str]:
    """Say what in some splits is likely to mislead.

    Args:
        facts: What `check_tasks` found.

    Returns:
        Sentences, by task and split, then on texts that splits share; none where all is well.
    """
    tasks = {task.name: task for task in facts.tasks}
    found: list[str] = []
    for name, group in groupby(facts.splits, key=lambda each: each.task):
        train, *others = group
        for each in (train, *others):
            found += [f"{_place(each)}: {said}" for said in _of_split(tasks[name], each, facts)]
        for each in others:
            found += [f"{_place(each)}: {said}" for said in _beside(tasks[name], train, each)]
    return [*found, *_shared(facts)]


def _place(facts: SplitFacts) -> str:
    return f"{for_line(facts.task)}, {facts.split}"


def _of_split(task: Task, facts: SplitFacts, of: TaskFacts) -> Iterator[str]:
    if facts.unlabelled:
        yield f"read without labels, for `hmnet predict` alone ({facts.unlabelled})"
    if facts.empty:
        yield f"{_rows(facts.empty)} an empty text."
    if facts.contradicted:
        yield (
            f"{_rows(facts.contradicted)} the same texts as another row, and another label. No"
            " model can have all of them right."
        )
    if facts.split != "train" and facts.rows < FEW_ROWS and not facts.unlabelled:
        points = 100 * 1.96 * 0.5 / facts.rows**0.5
        yield (
            f"{facts.rows:,} rows score within about {points:.0f} points (95 % interval of an"
            " accuracy of one half)."
        )
    if facts.labels and (total := sum(facts.labels.values())) and kind_of(task).per_row:
        label, most = max(facts.labels.items(), key=lambda each: each[1])
        if most > ONE_SIDED * total:
            yield (
                f"{most / total:.1%} of the rows are '{for_line(label)}'. Look at the majority"
                " class before any score."
            )
    lengths = facts.lengths
    if lengths is not None and lengths.over > CUT:
        done = "read in windows" if task.kind == "span" else "cut"
        yield f"{lengths.over:.0%} of the rows exceed {of.max_length} tokens and are {done}."


def _beside(task: Task, train: SplitFacts, other: SplitFacts) -> Iterator[str]:
    """Labels that two splits don't have alike."""
    if train.labels is None or other.labels is None:
        return
    for label in task.labels if kind_of(task).per_row else ():
        if not train.labels[label]:
            seen = other.labels[label]
            where = f"{seen:,} {'row' if seen == 1 else 'rows'} here" if seen else "none here"
            yield f"no training row is '{for_line(label)}', {where}."
    for label, count in train.labels.items() if kind_of(task).per_row else ():
        before, here = count / train.rows, other.labels.get(label, 0) / other.rows
        if count and abs(before - here) > APART and min(train.rows, other.rows) >= FEW_ROWS:
            yield (
                f"{here:.0%} of the rows are '{for_line(label)}', of the training rows"
                f" {before:.0%}."
            )


def _shared(facts: TaskFacts) -> Iterator[str]:
    for each in facts.shared:
        if each.source == each.target and each.whole_rows:
            share = each.whole_rows / each.of
            yield (
                f"{for_line(each.target)}, {each.split}: {each.whole_rows:,} of {each.of:,} rows"
                f" ({share:.1%}) stand in its own training split too, so they test memory."
            )
        if each.split == "train":
            yield (
                f"{for_line(each.target)}, train: {each.whole_rows:,} of {each.of:,} rows"
                f" ({each.whole_rows / each.of:.1%}) are duplicates of {for_line(each.source)}'s,"
                " so a run of both trains on them twice, and each hardly tells more than the other."
            )
    across = [each for each in facts.shared if each.source != each.target and each.split != "train"]
    if across:
        pairs = [
            f"{each.source} has {each.rows:,} of {each.target}'s {each.split}"
            for each in sorted(across, key=lambda each: -each.rows)
        ]
        yield (
            f"Training splits hold texts that other tasks are scored on ({some(pairs)}): a gain may"
            " be memory. `relevance pairwise` leaves such rows out with `drop_overlap`."
        )


def _rows(count: int) -> str:
    return f"{count:,} row has" if count == 1 else f"{count:,} rows have"
