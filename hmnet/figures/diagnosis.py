"""The figures of a diagnosis, one per task and split."""

from collections.abc import Iterable
from pathlib import Path

from hmnet.analysis.confusion import Confusion
from hmnet.analysis.diagnosis import Diagnosis
from hmnet.figures.confusion import confusion_figure
from hmnet.figures.regression import regression_figure
from hmnet.runs.folder import Run
from relevance.figures.figure import save_figure


def save_figures(found: Iterable[Diagnosis], run: Run, folder: Path, suffix: str) -> list[Path]:
    """Draw a confusion matrix for every classification task, scatter and residuals for the others.

    Args:
        found: Diagnoses of tasks.
        run: Run that the tasks belong to.
        folder: Made if missing.
        suffix: `pdf`, `svg` or `png`.

    Returns:
        The files, named after task and split.

    Raises:
        RelevanceError: If a file cannot be written.
    """
    paths = []
    for one in found:
        path = folder / f"{run.task(one.task).slug}-{one.split}.{suffix}"
        axes = confusion_figure(one) if isinstance(one, Confusion) else regression_figure(one)
        save_figure(axes, path)
        paths.append(path)
    return paths
