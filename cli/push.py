"""`hmnet push`: a run, one task of it or all in one file, to the Hugging Face hub."""

from typing import Annotated

import typer

import hmnet
from cli.lists import only
from cli.model_options import RunArgument
from cli.output import note, show
from cli.streams import begin_soon
from relevance.errors import RelevanceError


def push(
    folder: RunArgument,
    repo: Annotated[
        str,
        typer.Argument(help="Repository, such as me/my-model.", metavar="REPO", show_default=False),
    ],
    task: Annotated[
        list[str] | None,
        typer.Option(
            help="This task alone, as hmnet export writes it.",
            metavar="RTE",
            show_default="the whole run",
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All tasks in one ONNX file, as hmnet export writes it.")
    ] = False,
    public: Annotated[
        bool, typer.Option("--public", help="Let everybody see it, and not you alone.")
    ] = False,
    accept_licences: Annotated[
        bool,
        typer.Option(
            "--accept-licences",
            help="Publish it though licences of the data limit or do not tell what may be shared.",
        ),
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Put it in the place of what was pushed there before."),
    ] = False,
) -> None:
    """Upload a run or one of its tasks to the Hugging Face hub, fetch it again and compare logits.

    Private unless --public; nothing is asked. Licences of the data that may stand against sharing
    are named first. Paths of this machine and the log of the steps are not sent. Files that were
    not pushed by this toolkit are never replaced. The token is that of `hf auth login`, or
    HF_TOKEN.

    Example: hmnet push run/ --task RTE me/rte
    """
    if every and task:
        raise RelevanceError("Give --task or --all, not both.")
    begin_soon()
    run = hmnet.load(folder)
    address = hmnet.push(
        run,
        repo,
        task="all" if every else only(task, "--task") if task else None,
        public=public,
        accept_licences=accept_licences,
        replace=replace,
        on_note=lambda text: note(f"hmnet: note: {text}"),
    )
    show(address)
