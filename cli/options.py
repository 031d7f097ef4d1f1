"""Options that several commands share: those of settings, and what a config file says of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cli.generated import Given, SettingsOf
from cli.lists import split_names, split_seeds

CONFIG = "hmnet.settings.config:RunConfig"
TRAINING = "Training"
DATA = ("tasks", "data_dir", "max_train", "max_dev")

TaskOptions = Annotated[Given, SettingsOf(CONFIG, DATA)]
"""Which tasks, and where their files are."""

RunOptions = Annotated[Given, SettingsOf(CONFIG)]
"""Every setting of a run."""

TrainingOptions = Annotated[Given, SettingsOf(CONFIG, "hmnet.settings.config:OF_A_STUDY")]
"""Which tasks, and how a backbone is trained on them, whatever the run is for."""

STYLE = "relevance.figures.style:FigureStyle"
SIZE = ("width", "title")
FIGURE = "Figures"

StyleOptions = Annotated[Given, SettingsOf(STYLE, panel=FIGURE)]
"""How a heat map looks: size, title, scale, order, decimals, colours."""

BarsOptions = Annotated[
    Given, SettingsOf(STYLE, (*SIZE, "vmax", "order", "decimals"), panel=FIGURE)
]
"""How bars look, which have no colour map."""

SizeOptions = Annotated[Given, SettingsOf(STYLE, SIZE, panel=FIGURE)]
"""Size and title of a figure whose scale and order follow from what it shows."""

GridOptions = Annotated[Given, SettingsOf(STYLE, (*SIZE, "vmax", "decimals", "cmap"), panel=FIGURE)]
"""How a heat map of something else than tasks by tasks looks, whose order is its own."""

ConfusionOptions = Annotated[Given, SettingsOf(STYLE, (*SIZE, "cmap"), panel=FIGURE)]
"""How figures of a diagnosis look: counts have no decimals, shares end at 100 %."""

SeedsOption = Annotated[
    list[str] | None,
    typer.Option(help="Several runs; wins over --seed.", metavar="0,1,2", rich_help_panel=TRAINING),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        help="Any settings from a TOML file; the command line wins.",
        metavar="run.toml",
        rich_help_panel=TRAINING,
    ),
]
OutOption = Annotated[
    Path | None, typer.Option(help="File for the result; without it, stdout.", metavar="FILE")
]
FigureOption = Annotated[
    Path | None, typer.Option(help="Draw it: .pdf, .svg or .png.", metavar="FILE")
]
TaskOption = Annotated[
    list[str], typer.Option(help="The task that it is about.", metavar="RTE", show_default=False)
]
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


def settings(
    given: Mapping[str, Any], *, seeds: Sequence[str] | None = None, config: Path | None = None
) -> Given:
    """What the user has chosen: the `--config` file's fields, then the command line's over them.

    Args:
        given: Settings that options were given for.
        seeds: What `--seeds` was given.
        config: The file.

    Returns:
        Fields as `hmnet.settings.config.RunConfig` takes them, paths made absolute, plus `seeds`.

    Raises:
        RelevanceError: If the file cannot be read.
    """
    chosen = dict(given)
    if "tasks" in chosen:
        chosen["tasks"] = [_absolute(name) for name in chosen["tasks"]]
    if "data_dir" in chosen:
        chosen["data_dir"] = chosen["data_dir"].absolute()
    if seeds:
        chosen["seeds"] = split_seeds(seeds)
    if config is None:
        return chosen
    from_file = read_settings(config)
    if "seed" in chosen:
        from_file.pop("seeds", None)
    return from_file | chosen


def read_settings(path: Path) -> Given:
    """What a `--config` file chooses.

    Args:
        path: A TOML file with fields of `hmnet.settings.config.RunConfig`, and `seeds` where there
            are several; hyphens may stand for underscores, and text with commas for a list.

    Returns:
        Its fields, as the values that settings make of them; paths are absolute.

    Raises:
        RelevanceError: If it cannot be read, or a field is unknown or out of range.
    """
    from hmnet.settings.config import RunConfig
    from relevance.disk.files import read_toml, validated

    fields = {name.replace("-", "_"): value for name, value in read_toml(path).items()}
    if isinstance(fields.get("tasks"), str):
        fields["tasks"] = split_names([fields["tasks"]])
    seeds = fields.pop("seeds", None)
    needed = {"tasks": ["all"]}  # the one field without a default may come from the command line
    config = validated(RunConfig, needed | fields, str(path))
    chosen = {name: value for name, value in config.values().items() if name in fields}
    if seeds is not None:
        several = seeds if isinstance(seeds, list) else [seeds]
        chosen["seeds"] = split_seeds([str(seed) for seed in several])
    return chosen


def _absolute(name: str) -> str:
    return str(Path(name).absolute()) if name.endswith(".toml") else name
