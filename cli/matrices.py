"""Commands of `relevance` that make a matrix of matrices, or of runs from elsewhere."""

from pathlib import Path
from typing import Annotated, Any

import typer

import relevance
from cli.flags import COLUMN
from cli.gains import GainOptions, MatrixArgument, load_gains
from cli.matrix_output import deliver_matrix
from cli.options import OutOption
from cli.output import check_places, note
from cli.streams import begin_soon
from relevance.errors import told_of

COLUMNS = "Names of columns"


def merge(
    matrices: Annotated[
        list[str], typer.Argument(help="Matrices of one measure.", metavar="MATRIX MATRIX ...")
    ],
    out: OutOption = None,
) -> int:
    """One matrix of gains that were measured on several machines.

    Example: relevance merge node1.json node2.json --out gains.json
    """
    found = [relevance.load_matrix(name) for name in matrices]
    return deliver_matrix(relevance.merge_matrices(found, matrices), out)


def predict(
    matrix: MatrixArgument,
    gains: GainOptions,
    estimates: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="A cheap estimate of the same cells; its weight is learned. Can be repeated.",
            metavar="MATRIX",
        ),
    ] = None,
    out: OutOption = None,
    seed: Annotated[int, typer.Option(help="Of the draws of parameters.", min=0)] = 0,
) -> int:
    """Every cell of a matrix as the measured ones tell it, and how sure that is.

    A cell is modelled by its target's level, its source's effect, an effect of the pair and the
    target's noise. Cells that nobody measured are predicted, and every command shows them in
    brackets.

    Example: relevance predict gains.json --with vocab.json --out expected.json
    """
    from relevance.comparison.judging import different_names
    from relevance.posterior.predict import summary

    check_places(out)
    loaded, lines = load_gains(matrix, gains)
    found = [relevance.load_matrix(name) for name in estimates or ()]
    names = different_names(found, estimates or [])
    with told_of(matrix):
        predicted = relevance.predict(loaded, found, names, seed=seed)
    status = deliver_matrix(predicted, out)
    for line in lines:
        note(f"relevance: note: {line}")
    for line in summary(predicted):
        note(line)
    return status


def _column(help_text: str, option: str) -> Any:
    return typer.Option(option, help=help_text, metavar=COLUMN, rich_help_panel=COLUMNS)


def import_runs(
    runs: Annotated[
        Path, typer.Argument(help="csv, tsv or parquet: a row per run.", metavar="RUNS.csv")
    ],
    out: OutOption = None,
    setting: Annotated[
        str | None, typer.Option(help="Which model and way of training.", metavar="NAME")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="Which of a target's metrics.", metavar="NAME")
    ] = None,
    drop: Annotated[
        bool, typer.Option("--drop", help="Leave out scores outside what their metric can be.")
    ] = False,
    square: Annotated[
        bool, typer.Option("--square", help="Only tasks that are both a source and a target.")
    ] = False,
    *,
    source: Annotated[
        str, _column("The other task; joint runs: partner. Empty: the target alone.", "--source")
    ] = "source",
    target: Annotated[str, _column("The task scored; joint runs: task.", "--target")] = "target",
    seed: Annotated[str, _column("A whole number.", "--seed-column")] = "seed",
    score: Annotated[str, _column("A fraction; higher is better.", "--score")] = "score",
    baseline: Annotated[
        str, _column("Score of the target alone, if there is one.", "--baseline")
    ] = "baseline",
    metric_column: Annotated[
        str, _column("Name of the metric, if there is one.", "--metric-column")
    ] = "metric",
    setting_column: Annotated[
        str, _column("Name of the setting, if there is one.", "--setting-column")
    ] = "setting",
) -> int:
    """A matrix of runs that were made elsewhere, with their noise and reliability.

    With baselines the gains of eq. 4, without them scores less the mean of their target.

    Example: relevance import runs.csv --setting t5b --out t5b.json
    """
    begin_soon()
    from cli.progress import StatusLine
    from relevance.gains.reliability import between_seeds_by_target
    from relevance.matrices.imported import RunColumns

    check_places(out)
    columns = RunColumns(source, target, seed, score, baseline, metric_column, setting_column)
    with StatusLine():
        matrix = relevance.import_runs(
            runs, columns=columns, setting=setting, metric=metric, drop=drop, square=square
        )
    status = deliver_matrix(matrix, out)
    if matrix.reliability is not None and matrix.per_seed is not None:
        pooled = matrix.reliability["gain"]["within_target"]["between_seeds"]
        mean = between_seeds_by_target(matrix.per_seed)
        said = ["unknown" if r is None else f"{r:.2f}" for r in (pooled, mean)]
        note(
            f"{len(matrix.seeds)} seeds; two of them correlate within targets at {said[0]} over all"
            f" cells, at {said[1]} in the mean over targets"
        )
    return status
