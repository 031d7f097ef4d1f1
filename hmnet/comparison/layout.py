"""Layouts of tables as data: which scores of which runs stand where, and which are averaged."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hmnet.comparison.compared_runs import FACTS
from hmnet.runs.scores import MISMATCHED
from relevance.disk.files import read_toml, validated
from relevance.errors import RelevanceError, told_of, unknown_name
from relevance.gains.baselines import CORRELATIONS
from relevance.names import check_name, twice
from relevance.tasks.find import catalogue
from relevance.tasks.metrics import FUNCTIONS

SHIPPED = Path(__file__).parent / "layouts"
SENTEVAL = (
    "sentence_length",
    "word_content",
    "tree_depth",
    "top_constituents",
    "bigram_shift",
    "past_present",
    "subj_number",
    "obj_number",
    "odd_man_out",
    "coordination_inversion",
)
"""The ten probing tasks of Conneau et al. (2018), as their files are called."""

Table = TypeVar("Table", bound=BaseModel)


def _several(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


Texts = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]
Terms = Annotated[tuple[Texts, ...], BeforeValidator(_several), Field(min_length=1)]


class ScoreOf(BaseModel):
    """A `[[score]]`: one row or column of the table.

    Attributes:
        task: The task; of several the first that a run has.
        metric: The metric; of several all stand in one cell, `a / b`.
        name: Heading.
        family: Heading above those of neighbours with the same one; None for none.
        split: The split; `dev_mismatched` is also what begins so.
        where: What runs must be to have a score here: by fact patterns of which one must fit, in
            which `*` stands for anything and upper and lower case are the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Texts
    metric: Texts
    name: str
    family: str | None = None
    split: str = "dev"
    where: dict[str, Texts] = Field(default_factory=dict)

    @property
    def key(self) -> str:
        """The family's and the score's name, which tell it from all others of the layout."""
        return f"{self.family}: {self.name}" if self.family else self.name

    def takes(self, facts: Mapping[str, str]) -> bool:
        """Whether a run has a score here, by what it is."""
        return all(
            any(fnmatchcase(facts[fact].lower(), pattern.lower()) for pattern in patterns)
            for fact, patterns in self.where.items()
        )

    def split_among(self, splits: Iterable[str]) -> str | None:
        """The one of a run's splits that is meant; None if it has none."""
        found = list(splits)
        if self.split in found or self.split != MISMATCHED:
            return self.split if self.split in found else None
        return next((split for split in found if split.startswith(MISMATCHED)), None)


class AverageOf(BaseModel):
    """An `[[average]]`: a mean of terms, each of which is a score or the mean of some.

    Attributes:
        name: Heading.
        of: Names of the scores that enter it, with their family where the name alone is not
            enough; a list among them counts once, by its mean. None for all, each by itself.
        cells: How scores of several metrics enter: `apart`, an average for each metric; or `mean`,
            each score by the mean of its metrics.
        halved: Names of correlations that enter as (1 + r) / 2, which lies in [0, 1].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    of: Terms | None = None
    cells: Literal["apart", "mean"] = "apart"
    halved: tuple[str, ...] = ()


class Term(NamedTuple):
    """One number of an average.

    Attributes:
        name: Names of its scores.
        parts: Keys and metrics, for each score of the term those whose mean is its number.
    """

    name: str
    parts: tuple[tuple[tuple[str, str], ...], ...]


class PlacedRun(BaseModel):
    """A `[[run]]`, which gives runs a place and a label.

    Attributes:
        by: What the runs are, by the facts that tell the layout's runs apart.
        label: What they are called; None for what they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Texts
    label: Texts | None = None


