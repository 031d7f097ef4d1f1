"""The cluster spec: which tasks share the middle layers; `relevance` hands it to `hmnet`."""

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PrivateAttr, field_validator, model_validator

from relevance.disk.files import file_digest, json_text, read_json, validated, write_text
from relevance.errors import RelevanceError, unknown_name
from relevance.lazy import shown_by
from relevance.matrices.matrix import PAPER_TABLES
from relevance.names import some

SCHEMA = "relevance.clusters/1"
TOLD_BY = {
    "halves": "halves of the seeds, extrapolated",
    "draws": "draws of studies by its noise",
}
EARLIER = {
    "seeds": "bootstraps of the seeds around this one",
    "noise": "draws of noise around this one",
    "examples": "draws of the evaluation's noise around this one",
}
"""What files of earlier versions may have varied, which looks firmer than it is."""


class MatrixFile(BaseModel):
    """The matrix that a spec was made from.

    Attributes:
        file: Path, or a name such as `paper:table3`.
        sha256: SHA-256 of the file's bytes, hexadecimal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    sha256: str


class Stability(BaseModel):
    """Whether a study with as many new seeds would find the same groups.

    Attributes:
        adjusted_rand: Expected adjusted Rand index of the groups of two such studies: 1 for the
            same groups, about 0 for groups by chance; None where the matrix does not tell noise
            from what two tasks do to each other.
        resampling: What the index is from: `halves` of the seeds, or `draws` of studies by the
            noise; None where it is unknown. Files of earlier versions may have what is in
            `EARLIER`.
        seeds: Number of seeds of such a study, 0 where it is unknown.
        resamples: Number of studies that were grouped.
        skipped: Number of further ones that could not be grouped, as too few tasks differed.
        sensitivity: Mean adjusted Rand index of the groups with those found without one task; None
            if unknown. It says nothing about noise.
        tasks: Names in the order of the consensus.
        consensus: Share of the studies in which two tasks were in one group, in [0, 1]; where the
            index is unknown, of the matrices with one task left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    adjusted_rand: float | None
    resampling: Literal["halves", "draws", "seeds", "noise", "examples"] | None = None
    seeds: int = 0
    resamples: int = 0
    skipped: int = 0
    sensitivity: float | None = None
    tasks: tuple[str, ...] = ()
    consensus: tuple[tuple[float, ...], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, value: Any) -> Any:
        """Earlier versions called the sensitivity `leave_one_out`, and stability for want of it."""
        if not isinstance(value, dict) or "leave_one_out" not in value:
            return value
        renamed = {**value, "sensitivity": value["leave_one_out"]}
        del renamed["leave_one_out"]
        if value.get("resampling") == "tasks":
            renamed |= {"adjusted_rand": None, "resampling": None, "resamples": 0}
        return renamed

    def __str__(self) -> str:
        if self.adjusted_rand is None:
            line = (
                "stability: unknown, as nothing here tells noise from what tasks do to each other"
            )
        else:
            line = f"stability: adjusted Rand index {self.adjusted_rand:.2f}"
        if self.resampling in TOLD_BY:
            line += (
                f" expected between two studies of {self.seeds} seed(s), by"
                f" {TOLD_BY[self.resampling]}"
            )
        elif self.resampling in EARLIER:
            line += f" over {self.resamples} {EARLIER[self.resampling]}"
        if self.skipped:
            line += f"; {self.skipped} could not be grouped"
        if self.sensitivity is not None:
            line += f"; sensitivity: {self.sensitivity:.2f} with one task left out"
        return line


