"""The whole main job on generated tasks, offline: measure, cluster, train, score, draw, report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hmnet.backbones.tiny import write_tiny_encoder
from hmnet.comparison.compare import compare
from hmnet.comparison.origins import run_origins
from hmnet.comparison.table import Comparison
from hmnet.measuring.joint_trainer import make_trainer
from hmnet.runs.folder import Run, load_run
from hmnet.runs.rows import read_run_scores
from hmnet.runs.train import train_run
from hmnet.settings.config import RunConfig
from relevance.clustering.agreement import adjusted_rand, rank_correlations
from relevance.clustering.column_influence import deciding_columns
from relevance.clustering.families import family_clusters
from relevance.clustering.methods.kmeans import kmeans
from relevance.clustering.spec import ClusterSpec
from relevance.clustering.worth import group_worth
from relevance.disk.files import read_text, write_text
from relevance.disk.folders import alone
from relevance.errors import RelevanceError
from relevance.escaping import for_markdown
from relevance.figures.figure import save_figure
from relevance.figures.heatmap import heatmap
from relevance.jobs.job import Event, Job, Schedule
from relevance.jobs.scheduler import run_jobs
from relevance.matrices.matrix import RelevanceMatrix
from relevance.measures.joint_training import JointTraining
from relevance.measures.measure import Inputs
from relevance.measures.taxonomy import Taxonomy
from relevance.measures.vocabulary import Vocabulary
from relevance.report.page.build import lay_out
from relevance.report.page.content import Page
from relevance.report.page.html import render_html
from relevance.report.tables import matrix_table, table
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.generated import generate_tasks
from relevance.tasks.load import load_split
from relevance.tasks.task import Task
from relevance.text.tokenizers import load_tokenizer

METHODS = ("single", "multi", "hmnet")
REPORT = Path(__file__).with_name("demo_report.md")


@dataclass(frozen=True)
class Size:
    """How much is trained; the defaults take minutes on two cores.

    Attributes:
        families: How many of the four families there are; each has two tasks.
        train_rows: Rows of a task's training: too few to learn alone what all words mean.
        scored_rows: Rows that gains, and in the end the methods, are scored on.
        study_epochs: Passes over the training rows in each of the many runs of the study.
        epochs: Passes over the training rows by the methods in the end.
        lr: Learning rate.
        width: Width of the encoder's hidden states; in much wider ones families do not compete.
        seeds: Seeds of joint runs, and of the methods in the end.
        single_seeds: How many seeds the single runs of the study have.
    """

    families: int = 4
    train_rows: int = 160
    scored_rows: int = 240
    study_epochs: int = 20
    epochs: int = 40
    lr: float = 2e-3
    width: int = 24
    seeds: tuple[int, ...] = (0, 1, 2)
    single_seeds: int = 3

    @property
    def training(self) -> dict[str, Any]:
        """Settings that all training runs have in common."""
        return {
            "max_train": self.train_rows,
            "max_dev": self.scored_rows,
            "max_length": 32,
            "lr": self.lr,
            "device": "cpu",
            "precision": "fp32",
            "checkpoint_s": 600,
        }


@dataclass(frozen=True)
class Stage:
    """What the demo begins with now, in one line."""

    text: str


@dataclass(frozen=True)
class Demo:
    """What came out.

    Attributes:
        gains: Gains of joint training, measured.
        vocabulary: Overlap of vocabularies.
        taxonomy: 1 within a planted family, 0 across.
        found: Groups of tasks whose rows of gains are alike.
        planted: The families.
        scores: Scores of the methods on dev.
    """

    gains: RelevanceMatrix
    vocabulary: RelevanceMatrix
    taxonomy: RelevanceMatrix
    found: ClusterSpec
    planted: ClusterSpec
    scores: Comparison

    @property
    def agreement(self) -> float:
        """Adjusted Rand index of the groups found and the families, 1 where they are equal."""
        return adjusted_rand(self.found, self.planted)

    def report(self) -> str:
        """Matrix, groups and scores in Markdown."""
        groups = [
            {
                "group found": ", ".join(members),
                "families planted": ", ".join(self._families(members)),
            }
            for members in self.found.clusters
        ]
        return read_text(REPORT).format(
            gains=matrix_table(self.gains, "markdown", decimals=0),
            groups=table(groups, "markdown"),
            agreement=self.agreement,
            deciding=deciding_columns(self.gains, self.found),
            worth=self._worth(),
            taxonomy=self._correlation(self.taxonomy),
            vocabulary=self._correlation(self.vocabulary),
            scores=self.scores.to_table("markdown"),
        )

    def page(self, runs: Sequence[Run]) -> Page:
        """Everything as the page of `relevance report`.

        Args:
            runs: The runs that `scores` are of.

        Returns:
            The page, before it is written.
        """
        return lay_out(
            [self.gains, self.vocabulary, self.taxonomy],
            clusters=self.found,
            scores=self.scores.for_report(run_origins(runs)),
            title="Demo: which of these generated tasks help each other",
            commands=["relevance demo"],
        )

    def _worth(self) -> str:
        """What tasks gain within their groups, from others, and against training alone."""
        worth = group_worth(self.gains, self.found)
        if worth is None:
            return ""
        lines = "".join(f"- {for_markdown(line)}\n" for line in worth.lines())
        return f"{table(worth.rows(), 'markdown', decimals=0)}\n{lines}"

    def _families(self, tasks: Sequence[str]) -> list[str]:
        """Families of some tasks, each once."""
        names = self.planted.names or ()
        return list(dict.fromkeys(names[self.planted.cluster_of(task)] for task in tasks))

    def _correlation(self, other: RelevanceMatrix) -> float:
        spearman, _ = rank_correlations(self.gains.off_diagonal(), other.off_diagonal())
        return spearman


def run_demo(
    folder: Path,
    *,
    size: Size = Size(),  # frozen
    schedule: Schedule | None = None,
    on_event: Callable[[Event | Stage], None] = lambda _: None,
) -> Demo:
    """Do the main job from task files to trained models, and leave everything in a folder.

    What an earlier call has finished is found again, in the folder and in the cache.

    Args:
        folder: Gets tasks, encoder, matrices, clusters, heat maps, trained runs, `report.md`
            and the page `report.html`.
        size: How much is trained.
        schedule: Workers; None for one per core, at most eight.
        on_event: Told about every stage, and about every job of a stage that has jobs.

    Returns:
        Matrices, groups and scores.

    Raises:
        RelevanceError: If the folder cannot be written, holds runs of other settings, or a training
            run failed.
    """
    with alone(folder):
        return _demo(folder, size, schedule or _workers(), on_event)


def _demo(
    folder: Path, size: Size, schedule: Schedule, on_event: Callable[[Event | Stage], None]
) -> Demo:
    on_event(Stage("writing the tasks and a tiny random encoder"))
    tasks_file = generate_tasks(folder / "tasks", families=size.families)
    tasks = find_tasks([str(tasks_file)])
    encoder = write_tiny_encoder(folder / "encoder", _texts(tasks), width=size.width)
    settings = {**size.training, "backbone": str(encoder), "tasks": (str(tasks_file),)}

    taxonomy = Taxonomy().measure(tasks)
    data = DataOptions(None, size.train_rows, size.scored_rows)
    vocabulary = Vocabulary(load_tokenizer(str(encoder)), data).measure(tasks)
    on_event(Stage("training every task alone and every two tasks together"))
    gains = JointTraining.build(
        Inputs(
            data=data,
            trainer=lambda: make_trainer(
                tasks, {**settings, "epochs": size.study_epochs}, device="cpu"
            ),
            seeds=size.seeds,
            single_seeds=size.single_seeds,
            schedule=lambda: schedule,
            on_event=on_event,
        )
    ).measure(tasks)
    found = kmeans(gains, size.families)
    _keep(folder, found, gains=gains, vocabulary=vocabulary, taxonomy=taxonomy)

    on_event(Stage(f"training {', '.join(METHODS)} with the groups found"))
    runs = {
        folder / "runs" / method / f"seed-{seed}": RunConfig(
            **settings, epochs=size.epochs, method=method, seed=seed
        )
        for method in METHODS
        for seed in size.seeds
    }
    _train(runs, found, schedule, on_event)
    scores = compare([score for run in runs for score in read_run_scores(run)])
    demo = Demo(gains, vocabulary, taxonomy, found, family_clusters(taxonomy), scores)
    write_text(folder / "report.md", demo.report())
    write_text(folder / "report.html", render_html(demo.page([load_run(run) for run in runs])))
    return demo


def _workers() -> Schedule:
    """One worker per core: models this small gain nothing from a second thread."""
    from joblib import cpu_count

    return Schedule(jobs_per_device=min(8, cpu_count()), threads=1)


def _texts(tasks: Sequence[Task]) -> list[str]:
    splits = [load_split(task, "train", None) for task in tasks]
    return [text for split in splits for column in split.texts for text in column]


def _keep(folder: Path, found: ClusterSpec, **matrices: RelevanceMatrix) -> None:
    """Write matrices as JSON and as heat maps, and the groups found in the gains."""
    for name, matrix in matrices.items():
        matrix.save(folder / f"{name}.json")
        for suffix in (".pdf", ".png"):
            save_figure(heatmap(matrix, clusters=found), folder / f"{name}{suffix}")
    found.made_from(folder / "gains.json").save(folder / "clusters.json")


def _train(
    runs: dict[Path, RunConfig],
    spec: ClusterSpec,
    schedule: Schedule,
    on_event: Callable[[Event], None],
) -> None:
    jobs = [
        Job(f"{config.method}, seed {config.seed}", partial(_train_one, config, spec, out), 1.0)
        for out, config in runs.items()
    ]
    for name, error in run_jobs(jobs, schedule, on_event).items():
        raise RelevanceError(f"{name}: {error}")


def _train_one(config: RunConfig, spec: ClusterSpec, out: Path, device: str) -> None:
    """A job of the scheduler; `device` is the one that the settings name already."""
    del device
    train_run(config, spec if config.method.name == "hmnet" else None, out, resume=True)
