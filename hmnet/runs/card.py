"""The model card of a run, and of tasks that are exported: `README.md` as the hub reads it."""

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING

import torch
import transformers

from hmnet.kinds.kind import kind_of
from hmnet.runs.folder import CLUSTERS, SCORES, Run, read_clusters
from hmnet.runs.loading import LIBRARY, ExportForm, loading
from hmnet.runs.rows import read_run_scores
from hmnet.runs.scores import Score, from_rows, row_name, splits_of
from hmnet.settings.config import RunConfig, TrainingSettings
from relevance import __version__
from relevance.disk.files import write_text
from relevance.errors import RelevanceError
from relevance.escaping import for_line, for_markdown
from relevance.report.tables import Cell, table
from relevance.tasks.find import catalogue, find_tasks
from relevance.tasks.licences import in_question
from relevance.tasks.task import Task

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCard

CARD = "README.md"
TAG = "relevance-hmnet"  # by which an earlier push is known
TEMPLATE = Path(__file__).with_name("card.md.jinja")
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
OF_HUB = {"matthews": "matthews_correlation", "pearson": "pearsonr", "spearman": "spearmanr"}
"""What the hub calls metrics that have another name here."""
OF_RUNS = "method", "layers", "max_train", "max_dev"


def write_cards(run: Run) -> None:
    """Write the card of a run, and anew those of the runs that differ from it by their seed.

    Args:
        run: A finished run; every card has the spread over all finished seeds beside it.

    Raises:
        RelevanceError: If one cannot be written.
    """
    runs = seeds_of(run)
    for each in runs:
        write_text(each.folder / CARD, str(card(each, runs)))


def write_missing_cards(run: Run) -> None:
    """Write the card of a finished run without one: killed after its scores, or older than cards.

    Args:
        run: A finished run.

    Raises:
        RelevanceError: If it cannot be written.
    """
    if not (run.folder / CARD).exists():
        write_cards(run)


def write_export_card(
    run: Run, tasks: Sequence[Task], folder: Path, form: ExportForm, *, apart: bool = False
) -> None:
    """Write the card of a plain checkpoint of one task, or of a program of several.

    Args:
        run: The run that it is of.
        tasks: The tasks, one for a checkpoint.
        folder: Folder of the export.
        form: What was exported.
        apart: Whether a task of a program reads the texts of a row one by one.

    Raises:
        RelevanceError: If it cannot be written.
    """
    write_text(folder / CARD, str(card(run, seeds_of(run), tasks, form, apart=apart)))


def seeds_of(run: Run) -> list[Run]:
    """The finished runs that are seeds of one command.

    Args:
        run: A finished run.

    Returns:
        The run alone; or, in a folder such as `seed-0`, with those beside it that have the same
        settings but for the seed, lowest seed first.
    """
    if run.folder.absolute().name != f"seed-{run.config.seed}":
        return [run]
    found = {run.config.seed: run}
    for path in run.folder.absolute().parent.glob("seed-*"):
        if path == run.folder.absolute() or not (path / SCORES).is_file():
            continue
        try:
            other = Run(path, RunConfig.of_run(path / "config.toml"))
        except RelevanceError:  # it is damaged, which is nothing to this run
            continue
        if not run.config.differs_in(other.config):
            found.setdefault(other.config.seed, other)
    return [found[seed] for seed in sorted(found)]


