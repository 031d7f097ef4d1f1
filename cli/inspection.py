"""`relevance check`: what files of tasks hold, before anything is trained on them."""

from typing import TYPE_CHECKING, Annotated

import typer

import relevance
from cli.generated import Given, SettingsOf
from cli.options import CONFIG, DATA, OutOption
from cli.output import check_places, deliver, note
from cli.streams import begin_soon
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from relevance.text.tokenizers import TextTokenizer

USUAL_TOKENIZER = "bert-base-uncased"

CheckedOptions = Annotated[Given, SettingsOf(CONFIG, (*DATA, "max_length"), panel="Options")]


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
