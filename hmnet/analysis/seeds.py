"""Notes on runs of one name that are no seeds of each other."""

from collections import Counter
from collections.abc import Sequence

from hmnet.runs.folder import Run
from hmnet.settings.config import FREE_ON_RESUME
from relevance.names import some

NO_MATTER = FREE_ON_RESUME | {"seed", "data_dir"}
"""Settings in which seeds may differ."""


def notes_on_seeds(runs: Sequence[Run]) -> list[str]:
    """Say which runs of one name are not the same but for their seed, and count as seeds still.

    Args:
        runs: Trained runs.

    Returns:
        A line for each name whose runs have a seed twice, or differ in another setting.
    """
    by_name: dict[str, list[Run]] = {}
    for run in runs:
        by_name.setdefault(run.config.label, []).append(run)
    notes = []
    for name, same in by_name.items():
        settings = [run.config.model_dump(mode="json", exclude=set(NO_MATTER)) for run in same]
        differing = [
            key for key in settings[0] if any(s[key] != settings[0][key] for s in settings)
        ]
        twice = [str(seed) for seed, n in Counter(run.config.seed for run in same).items() if n > 1]
        said = [f"differ in {some(differing)}"] if differing else []
        said += [f"have seed {some(twice)} more than once"] if twice else []
        if said:
            notes.append(
                f"The {len(same)} runs called '{name}' {' and '.join(said)}, and count as seeds of"
                " one another. Runs trained with a `name` of their own stand apart."
            )
    return notes
