"""Where a new task is put in a trained run, and as whose copy it starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from hmnet.extension.model import borrows_head
from hmnet.runs.folder import Run
from hmnet.settings.addition import INITS, NEAREST, Addition
from hmnet.settings.config import RunConfig
from relevance.clustering.assign import most_relevant_cluster, relevance_to
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError, unknown_name
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.matrices.rechosen import rechosen
from relevance.measures.vocabulary import Vocabulary
from relevance.numerals import ordinal
from relevance.tasks.task import Task
from relevance.text.tokenizers import load_tokenizer


class Placement(NamedTuple):
    """Where one new task goes.

    Attributes:
        source: The task whose own weights are copied; None for none.
        cluster: Number of its cluster; None where the method has no clusters.
        why: The measure that made the choice and what it says; empty where the user chose.
        borrows: Whether the whole head is copied too; else its output layer is new.
    """

    source: str | None
    cluster: int | None
    why: str = ""
    borrows: bool = False


@dataclass(frozen=True)
class PlacementChooser:
    """Chooses a place for each new task.

    Attributes:
        run: The trained run.
        addition: What is to be added.
        config: Settings of the run with the new tasks.
        spec: Clusters of the run; None where its method has none.
        new: Definitions of the new tasks.
    """

    run: Run
    addition: Addition
    config: RunConfig
    spec: ClusterSpec | None
    new: Sequence[Task]
    _asked: dict[str, dict[str, float]] = field(default_factory=dict, repr=False)

    @cached_property
    def known(self) -> dict[str, Task]:
        """Tasks of the run, by name."""
        return {task.name: task for task in self.run.tasks}

    def place(self, task: Task) -> Placement:
        """Choose for one task.

        Args:
            task: The new one.

        Returns:
            Its place.

        Raises:
            RelevanceError: If a task or cluster that the user names is not there, or the matrix
                does not know the new task.
        """
        named = self._named()
        cluster = None if self.spec is None else self._cluster(self.spec, task, named)
        source = self._nearest(task, cluster) if self.addition.init == NEAREST else named
        asked = self._asked.get(task.name)
        why = f"{self._matrix.measure}: {_listed(asked)}" if asked else ""
        return Placement(source, cluster, why, source is not None and self._lends(source, task))

    def _named(self) -> str | None:
        """The task of the run that the user names, None for a word."""
        init = self.addition.init
        if init in INITS:
            return None
        for name in self.known:
            if name.lower() == init.lower():
                return name
        raise unknown_name("`init`", init, [*self.known, *INITS])

    def _cluster(self, spec: ClusterSpec, task: Task, named: str | None) -> int:
        given = self.addition.cluster
        if given is not None:
            return _given_cluster(spec, given)
        if named and self.addition.relevance is None:
            return spec.cluster_of(named)
        return most_relevant_cluster(spec, self._relevance(task))

    def _nearest(self, task: Task, cluster: int | None) -> str:
        """The most relevant task of the cluster; without training, one that lends its head."""
        among = list(self.known)
        if self.spec is not None and cluster is not None:
            among = list(self.spec.clusters[cluster])
        if self.addition.fraction == 0:
            lending = [name for name in among if self._lends(name, task)]
            among = lending or among
        if len(among) == 1:
            return among[0]
        ranked = [name for name in self._relevance(task) if name in among]
        if not ranked:
            raise RelevanceError(
                f"The {self._matrix.measure} matrix does not say which of {', '.join(among)} is"
                f" nearest to '{task.name}'. Name one with `init`."
            )
        return ranked[0]

    def _lends(self, source: str, task: Task) -> bool:
        return borrows_head(task, self.known[source], self.config.head, self.config.pooling)

    def _relevance(self, task: Task) -> dict[str, float]:
        """Of the run's tasks to a new one, the most relevant first."""
        if task.name not in self._asked:
            self._asked[task.name] = relevance_to(task.name, self._matrix, self.known)
        return self._asked[task.name]

    @cached_property
    def _matrix(self) -> RelevanceMatrix:
        """Relevance of the run's tasks to the new ones."""
        if self.addition.relevance is not None:
            return rechosen(load_matrix(self.addition.relevance))[0]  # as `cluster` reads it
        tasks = (*map(self.run.located, self.run.tasks), *self.new)
        tokenizer = load_tokenizer(str(next(iter(self.run.blueprints))))
        return Vocabulary(tokenizer, self.config.data).measure(tasks)


def _given_cluster(spec: ClusterSpec, given: str) -> int:
    """The cluster of a number or of a member."""
    if (number := ordinal(given)) is not None:
        if number >= len(spec.clusters):
            raise RelevanceError(
                f"`cluster={given!r}`: the run has {len(spec.clusters)} clusters, numbered from 0."
            )
        return number
    for task in spec.tasks:
        if task.lower() == given.lower():
            return spec.cluster_of(task)
    raise unknown_name("`cluster`", given, [*spec.tasks, *map(str, range(len(spec.clusters)))])


def _listed(relevance: Mapping[str, float], most: int = 5) -> str:
    shown = [f"{task} {value:.3g}" for task, value in relevance.items()]
    return ", ".join(shown[:most]) + (", ..." if len(shown) > most else "")


def untrained(task: Task, placed: Placement) -> str:
    """What a task answers with that is not trained.

    Args:
        task: The new task.
        placed: Where it goes.

    Returns:
        One line.
    """
    if placed.borrows:
        return f"{task.name} is not trained and answers with the head of {placed.source}."
    why = f"{placed.source}'s is for other labels" if placed.source else "there is none to borrow"
    return f"{task.name} is not trained and answers with a new head at random, as {why}."


def describe(task: Task, placed: Placement, init: str, spec: ClusterSpec | None) -> str:
    """A place in one line.

    Args:
        task: The new task.
        placed: Where it goes.
        init: What the user asked for.
        spec: Clusters of old and new tasks; None where there are none.

    Returns:
        Such as `FACT joins SAME in cluster 1 and starts as SAME, by vocabulary: SAME 0.9.`
    """
    start = f"starts as {placed.source}" if placed.source else f"starts {init}"
    if spec is not None and placed.cluster is not None:
        members = [name for name in spec.clusters[placed.cluster] if name != task.name]
        start = f"joins {', '.join(members)} in cluster {placed.cluster} and {start}"
    return f"{task.name} {start}, by {placed.why}." if placed.why else f"{task.name} {start}."
