"""Notes on runs of one name that are no seeds of each other."""

from collections import Counter
from collections.abc import Sequence

from hmnet.runs.folder import Run
from relevance.names import some


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
        first, *others = (run.config for run in same)
        # the same data may lie elsewhere on another machine
        found = {name for one in others for name in first.differs_in(one, free=["data_dir"])}
        differing = [name for name in first.values() if name in found]
        twice = [str(seed) for seed, n in Counter(run.config.seed for run in same).items() if n > 1]
        said = [f"differ in {some(differing)}"] if differing else []
        said += [f"have seed {some(twice)} more than once"] if twice else []
        if said:
            notes.append(
                f"The {len(same)} runs called '{name}' {' and '.join(said)}, and count as seeds of"
                " one another. Runs trained with a `name` of their own stand apart."
            )
    return notes
