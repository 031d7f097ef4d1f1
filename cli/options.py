"""Options that several commands share, as dataclasses that `takes_groups` expands."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from cli.app import listed
from relevance.disk.files import read_toml, validated
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from relevance.gains.protocol import Protocol

Value = TypeVar("Value")

TASKS = "Tasks"
TRAINING = "Training"
STUDY = "Study"

JOINED = {"loss_weights", "head"}
"""Settings that are one text with commas; options that are given several times add up to it."""

FormatOption = Annotated[
    Literal["markdown", "latex", "csv"], typer.Option("--format", help="Of the table.")
]

FileFormatOption = Annotated[
    Literal["markdown", "latex", "csv"] | None,
    typer.Option("--format", help="Of the table.", show_default="by --out: .md, .tex, .csv"),
]

CaptionOption = Annotated[
    str | None, typer.Option(help="LaTeX: plain text above the table.", metavar="TEXT")
]
LabelOption = Annotated[
    str | None, typer.Option(help="LaTeX: what references call it.", metavar="tab:gains")
]


@dataclass(frozen=True)
class TaskOptions:
    """Which tasks, and where their files are."""

    tasks: Annotated[
        list[str] | None,
        typer.Option(
            help="Names from the catalogue, or TOML files with your own, comma-separated.",
            metavar="RTE,CB,my.toml",
            show_default="the paper's 13",
            rich_help_panel=TASKS,
        ),
    ] = None
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder with <slug>/{train,dev}.parquet (or .csv, .tsv, .jsonl, .json, .gz).",
            metavar="DIR",
            show_default="data_cache/tasks",
            rich_help_panel=TASKS,
        ),
    ] = None
    max_train: Annotated[
        int | None,
        typer.Option(
            help="Training rows of each task at most, drawn with seed 0.",
            metavar="N",
            min=1,
            rich_help_panel=TASKS,
        ),
    ] = None
    max_dev: Annotated[
        int | None,
        typer.Option(
            help="Rows of each split that is scored at most, drawn with seed 0.",
            metavar="N",
            min=1,
            rich_help_panel=TASKS,
        ),
    ] = None


@dataclass(frozen=True)
class EncoderOptions:
    """What the layers of a model are, and what is done to those that tasks share."""

    backbone: Annotated[
        str | None,
        typer.Option(
            help="A hub name, a folder, or minilm (comes with the extra `demo`).",
            metavar="NAME",
            show_default="bert-base-uncased",
            rich_help_panel=TRAINING,
        ),
    ] = None
    max_length: Annotated[
        int | None,
        typer.Option(help="Tokens per input.", min=8, show_default="512", rich_help_panel=TRAINING),
    ] = None
    pooling: Annotated[
        Literal["native", "cls", "mean"] | None,
        typer.Option(
            help="native: the backbone family's own head; cls, mean: a linear head.",
            show_default="native",
            rich_help_panel=TRAINING,
        ),
    ] = None
    freeze: Annotated[
        str | None,
        typer.Option(
            help="Layers that stay as pretrained: the lowest, with the embeddings, or a range;"
            " all: heads only.",
            metavar="N|P%|A-B|embeddings|all",
            show_default="0",
            rich_help_panel=TRAINING,
        ),
    ] = None
    surgery: Annotated[
        str | None,
        typer.Option(
            help=f"Join the gradients of a step's tasks: {listed('hmnet.surgery')}.",
            metavar="SURGERY",
            show_default="their sum",
            rich_help_panel=TRAINING,
        ),
    ] = None
    seeds: Annotated[
        list[str] | None,
        typer.Option(
            help="Several runs; wins over --seed.", metavar="0,1,2", rich_help_panel=TRAINING
        ),
    ] = None


@dataclass(frozen=True)
class WeightOptions:
    """How weights are trained, whichever they are; defaults are the paper's settings."""

    epochs: Annotated[
        int | None,
        typer.Option(
            help="Passes.", min=1, show_default="3, 5 for camtl", rich_help_panel=TRAINING
        ),
    ] = None
    max_steps_per_task: Annotated[
        int | None,
        typer.Option(
            help="Steps of each task at most, over all epochs.",
            metavar="N",
            min=1,
            rich_help_panel=TRAINING,
        ),
    ] = None
    batch_size: Annotated[
        int | None,
        typer.Option(help="Rows per step.", min=1, show_default="32", rich_help_panel=TRAINING),
    ] = None
    lr: Annotated[
        float | None,
        typer.Option(
            help="Peak learning rate.", min=0.0, show_default="2e-5", rich_help_panel=TRAINING
        ),
    ] = None
    head_lr: Annotated[
        float | None,
        typer.Option(
            help="Peak learning rate of the tasks' heads.",
            min=0.0,
            show_default="that of --lr",
            rich_help_panel=TRAINING,
        ),
    ] = None
    warmup: Annotated[
        float | None,
        typer.Option(
            help="Share of the steps that the learning rate rises for.",
            metavar="SHARE",
            min=0.0,
            max=1.0,
            show_default="0, 0.1 for camtl",
            rich_help_panel=TRAINING,
        ),
    ] = None
    schedule: Annotated[
        Literal["linear", "constant"] | None,
        typer.Option(
            help="How the rate goes from its peak: to 0 at the end, or not at all.",
            show_default="linear",
            rich_help_panel=TRAINING,
        ),
    ] = None
    optimizer: Annotated[
        Literal["adamw", "adam"] | None,
        typer.Option(
            help="adam has no weight decay unless a --config file gives one.",
            show_default="adamw, adam for camtl",
            rich_help_panel=TRAINING,
        ),
    ] = None
    amsgrad: Annotated[
        bool | None,
        typer.Option(
            "--amsgrad/--no-amsgrad",
            help="Divide by the largest second moment so far.",
            show_default="no",
            rich_help_panel=TRAINING,
        ),
    ] = None
    accumulate: Annotated[
        int | None,
        typer.Option(
            help="Run each batch in N parts: the same update in less memory.",
            metavar="N",
            min=1,
            show_default="1",
            rich_help_panel=TRAINING,
        ),
    ] = None
    clip_norm: Annotated[
        float | None,
        typer.Option(
            help="Largest norm of an update's gradient.",
            metavar="NORM",
            min=0.0,
            show_default="any",
            rich_help_panel=TRAINING,
        ),
    ] = None
    label_smoothing: Annotated[
        float | None,
        typer.Option(
            help="Share of a label's probability that all labels get in equal parts.",
            metavar="SHARE",
            min=0.0,
            max=1.0,
            show_default="0",
            rich_help_panel=TRAINING,
        ),
    ] = None
    loss_weights: Annotated[
        list[str] | None,
        typer.Option(
            help="What a task's loss counts for, beside others in a step.",
            metavar="TASK=NUMBER,...",
            show_default="1 for all",
            rich_help_panel=TRAINING,
        ),
    ] = None
    regression_loss: Annotated[
        Literal["scale", "standardised"] | None,
        typer.Option(
            help="Squared errors on a task's own scale; standardised where its range is wide.",
            show_default="scale",
            rich_help_panel=TRAINING,
        ),
    ] = None
    average: Annotated[
        float | None,
        typer.Option(
            help="Share of the last steps whose weights are averaged; 0 keeps the last ones.",
            min=0.0,
            max=1.0,
            show_default="0",
            rich_help_panel=TRAINING,
        ),
    ] = None
    length_grouped: Annotated[
        bool | None,
        typer.Option(
            "--length-grouped/--no-length-grouped",
            help="Pack rows of about the same length together, which saves padding.",
            show_default="no",
            rich_help_panel=TRAINING,
        ),
    ] = None
    sampler: Annotated[
        str | None,
        typer.Option(
            help=f"Order of the tasks' batches: {listed('hmnet.samplers')};"
            " NAME:parameter=value,...",
            metavar="SAMPLER",
            show_default="packed",
            rich_help_panel=TRAINING,
        ),
    ] = None
    regularizer: Annotated[
        str | None,
        typer.Option(
            help=f"Added to the loss: {listed('hmnet.regularizers')}; with parameters such as"
            " smart:weight=0.1,variant=paper.",
            metavar="REGULARIZER",
            show_default="nothing",
            rich_help_panel=TRAINING,
        ),
    ] = None
    seed: Annotated[
        int | None,
        typer.Option(
            help="Of everything random.", min=0, show_default="0", rich_help_panel=TRAINING
        ),
    ] = None
    precision: Annotated[
        Literal["auto", "bf16", "fp32"] | None,
        typer.Option(
            help="auto: bf16 autocast where the hardware is fast at it, else fp32.",
            show_default="auto",
            rich_help_panel=TRAINING,
        ),
    ] = None
    device: Annotated[
        str | None,
        typer.Option(
            help="Such as cpu or cuda:1.",
            metavar="DEVICE",
            show_default="auto",
            rich_help_panel=TRAINING,
        ),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(
            help="Any of these from a TOML file; the command line wins.",
            metavar="run.toml",
            rich_help_panel=TRAINING,
        ),
    ] = None


