"""The runs of the reference study as a matrix of gains, which every command takes.

    python benchmarks/studies/reference/gains.py benchmarks/studies/reference/runs.csv gains.json

`relevance import runs.csv --metric gain` makes the same gains; this file has the scores by all
metrics in it, so that `--metric loss` can be asked of it, and with `--study`, the folder in which
`runs.py` worked, what the study cost.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cli.app import bad_input_ends
from relevance.errors import RelevanceError, shown
from relevance.gains.gain_choice import METRICS, GainChoice
from relevance.gains.study_scores import StudyScores
from relevance.matrices.gains_matrix import gains_matrix
from relevance.matrices.imported import read_runs, refuse_repeated
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.names import some
from relevance.numerals import decimal_number
from relevance.tasks.read import read_columns

TASKS = ("SNLI", "RTE", "QQP", "MRPC", "STS-B", "SST-2", "CoLA", "QNLI")


def read_gains(
    runs: Path,
    metric: str = "gain",
    seeds: Iterable[int] | None = None,
    study: Path | None = None,
    needed: Sequence[str] = (),
) -> RelevanceMatrix:
    """The matrix of some seeds, all by default; its cost is known where the study's folder is.

    Args:
        runs: File of runs.py.
        metric: Name in `METRICS`.
        seeds: Seeds of the file, None for all.
        study: Folder of runs.py with its seed-N.json.
        needed: Tasks that the file must have.

    Returns:
        The matrix, with the scores by all metrics.

    Raises:
        RelevanceError: If the file cannot be read, or lacks a task or a run of one of them.
    """
    rows = read_runs(runs)
    if "metric" not in rows:
        raise RelevanceError(f"{runs} has no column 'metric'. Expected a file of runs.py.")
    tasks = list(dict.fromkeys(rows["target"]))
    if without := [task for task in needed if task not in tasks]:
        raise RelevanceError(f"{runs} has no runs of {some(without)}. Expected {some(needed)}.")
    chosen = sorted(set(rows["seed"])) if seeds is None else list(seeds)
    single, joint = {}, {}
    for name in METRICS:
        of_metric = rows[rows["metric"] == name]
        refuse_repeated(of_metric, runs)
        table = of_metric.set_index(["seed", "source", "target"])["score"]
        every = pd.MultiIndex.from_product([chosen, ["", *tasks], tasks])
        shape = len(chosen), len(tasks) + 1, len(tasks)
        scores = table.reindex(every)
        refuse_missing(scores, name, runs)
        scores = scores.to_numpy(float).reshape(shape)
        single[name], joint[name] = scores[:, 0].tolist(), nulls(scores[:, 1:])
    return gains_matrix(
        StudyScores(tasks, [int(seed) for seed in chosen], single, joint),
        GainChoice(metric),
        cost=cost(study, chosen),
        provenance={"file": str(runs)},
    )


def refuse_missing(scores: pd.Series, metric: str, runs: Path) -> None:
    """Refuse a file that lacks a run of a task alone or in a pair."""
    missing = [(seed, *pair) for seed, *pair in scores.index[scores.isna()] if len({*pair}) > 1]
    if missing:
        seed, source, target = missing[0]
        told = f"with '{source}'" if source else "alone"
        raise RelevanceError(
            f"{runs} lacks {len(missing)} scores by '{metric}'; the first is that of '{target}'"
            f" {told}, seed {seed}. Leave out the seed's rows, and runs.py makes them again."
        )


def nulls(scores: np.ndarray) -> list:
    """Nested lists, None for NaN, as a study has them."""
    return np.where(np.isnan(scores), None, scores.astype(object)).tolist()


def cost(study: Path | None, seeds: Iterable[int]) -> dict[str, float]:
    """Seconds of workers, of one thread each, for all runs of the seeds; nothing where unknown."""
    files = [study / f"seed-{seed}.json" for seed in seeds] if study else []
    if not files or not all(file.is_file() for file in files):
        return {}
    costs = [load_matrix(file).cost for file in files]
    return {"seconds": sum(of_seed["seconds"] for of_seed in costs)} if all(costs) else {}


def read_table(path: Path, names: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """A csv file of these scripts, whose columns are checked.

    Args:
        path: The file.
        names: Columns of texts that it must have.
        numbers: Columns of numbers that it must have; an empty cell is NaN.

    Returns:
        All of its columns, a row per line.

    Raises:
        RelevanceError: If it cannot be read, has no rows, or lacks such a column.
    """
    cells = read_columns(path, [*names, *numbers])
    if not cells[names[0]]:
        raise RelevanceError(f"{path} has no rows. Leave it out, and it is made again.")
    for name in numbers:
        wrong = [cell for cell in cells[name] if cell and decimal_number(cell) is None]
        if wrong:
            raise RelevanceError(f"{path}: column '{name}' holds {shown(wrong[0])}, no number.")
    return pd.read_csv(path, dtype=dict.fromkeys(names, str))  # a digest may be all digits


@bad_input_ends("gains.py")
def main() -> None:
    """Write the matrix."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--metric", choices=METRICS, default="gain")
    parser.add_argument("--study", type=Path, help="folder of runs.py with its seed-N.json")
    options = parser.parse_args()
    read_gains(options.runs, options.metric, study=options.study).save(options.out)


if __name__ == "__main__":
    main()
