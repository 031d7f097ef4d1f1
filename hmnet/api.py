"""What `import hmnet` offers to do with runs, as functions of paths and plain values.

Torch is loaded by the functions and not with this module, so that training says at once that it
has begun.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from hmnet.runs.telling import TrainingLog
from hmnet.training.launch import is_main_process
from relevance.disk.files import validated
from relevance.errors import told_of
from relevance.tasks.find import PAPER_TASKS

if TYPE_CHECKING:
    from hmnet.comparison.laid_out_table import LaidOut
    from hmnet.comparison.table import Comparison
    from hmnet.precision import PrecisionName
    from hmnet.runs.folder import Run
    from hmnet.runs.scores import Score
    from hmnet.runs.train import OnEvent
    from hmnet.trained_run import Input, TrainedRun
    from relevance.clustering.spec import ClusterSpec

    AnyRun: TypeAlias = Run | str | Path


def train(
    *,
    out: str | Path,
    clusters: "ClusterSpec | str | Path | None" = None,
    resume: bool = False,
    on_event: "OnEvent | None" = None,
    **settings: Any,
) -> "TrainedRun":
    """Train a model on several tasks, score it, and keep it all in a folder.

    Args:
        out: The run's folder; it must not exist unless resumed.
        clusters: Which tasks share the middle layers, or the file that says so; for method hmnet.
        resume: Go on with what the folder has.
        on_event: Told about every step (`hmnet.training.hooks.progress.Progress`) and of what the
            user should know (`hmnet.runs.train.Note`). With None plain lines go to stderr;
            `lambda event: None` is silence.
        **settings: Fields of `RunConfig`, such as `backbone="minilm"`, `epochs=1` or
            `method="multi"`. `tasks` are names and TOML files; without them the tasks of the
            clusters are trained, or the paper's 13.

    Returns:
        The finished run.

    Raises:
        RelevanceError: If settings, clusters, data or backbone don't fit, the folder exists or was
            begun with other settings, it cannot be written, or a loss is not finite.
        KeyboardInterrupt: At Ctrl-C; the run can then be resumed.
    """
    tell = on_event or _log(out)
    from hmnet.runs.train import train_run
    from hmnet.settings.config import RunConfig
    from hmnet.trained_run import TrainedRun
    from relevance.clustering.spec import ClusterSpec

    spec = ClusterSpec.load(Path(clusters)) if isinstance(clusters, str | Path) else clusters
    config = validated(RunConfig, {"tasks": default_tasks(spec), **settings}, "settings")
    return TrainedRun.of(train_run(config, spec, Path(out), resume=resume, on_event=tell))


def default_tasks(spec: "ClusterSpec | None") -> list[str]:
    """The tasks of a run that names none.

    Args:
        spec: Its clusters, None without.

    Returns:
        Names: those in the clusters, or the paper's.
    """
    return list(PAPER_TASKS if spec is None else spec.tasks)


def load(folder: str | Path) -> "TrainedRun":
    """Open a run that was trained before.

    Args:
        folder: A folder that `hmnet.train` or the command of this name wrote.

    Returns:
        The run; models are loaded when they are asked for.

    Raises:
        RelevanceError: If there is no run, or it is not finished.
    """
    from hmnet.trained_run import TrainedRun

    return TrainedRun.load(Path(folder))


def predict(
    run: "AnyRun",
    rows: "Input | Iterable[Input]",
    task: str | Sequence[str] | None = None,
    *,
    batch_size: int = 32,
    precision: "PrecisionName" = "fp32",
    device: str = "auto",
) -> list[dict[str, Any]]:
    """Answer texts or rows with a run; see `TrainedRun.predict`."""
    return _opened(run).predict(
        rows, task, batch_size=batch_size, precision=precision, device=device
    )


def evaluate(
    run: "AnyRun",
    *,
    tasks: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
    precision: "PrecisionName" = "fp32",
    device: str = "auto",
) -> "list[Score]":
    """Score a run anew; see `TrainedRun.evaluate`."""
    return _opened(run).evaluate(tasks=tasks, splits=splits, precision=precision, device=device)


@overload
def compare(
    runs: "Iterable[AnyRun]",
    *,
    baseline: str | None = None,
    allow_different: bool = False,
    layout: None = None,
) -> "Comparison": ...


@overload
def compare(
    runs: "Iterable[AnyRun]",
    *,
    baseline: str | None = None,
    allow_different: bool = False,
    layout: str | Path,
) -> "LaidOut": ...


def compare(
    runs: "Iterable[AnyRun]",
    *,
    baseline: str | None = None,
    allow_different: bool = False,
    layout: str | Path | None = None,
) -> "Comparison | LaidOut":
    """Set the scores of runs side by side, like the paper's Table 1.

    Args:
        runs: Runs, or their folders; those of one name are seeds of one column. A folder of seeds
            stands for all of them. With a layout also folders that `hmnet probe` wrote.
        baseline: Name of the run that others are tested against; None for no tests.
        allow_different: Test, average and set in bold scores of other rows or labels too, marked.
        layout: Which scores of which runs stand where: `table1`, `aksoy-squad`, `aksoy-mnli`,
            `aksoy-concat`, `aksoy-probing`, or a TOML file; None for all tasks and their average.

    Returns:
        The table: mean and deviation over seeds per task, the average, and what the runs cost; with
        a layout what that says.

    Raises:
        RelevanceError: If there is no run, two have the same name and seed, a file is damaged,
            no run has the baseline's name, or the layout is unknown or none of the runs' scores
            stands in it.
    """
    if layout is not None:
        from hmnet.comparison.compared_runs import read_compared
        from hmnet.comparison.laid_out import lay_out
        from hmnet.comparison.layout import read_layout

        read = read_layout(str(layout))  # before the runs, which may be many
        placed = read_compared(
            Path(run) if isinstance(run, str | Path) else run.folder for run in runs
        )
        with told_of(layout):
            return lay_out(placed, read, baseline=baseline, allow_different=allow_different)
    from hmnet.comparison.compare import compare_runs
    from hmnet.runs.folder import Run
    from hmnet.trained_run import TrainedRun

    found: list[Run] = []
    for run in runs:
        found += [run] if isinstance(run, Run) else TrainedRun.load_all([Path(run)])
    return compare_runs(found, baseline=baseline, spread=True, allow_different=allow_different)


def add_tasks(
    run: "AnyRun",
    *,
    out: str | Path,
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    on_event: "OnEvent | None" = None,
    **addition: Any,
) -> "TrainedRun":
    """Add tasks to a trained run, whose old tasks answer as before unless `train="all"`.

    Args:
        run: A finished run of any method but single, or its folder; it is not changed.
        out: The new run's folder; it must not exist unless resumed.
        settings: Fields of `RunConfig` for the training of the new tasks, such as `epochs`; those
            of the run where none are given.
        resume: Go on with what the folder has.
        on_event: Told about every step and of what the user should know; plain lines on stderr
            with None.
        **addition: Fields of `hmnet.settings.addition.Addition`: `tasks`, which are names or TOML
            files, and where given `init`, `train`, `relevance`, `cluster`, `fraction`, `head`,
            `skills`, `data_dir`, `max_train` and `name`.

    Returns:
        The new run: old and new tasks.

    Raises:
        RelevanceError: If a field is unknown or out of range, the new tasks don't fit the run, data
            or backbone are missing, or the folder exists or cannot be written.
        KeyboardInterrupt: At Ctrl-C; adding can then be resumed.
    """
    tell = on_event or _log(out)
    from hmnet.extension.add_task import add_tasks as extend
    from hmnet.settings.addition import Addition
    from hmnet.sharing.skill_table import SkillTable
    from hmnet.trained_run import TrainedRun

    if isinstance(addition.get("skills"), str | Path):
        addition["skills"] = SkillTable.load(Path(addition["skills"]))
    wanted = validated(Addition, addition, "options")
    larger = extend(
        _opened(run), wanted, Path(out), settings=settings, resume=resume, on_event=tell
    )
    return TrainedRun.of(larger)


def _opened(run: "AnyRun") -> "TrainedRun":
    """A run, whichever way it is given."""
    from hmnet.runs.folder import Run
    from hmnet.trained_run import TrainedRun

    if isinstance(run, TrainedRun):
        return run
    return TrainedRun.of(run) if isinstance(run, Run) else load(run)


def _log(out: str | Path) -> "OnEvent":
    """Prints how a training goes, from now on."""
    log = TrainingLog(str(out))
    if is_main_process():  # of several processes that train, one speaks
        log.pass_by(f"{out}: loading")
    return log.on_event
