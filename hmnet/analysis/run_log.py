"""The log of a run: what each step trained, how unsure the model was, and the loss."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from hmnet.runs.folder import LOG, Run
from relevance.disk.files import read_text, validated
from relevance.disk.manifest import check_file
from relevance.disk.parsing import parse_json
from relevance.errors import RelevanceError, told_of, unknown_name


class LogLine(BaseModel):
    """What the curves need of a line of `log.jsonl`; its other fields are left out.

    Attributes:
        rows: Number of rows of each task that the step trained.
        uncertainty: Mean over the candidates of each task, of samplers that ask the model; over the
            same rows again and again where `log_uncertainty` was set.
        loss: Loss of the step; None in logs that have none.
    """

    rows: dict[str, Annotated[int, Field(ge=0, le=2**53)]]
    uncertainty: dict[str, float] = {}
    loss: float | None = None


def read_log(run: Run, names: Sequence[str]) -> list[LogLine]:
    """Read the log of a run.

    Args:
        run: A finished run.
        names: Names of the tasks that it may be about.

    Returns:
        A line per step.

    Raises:
        RelevanceError: If the log is missing or damaged, or does not say which rows a step trained.
    """
    path = run.folder / LOG
    check_file(path)
    lines = read_text(path).splitlines()
    if not lines or '"rows"' not in lines[0]:
        raise RelevanceError(
            f"{path} does not say which rows a step trained, as an older version wrote it."
            " Train the run again to see how it goes."
        )
    return [_line(text, names, f"{path}, line {n}") for n, text in enumerate(lines, start=1)]


def _line(text: str, names: Sequence[str], where: str) -> LogLine:
    with told_of(where):
        content = parse_json(text, row=True)  # the loss of a run that went astray may be NaN
    line = validated(LogLine, content, where)
    for name in (*line.rows, *line.uncertainty):
        if name not in names:
            raise RelevanceError(f"{where}: {unknown_name('task', name, names)}")
    return line
