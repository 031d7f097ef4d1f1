"""`hmnet probe --make`: probing tasks made from texts or gold trees."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.app import loading
from cli.lists import split_names
from cli.output import note, show

MAKING = "Making tasks"

MakeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--make",
        help="Probe nothing: make these tasks and write them to DIR. From text: sentence_length,"
        " word_content, bigram_shift; from gold trees: past_present, subj_number, obj_number,"
        " dependency_depth; or all.",
        metavar="TASKS",
        rich_help_panel=MAKING,
    ),
]
TextOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Texts that --make takes sentences of, named as for `hmnet pretrain`.",
        metavar="FILE[:COLUMN][@WHERE]",
        show_default="the sentences of --conllu",
        rich_help_panel=MAKING,
    ),
]
ConlluOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="CoNLL-U files with gold trees for --make; .gz too.",
        metavar="FILE",
        rich_help_panel=MAKING,
    ),
]


def make_probing(
    names: Sequence[str],
    out: Path,
    *,
    text: Sequence[str] | None,
    conllu: Sequence[Path] | None,
    seed: int,
) -> None:
    """Make tasks, write them into a folder, and show how many rows they have.

    Args:
        names: What `--make` was given.
        out: The folder.
        text: What `--text` was given.
        conllu: What `--conllu` was given.
        seed: Seed of what is drawn.
    """
    with loading():
        from hmnet.pretraining.named import named_corpus
        from hmnet.probing.make import make_tasks
        from relevance.report.tables import table

    corpora = [named_corpus(each) for each in text or ()]
    made = make_tasks(split_names(names), out, text=corpora, conllu=conllu or (), seed=seed)
    note(f"wrote {out}")
    show(table([each._asdict() for each in made], "markdown"))
