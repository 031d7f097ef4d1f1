"""All tasks of a run as one file for other programs: ONNX, or a program of torch.export."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from torch.export import ExportedProgram
from transformers import PreTrainedTokenizerBase

from hmnet.backbones.auto import quiet
from hmnet.backbones.vector_folder import MODEL_TYPE
from hmnet.data.encoder import Encoder
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.traced import APART, INPUTS, traced
from hmnet.saving import os_errors
from relevance.disk.files import write_json
from relevance.disk.folders import new_folder
from relevance.errors import RelevanceError
from relevance.tasks.task import Task

ArtifactFormat = Literal["onnx", "torch"]
SCHEMA, DESCRIPTION = "hmnet.artifact/1", "tasks.json"
FILES: Mapping[ArtifactFormat, str] = {"onnx": "model.onnx", "torch": "model.pt2"}
PACKAGES = ("onnx", "onnxscript")  # what torch writes ONNX with
LOGGERS = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")
OPSET = 18  # what torch's exporter is written for
MOST_BYTES = 1_800_000_000  # a file of ONNX holds 2 GB; weights beyond that stand beside it
AXES = {None: ["batch", "output"], 0: ["batch", "token", "output"], 1: ["batch", "output", "token"]}
"""Axes of logits, by where a kind has its tokens."""


def export_together(
    models: Mapping[str, MultiTaskModel],
    tasks: Sequence[Task],
    tokenizer: PreTrainedTokenizerBase,
    out_dir: Path,
    *,
    form: ArtifactFormat,
    max_length: int,
) -> None:
    """Write one program that answers for several tasks, each layer that they share in it once.

    The folder gets the program, the tokenizer, and `tasks.json`, which says how texts are encoded
    and what the outputs mean. Outputs have the tasks' names and are the logits of `predict`.

    Args:
        models: For each of the tasks the model that has a path for it; they are not changed, but
            for being moved to the CPU.
        tasks: Tasks, in the order of the outputs.
        tokenizer: The backbone's.
        out_dir: A folder that does not exist yet or is empty; it appears whole or not at all.
        form: `onnx`, or `torch` for what `torch.export.load` reads.
        max_length: Most tokens of one input in training, special ids included.

    Raises:
        RelevanceError: If packages are missing, a model is none that can be traced, or the folder
            is not empty or cannot be written.
    """
    check_packages(form)
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise RelevanceError(f"{out_dir} exists and is not empty. Give a new folder with `out`.")
    for task in tasks:
        if task.name.removesuffix(APART) in INPUTS:
            raise RelevanceError(
                f"Task '{task.name}' has the name of an input of the exported program. Export the"
                " other tasks, or train it under another name."
            )
        if models[task.name].kinds[task.name].further is not None:
            raise RelevanceError(
                f"Task '{task.name}' is of kind {task.kind}, which reads more than tokens and has"
                " no input in an exported program. Name the other tasks with `task`; this one is"
                " answered by the run itself (`hmnet predict`)."
            )
    for model in {id(model): model for model in models.values()}.values():
        _check_traceable(model)
    by_task = {task.name: models[task.name].cpu().eval() for task in tasks}
    with _quiet():
        program = traced(by_task)
    content = {
        "format": form,
        "file": FILES[form],
        **({"opset": OPSET} if form == "onnx" else {}),
        "torch": torch.__version__,
        **_inputs(by_task, program, tokenizer, max_length),
        "tasks": {task.name: _described(task, by_task[task.name]) for task in tasks},
    }
    with new_folder(out_dir) as folder, _quiet(), os_errors():
        if form == "onnx":
            _write_onnx(program, folder / FILES[form], list(by_task))
        else:
            torch.export.save(program, folder / FILES[form])
        tokenizer.save_pretrained(folder)
        write_json(folder / DESCRIPTION, SCHEMA, content)


def check_packages(form: ArtifactFormat) -> None:
    """Refuse a format whose packages are not installed.

    Args:
        form: Format of the program.

    Raises:
        RelevanceError: If one is missing.
    """
    missing = [name for name in PACKAGES if form == "onnx" and find_spec(name) is None]
    if missing:
        raise RelevanceError(
            f'`format="onnx"` needs packages that are not installed: {", ".join(missing)}. Install'
            ' them with `pip install "relevance-hmnet[onnx]"`, or take `format="torch"`.'
        )


def _check_traceable(model: MultiTaskModel) -> None:
    """Refuse models of which no program with a free length came out."""
    what = None
    if model.config.model_type == MODEL_TYPE:
        what = (
            "A BiLSTM on word vectors reads a text word by word, and torch.export then fixes the"
            " program to one length."
        )
    elif model.plan.inserted is not None and model.plan.inserted.modules.name == "camtl":
        what = (
            "Method 'camtl' cuts its attention's bias to the length of each input, and torch.export"
            " then fixes the program to one length."
        )
    if what:
        raise RelevanceError(f"{what} Ask the run itself (`hmnet predict`).")


def _inputs(
    models: Mapping[str, MultiTaskModel],
    program: ExportedProgram,
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
) -> dict[str, Any]:
    """How texts become inputs."""
    template = Encoder.of(tokenizer).template
    form = next(model.input_form(task) for task, model in models.items())
    names = program.graph_signature.user_inputs
    return {
        "inputs": {
            name: ["batch", 2, "length_apart"] if str(name).endswith(APART) else ["batch", "length"]
            for name in names
        },
        "pad_id": form["pad_id"],
        "max_length": max_length,
        "before_first_text": list(template.prefix),
        "between_texts": list(template.middle),
        "after_last_text": list(template.suffix),
    }


def _described(task: Task, model: MultiTaskModel) -> dict[str, Any]:
    """What a task reads, and what its output means."""
    kind = model.kinds[task.name]
    apart = model.input_form(task.name)["apart"]
    found: dict[str, Any] = {
        "output": task.name,
        "axes": AXES[kind.token_axis],
        "kind": task.kind,
        "texts": list(task.text),
        "gives_way": task.truncate,
        "reads": f"inputs that end in {APART}: first text, other texts" if apart else "one input",
    }
    if task.labels:
        found["labels"] = list(task.labels)
    if task.kind == "classification" and len(task.labels) == 2:
        # the label is the one with the highest logit, which for two says just that
        found["threshold"] = {"label": task.labels[1], "probability": 0.5}
    if kind.scale is not None:
        found["range"] = list(task.range) if task.range else None
        found["scale"] = {"offset": kind.scale.offset, "spread": kind.scale.spread}
    return found


def _write_onnx(program: ExportedProgram, path: Path, tasks: Sequence[str]) -> None:
    """Write a program as ONNX, with the tasks' names as those of its outputs."""
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    names = [str(name) for name in program.graph_signature.user_inputs]
    written = torch.onnx.export(
        program,
        dynamo=True,
        opset_version=OPSET,
        input_names=names,
        output_names=[f"logits of task {number}" for number, _ in enumerate(tasks)],
        verbose=False,
    )
    assert written is not None  # noqa: S101  which it is for the old exporter alone
    graph = written.model.graph
    ClearMetadataAndDocStringPass()(written.model)  # paths of this machine among them
    _name_outputs(graph, tasks)
    _name_axes(graph)
    size = sum(value.nbytes for value in {**program.state_dict, **program.constants}.values())
    written.save(path, external_data=size > MOST_BYTES)


def _name_outputs(graph: Any, tasks: Sequence[str]) -> None:
    """Give outputs the names of tasks, which no value inside may have."""
    taken = {*tasks}
    for value in [*graph.initializers.values(), *(v for n in graph for v in n.outputs)]:
        if value.name in taken:
            value.name = f"{value.name} inside"
    for output, task in zip(graph.outputs, tasks, strict=True):
        output.name = task


def _name_axes(graph: Any) -> None:
    """Call the free axes of inputs and outputs what they are."""
    import onnx_ir

    called: dict[str, str] = {}
    for value in graph.inputs:
        *_, length = value.shape
        called |= {str(value.shape[0]): "batch"}
        called |= {str(length): "length_apart" if value.name.endswith(APART) else "length"}
    for value in [*graph.inputs, *graph.outputs]:
        value.shape = onnx_ir.Shape(
            [
                size if isinstance(size, int) else called.get(str(size), str(size))
                for size in value.shape
            ]
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep exporters from reporting on their own insides."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
