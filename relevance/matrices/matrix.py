"""The relevance matrix, `values[source, target]`: how much each task helps each other one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from relevance.disk.files import json_text, read_json, read_text, write_text
from relevance.errors import RelevanceError, told_of, unknown_name
from relevance.escaping import csv_text
from relevance.gains.reliability import reliabilities, reliability_within_targets
from relevance.lazy import shown_by
from relevance.matrices.reading import check_fields, csv_matrix
from relevance.names import check_names, some

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "relevance.matrix/1"
PAPER_TABLES = {
    "table2": ("table2_vocabulary_overlap.csv", "vocabulary"),
    "table3": ("table3_joint_training_gain.csv", "joint-training"),
}
MEAN_OF_SOURCES = "mean of the target's sources"
"""What `provenance["zero"]` says where 0 is neither training alone nor the least likeness."""
ARRAYS = ("values", "standard_errors", "per_seed")
SHOWN_IN = {
    "ratio": "%",
    "points": "percentage points",
    "nats": "hundredths of a nat",
    "bits": "hundredths of a bit",
}


@dataclass(frozen=True, eq=False)
class RelevanceMatrix:
    """A measure of every ordered pair of tasks; row = source, column = target, as in the paper.

    Attributes:
        values: `values[source, target]`, NaN where unknown.
        tasks: Names in the order of rows and columns.
        measure: Name of the measure that made it.
        unit: Unit of the values: `ratio` (a fraction, 0.05 is 5 %), `points` (differences of scores
            in [0, 1]) or `nats`.
        standard_errors: Standard errors of the values, or None.
        seeds: The seeds behind the values.
        per_seed: The values of each seed, or None.
        single: Scores of single-task training: {metric: [seed][task]}.
        joint: Scores of the targets in joint training: {metric: [seed][source][target]}.
        majority: Scores of the majority class (regression: the mean label): {metric: [task]}.
        reliability: Reliability of gains over seeds, by metric and part; see
            `relevance.gains.reliability.reliabilities`. None where nothing can be said.
        cost: Cost of measuring it, such as {"seconds": 812.0}.
        provenance: Origin of the values: settings, versions, warnings.
    """

    values: Float[np.ndarray, "source target"]
    tasks: tuple[str, ...]
    measure: str
    unit: str = "ratio"
    standard_errors: Float[np.ndarray, "source target"] | None = None
    seeds: tuple[int, ...] = ()
    per_seed: Float[np.ndarray, "seed source target"] | None = None
    single: dict[str, Any] | None = None
    joint: dict[str, Any] | None = None
    majority: dict[str, Any] | None = None
    reliability: dict[str, Any] | None = None
    cost: dict[str, float] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tasks = check_names(self.tasks, "task")
        object.__setattr__(self, "tasks", tasks)
        if self.unit not in SHOWN_IN:  # values of another one would be printed wrong by its factor
            raise unknown_name("unit", self.unit, SHOWN_IN)
        for name in ARRAYS:
            if getattr(self, name) is not None:
                array = np.asarray(getattr(self, name), dtype=np.float64)
                if array.shape[-2:] != (len(tasks), len(tasks)):
                    raise RelevanceError(
                        f"{name} of {len(tasks)} tasks must be {len(tasks)} x {len(tasks)},"
                        f" got {' x '.join(map(str, array.shape))}."
                    )
                if np.isinf(array).any():
                    raise RelevanceError(f"{name} must be finite, NaN where unknown; got infinity.")
                object.__setattr__(self, name, array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RelevanceMatrix) and self._as_json() == other._as_json()

    __hash__ = None  # type: ignore[assignment]  # holds arrays

    def __repr__(self) -> str:
        count = len(self.tasks)
        return f"RelevanceMatrix({self.measure!r}, {count} x {count}: {some(self.tasks)})"

    def _repr_html_(self) -> str:
        return shown_by("relevance.report.html:matrix_html", self)

    @property
    def shown_in(self) -> str:
        """The unit that tables and figures print values in: a hundredth of their own."""
        return SHOWN_IN[self.unit]

    @property
    def known(self) -> Bool[np.ndarray, "source target"]:
        """Cells of different tasks whose value is known."""
        return np.asarray(np.isfinite(self.values) & ~np.eye(len(self.tasks), dtype=bool))

    @property
    def predicted(self) -> Bool[np.ndarray, "source target"]:
        """Cells whose value nobody measured: a model of the measured ones expects it."""
        return np.asarray(self.recorded("predicted") & self.known)

    def recorded(self, key: str) -> Bool[np.ndarray, "source target"]:
        """Cells that the provenance names, targets by source; tasks that are not here are skipped.

        Args:
            key: What they are named under, such as `predicted`.

        Returns:
            The cells; none where the provenance has no such key.
        """
        found = np.zeros(self.values.shape, dtype=bool)
        for source, targets in (self.provenance.get(key) or {}).items():
            if source in self.tasks:
                found[self.tasks.index(source)] = np.isin(self.tasks, targets)
        return found

    def off_diagonal(self) -> Float[np.ndarray, " pair"]:
        """Values of all ordered pairs of different tasks, row by row."""
        return np.asarray(self.values[~np.eye(len(self.tasks), dtype=bool)])

    def select(self, tasks: Sequence[str]) -> "RelevanceMatrix":
        """The matrix of some of the tasks, in the given order.

        Args:
            tasks: Names that the matrix has.

        Returns:
            A matrix with the rows and columns, and all that belongs to them, picked out; the
            reliability is that of the selection.

        Raises:
            RelevanceError: If the matrix does not have one of the tasks.
        """
        for name in tasks:
            if name not in self.tasks:
                raise unknown_name("task", name, self.tasks)
        rows = [self.tasks.index(name) for name in tasks]

        def picked(value: Any, axes: int) -> Any:
            if value is None:
                return None
            array = np.asarray(value, dtype=np.float64)
            for axis in range(array.ndim - axes, array.ndim):
                array = array.take(rows, axis=axis)
            return array

        def scores(by_metric: dict[str, Any] | None, axes: int) -> dict[str, Any] | None:
            if by_metric is None:
                return None
            return {
                metric: nulls(picked(_nans(value), axes)) for metric, value in by_metric.items()
            }

        # The reliability hangs on which tasks are looked at, so it is computed anew.
        single, joint = scores(self.single, 1), scores(self.joint, 2)
        arrays = {name: picked(getattr(self, name), 2) for name in ARRAYS}
        of_scores = reliabilities(single, joint, self.provenance.get("normalise", "relative"))
        if self.single is None and self.reliability is not None and self.per_seed is not None:
            of_scores = {"gain": reliability_within_targets(arrays["per_seed"])}
        return replace(
            self,
            tasks=tuple(tasks),
            **arrays,
            single=single,
            joint=joint,
            majority=scores(self.majority, 1),
            reliability=of_scores,
        )

    def to_frame(self) -> "pd.DataFrame":
        """The values as a data frame with index `source` and columns `target`."""
        import pandas as pd

        return pd.DataFrame(
            self.values,
            index=pd.Index(self.tasks, name="source"),
            columns=pd.Index(self.tasks, name="target"),
        )

    def save(self, path: Path) -> None:
        """Write it as JSON, or as CSV (values only) where the suffix says so.

        Args:
            path: The file.

        Raises:
            RelevanceError: If it cannot be written.
        """
        is_csv = path.suffix.lower() == ".csv"
        write_text(path, self.to_csv() if is_csv else self.to_json() + "\n")

    def to_json(self) -> str:
        """The text of a JSON file that holds all of the matrix; unknown values are null."""
        return json_text(SCHEMA, self._as_json())

    def to_csv(self) -> str:
        """The values as CSV with a header row and a first column of task names; NaN is empty."""
        rows = zip(self.tasks, self.values.tolist(), strict=True)
        return csv_text([["task", *self.tasks], *([name, *row] for name, row in rows)])

    def _as_json(self) -> dict[str, Any]:
        content = asdict(self)
        for name in ARRAYS:
            content[name] = nulls(content[name])
        for name in ("single", "joint", "majority"):
            by_metric: Mapping[str, Any] | None = content[name]
            if by_metric is not None:
                content[name] = {metric: nulls(value) for metric, value in by_metric.items()}
        # What people look for comes first in the file; the long tables of scores come after it.
        return {
            "measure": content.pop("measure"),
            "unit": content.pop("unit"),
            "tasks": list(content.pop("tasks")),
            "values": content.pop("values"),
            **content,
            "seeds": list(self.seeds),
        }


def load_matrix(name: str | Path) -> RelevanceMatrix:
    """Read a matrix from wherever one can be.

    Args:
        name: A JSON file of ours, a CSV file with a header row and a first column of task names, or
            `paper:table2` and `paper:table3` (Fei et al. 2022, Tables 2 and 3).

    Returns:
        The matrix; one from a CSV file is called after the file. Rows that such a file has beyond
        its columns are of tasks that are a source alone: as targets they are unknown, and a warning
        in the provenance names them.

    Raises:
        RelevanceError: If there is no such file or table, or it is no matrix of numbers.
    """
    if str(name).startswith("paper:"):
        table = str(name).removeprefix("paper:")
        if table not in PAPER_TABLES:
            raise unknown_name("table of the paper", table, PAPER_TABLES)
        file, measure = PAPER_TABLES[table]
        text = (resources.files("relevance") / "paper" / file).read_text(encoding="utf-8")
        source = f"Fei et al. (2022), Table {table[-1]}"
        return _from_csv(text, str(name), measure, {"source": source})
    path = Path(name)
    if path.suffix.lower() in {".csv", ".tsv"}:
        return _from_csv(read_text(path), str(path), path.stem, {"file": str(path)})
    if path.suffix.lower() in {".md", ".tex"}:
        raise RelevanceError(
            f"{path}: tables are not read back. Give the matrix itself: JSON, or a .csv file with a"
            " header row and a first column of task names."
        )
    content = read_json(path, SCHEMA)
    for key in ("tasks", "values", "measure"):
        if key not in content:
            raise RelevanceError(f"{path}: field '{key}' is missing.")
    check_fields(content, str(path))
    content |= {key: _nans(content[key]) for key in ARRAYS if content.get(key) is not None}
    content |= {key: tuple(content.get(key) or ()) for key in ("tasks", "seeds")}
    content |= {key: content.get(key) or {} for key in ("cost", "provenance")}
    # JSON of other programs may have whole numbers here.
    content["cost"] = {name: float(value) for name, value in content["cost"].items()}
    with told_of(path):
        return RelevanceMatrix(**content)


def _from_csv(text: str, where: str, measure: str, provenance: dict[str, Any]) -> RelevanceMatrix:
    tasks, values, targets = csv_matrix(text, where)
    if alone := [task for task in tasks if task not in targets]:
        provenance = provenance | {"warnings": [f"{some(alone)} is never a target."]}
    with told_of(where):
        return RelevanceMatrix(values, tasks, measure, provenance=provenance)


def nulls(value: Any) -> Any:
    """Nested lists with None for NaN, as JSON has no NaN."""
    if value is None:
        return None
    numbers = np.asarray(value, dtype=np.float64)
    nested = numbers.astype(object)
    nested[np.isnan(numbers)] = None
    return nested.tolist()


def _nans(value: Any) -> Float[np.ndarray, "..."]:
    """The array of nested lists with None for NaN."""
    return np.asarray(value, dtype=np.float64)  # numpy turns None into NaN
