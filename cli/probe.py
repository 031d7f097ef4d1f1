"""`hmnet probe`: what every layer of a frozen encoder says about sentences."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import AGAIN, goes_on, loading
from cli.generated import Given, SettingsOf
from cli.make_probing import ConlluOption, MakeOption, TextOption, make_probing
from cli.model_options import FolderOption
from cli.options import FormatOption, GridOptions
from cli.output import check_places, deliver, look, note, save, show
from relevance.errors import RelevanceError

PROBING = "hmnet.probing.settings:ProbingConfig"


def probe(
    given: Annotated[Given, SettingsOf(PROBING)],
    out: FolderOption,
    style: GridOptions,
    encoder: Annotated[
        str | None,
        typer.Argument(
            help="A trained run, or a backbone: a folder or a name.",
            metavar="RUN|BACKBONE",
            show_default=False,
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help=".pdf, .svg or .png.", metavar="FILE", show_default="DIR/probing.pdf"),
    ] = None,
    form: FormatOption = "markdown",
    name: Annotated[
        str | None,
        typer.Option(
            help="Row in tables of `hmnet compare`.", metavar="TEXT", show_default="the encoder"
        ),
    ] = None,
    make: MakeOption = None,
    text: TextOption = None,
    conllu: ConlluOption = None,
) -> None:
    """Classifiers on the vectors of every frozen layer, on every probing task.

    Two hidden layers of 128; the best epoch on dev is scored on test, beside the majority class.
    Layer 0 is the embeddings. Vectors of all layers are computed once and kept. DIR gets
    probing.csv and a heat map.

    With --make nothing is probed: tasks are made from texts or gold trees and written to DIR.

    Example: hmnet probe minilm --data probing/ --vector mean --out probed/
    """
    if make:
        if encoder is not None:
            raise RelevanceError(f"--make writes tasks and probes nothing. Leave {encoder} out.")
        if unused := sorted(given.keys() - {"seed"}):
            flag = unused[0].replace("_", "-")
            raise RelevanceError(f"--{flag} has no part in --make. Leave it out.")
        make_probing(make, out, text=text, conllu=conllu, seed=given.get("seed", 0))
        return
    if text or conllu:
        wrong = "--text" if text else "--conllu"
        raise RelevanceError(f"{wrong} belongs to --make, which is not given. Say what to make.")
    with loading():
        from cli.progress import StatusLine
        from hmnet.figures.probing import probing_figure
        from hmnet.probing.probing import run_probing
        from hmnet.probing.settings import ProbingConfig
        from relevance.disk.files import validated
        from relevance.disk.folders import alone
        from relevance.names import check_name
        from relevance.report.tables import table

    if encoder is None:
        raise RelevanceError("Nothing is named to be probed. Name a run or a backbone.")
    if "data" not in given:
        raise RelevanceError("No tasks are named to probe it on. Give their folder with --data.")
    if name is not None:
        check_name(name, "--name")
    figure = figure or out / "probing.pdf"
    looks = look(style, figure)
    check_places(out / "probing.csv", figures=(figure,))
    config = validated(ProbingConfig, given, "settings")
    with goes_on(AGAIN), StatusLine() as line:
        found = run_probing(encoder, config, line.update)
    with alone(out):
        scores = [{"name": name or encoder, **row} for row in found.score_rows()]
        deliver(table(scores, "csv"), out / "probing.csv")
        save(probing_figure(found, style=looks), figure)
    for each in found.notes:
        note(f"hmnet: note: {each}")
    show(table(found.table_rows(), form, decimals=1))