def card(
    run: Run,
    seeds: Sequence[Run],
    exported: Sequence[Task] = (),
    form: ExportForm | None = None,
    *,
    apart: bool = False,
) -> "ModelCard":
    """Make the card; it holds no path and no text of anybody's data.

    Args:
        run: The run whose weights stand beside it; the hub is told its scores.
        seeds: Runs whose mean and deviation are shown beside them, the run itself among them.
        exported: Tasks that are exported; those of the run otherwise.
        form: What they are exported as; None for the whole run.
        apart: Whether a task of a program reads the texts of a row one by one.

    Returns:
        Metadata of the hub and the text; `str` of it is the file's content.
    """
    from huggingface_hub import ModelCard, ModelCardData

    tasks = exported or run.tasks
    names = {each.name for each in tasks}
    own = _scores_of(run, names)
    known = catalogued(run)
    config, only = run.config, tasks[0].name if form and len(tasks) == 1 else None
    label = for_markdown(config.label)
    pipelines = {_pipeline(each) for each in tasks}
    base = _base_model(config)
    data = ModelCardData(
        base_model=base,
        datasets=sorted({hub for name in names & set(known) if (hub := _hub(known[name]))}) or None,
        eval_results=list(_results(own, tasks, known, config)),
        language="en" if names <= set(known) else None,
        library_name="hmnet" if form is None else LIBRARY[form],
        license="unknown",
        metrics=sorted({OF_HUB.get(score.metric, score.metric) for score in own}),
        model_name=for_line(config.label if only is None else f"{config.label}, {only}"),
        pipeline_tag=pipelines.pop() if len(pipelines) == 1 else None,
        tags=["multi-task-learning", TAG, config.method.name],
    )
    made: ModelCard = ModelCard.from_template(
        data,
        template_path=str(TEMPLATE),
        title=label if only is None else f"{for_markdown(only)}, by {label}",
        what=_what(run, tasks, form),
        caution=list(_cautions(tasks, own, len(seeds))),
        scores=_score_table(own, [_scores_of(each, names) for each in seeds]),
        seed=config.seed,
        seeds=[each.config.seed for each in seeds],
        limits="" if config.max_dev is None else f"At most {config.max_dev} rows were scored.",
        data=_data_table(tasks, known),
        groups=_groups(run),
        encoder=_encoder(base),
        settings=_settings_table(config),
        versions={
            "hmnet": __version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
        outputs=_outputs_table(tasks) if form in ("onnx", "torch") else "",
        use=f"```python\n{loading(tasks, form, apart=apart)}```",
    )
    return made


def catalogued(run: Run) -> dict[str, Task]:
    """The run's tasks that the catalogue defines, with where the hub has their data.

    Args:
        run: A run.

    Returns:
        Definitions by name; without those of a user's own files, whatever they are called.
    """
    names = [name for name in run.config.tasks if not name.lower().endswith(".toml")]
    known = {name.lower() for name in catalogue()}
    names = [name for name in names if name.lower() in known]
    return {task.name: task for task in find_tasks(names)} if names else {}


def _hub(task: Task) -> str | None:
    return getattr(task.source, "hub", None)


def _base_model(config: RunConfig) -> str | None:
    """Name of the encoder on the hub; None for a folder or a file."""
    if config.backbone == "minilm":
        return MINILM
    return config.backbone if HUB_NAME.fullmatch(config.backbone) else None


def _encoder(base: str | None) -> str:
    if base is None:
        return "It began with an encoder of the user's own."
    return f"It began with [{for_markdown(base)}](https://huggingface.co/{base})."


def _pipeline(task: Task) -> str:
    """What the hub calls the task: `AutoModelForTokenClassification` is `token-classification`."""
    words = kind_of(task).auto.removeprefix("AutoModelFor")
    return re.sub(r"(?<!^)(?=[A-Z])", "-", words).lower().replace("sequence-", "text-")


def _scores_of(run: Run, tasks: Collection[str]) -> list[Score]:
    """What a run scored on some of its tasks."""
    return [score for score in from_rows(read_run_scores(run.folder)) if score.task in tasks]


def _results(
    own: Sequence[Score], tasks: Sequence[Task], known: dict[str, Task], config: RunConfig
) -> "Iterator[EvalResult]":
    """Entries of the hub's `model-index`: what the weights that stand beside it score."""
    from huggingface_hub import EvalResult

    by_name = {task.name: task for task in tasks}
    limit = None if config.max_dev is None else {"rows": config.max_dev}
    for score in own:
        found = known.get(score.task)
        yield EvalResult(
            task_type=_pipeline(by_name[score.task]),
            # results of one type, configuration and split are one entry to the hub
            dataset_type=(found and _hub(found)) or by_name[score.task].slug,
            dataset_name=score.task,
            dataset_config=getattr(found.source, "config", None) if found else None,
            dataset_split=score.split,
            dataset_args=limit,
            metric_type=OF_HUB.get(score.metric, score.metric),
            metric_name=score.metric,
            metric_value=round(score.value, 6),
        )


def _score_table(own: Sequence[Score], seeds: Sequence[Sequence[Score]]) -> str:
    """Scores of the weights; of several seeds also their mean and deviation."""
    splits, over = splits_of(own), defaultdict(list)
    for score in itertools.chain.from_iterable(seeds):
        over[score.task, score.split, score.metric].append(score.value)
    rows: list[dict[str, Cell]] = []
    for score in own:
        row: dict[str, Cell] = {
            "task": row_name(score.task, score.split, splits[score.task]),
            "metric": score.metric,
            "score": score.value,
        }
        if len(seeds) > 1:
            values = over[score.task, score.split, score.metric]
            row["mean"] = mean(values)
            row["deviation"] = stdev(values) if len(values) > 1 else None
        rows.append({**row, "majority": score.majority})
    return table(rows, "markdown", decimals=4).rstrip()


def _cautions(tasks: Sequence[Task], own: Sequence[Score], seeds: int) -> Iterator[str]:
    """What not to trust, by the scores of the weights."""
    if seeds == 1:
        yield "One seed: how far another one would be from these scores is unknown."
    below = [
        task.name
        for task in tasks
        for score in own
        if (score.task, score.split, score.metric) == (task.name, "dev", task.primary)
        and score.majority is not None
        and score.value <= score.majority
    ]
    if below:
        yield (
            "Not above the majority class, so that nothing was learned that counts:"
            f" {_names(below)}."
        )
    if asked := [task.name for task in tasks if in_question(task)]:
        yield (
            "Data whose licence limits or does not tell what may be shared, to be read first:"
            f" {_names(asked)}."
        )


def _names(names: Sequence[str]) -> str:
    return for_markdown(", ".join(names))


def _data_table(tasks: Sequence[Task], known: dict[str, Task]) -> str:
    rows = [
        {
            "task": task.name,
            "family": task.family,
            "kind": task.kind,
            "data": (task.name in known and _hub(known[task.name])) or "the user's own",
            "licence": task.licence,
        }
        for task in tasks
    ]
    return table(rows, "markdown").rstrip()


def _outputs_table(tasks: Sequence[Task]) -> str:
    """What a program says of each task."""
    rows = [
        {"output": task.name, "kind": task.kind, "labels": ", ".join(task.labels) or None}
        for task in tasks
    ]
    return table(rows, "markdown").rstrip()


def _what(run: Run, tasks: Sequence[Task], form: ExportForm | None) -> str:
    count, method = len(run.tasks), for_markdown(str(run.config.method))
    if form is None:
        added = [name for addition in run.additions() for name in addition["tasks"]]
        later = f" Added to the trained run later: {_names(added)}." if added else ""
        return (
            f"{count} task(s) in one run of method {method}, trained by relevance-hmnet.{later} The"
            " folder holds all that is needed to ask it, score it and export its tasks."
        )
    if form != "checkpoint":
        return (
            f"{len(tasks)} of the {count} task(s) of a run of method {method}, as one program with"
            " an output per task, in which each layer that tasks share is there once."
        )
    (task,) = tasks
    labels = f" Labels: {for_markdown(', '.join(task.labels))}." if task.labels else ""
    return (
        f"The path of one task ({for_markdown(task.kind)}) through a model of {count} task(s),"
        f" method {method}, as a plain checkpoint.{labels}"
    )


def _groups(run: Run) -> str:
    """Which tasks share layers, and how that was found out."""
    if not (run.folder / CLUSTERS).is_file():
        return "The method reads no groups."
    spec = read_clusters(run.folder)
    names = spec.names or tuple(map(str, range(len(spec.clusters))))
    lines = [
        f"- {for_markdown(name)}: {_names(members)}"
        for name, members in zip(names, spec.clusters, strict=True)
    ]
    how = {
        "manual": "The groups were written by hand",
        "taxonomy": "The groups are the families of the tasks",
    }.get(spec.method, f"Found by {for_markdown(spec.method)}, seed {spec.seed}")
    if measure := spec.provenance.get("measure"):
        how += f", from a matrix of {for_markdown(str(measure))}"
    if spec.matrix is not None and spec.matrix.file.startswith("paper:"):
        how += f" ({for_markdown(spec.matrix.file)})"
    if spec.k is not None:
        how += f"; {spec.k} were asked for"
    lines += ["", f"{how}."]
    if spec.stability is not None:
        lines += ["", f"{for_markdown(str(spec.stability).capitalize())}."]
    return "\n".join(lines)


def _settings_table(config: RunConfig) -> str:
    rows = [
        {"setting": name, "value": str(value)}
        for name in (*OF_RUNS, *TrainingSettings.model_fields)
        if (value := getattr(config, name)) is not None
    ]
    return table(rows, "markdown").rstrip()
