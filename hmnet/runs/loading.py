"""How Python loads what a run gives: the lines that its card shows."""

from collections.abc import Sequence
from typing import Literal

from hmnet.kinds.kind import kind_of
from relevance.tasks.task import Task

ExportForm = Literal["checkpoint", "onnx", "torch"]
LIBRARY: dict[ExportForm, str] = {"checkpoint": "transformers", "onnx": "onnx", "torch": "pytorch"}
"""What the hub calls the library that loads a form."""

RUN = """\
import hmnet  # pip install relevance-hmnet

run = hmnet.load(FOLDER)  # from the hub: huggingface_hub.snapshot_download(NAME)
run.predict(rows)  # texts, or objects with the tasks' columns; task=NAME for one
"""
CHECKPOINT = """\
from transformers import AutoTokenizer, {auto}

tokenizer = AutoTokenizer.from_pretrained(FOLDER)  # or its name on the hub
model = {auto}.from_pretrained(FOLDER)
"""
PROGRAM = """\
import json
from pathlib import Path

{imports}
from transformers import AutoTokenizer

told = json.loads(Path(FOLDER, "tasks.json").read_text(encoding="utf-8"))
tokenizer = AutoTokenizer.from_pretrained(FOLDER)
how = {{"truncation": True, "max_length": told["max_length"], "return_tensors": "{tensors}"}}
{fed}
given = {{name: fed[name] for name in told["inputs"]}}
{logits}
"""
JOINED = "fed = tokenizer(texts, padding=True, **how)  # pairs: tokenizer(texts, others, ...)"
APART = """\
fed = dict(tokenizer(texts, padding=True, **how))
each = [tokenizer(one, padding="max_length", **how) for one in (texts, others)]  # one by one
fed |= {{f"{{name}}_apart": {stack}([one[name] for one in each], 1) for name in each[0]}}"""
ONNX = """\
session = onnxruntime.InferenceSession(f"{FOLDER}/model.onnx")
logits = dict(zip(told["tasks"], session.run(list(told["tasks"]), given)))"""
TORCH = """\
program = torch.export.load(f"{FOLDER}/model.pt2").module()
logits = program(**given)"""


def loading(tasks: Sequence[Task], form: ExportForm | None, *, apart: bool) -> str:
    """Lines of Python that load a run or an export, and ask a program of all its tasks.

    Args:
        tasks: Tasks of the export.
        form: Its form; None for a run.
        apart: Whether a task of a program reads the texts of a row one by one.

    Returns:
        The code, in which `FOLDER` stands for the folder and `texts` (and `others`, the second
        texts) for what is asked. No name of a task is in it.
    """
    if form is None:
        return RUN
    if form == "checkpoint":
        return CHECKPOINT.format(auto=kind_of(tasks[0]).auto)
    onnx = form == "onnx"
    imports = ["import onnxruntime"] if onnx else ["import torch"]
    if onnx and apart:
        imports = ["import numpy", *imports]
    stack = "numpy.stack" if onnx else "torch.stack"
    return PROGRAM.format(
        imports="\n".join(imports),
        tensors="np" if onnx else "pt",
        fed=APART.format(stack=stack) if apart else JOINED,
        logits=ONNX if onnx else TORCH,
    )
