"""The blueprint of a model: all but backbone and weights, to make it of and to save with it."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hmnet.answer_scale import AnswerScale
from hmnet.backbones.levels import Concat
from hmnet.heads._choice import DEFAULT, HeadChoice, Pooling
from hmnet.sharing.plan import SharingPlan
from relevance.choice import FromText
from relevance.disk.files import read_json, validated
from relevance.tasks.task import Task

SCHEMA = "hmnet.plan/1"
WEIGHTS = "weights.safetensors"


class Blueprint(BaseModel):
    """The content of `plan.json`: all of a model but its backbone's configuration and its weights.

    Attributes:
        pooling: `native`, `cls` or `mean`.
        head: Head of each task.
        tasks: The definitions, which say what the outputs mean.
        plan: The sharing plan, with a row for each of the tasks.
        concat: Joined to the vectors of tokens, where a backbone has levels.
        scales: Scales on which outputs stand for values, by the names of those regression tasks
            whose outputs are not spread over their range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pooling: Pooling
    head: Annotated[HeadChoice, FromText(HeadChoice, HeadChoice.parse)] = DEFAULT
    tasks: tuple[Task, ...]
    plan: SharingPlan
    concat: Concat = "none"
    scales: dict[str, AnswerScale] = Field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Blueprint":
        """Read a `plan.json`.

        Args:
            path: The file.

        Returns:
            What it holds.

        Raises:
            RelevanceError: If it is missing or damaged.
        """
        return validated(cls, read_json(path, SCHEMA), str(path))

    @model_validator(mode="after")
    def _consistent(self) -> "Blueprint":
        if {task.name for task in self.tasks} != set(self.plan.tasks):
            raise ValueError(f"The plan is for {self.plan.tasks}, the tasks are others.")
        return self


def weights_file(folder: Path) -> Path:
    """The file with the weights of a run's model.

    transformers' own classes take a `model.safetensors` without a configuration for a model of
    default size and draw random weights where names differ, so the file is called otherwise.

    Args:
        folder: Folder of the model.

    Returns:
        `weights.safetensors` of the folder, or `model.safetensors` where an older version wrote
        that.
    """
    old = folder / "model.safetensors"
    return old if old.is_file() and not (folder / WEIGHTS).is_file() else folder / WEIGHTS
