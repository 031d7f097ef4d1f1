"""A matrix as a result: where it goes, what is told beside it, the exit status."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cli.gains import note_distrust, tell
from cli.output import note, show
from cli.report import report_study

if TYPE_CHECKING:
    from relevance.matrices.matrix import RelevanceMatrix


def deliver_matrix(matrix: "RelevanceMatrix", out: Path | None, page: Path | None = None) -> int:
    """Write a matrix, and its page where wanted; pass on warnings; exit status 1: jobs failed."""
    if out is None:
        show(matrix.to_json())
    else:
        matrix.save(out)
        note(f"wrote {out}")
        if page is not None:
            report_study(matrix, out, page)
    tell(matrix, matrix.provenance.get("warnings", ()))
    note_distrust(matrix)
    return failures(matrix.provenance.get("failed"), out, "the matrix")


def failures(failed: Mapping[str, str] | None, out: Path | None, what: str) -> int:
    """Exit status 1 and a line where jobs failed, else 0."""
    if not failed:
        return 0
    # Each was told when it failed; what is written holds their errors too.
    note(
        f"relevance: {len(failed)} jobs failed, as {out or what} says; the same command"
        " runs them again."
    )
    return 1
