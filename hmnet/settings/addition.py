"""What is to be added to a trained run, and which of its settings may differ for that."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hmnet.heads._choice import HeadChoice
from hmnet.settings.config import TrainingSettings
from hmnet.sharing.skill_table import SkillTable
from relevance.choice import FromText, InHelp
from relevance.names import check_name

NEAREST, RANDOM, XAVIER, AVERAGE = "nearest", "random", "xavier", "average"
INITS = (NEAREST, RANDOM, XAVIER, AVERAGE)

# what the trained model has settled, or what is done to weights that stay as they are
SETTLED = frozenset({"max_length", "pooling", "head", "concat", "freeze", "surgery"})
TRAINING = frozenset(TrainingSettings.model_fields) - SETTLED | {"seed"}
LOGGING = frozenset({"tracker", "log_uncertainty"})
CHANGEABLE = TRAINING | LOGGING | {"device", "checkpoint", "checkpoint_s", "patience"}


class Addition(BaseModel):
    """What is to be added to a run."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, title="Addition")

    tasks: Annotated[tuple[str, ...], InHelp("RTE,new.toml")] = Field(
        min_length=1, description="new ones: names from the catalogue, or TOML files with own tasks"
    )
    init: Annotated[str, InHelp("TASK|nearest|random|xavier|average")] = Field(
        NEAREST,
        description="where the new tasks' own weights start: a task of the run for a copy of its"
        " own, nearest for that of the most relevant one; random: as in training; xavier, average:"
        " with another draw, or the mean, of task embeddings (camtl)",
    )
    train: Literal["new", "all"] = Field(
        "new",
        description="the new tasks' own weights, so that the run's tasks answer as before, or all,"
        " which changes what these answer",
    )
    relevance: Annotated[Path | None, InHelp("MATRIX", "overlap of vocabularies")] = Field(
        None, description="says which tasks are near, and which cluster"
    )
    cluster: Annotated[str | None, InHelp("N|TASK", "that of `init`, else by `relevance`")] = Field(
        None,
        description="the cluster that the new tasks join, by number from 0 or by a member's name;"
        " unless given, that of the task that `init` names where there is no matrix, else the one"
        " that is most relevant on average",
    )
    fraction: Annotated[float, InHelp("SHARE")] = Field(
        1.0,
        ge=0,
        le=1,
        description="share of each new task's training rows, drawn with seed 0, one batch at least;"
        " 0: no training, with the head of the task it starts as where labels are the same, or a"
        " new one",
    )
    head: Annotated[
        HeadChoice | None,
        FromText(HeadChoice, HeadChoice.parse),
        InHelp("NAME[,TASK=NAME]", "the run's choice", "hmnet.heads", several=True),
    ] = Field(None, description="heads of the new tasks")
    skills: Annotated[SkillTable | None, InHelp("skills.toml", "the run's")] = Field(
        None, description="a table with rows for the new tasks too (skillnet)"
    )
    data_dir: Annotated[Path | None, InHelp("DIR", "the run's")] = Field(
        None, description="folder with the new tasks' files, where they do not name their own"
    )
    max_train: Annotated[int | None, InHelp("N", "the run's")] = Field(
        None,
        ge=1,
        description="training rows of each new task at most, before `fraction` is taken of them",
    )
    name: Annotated[str | None, InHelp(default="the run's, + the new tasks")] = Field(
        None, description="column in comparisons; it says too what differs from other additions"
    )

    def label(self, run: str, tasks: Sequence[str]) -> str:
        """What the new run is called in comparisons.

        Args:
            run: What the old one is called.
            tasks: Names of the new tasks.

        Returns:
            The name that is given, or one that says what differs from other additions.

        Raises:
            RelevanceError: If the name that is given cannot be shown.

        >>> Addition(tasks=("cb",), init="RTE", fraction=0.1).label("camtl", ["CB"])
        'camtl+CB as RTE 10%'
        """
        if self.name is not None:
            return check_name(self.name, "`name`")
        start = "" if self.init == NEAREST else f" as {self.init}"
        share = "" if self.fraction == 1 else f" {100 * self.fraction:g}%"
        trained = ", all trained" if self.changes_the_run else ""
        return "+".join([run, *tasks]) + start + share + trained

    @property
    def changes_the_run(self) -> bool:
        """Whether the run's own tasks answer otherwise afterwards."""
        return self.train == "all" and self.fraction > 0
