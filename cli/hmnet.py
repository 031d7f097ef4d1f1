"""`hmnet`: the multi-task model that follows the clusters, next to its baselines."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import new_app, run

app = new_app("Train the model whose layers follow the clusters, score it, ask it, export it.")

RunArgument = Annotated[
    Path,
    typer.Argument(help="Folder of a trained run.", metavar="RUN", show_default=False),
]
ClustersOption = Annotated[
    Path | None,
    typer.Option(help="Clusters, as `relevance cluster` writes them.", metavar="out.json"),
]
LayersOption = Annotated[
    str | None,
    typer.Option(
        help="Shared, cluster and task layers.", metavar="8,2,2", show_default="by the depth"
    ),
]


def main() -> None:
    """Entry point of `hmnet`."""
    run(app, "hmnet")