class Layout(BaseModel):
    """A layout as its TOML file says it.

    Attributes:
        runs: Whether runs are the rows of the table or its columns.
        by: Facts that tell runs apart; those that agree in all of them are seeds.
        heads: Headings of these facts, where runs are rows; None for their names.
        own_tasks: Tasks that no catalogue has.
        score: The scores, in their order.
        average: Averages, which follow them.
        run: Runs that stand first, and are named where they are missing; others follow.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    runs: Literal["rows", "columns"]
    by: Texts = ("name",)
    heads: Texts | None = None
    own_tasks: tuple[str, ...] = ()
    score: tuple[ScoreOf, ...] = Field(min_length=1)
    average: tuple[AverageOf, ...] = ()
    run: tuple[PlacedRun, ...] = ()

    def terms(self, average: AverageOf) -> list[list[Term]]:
        """What the averages of one heading are means of.

        Args:
            average: One of the layout's.

        Returns:
            For each average, one or one per metric, its terms.

        Raises:
            RelevanceError: If a name is unknown, could be several or stands twice, scores that are
                averaged metric by metric have different numbers of metrics, or one that is no
                correlation is halved.
        """
        if average.of is None:
            found = [[each] for each in self.score]
        else:
            found = [[self._named(name) for name in names] for names in average.of]
        scores = [each for term in found for each in term]
        if repeated := twice([each.key for each in scores]):
            raise RelevanceError(f"'{repeated}' enters the average twice. Name it once.")
        for name in average.halved:
            if (halved := self._named(name)) not in scores:
                raise RelevanceError(f"'{name}' is halved and does not enter the average.")
            if other := [metric for metric in halved.metric if metric not in CORRELATIONS]:
                raise RelevanceError(
                    f"'{name}' is halved, (1 + r) / 2, and '{other[0]}' is no correlation: those"
                    f" are {', '.join(sorted(CORRELATIONS))}."
                )
        if average.cells == "mean":
            return [[_term(term, None) for term in found]]
        numbers = {len(each.metric) for each in scores}
        if len(numbers) > 1:
            raise RelevanceError(
                "Scores of one metric and of several have no average, unless cells = 'mean'."
            )
        return [[_term(term, number) for term in found] for number in range(*numbers)]

    def halved(self, average: AverageOf) -> set[str]:
        """Keys of the scores that enter an average as (1 + r) / 2."""
        return {self._named(name).key for name in average.halved}

    def _named(self, name: str) -> ScoreOf:
        found = [each for each in self.score if name in (each.key, each.name)]
        if not found:
            raise unknown_name("score", name, [each.key for each in self.score])
        if len(found) > 1:
            several = ", ".join(each.key for each in found)
            raise RelevanceError(f"'{name}' could be {several}. Name it with its family.")
        return found[0]

    def check_tasks(self, measured: Iterable[tuple[str, str]]) -> None:
        """Refuse scores that no run can have.

        Args:
            measured: Tasks and metrics that the runs have.

        Raises:
            RelevanceError: If a task is neither known nor a run's, or has no such metric.
        """
        metrics: dict[str, set[str]] = {name.lower(): {"accuracy"} for name in SENTEVAL}
        metrics |= {task.lower(): set(FUNCTIONS) for task in self.own_tasks}
        metrics |= {name.lower(): {*task.metrics} for name, task in catalogue().items()}
        names = {*SENTEVAL, *self.own_tasks, *catalogue()}
        for task, metric in measured:
            names.add(task)
            metrics.setdefault(task.lower(), set()).add(metric)
        for each in self.score:
            with told_of(f"score '{each.key}'"):
                for task in each.task:
                    if task.lower() not in metrics:
                        raise unknown_name("task", task, names)
                known = set.union(*(metrics[task.lower()] for task in each.task))
                for metric in each.metric:
                    if metric not in known:
                        raise unknown_name(f"metric of {' or '.join(each.task)}", metric, known)


def _term(scores: Sequence[ScoreOf], number: int | None) -> Term:
    """A term of all metrics of its scores, or of those at one place."""
    parts = tuple(
        tuple((each.key, metric) for at, metric in enumerate(each.metric) if number in (None, at))
        for each in scores
    )
    return Term(" and ".join(each.key for each in scores), parts)


def layout_names() -> list[str]:
    """Names of the layouts that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def read_layout(name: str) -> Layout:
    """Read a layout.

    Args:
        name: Name of one that comes with the package, or a TOML file, which ends in `.toml`.

    Returns:
        The layout; its tasks and metrics are not checked yet, as they may be the runs' own.

    Raises:
        RelevanceError: If there is none, it is no TOML, or a key or name in it is wrong.
    """
    if not name.lower().endswith(".toml"):
        if name not in layout_names():
            raise unknown_name("layout", name, [*layout_names(), "FILE.toml"])
        return read_layout(str(SHIPPED / f"{name}.toml"))
    content = read_toml(Path(name))
    tables = {
        "score": _tables(ScoreOf, content.get("score"), name, "score"),
        "average": _tables(AverageOf, content.get("average"), name, "average"),
        "run": _tables(PlacedRun, content.get("run"), name, "run"),
    }
    read = {key: found for key, found in tables.items() if found is not None}
    layout = validated(Layout, content | read, name)
    with told_of(name):
        _check(layout)
    return layout


def _tables(table: type[Table], given: Any, where: str, key: str) -> list[Table] | None:
    """The tables of one name, each read by itself, so that messages say which one is wrong."""
    if not isinstance(given, list):
        return None
    return [
        validated(table, each, f"{where}: {key} {number}")
        for number, each in enumerate(given, start=1)
    ]


def _check(layout: Layout) -> None:
    """Refuse names that are unknown, stand twice, or cannot be shown."""
    for fact in (*layout.by, *(fact for each in layout.score for fact in each.where)):
        if fact not in FACTS:
            raise unknown_name("fact of a run", fact, FACTS)
    headings = [each.key for each in layout.score] + [each.name for each in layout.average]
    labels = [label for each in layout.run for label in each.label or ()]
    for name in (*headings, *labels):
        check_name(name, "name")
    if layout.runs == "rows":
        headings += layout.heads or layout.by
    if len(layout.heads or layout.by) != len(layout.by):
        raise RelevanceError(f"heads needs one text for each of {', '.join(layout.by)}.")
    for each in layout.score:
        if repeated := twice(each.metric):
            raise RelevanceError(
                f"score '{each.key}' has metric '{repeated}' twice, which averages would count"
                " twice. Name it once."
            )
    what = "columns" if layout.runs == "rows" else "rows"
    for kind, names in ((what, headings), ("runs", [", ".join(each.by) for each in layout.run])):
        if repeated := twice(names):
            raise RelevanceError(f"Two {kind} are called '{repeated}'. Name each once.")
    for run in layout.run:
        if {len(run.by), len(run.label or run.by)} != {len(layout.by)}:
            raise RelevanceError(
                f"run {list(run.by)}: by and label need one text for each of"
                f" {', '.join(layout.by)}."
            )
    for average in layout.average:
        with told_of(f"average '{average.name}'"):
            layout.terms(average)
