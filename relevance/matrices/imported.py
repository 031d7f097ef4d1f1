"""A matrix of runs that were made elsewhere, read from a file with a row per run."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError, shown, unknown_name
from relevance.gains.baselines import CORRELATIONS, undefined, undefined_notes
from relevance.gains.gain_choice import PAPERS_CHOICE
from relevance.gains.reliability import known_mean, reliabilities, reliability_within_targets
from relevance.matrices.matrix import MEAN_OF_SOURCES, RelevanceMatrix, nulls
from relevance.matrices.reading import LARGEST
from relevance.names import place, some
from relevance.numerals import decimal_number, whole_number
from relevance.stages import counted
from relevance.tasks.read import column_names, read_columns

if TYPE_CHECKING:
    import pandas as pd

NOT_NEEDED = ("baseline", "metric", "setting")
JOINT = {"source": "partner", "target": "task"}
FIRST = 2  # the header is the first line
MANY = 1000  # rows that are read in no time

Scores = Float[np.ndarray, "seed source target"]
Single = Float[np.ndarray, "seed target"]
Cells = Float[np.ndarray, "source target"]


@dataclass(frozen=True)
class RunColumns:
    """Names of the columns of a file of runs.

    Attributes:
        source: The other task; empty in a run of the target alone. A file of joint runs may have
            `partner` and `task` where this and `target` are expected.
        target: The task that is scored.
        seed: A whole number.
        score: Higher is better; a fraction, no percentage.
        baseline: Score of the target alone with the same seed, where the file has the column.
        metric: Name of the metric, where the file has the column.
        setting: Name of the model and the way of training, where the file has the column.
    """

    source: str = "source"
    target: str = "target"
    seed: str = "seed"
    score: str = "score"
    baseline: str = "baseline"
    metric: str = "metric"
    setting: str = "setting"


NAMED_SO = RunColumns()


def import_runs(
    path: str | Path,
    *,
    columns: RunColumns = NAMED_SO,
    setting: str | None = None,
    metric: str | None = None,
    drop: bool = False,
    square: bool = False,
) -> RelevanceMatrix:
    """Make a matrix of runs that were made elsewhere.

    With scores of targets alone, a value is the relative gain of the mean score over the mean score
    alone. Without, it is the mean score less the mean over the target's sources: what a source adds
    beside the others. Cells may have different numbers of seeds.

    Args:
        path: A csv, tsv or parquet file with a row per run; csv and tsv may be packed with gzip.
        columns: Names of its columns.
        setting: Setting whose runs are meant, where the file has several.
        metric: Metric whose scores are meant, where a target has several.
        drop: Leave out scores that their metric cannot have, which else are only counted.
        square: Leave out tasks that are a source alone or a target alone, which no method of
            clustering takes.

    Returns:
        The matrix of all tasks that are a source or a target, called after the setting or the file;
        0 on the diagonal, NaN where there is no run. `per_seed` has the values of each seed,
        `standard_errors` those of means over the seeds of a cell, to first order and with the
        noise of runs alone where these have the same seeds; NaN for a single seed. Warnings count
        and name what is missing or impossible.

    Raises:
        RelevanceError: If a column is missing, a cell cannot be read, a pair and seed have two
            scores, a setting or metric has to be chosen or is unknown, most scores look like
            percentages, or one is beyond what a matrix file may hold and is not left out.

    Source:
        Fei et al. (2022), equations 3 and 4.
    """
    path = Path(path)
    runs = read_runs(path, columns)
    runs = _only(runs, "setting", setting, path)
    runs = _only_metric(runs, metric, path)
    notes = _impossible(runs, path, drop=drop)
    if drop:
        runs.loc[runs["outside"], "score"] = np.nan
    refuse_repeated(runs, path)
    if square:
        both = set(runs["source"]) & set(runs["target"])
        runs = runs[runs["target"].isin(both) & runs["source"].isin({*both, ""})]
    tasks = tuple(dict.fromkeys([*filter(None, runs["source"]), *runs["target"]]))
    _refuse_one_name(tasks, path)
    seeds = tuple(sorted(set(runs["seed"])))
    joint, single = _arrays(runs, tasks, seeds, path)
    notes += _incomplete(joint, tasks)
    of_pairs = _relative if np.isfinite(single).any() else _beside_others
    name = setting or path.name.partition(".")[0]
    matrix = of_pairs(joint, single, tasks, name)
    notes += matrix.provenance.get("warnings", [])
    own = {"file": str(path), "setting": setting, "noise": "seeds", "warnings": notes}
    return replace(matrix, seeds=seeds, provenance=matrix.provenance | own)


def _relative(joint: Scores, single: Single, tasks: tuple[str, ...], name: str) -> RelevanceMatrix:
    """Relative gains over scores of the targets alone."""
    mean, alone = known_mean(joint, 0), known_mean(single, 0)
    baseline = np.where(undefined(single, PAPERS_CHOICE), np.nan, alone)
    # To first order; a run and the run alone of the same seed share noise, which cancels.
    noisy = joint - mean / baseline * single[:, None, :]
    notes = undefined_notes(tasks, single, PAPERS_CHOICE)
    measured = np.isfinite(joint).any(axis=(0, 1))
    if without := [t for t, there in zip(tasks, measured & np.isnan(alone), strict=True) if there]:
        notes.append(f"{some(without)}: no score alone, so no gains.")
    alone_kept, joint_kept = {"gain": nulls(single)}, {"gain": nulls(joint)}
    return RelevanceMatrix(
        **_values((joint - baseline) / baseline, _error_of_mean(noisy) / baseline),
        tasks=tasks,
        measure=name,
        single=alone_kept,
        joint=joint_kept,
        reliability=reliabilities(alone_kept, joint_kept),
        provenance={"warnings": notes},
    )


def _beside_others(joint: Scores, _: Single, tasks: tuple[str, ...], name: str) -> RelevanceMatrix:
    """Scores less the mean of their target, of which nothing tells what it is alone."""
    per_seed = joint - known_mean(known_mean(joint, 0), 0)
    values = _values(per_seed, _error_of_mean(joint))
    within = reliability_within_targets(per_seed)
    return RelevanceMatrix(
        **values,
        tasks=tasks,
        measure=name,
        unit="points",
        joint={"gain": nulls(joint)},
        reliability={"gain": within} if len(joint) > 1 else None,
        provenance={"zero": MEAN_OF_SOURCES},
    )


def _values(per_seed: Scores, errors: Cells) -> dict[str, Any]:
    """Arrays of a matrix, 0 on the diagonal."""
    own = np.eye(len(errors), dtype=bool)
    return {
        "values": np.where(own, 0.0, known_mean(per_seed, 0)),
        "per_seed": np.where(own, 0.0, per_seed),
        "standard_errors": np.where(own, 0.0, errors) if len(per_seed) > 1 else None,
    }


def _error_of_mean(values: Scores) -> Cells:
    """Standard error of the mean over the seeds that are known; NaN for a single one."""
    count = np.isfinite(values).sum(axis=0)
    squares = known_mean((values - known_mean(values, 0)) ** 2, 0)
    return np.asarray(np.sqrt(squares / np.where(count > 1, count - 1, np.nan)))


def read_runs(path: Path, columns: RunColumns = NAMED_SO) -> "pd.DataFrame":
    """The rows of a file of runs, numbers read, with the rows' places in it as index.

    Args:
        path: A csv, tsv or parquet file with a row per run.
        columns: Names of its columns.

    Returns:
        The columns that the file has, under the names of the fields of `RunColumns`.

    Raises:
        RelevanceError: If the file is missing or has no rows, a column is missing, or a cell cannot
            be read.
    """
    import pandas as pd

    present, wanted = column_names(path), asdict(columns)
    if not {columns.source, columns.target} & set(present) and {*JOINT.values()} <= set(present):
        wanted |= JOINT
    names = {n: c for n, c in wanted.items() if c in present or n not in NOT_NEEDED}
    cells = read_columns(path, list(names.values()))
    runs = pd.DataFrame({name: list(cells[column]) for name, column in names.items()}, dtype=object)
    runs.index += FIRST
    if runs.empty:
        raise RelevanceError(f"{path} has no rows. Expected one per run.")
    readers = {"score": _number, "baseline": _number, "seed": _seed}
    for name in counted([name for name in readers if name in names], "columns read"):
        told = counted(runs[name], "rows", every=MANY)
        read = readers[name]
        runs[name] = [read(cell, path, names[name], row) for row, cell in enumerate(told, FIRST)]
    for name in {"source", "target", "metric", "setting"} & set(runs):
        runs[name] = ["" if cell is None else str(cell).strip() for cell in runs[name]]
    if (runs["target"] == "").any():
        row = runs.index[runs["target"] == ""][0]
        raise RelevanceError(f"{path}, row {row}: column '{names['target']}' is empty.")
    return runs


def _number(cell: object, path: Path, column: str, row: int) -> float:
    """A score; NaN where the cell is empty."""
    text = "" if cell is None else str(cell).strip()
    if text.lower() in {"", "nan"}:
        return np.nan
    value = decimal_number(text)
    if value is None:
        raise RelevanceError(
            f"{path}, row {row}: column '{column}' should be a finite number, got {shown(cell)}."
        )
    return value


def _seed(cell: object, path: Path, column: str, row: int) -> int:
    seed = whole_number(cell)
    if seed is None:  # more than 18 digits could not be read again from the matrix
        raise RelevanceError(
            f"{path}, row {row}: column '{column}' should be a whole number of 18 digits at most,"
            f" got {shown(cell)}."
        )
    return seed


def _only(runs: "pd.DataFrame", name: str, chosen: str | None, path: Path) -> "pd.DataFrame":
    """The rows of one setting or metric."""
    if name not in runs:
        if chosen is not None:
            raise RelevanceError(f"{path} has no column '{name}', so `{name}` has nothing to find.")
        return runs
    known = sorted(set(runs[name]))
    if chosen is None and len(known) > 1:
        raise RelevanceError(
            f"{path} holds several of '{name}': {some(known)}. Say which one with `{name}`."
        )
    if chosen is not None and chosen not in known:
        raise unknown_name(name, chosen, known)
    return runs if chosen is None else runs[runs[name] == chosen]


def _only_metric(runs: "pd.DataFrame", metric: str | None, path: Path) -> "pd.DataFrame":
    """The rows of one metric; each target may have one of its own."""
    of_targets = runs.groupby("target")["metric"].nunique() if "metric" in runs else None
    if metric is None and (of_targets is None or (of_targets == 1).all()):
        return runs.copy()
    return _only(runs, "metric", metric, path).copy()


def _impossible(runs: "pd.DataFrame", path: Path, *, drop: bool) -> list[str]:
    """Mark scores that their metric cannot have, and count them and the empty ones."""
    hint = " They are left out." if drop else " `drop=True` leaves them out."
    metrics = runs["metric"].str.lower() if "metric" in runs else ""
    lowest = np.where(np.isin(metrics, ["", *CORRELATIONS]), -1.0, 0.0)
    runs["outside"] = (runs["score"] < lowest) | (runs["score"] > 1)
    for name in {"score", "baseline"} & set(runs):
        if (runs[name].dropna() > 1).mean() > 0.5:
            raise RelevanceError(
                f"{path}: most {name}s are above 1, so they look like percentages. Divide them by"
                " 100."
            )
    _refuse_baselines(runs, lowest, path)
    huge = runs["score"].abs() > LARGEST
    if huge.any() and not drop:
        row = runs.index[huge][0]
        raise RelevanceError(
            f"{path}, row {row}: the score {runs['score'][row]:g} of '{runs['target'][row]}' is too"
            " large to be meant. Correct it, or leave it out with `drop=True`."
        )
    notes = []
    outside = "outside what their metric can be", runs["outside"], hint
    for what, rows, hint in (outside, ("empty", runs["score"].isna(), "")):
        if rows.any():
            counts = runs["target"][rows].value_counts()
            named = ", ".join(f"{count} of {task}" for task, count in counts.items())
            notes.append(f"{rows.sum()} of {len(runs)} scores are {what}: {named}.{hint}")
    return notes


def _refuse_baselines(runs: "pd.DataFrame", lowest: Float[np.ndarray, "*run"], path: Path) -> None:
    """Refuse a score alone that its metric cannot have: all gains of its target hang on it."""
    if "baseline" not in runs:
        return
    outside = (runs["baseline"] < lowest) | (runs["baseline"] > 1)
    if outside.any():
        row = runs.index[outside][0]
        raise RelevanceError(
            f"{path}, row {row}: the baseline of '{runs['target'][row]}' is"
            f" {runs['baseline'][row]:g}, outside what its metric can be. Correct it, or leave the"
            " cell empty."
        )


def _refuse_one_name(tasks: tuple[str, ...], path: Path) -> None:
    """Refuse two ways to write one task's name, whose runs would be those of two tasks."""
    first: dict[str, str] = {}
    for task in tasks:
        if (other := first.setdefault(place(task), task)) != task:
            raise RelevanceError(
                f"{path}: {other!a} and {task!a} are one name, but for case or the form"
                " of its letters. Write it one way."
            )


