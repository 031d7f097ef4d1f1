"""Options that several commands of `hmnet` share, and what they stand for."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.generated import Given, SettingsOf
from cli.lists import only
from cli.options import CONFIG

if TYPE_CHECKING:
    from relevance.clustering.spec import ClusterSpec

RunArgument = Annotated[
    Path, typer.Argument(help="Folder of a trained run.", metavar="RUN", show_default=False)
]
RunsArgument = Annotated[
    list[Path],
    typer.Argument(
        help="Trained runs, or folders of seeds.", metavar="RUN ...", show_default=False
    ),
]
FolderOption = Annotated[Path, typer.Option("--out", help="Folder to write.", metavar="DIR")]
TasksOption = Annotated[
    list[str],
    typer.Option("--task", help="A task, several, or all.", metavar="RTE", show_default=False),
]
SplitOption = Annotated[
    str | None, typer.Option(help="Only this split.", show_default="dev and the further ones")
]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with what was stopped.")]
ClustersOption = Annotated[
    list[Path] | None, typer.Option(help="Which tasks share the middle layers.", metavar="out.json")
]
RunOnOptions = Annotated[
    Given,
    SettingsOf(
        CONFIG,
        ("precision", "device"),
        panel="Options",
        default={"precision": "fp32", "device": "auto"},
    ),
]
"""How a trained run is asked."""
DeviceOption = Annotated[Given, SettingsOf(CONFIG, ("device",), panel="Options")]


def read_spec(paths: Sequence[Path] | None) -> "ClusterSpec | None":
    """The clusters in a file, None without one.

    Args:
        paths: What `--clusters` was given.

    Returns:
        The clusters.

    Raises:
        RelevanceError: If there are several files, or it cannot be read or is none of clusters.
    """
    from relevance.clustering.spec import ClusterSpec

    return ClusterSpec.load(only(paths, "--clusters")) if paths else None
