"""Commands of `hmnet` that look into trained runs, and `hmnet sweep`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.app import deliver, note, show
from cli.model_options import DeviceOption, PrecisionOption, RunArgument
from cli.options import split_names

FigureFormat = Annotated[
    Literal["pdf", "svg", "png"], typer.Option("--figures", help="Format of the figures.")
]


def diagnose(
    folder: RunArgument,
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.", metavar="DIR")],
    task: Annotated[
        str | None,
        typer.Option(help="A task, or several.", metavar="RTE", show_default="all"),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Only this split.", show_default="dev and the further ones")
    ] = None,
    figures: FigureFormat = "pdf",
    precision: PrecisionOption = "fp32",
    device: DeviceOption = "auto",
) -> None:
    """Confusion matrices with precision, recall and F1; scatter and residuals of regression tasks.

    DIR gets a figure per task and split, labels.csv, confusion.csv and regression.csv.

    Example: hmnet diagnose run/ --task RTE,STS-B --out diagnosis/
    """
    from hmnet.analysis.diagnosis import confusion_rows, label_rows, regression_rows
    from hmnet.analysis.diagnosis import diagnose as diagnosed
    from hmnet.figures.diagnosis import save_figures
    from hmnet.training.folder import load_run
    from relevance.files import check_writable
    from relevance.report.tables import table

    check_writable(out / "labels.csv")
    names = None if task is None else split_names(task)
    run = load_run(folder)
    found = diagnosed(run, tasks=names, split=split, precision=precision, device=device)
    tables = {
        "labels": label_rows(found),
        "confusion": confusion_rows(found),
        "regression": regression_rows(found),
    }
    for name, rows in tables.items():
        if rows:
            deliver(table(rows, "csv"), out / f"{name}.csv")
    for path in save_figures(found, run, out, figures):
        note(f"wrote {path}")
    for name in ("labels", "regression"):
        if tables[name]:
            show(table(tables[name], "markdown"))
