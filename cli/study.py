"""Options of a study: how its jobs are laid over devices, and what gains are made of."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.app import listed

if TYPE_CHECKING:
    from relevance.gains.protocol import Protocol

STUDY = "Study"


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
