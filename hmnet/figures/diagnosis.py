"""The figures of a diagnosis, one per task and split."""

from collections.abc import Iterable
from pathlib import Path

from hmnet.analysis.confusion import Confusion
from hmnet.analysis.diagnosis import Diagnosis
from hmnet.figures.confusion import confusion_figure
from hmnet.figures.regression import regression_figure
from hmnet.runs.folder import Run
from relevance.figures.figure import save_figure
from relevance.figures.style import FigureStyle


def save_figures(
    found: Iterable[Diagnosis],
    run: Run,
    folder: Path,
    suffix: str,
    style: FigureStyle | None = None,
) -> list[Path]:
    """Draw a confusion matrix for every classification task, scatter and residuals for the others.

    Args:
        found: Diagnoses of tasks.
        run: Run that the tasks belong to.
        folder: Made if missing.
        suffix: `pdf`, `svg` or `png`.
        style: Size, title and colours that are wished for.

    Returns:
        The files, named after task and split.

    Raises:
        RelevanceError: If a file cannot be written.
    """
    paths = []
    for one in found:
        path = folder / f"{run.task(one.task).slug}-{one.split}.{suffix}"
        if isinstance(one, Confusion):
            save_figure(confusion_figure(one, style=style), path)
        else:
            save_figure(regression_figure(one, style=style), path)
        paths.append(path)
    return paths
