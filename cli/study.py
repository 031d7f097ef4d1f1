"""Options of a study: how its jobs are laid over devices, and what gains are made of."""

from typing import Annotated

import typer

from cli.generated import Given, SettingsOf

STUDY = "Study"

ResourceOptions = Annotated[Given, SettingsOf("relevance.jobs.resources:Resources", panel=STUDY)]
StudyOptions = Annotated[Given, SettingsOf("relevance.gains.protocol:GainSettings", panel=STUDY)]
PaperOption = Annotated[
    bool,
    typer.Option(
        "--paper",
        help="The paper's protocol: --metric gain, --gain-split dev, a single run per seed."
        " Options that are given win.",
        rich_help_panel=STUDY,
    ),
]
