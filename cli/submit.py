"""`hmnet submit`: answers to a benchmark's test sets, as the zip of its leaderboard."""

from pathlib import Path
from typing import Annotated, Literal

import typer

import hmnet
from cli.model_options import DeviceOption, FolderOption, RunArgument
from cli.output import note
from cli.streams import begin_soon
from relevance.errors import RelevanceError


def submit(
    folder: RunArgument,
    benchmark: Annotated[
        Literal["glue", "superglue"],
        typer.Option(help="Whose files to write.", show_default=False),
    ],
    out: FolderOption,
    device: DeviceOption,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the test sets as they are published (RTE/test.tsv, AX-b/AX-b.jsonl).",
            metavar="DIR",
            show_default="where the run's data is",
        ),
    ] = None,
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing", help="Write the others where tasks or their test rows are not there."
        ),
    ] = False,
) -> None:
    """Answer the test sets of GLUE or SuperGLUE and pack them as the leaderboard asks for it.

    Leaderboards want every file. One whose task or rows are missing is named with the reason before
    anything is answered; with --allow-missing the others go into glue-incomplete.zip.

    Example: hmnet submit run/ --benchmark glue --data-dir glue/ --out submission/
    """
    begin_soon()
    from cli.progress import StatusLine

    with StatusLine():
        written = hmnet.submit(
            hmnet.load(folder),
            benchmark,
            out,
            data_dir=data_dir,
            allow_missing=allow_missing,
            **device,
        )
    for name, why in written.missing.items():
        note(f"hmnet: note: {name} is missing: {why}.")
    for line in written.notes:
        note(f"hmnet: note: {line}")
    note(f"wrote {written.path}")
    if written.failed:
        reasons = "; ".join(f"{name}: {why.rstrip('.')}" for name, why in written.failed.items())
        raise RelevanceError(f"{written.path} lacks what could not be answered. {reasons}.")