class ClusterSpec(BaseModel):
    """Groups of tasks and how they were found.

    Attributes:
        clusters: Task names, each in one cluster, no cluster empty.
        names: One name per cluster, such as a family, or None.
        method: `taxonomy`, a method of clustering such as `kmeans`, or `manual` for a spec written
            by hand.
        k: Number of clusters that was asked for, None where nobody asked.
        seed: Seed of the method's random starts.
        inertia: Sum of squared distances to the cluster centres, k-means only.
        silhouette: Mean silhouette in [-1, 1]; None where it is undefined.
        stability: Agreement of the groups with those of resamples, None if not measured.
        matrix: The matrix behind it.
        provenance: Whatever else tells where it came from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clusters: tuple[tuple[str, ...], ...]
    names: tuple[str, ...] | None = None
    method: str = "manual"
    k: int | None = None
    seed: int | None = None
    inertia: float | None = None
    silhouette: float | None = None
    stability: Stability | None = None
    matrix: MatrixFile | None = None
    provenance: dict[str, Any] = {}

    _where: str = PrivateAttr("The cluster spec")

    @field_validator("stability", mode="before")
    @classmethod
    def _index_alone(cls, value: Any) -> Any:
        """A number, as files of the first release may have it, is the adjusted Rand index."""
        return {"adjusted_rand": value} if isinstance(value, int | float) else value

    @model_validator(mode="after")
    def _consistent(self) -> "ClusterSpec":
        if not self.clusters:
            raise ValueError("'clusters' lists no cluster")
        seen: dict[str, int] = {}
        for number, cluster in enumerate(self.clusters):
            if not cluster:
                raise ValueError(f"cluster {number} is empty; leave it out")
            for task in cluster:
                if seen.get(task) == number:
                    raise ValueError(f"task '{task}' is in cluster {number} twice")
                if task in seen:
                    raise ValueError(
                        f"task '{task}' is in clusters {seen[task]} and {number};"
                        " each task belongs to one"
                    )
                seen[task] = number
        count = len(self.clusters)
        if self.k is not None and self.k != count:
            raise ValueError(f"k is {self.k}, but 'clusters' lists {count}")
        if self.names is not None and len(set(self.names)) != count:
            raise ValueError(f"`names` must hold {count} different names, one per cluster")
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClusterSpec) and self.model_dump() == other.model_dump()

    __hash__ = None  # type: ignore[assignment]  # holds a dictionary

    def __repr__(self) -> str:
        count = len(self.clusters)
        groups = "; ".join(some(group, 3) for group in self.clusters[:3])
        more = "; ..." if count > 3 else ""
        return f"ClusterSpec({self.method}, {count} groups: {groups}{more})"

    def _repr_html_(self) -> str:
        return shown_by("relevance.report.html:groups_html", self)

    @property
    def tasks(self) -> tuple[str, ...]:
        """All tasks, cluster by cluster."""
        return tuple(task for cluster in self.clusters for task in cluster)

    def cluster_of(self, task: str) -> int:
        """Number of a task's cluster.

        Args:
            task: A name that the spec lists.

        Returns:
            Place of the cluster in `clusters`, from 0.

        Raises:
            RelevanceError: If no cluster holds it.
        """
        for number, cluster in enumerate(self.clusters):
            if task in cluster:
                return number
        raise unknown_name("task", task, self.tasks)

    def check(self, tasks: Iterable[str], *, owner: Literal["run", "matrix"] = "run") -> None:
        """Refuse a spec that does not list exactly the tasks it is used with.

        Args:
            tasks: Names of the tasks that a run trains or a matrix has.
            owner: `run` or `matrix`, for the message.

        Raises:
            RelevanceError: If the spec lists another task, or leaves one out.
        """
        expected = list(tasks)
        self.check_known(expected, owner=owner)
        left_out = [task for task in expected if task not in self.tasks]
        if left_out:
            verbs = {"run": "trains", "matrix": "has"}[owner]
            raise RelevanceError(
                f"{self._where} leaves out '{left_out[0]}', which this {owner} {verbs}."
                " Add it to a cluster, or give it one of its own."
            )

    def check_known(self, tasks: Iterable[str], *, owner: Literal["run", "matrix"] = "run") -> None:
        """Refuse a spec that lists a task which is not there; it may leave some out.

        Args:
            tasks: Names of the tasks that a run trains or a matrix has.
            owner: `run` or `matrix`, for the message.

        Raises:
            RelevanceError: If the spec lists another task.
        """
        verb, remedy = {
            "run": ("train", "Add it with `tasks`"),
            "matrix": ("have", "Measure it"),
        }[owner]
        expected = list(tasks)
        left_out = [task for task in expected if task not in self.tasks]
        for task in self.tasks:
            if task not in expected:
                close = get_close_matches(task.lower(), [name.lower() for name in left_out], n=1)
                meant = [name for name in left_out if name.lower() in close]
                hint = f" Did you mean '{meant[0]}'?" if meant else ""
                raise RelevanceError(
                    f"{self._where} lists '{task}', which this {owner} does not {verb}.{hint}"
                    f" {remedy}, or leave it out of the spec."
                )

    def made_from(self, matrix: str | Path, measure: str | None = None) -> "ClusterSpec":
        """A copy that says which matrix it was made from.

        Args:
            matrix: A file, or `paper:table2`, `paper:table3`.
            measure: Name of the measure that the matrix holds, for the provenance.

        Returns:
            The spec with the name and hash of its matrix.
        """
        name = str(matrix)
        if name.startswith("paper:"):
            table, _ = PAPER_TABLES[name.removeprefix("paper:")]
            with resources.as_file(resources.files("relevance") / "paper" / table) as file:
                sha256 = file_digest(file)
        else:
            sha256 = file_digest(Path(matrix))
        measured = {} if measure is None else {"measure": measure}
        return self.model_copy(
            update={
                "matrix": MatrixFile(file=name, sha256=sha256),
                "provenance": {**self.provenance, **measured},
            }
        )

    def save(self, path: Path) -> None:
        """Write it as JSON.

        Args:
            path: The file.

        Raises:
            RelevanceError: If it cannot be written.
        """
        write_text(path, self.to_json() + "\n")

    def to_json(self) -> str:
        """All of it as the text of a JSON file."""
        return json_text(SCHEMA, self.model_dump(mode="json"))

    @classmethod
    def load(cls, path: Path) -> "ClusterSpec":
        """Read a spec; `clusters` alone is enough.

        Args:
            path: The file.

        Returns:
            The spec, which names its file in later messages.

        Raises:
            RelevanceError: If it is missing, no JSON, of a newer schema, or not consistent.
        """
        spec = validated(cls, read_json(path, SCHEMA), str(path))
        spec._where = str(path)
        return spec