def refuse_repeated(runs: "pd.DataFrame", path: Path) -> None:
    """Refuse two scores of one pair and seed in rows of `read_runs`, of one metric.

    Args:
        runs: The rows.
        path: Their file, for the message.

    Raises:
        RelevanceError: If there are two.
    """
    cell = ["source", "target", "seed"]
    again = runs.duplicated(cell)
    if not again.any():
        return
    row = runs.index[again][0]
    source, target, seed = runs.loc[row, cell]
    same = (runs[cell] == runs.loc[row, cell]).all(axis=1)
    raise RelevanceError(
        f"{path}: rows {runs.index[same][0]} and {row} both have a score of '{target}' with"
        f" '{source}' and seed {seed}."
    )


def _arrays(
    runs: "pd.DataFrame", tasks: tuple[str, ...], seeds: tuple[int, ...], path: Path
) -> tuple[Scores, Single]:
    """Scores with a source and alone; NaN where there is no run."""
    place = {task: number for number, task in enumerate(tasks)}
    joint = np.full((len(seeds), len(tasks), len(tasks)), np.nan)
    single = np.full((len(seeds), len(tasks)), np.nan)
    empty = [np.nan] * len(runs)
    columns = [runs[name].tolist() for name in ("source", "target", "seed", "score")]
    baselines = runs["baseline"].tolist() if "baseline" in runs else empty
    for row, source, target, seed, score, baseline in zip(
        counted(runs.index, "runs placed", every=MANY), *columns, baselines, strict=True
    ):
        when, where, alone = seeds.index(seed), place[target], baseline
        if source in {"", target}:
            alone = score
        else:
            joint[when, place[source], where] = score
        known = single[when, where]
        if np.isnan(alone):
            continue
        if not np.isnan(known) and alone != known:
            raise RelevanceError(
                f"{path}, row {row}: '{target}' alone has {alone:g} with seed {seed} here and"
                f" {known:g} in a row before."
            )
        single[when, where] = alone
    return joint, single


def _incomplete(joint: Scores, tasks: tuple[str, ...]) -> list[str]:
    """Notes on tasks that are no source or no target, on pairs without runs and unequal seeds."""
    count = np.isfinite(joint).sum(axis=0)
    known, notes = count > 0, []
    other = ~np.eye(len(tasks), dtype=bool)
    sources, targets = known.any(axis=1), known.any(axis=0)
    for what, there in (("source", sources), ("target", targets)):
        if missing := [task for task, found in zip(tasks, there, strict=True) if not found]:
            notes.append(f"{some(missing)} is never a {what}.")
    expected = other & sources[:, None] & targets
    if without := int((expected & ~known).sum()):
        notes.append(f"{without} of {expected.sum()} pairs have no score.")
    fewer = known & (count < count.max(initial=0))
    if fewer.any():
        notes.append(
            f"{fewer.sum()} of {known.sum()} pairs have fewer seeds than the {count.max()} of the"
            f" others: {count[fewer].min()} at least."
        )
    return notes