@dataclass(frozen=True)
class TrainingOptions(WeightOptions, EncoderOptions):
    """How a backbone is trained."""


@dataclass(frozen=True)
class StudyOptions:
    """How the jobs of a study are laid over devices, and what gains are made of."""

    gpus: Annotated[
        int | None,
        typer.Option(
            help="GPUs to use; 0 for the CPU.",
            metavar="N",
            min=0,
            show_default="all visible, else the CPU",
            rich_help_panel=STUDY,
        ),
    ] = None
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Workers on the CPU.",
            metavar="N",
            min=1,
            show_default="one per core, 4 at most",
            rich_help_panel=STUDY,
        ),
    ] = None
    jobs_per_gpu: Annotated[
        int,
        typer.Option(help="Workers on each GPU.", metavar="N", min=1, rich_help_panel=STUDY),
    ] = 1
    engine: Annotated[
        str,
        typer.Option(
            help=f"What runs the jobs: {listed('relevance.jobs.engines')}.",
            metavar="ENGINE",
            rich_help_panel=STUDY,
        ),
    ] = "local"
    address: Annotated[
        str | None,
        typer.Option(
            help="Where a Dask or Ray cluster listens, or Dask's scheduler file.",
            metavar="A",
            show_default="workers on this machine",
            rich_help_panel=STUDY,
        ),
    ] = None
    paper: Annotated[
        bool,
        typer.Option(
            "--paper",
            help="The paper's protocol: --metric gain, --gain-split dev, a single run per seed."
            " Options that are given win.",
            rich_help_panel=STUDY,
        ),
    ] = False
    gain_split: Annotated[
        Literal["holdout", "dev"] | None,
        typer.Option(
            help="Score on a hold-out of the training rows, or on dev as in the paper.",
            show_default="holdout",
            rich_help_panel=STUDY,
        ),
    ] = None
    metric: Annotated[
        Literal["gain", "primary", "loss"] | None,
        typer.Option(
            help="What gains are made of: mean of a task's gain metrics, its primary one, or loss.",
            show_default="gain",
            rich_help_panel=STUDY,
        ),
    ] = None
    single_seeds: Annotated[
        int | None,
        typer.Option(
            help="Seeds of the single runs.",
            metavar="N",
            min=1,
            show_default="3 per joint seed",
            rich_help_panel=STUDY,
        ),
    ] = None
    normalise: Annotated[
        Literal["relative", "absolute", "error"],
        typer.Option(
            help="relative: eq. 4; absolute: points; error: share of the remaining error removed.",
            rich_help_panel=STUDY,
        ),
    ] = "relative"
    drop_overlap: Annotated[
        bool,
        typer.Option(
            "--drop-overlap",
            help="Leave out training rows that hold a text which a partner is scored on.",
            rich_help_panel=STUDY,
        ),
    ] = False

    @property
    def protocol(self) -> "Protocol":
        """The default one or the paper's, where no option says otherwise."""
        from relevance.gains.protocol import PAPER, RELIABLE

        given = {"metric": self.metric, "gain_split": self.gain_split}
        chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return replace(PAPER if self.paper else RELIABLE, **chosen)


