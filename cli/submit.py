"""`hmnet submit`: answers to a benchmark's test sets, as the zip of its leaderboard."""

from pathlib import Path
from typing import Annotated, Literal

import typer

import hmnet
from cli.model_options import DeviceOption, FolderOption, RunArgument
from cli.output import note
from cli.streams import begin_soon


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
            help="Folder with rte/test.tsv, mnli/test_matched.tsv, ax/diagnostic.tsv and so on.",
            metavar="DIR",
            show_default="where the run's data is",
        ),
    ] = None,
) -> None:
    """Answer the test sets of GLUE or SuperGLUE and pack them as the leaderboard asks for it.

    Each file that cannot be written is named with the reason; as leaderboards want every file, the
    zip is then called glue-incomplete.zip.

    Example: hmnet submit run/ --benchmark glue --data-dir glue/ --out submission/
    """
    begin_soon()
    written = hmnet.submit(hmnet.load(folder), benchmark, out, data_dir=data_dir, **device)
    for name, why in written.missing.items():
        note(f"hmnet: note: {name} is missing: {why}.")
    if written.missing:
        note("hmnet: note: the leaderboard wants every file, so this zip is for looking at alone.")
    note(f"wrote {written.path}")
