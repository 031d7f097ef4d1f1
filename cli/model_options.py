"""Options that several commands of `hmnet` share, and what they stand for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.app import listed
from cli.options import split_numbers
from relevance.errors import RelevanceError

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
ClustersOption = Annotated[
    list[Path] | None,
    typer.Option(help="Which tasks share the middle layers.", metavar="out.json"),
]
MethodOption = Annotated[
    str | None,
    typer.Option(
        help=f"{listed('hmnet.methods')}; NAME:parameter=value,...",
        metavar="METHOD",
        show_default="hmnet",
    ),
]
LayersOption = Annotated[
    str | None,
    typer.Option(
        help="Shared, cluster and task layers.",
        metavar="X,Y,Z",
        show_default="8,2,2 of 12, by the depth",
    ),
]
SkillsOption = Annotated[
    Path | None,
    typer.Option(
        help="Which skills a task activates, for skillnet.",
        metavar="skills.toml",
        show_default="the built-in table",
    ),
]
HeadOption = Annotated[
    list[str] | None,
    typer.Option(
        help=f"{listed('hmnet.heads')}; TASK=NAME for some tasks.",
        metavar="NAME[,TASK=NAME]",
        show_default="what --pooling implies",
    ),
]
PrecisionOption = Annotated[
    Literal["auto", "bf16", "fp32"], typer.Option(help="Of the forward pass.")
]
DeviceOption = Annotated[str, typer.Option(help="Such as cpu or cuda:1.", metavar="DEVICE")]


def read_spec(path: Path | None) -> "ClusterSpec | None":
    """The clusters in a file, None without one.

    Args:
        path: What `--clusters` was given.

    Returns:
        The clusters.

    Raises:
        RelevanceError: If the file cannot be read or is none of clusters.
    """
    from relevance.clustering.spec import ClusterSpec

    return None if path is None else ClusterSpec.load(path)


def split_layers(text: str | None, option: str = "--layers") -> tuple[int, int, int] | None:
    """Shared, cluster and task layers, None for the default.

    Args:
        text: What the option was given.
        option: What took it, for the message.

    Returns:
        The three numbers.

    Raises:
        RelevanceError: If they are not three whole numbers.

    >>> split_layers("8,2,2")
    (8, 2, 2)
    """
    if text is None:
        return None
    numbers = split_numbers([text], option)
    if len(numbers) != 3:
        raise RelevanceError(f"{option} takes three numbers such as 8,2,2, got '{text}'.")
    shared, cluster, task = numbers
    return shared, cluster, task
