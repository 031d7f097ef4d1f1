"""The command `hmnet export`: tasks of a run as files that other programs load."""

from typing import Annotated, Literal

import typer

import hmnet
from cli.lists import only, split_names
from cli.model_options import FolderOption, RunArgument
from cli.output import note
from cli.streams import begin_soon
from relevance.errors import RelevanceError


def export(
    folder: RunArgument,
    out: FolderOption,
    task: Annotated[
        list[str] | None,
        typer.Option(help="A task; several for onnx and torch.", metavar="RTE"),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All tasks of the run, in one file.")
    ] = False,
    form: Annotated[
        Literal["checkpoint", "onnx", "torch"],
        typer.Option("--format", help="What transformers, an ONNX runtime or torch.export loads."),
    ] = "checkpoint",
) -> None:
    """A task as a plain Hugging Face checkpoint, or tasks as one program, with the tokenizer.

    A program (onnx, torch) has one output per task and each layer that tasks share once; tasks.json
    beside it says how texts are encoded and what outputs mean.

    Example: hmnet export run/ --all --format onnx --out all-tasks/
    """
    names = split_names(task or [])
    if every == bool(names):
        raise RelevanceError("Give the tasks to export: --task RTE, or --all for every task.")
    if form == "checkpoint" and names:
        names = [only(names, "--task")]
    begin_soon()
    asked = None if every else names
    note(f"wrote {hmnet.load(folder).export(asked, out, format=form)}")
