"""`relevance init` and `relevance check`: from files to tasks, before anything is trained."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import relevance
from cli.generated import Given, SettingsOf
from cli.lists import split_names
from cli.options import CONFIG, DATA, OutOption
from cli.output import check_places, deliver, note, show
from cli.streams import begin_soon
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from relevance.text.tokenizers import TextTokenizer

USUAL_TOKENIZER = "bert-base-uncased"
DEFINITIONS = Path("tasks.toml")

CheckedOptions = Annotated[Given, SettingsOf(CONFIG, (*DATA, "max_length"), panel="Options")]


def init(
    data: Annotated[
        list[Path],
        typer.Argument(
            help="Files, or folders of them: csv, tsv, json, jsonl, parquet, text.",
            metavar="DATA ...",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="TOML file to write.", metavar="FILE")] = DEFINITIONS,
    label: Annotated[
        str | None,
        typer.Option(help="Label column.", metavar="COLUMN", show_default="guessed"),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(
            help="Text columns in input order.", metavar="COLUMN,...", show_default="guessed"
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Guess tasks from files: write their definitions, and say what was guessed and is unsure.

    Splits go by the names of files (train, dev, test); with one file 20 % of its rows are dev. A
    label column is known by its name or by few distinct values. Nothing is copied.

    Example: relevance init reviews/ --out tasks.toml
    """
    begin_soon()
    from relevance.disk.files import write_text
    from relevance.inspection.definition import definitions, guess_report
    from relevance.inspection.files import find_files
    from relevance.inspection.guess_task import guess_task

    if out.exists() and not force:
        raise RelevanceError(f"{out} exists. Give another --out, or replace it with --force.")
    check_places(out)
    chosen = split_names(text) if text else None
    guesses = [guess_task(files, label=label, text=chosen) for files in find_files(data)]
    content = definitions(guesses, out.parent)
    write_text(out, content)
    show(guess_report(guesses).rstrip("\n"))
    note(f"wrote {out}: read it, then look at the data with `relevance check {out}`")


def check(
    chosen: CheckedOptions,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="TOML files, or names of the catalogue; as --tasks.",
            metavar="[tasks.toml ...]",
            show_default=False,
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            help="What counts tokens: minilm, word, a file or folder, or a hub name.",
            metavar="NAME",
            show_default=f"{USUAL_TOKENIZER}, words where it cannot be fetched",
        ),
    ] = None,
    out: OutOption = None,
) -> None:
    """Rows, labels, lengths, repeated and shared texts of tasks, before anything is trained.

    What is likely to mislead comes first. Exit status 2 where a task would not load; what is only
    worth a look does not change the status. A file that ends in .json gets everything as JSON.

    Example: relevance check tasks.toml --max-length 128 --tokenizer minilm
    """
    begin_soon()
    from relevance.disk.files import json_text
    from relevance.report.inspection import inspection_content, inspection_report
    from relevance.tasks.data import DataOptions
    from relevance.tasks.find import PAPER_TASKS

    check_places(out)
    given = dict(chosen)
    listed = [*(names or ()), *given.pop("tasks", ())]
    length = given.pop("max_length", 512)
    found = relevance.find_tasks(listed or PAPER_TASKS)
    facts = relevance.check_tasks(
        found, DataOptions(**given), tokenizer=_tokenizer(tokenizer), max_length=length
    )
    if out is not None and out.suffix.lower() == ".json":
        deliver(json_text("relevance.check/1", inspection_content(facts)), out)
    else:
        deliver(inspection_report(facts), out)


def _tokenizer(name: str | None) -> "TextTokenizer":
    """The tokenizer that was asked for, or the usual one, or words where that is out of reach."""
    from relevance.text.tokenizers import load_tokenizer

    try:
        return load_tokenizer(name or USUAL_TOKENIZER)
    except RelevanceError:
        if name is not None:
            raise
        note(
            f"relevance: note: '{USUAL_TOKENIZER}' cannot be fetched, so words are counted instead,"
            " which are fewer than tokens. Name what the model reads with: --tokenizer."
        )
        return load_tokenizer("word")
