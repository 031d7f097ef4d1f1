"""Eight generated tasks with planted relations, for the demo and for trying things out.

All texts are made of the same 64 invented words. Every word has four hidden properties: it praises
or blames, is living or lifeless, past or future, heavy or light; the four are independent. Each of
four families reads one of them: the label of a text says which way most of its seven words lean.

- The two tasks of a family teach each other what the words mean, as neither has the rows to learn
  it alone.
- Tasks of different families want unrelated things from the same words, and so are in each other's
  way in a small encoder that has no time to keep them apart. A source thus helps its own family and
  harms the others: that profile, the row of gains, is what the two tasks of a family share.
- Wording tells nothing of this. The first task of every family is worded in one way and the second
  in another, so vocabularies are most alike across families.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Int

from relevance.disk.files import write_text
from relevance.tasks.find import write_tasks
from relevance.tasks.task import Source, Task

BEGINNINGS = ("bal", "dor", "fen", "gim", "kul", "mav", "nop", "tis")
ENDINGS = ("a", "ek", "ilo", "omu", "ard", "ent", "ish", "urn")
WORDS = tuple(beginning + ending for beginning in BEGINNINGS for ending in ENDINGS)

PLACES = 7  # for invented words, three in a text's first sentence, four in its second; no ties
TALES = (
    ("the {} {} met a {}", "a {} and a {} saw the {} {}"),
    ("a {} {} left the {}", "the {} hid a {} and the {} {}"),
    ("the {} kept a {} {}", "a {} {} found the {} and {}"),
)
NOTES = (
    ("the {} is a {} {}", "a {} and the {} are {} {}"),
    ("a {} has the {} {}", "the {} and {} need a {} {}"),
    ("the {} {} was a {}", "the {} {} and a {} were {}"),
)


@dataclass(frozen=True)
class GeneratedTask:
    """The plan of a generated task.

    Attributes:
        name: Name of the task.
        family: Family of the task; each reads a property of its own.
        labels: Labels of texts whose words lean one way, and the other.
        templates: Wordings of the texts: pairs of sentences.
    """

    name: str
    family: str
    labels: tuple[str, str]
    templates: tuple[tuple[str, str], ...]

    @property
    def task(self) -> Task:
        """The definition, with files beside the one that holds it."""
        slug = self.name.lower()
        return Task(
            name=self.name,
            family=self.family,
            kind="classification",
            text=("sentence",),
            labels=self.labels,
            metrics=("accuracy",),
            licence="CC0-1.0",
            source=Source(train=f"{slug}/train.jsonl", dev=f"{slug}/dev.jsonl"),
        )


PLANS = (
    GeneratedTask("REVIEWS", "praise", ("blame", "praise"), TALES),
    GeneratedTask("COMMENTS", "praise", ("blame", "praise"), NOTES),
    GeneratedTask("FABLES", "life", ("lifeless", "living"), TALES),
    GeneratedTask("CAPTIONS", "life", ("lifeless", "living"), NOTES),
    GeneratedTask("DIARIES", "time", ("past", "future"), TALES),
    GeneratedTask("AGENDAS", "time", ("past", "future"), NOTES),
    GeneratedTask("CARGO", "weight", ("light", "heavy"), TALES),
    GeneratedTask("BASKETS", "weight", ("light", "heavy"), NOTES),
)
FAMILIES = tuple(dict.fromkeys(plan.family for plan in PLANS))


def generate_tasks(
    folder: Path,
    *,
    families: int = len(FAMILIES),
    train_rows: int = 1200,
    dev_rows: int = 300,
    seed: int = 0,
) -> Path:
    """Write the tasks: a folder with two files for each, and their definitions.

    Args:
        folder: Folder to write to; files of the same names are replaced.
        families: Number of families, 1 to 4, of two tasks each.
        train_rows: Rows of each training split.
        dev_rows: Rows of each dev split.
        seed: Seed of the words' properties and of all rows.

    Returns:
        The file `tasks.toml`, for `find_tasks` or `--tasks`.

    Raises:
        RelevanceError: If the folder cannot be written.
    """
    leanings = word_leanings(seed)
    plans = [plan for plan in PLANS if plan.family in FAMILIES[:families]]
    for number, plan in enumerate(plans):
        rows = _rows(plan, leanings[FAMILIES.index(plan.family)], (seed, number))
        for split, count in (("train", train_rows), ("dev", dev_rows)):
            lines = [json.dumps(row) + "\n" for row in islice(rows, count)]
            write_text(folder / plan.name.lower() / f"{split}.jsonl", "".join(lines))
    path = folder / "tasks.toml"
    write_tasks(path, [plan.task for plan in plans])
    return path


def word_leanings(seed: int) -> Int[np.ndarray, "family word"]:
    """The leaning of every word in every family.

    Args:
        seed: Seed of the leanings.

    Returns:
        Leanings, -1 or 1. Each of the 16 combinations belongs to four words, so that what a word
        means in one family tells nothing about the others.
    """
    combinations = np.random.default_rng(seed).permutation(len(WORDS)) % 2 ** len(FAMILIES)
    return np.asarray(2 * (combinations >> np.arange(len(FAMILIES))[:, None] & 1) - 1)


def _rows(
    plan: GeneratedTask, leanings: Int[np.ndarray, " word"], seed: Sequence[int]
) -> Iterator[dict[str, str]]:
    """Rows of a task without end."""
    random = np.random.default_rng(seed)
    while True:
        template = " . ".join(plan.templates[random.integers(len(plan.templates))])
        chosen = random.integers(len(WORDS), size=PLACES)
        text = template.format(*(WORDS[word] for word in chosen))
        yield {"sentence": text, "label": plan.labels[int(leanings[chosen].sum() > 0)]}
