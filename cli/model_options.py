"""Options that several commands of `hmnet` share, and what they stand for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

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
