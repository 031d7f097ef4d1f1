"""How runs were made, as the page of `relevance report` tells it."""

from collections.abc import Sequence

from hmnet.runs.folder import Run
from relevance.names import some
from relevance.report.page.content import Origin
from relevance.report.page.origins import shown

TOLD = ("method", "backbone", "epochs", "batch_size", "max_length", "lr")
"""Settings that are told even where they are the defaults."""
LEFT_OUT = {"tasks", "data_dir", "name", "seed", "device", "tracker", "checkpoint_s", "skills"}


def run_origins(runs: Sequence[Run]) -> tuple[Origin, ...]:
    """How runs were made: tasks, seeds and the settings that are not the defaults.

    Args:
        runs: Finished runs; those of one name are seeds.

    Returns:
        One entry per name. Folders and files are told by their names, without where they are.
    """
    by_name: dict[str, list[Run]] = {}
    for run in runs:
        by_name.setdefault(run.config.label, []).append(run)
    return tuple(Origin(name, _facts(same)) for name, same in by_name.items())


def _facts(runs: Sequence[Run]) -> tuple[tuple[str, str], ...]:
    first = runs[0]
    config = first.config
    changed = config.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    whole = config.model_dump(mode="json", exclude_none=True)
    names = [*TOLD, *(name for name in changed if name not in {*TOLD, *LEFT_OUT})]
    return (
        ("tasks", some([task.name for task in first.tasks], 20)),
        ("seeds", ", ".join(str(run.config.seed) for run in runs)),
        *((name.replace("_", " "), shown(whole[name])) for name in names if name in whole),
    )