def settings(*groups: TaskOptions | WeightOptions, **others: Any) -> dict[str, Any]:
    """What the user has chosen: the `--config` file's fields, then the command line's over them.

    Args:
        *groups: Options as parsed.
        **others: Further fields of a run's settings; None where not given.

    Returns:
        Fields as `hmnet.settings.config.RunConfig` takes them, paths made absolute, plus `seeds`.

    Raises:
        RelevanceError: If the file cannot be read.
    """
    given: dict[str, Any] = {}
    for group in groups:
        given |= asdict(group)
    given |= others
    config: Path | None = given.pop("config", None)
    chosen = {name: value for name, value in given.items() if value not in (None, [])}
    for name in JOINED & chosen.keys():
        chosen[name] = ",".join(chosen[name])
    if "tasks" in chosen:
        chosen["tasks"] = [_absolute(name) for name in split_names(chosen["tasks"])]
    if "data_dir" in chosen:
        chosen["data_dir"] = chosen["data_dir"].absolute()
    if "seeds" in chosen:
        chosen["seeds"] = split_seeds(chosen["seeds"])
    if config is None:
        return chosen
    from_file = read_settings(config)
    if "seed" in chosen:
        from_file.pop("seeds", None)
    return from_file | chosen


def read_settings(path: Path) -> dict[str, Any]:
    """What a `--config` file chooses.

    Args:
        path: A TOML file with fields of `hmnet.settings.config.RunConfig`, and `seeds` where there
            are several; hyphens may stand for underscores, and text with commas for a list.

    Returns:
        Its fields, checked, paths made absolute.

    Raises:
        RelevanceError: If it cannot be read, or a field is unknown or out of range.
    """
    from hmnet.settings.config import RunConfig

    fields = {name.replace("-", "_"): value for name, value in read_toml(path).items()}
    if isinstance(fields.get("tasks"), str):
        fields["tasks"] = split_names([fields["tasks"]])
    seeds = fields.pop("seeds", None)
    needed = {"tasks": ["all"]}  # the one field without a default may come from the command line
    config = validated(RunConfig, needed | fields, str(path))
    chosen = config.model_dump(include=set(fields), exclude_none=True)
    if seeds is not None:
        chosen["seeds"] = split_seeds([str(seed) for seed in _as_list(seeds)])
    return chosen


