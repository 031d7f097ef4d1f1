"""`hmnet pretrain`: objectives of pre-training at layers of their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.app import AGAIN, RESUME, goes_on, loading
from cli.generated import Given, SettingsOf
from cli.model_options import FolderOption, ResumeOption
from cli.output import note, show
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from hmnet.pretraining.search import LayerSearch
    from hmnet.runs.train import Note
    from hmnet.training.hooks.progress import Progress

PRETRAINING = "hmnet.pretraining.settings:PretrainingConfig"
BY = "loss"


def pretrain(
    given: Annotated[Given, SettingsOf(PRETRAINING)],
    out: FolderOption,
    resume: ResumeOption = False,
    search: Annotated[
        Literal["nsp-layer", "mlm-layer"] | None,
        typer.Option(
            help="Try every inner layer, each in a folder below --out; called again it goes on.",
            show_default="one pre-training",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="Score on dev that --search goes by: loss, the sum of those of masked tokens and"
            " next sentences, or one such as mlm_loss or nsp_accuracy.",
            metavar="SCORE",
            show_default=BY,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would do and how long it would take.")
    ] = False,
) -> None:
    """Pre-train an encoder on texts: masked tokens, next sentences, swapped tokens.

    Each objective reads a layer of its own; layers above the highest of them are not run. The
    folder is what other commands take as --backbone, with its levels.

    Example: hmnet pretrain --corpus wiki.txt@heading --nsp-layer 8 --steps 10000 --out lower-nsp/
    """
    with loading():
        from hmnet.pretraining.job import plan
        from hmnet.pretraining.run import check_pretraining, in_words
        from hmnet.pretraining.run import pretrain as run
        from hmnet.pretraining.search import describe_search, plan_search
        from hmnet.pretraining.settings import PretrainingConfig
        from relevance.disk.files import validated

    config = validated(PretrainingConfig, given, "settings")
    if search is not None:
        planned = plan_search(search, config, out, by=by or BY)
        if dry_run:
            for line in describe_search(planned):
                show(line)
            return
        _search(planned)
        return
    if by is not None:
        raise RelevanceError("--by says what --search goes by. Add --search, or leave it out.")
    checked = check_pretraining(config, out, resume=resume)
    if dry_run:
        for line in plan(checked):
            show(line)
        return
    with goes_on(RESUME), _shown(out) as on_event:
        result = run(config, out, resume=resume, on_event=on_event)
    note(f"wrote {out}")
    if result.dev:
        show(f"dev: {in_words(result.dev)}")


def _search(planned: "LayerSearch") -> None:
    """Pre-train for every layer, and show them side by side."""
    from hmnet.pretraining.search import run_search
    from relevance.disk.folders import alone
    from relevance.report.tables import table

    with alone(planned.out), goes_on(AGAIN):
        found = run_search(planned, _shown)
    show(table(found.table_rows(), "markdown", decimals=3, bold={found.place}))
    note(f"best by {planned.by}: layer {found.best}, in {planned.folder(found.best)}")


@contextmanager
def _shown(folder: Path) -> Iterator[Callable[["Progress | Note"], None]]:
    """A status line for the pre-training in a folder."""
    from cli.progress import TrainingLine

    with TrainingLine(str(folder)) as line:
        yield line.on_event
