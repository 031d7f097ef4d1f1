"""A finished matrix that commands show: where it is, which gains, and how far to trust them."""

from typing import TYPE_CHECKING, Annotated

import typer

import relevance
from cli.generated import Given, SettingsOf
from cli.output import note
from relevance.errors import told_of

if TYPE_CHECKING:
    from relevance.matrices.matrix import RelevanceMatrix

MatrixArgument = Annotated[
    str,
    typer.Argument(
        help="A matrix: JSON, CSV with a header row and a first column of task names,"
        " paper:table2 or paper:table3.",
        metavar="MATRIX",
        show_default=False,
    ),
]
GainOptions = Annotated[
    Given,
    SettingsOf(
        "relevance.gains.protocol:GainSettings",
        ("metric", "normalise"),
        panel="Gains",
        default="as measured, from the scores in the file; nothing is run",
    ),
]
"""What the gains of a finished matrix are made of."""


def load_gains(name: str, options: GainOptions) -> "tuple[RelevanceMatrix, list[str]]":
    """Read a matrix and make the gains that are asked for.

    Args:
        name: A file, or a table of the paper.
        options: Which gains.

    Returns:
        The matrix, and what to say of it once the command has done its work.

    Raises:
        RelevanceError: If there is no such matrix, or it lacks what the gains are made of.
    """
    from relevance.matrices.rechosen import rechosen

    loaded = relevance.load_matrix(name)
    with told_of(name):
        return rechosen(loaded, **options)


def tell(matrix: "RelevanceMatrix", lines: list[str]) -> None:
    """Say on stderr what a reader should know of gains, and how reliable they are.

    Args:
        matrix: What was shown.
        lines: As `load_gains` gives them.
    """
    from relevance.report.trust import reliability_lines

    for line in lines:
        note(f"relevance: note: {line}")
    for line in reliability_lines(matrix):
        note(line)


def note_distrust(matrix: "RelevanceMatrix") -> None:
    """Warn on stderr where groups made from a matrix should not be trusted."""
    from relevance.report.trust import distrust

    if line := distrust(matrix):
        note(f"relevance: note: {line}")