def _as_list(value: Any) -> list[Any]:
    """A list from a TOML file; a single value is a list of one."""
    return value if isinstance(value, list) else [value]


def split_names(texts: Sequence[str]) -> list[str]:
    """Names from comma-separated lists, of which an option takes several.

    Args:
        texts: What the option was given, once for each time. One that names a file is not split,
            so that names of files may hold commas.

    Returns:
        The names in their order.

    >>> split_names(["RTE, CB,", "MRPC"])
    ['RTE', 'CB', 'MRPC']
    """
    parts = (
        part for text in texts for part in ([text] if Path(text).is_file() else text.split(","))
    )
    return [part.strip() for part in parts if part.strip()]


def only(values: Sequence[Value] | None, option: str) -> Value | None:
    """The one value of an option that names what a command is about.

    Args:
        values: What it was given, once for each time; the same one may come twice.
        option: What took them, for the message.

    Returns:
        The value; None where the option was not given.

    Raises:
        RelevanceError: If there are several, of which all but one would be left out.

    >>> only(["RTE", "RTE"], "--task"), only(None, "--task")
    ('RTE', None)
    """
    different = list(dict.fromkeys(values or ()))
    if len(different) > 1:
        given = ", ".join(map(str, different))
        raise RelevanceError(f"{option} takes one here, got {given}. Run the command for each.")
    return different[0] if different else None


def split_numbers(texts: Sequence[str], option: str) -> tuple[int, ...]:
    """Whole numbers from comma-separated lists.

    Args:
        texts: Such as `8,2,2`, once for each time that the option was given.
        option: What took them, for the message.

    Returns:
        The numbers in their order.

    Raises:
        RelevanceError: If one is no whole number of 0 or more.

    >>> split_numbers(["8,2,2"], "--layers")
    (8, 2, 2)
    """
    parts = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdecimal() for part in parts):
        raise RelevanceError(
            f"{option} takes whole numbers such as 0,1,2, got '{','.join(texts)}'."
        )
    return tuple(int(part) for part in parts)


def split_seeds(texts: Sequence[str]) -> tuple[int, ...]:
    """Seeds from comma-separated lists.

    Args:
        texts: Such as `0,1,2`, once for each time that the option was given.

    Returns:
        The seeds in their order.

    Raises:
        RelevanceError: If one is no whole number of 0 or more, or is named twice.
    """
    seeds = split_numbers(texts, "--seeds")
    if len(set(seeds)) < len(seeds):
        raise RelevanceError(f"--seeds names a seed twice: {','.join(texts)}.")
    return seeds


def _absolute(name: str) -> str:
    return str(Path(name).absolute()) if name.endswith(".toml") else name
