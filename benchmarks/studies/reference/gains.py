"""The runs of the reference study as a matrix of gains, which every command takes.

    python benchmarks/studies/reference/gains.py benchmarks/studies/reference/runs.csv gains.json

`relevance import runs.csv --metric gain` makes the same gains; this file has the scores by all
metrics in it, so that `--metric loss` can be asked of it, and with `--study`, the folder in which
`runs.py` worked, what the study cost.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from relevance.gains.gain_choice import METRICS, GainChoice
from relevance.gains.study_scores import StudyScores
from relevance.matrices.gains_matrix import gains_matrix
from relevance.matrices.matrix import RelevanceMatrix


def read_gains(
    runs: Path, metric: str = "gain", seeds: Iterable[int] | None = None, study: Path | None = None
) -> RelevanceMatrix:
    """The matrix of some seeds, all by default; its cost is known where the study's folder is."""
    rows = pd.read_csv(runs, keep_default_na=False)
    tasks = list(dict.fromkeys(rows["task"]))
    chosen = sorted(set(rows["seed"])) if seeds is None else list(seeds)
    single, joint = {}, {}
    for name in METRICS:
        table = rows[rows["metric"] == name].set_index(["seed", "partner", "task"])["score"]
        every = pd.MultiIndex.from_product([chosen, ["", *tasks], tasks])
        shape = len(chosen), len(tasks) + 1, len(tasks)
        scores = table.reindex(every).to_numpy(float).reshape(shape)
        single[name], joint[name] = scores[:, 0].tolist(), nulls(scores[:, 1:])
    return gains_matrix(
        StudyScores(tasks, [int(seed) for seed in chosen], single, joint),
        GainChoice(metric),
        cost=cost(study, chosen),
        provenance={"file": str(runs)},
    )


def nulls(scores: np.ndarray) -> list:
    """Nested lists, None for NaN, as a study has them."""
    return np.where(np.isnan(scores), None, scores.astype(object)).tolist()


def cost(study: Path | None, seeds: Iterable[int]) -> dict[str, float]:
    """Seconds of workers, of one thread each, for all runs of the seeds; nothing where unknown."""
    files = [study / f"seed-{seed}.json" for seed in seeds] if study else []
    if not files or not all(file.is_file() for file in files):
        return {}
    return {"seconds": sum(json.loads(file.read_text())["cost"]["seconds"] for file in files)}


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
