"""Settings of probing, frozen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from relevance.choice import InHelp

Vector = Literal["cls", "mean"]


@dataclass(frozen=True)
class Recipe:
    """How classifiers are trained.

    Attributes:
        hidden: Width of both hidden layers.
        epochs: Passes over the training rows; the best on dev counts, the first of equals.
        batch_size: Rows per step.
        lr: Rate of Adam.
        standardize: Whether each number of the vectors is given less its mean over the training
            rows, in their standard deviations.
        seed: Seed of weights and of the order of rows.
    """

    hidden: int = 128
    epochs: int = 20
    batch_size: int = 32
    lr: float = 1e-3
    standardize: bool = True
    seed: int = 0


class ProbingConfig(BaseModel):
    """Every setting of `hmnet probe`; defaults of the classifiers are those of Aksoy et al."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Probing")

    data: Annotated[Path, InHelp("DIR", "required")] = Field(
        description="folder of probing tasks: lines `tr|va|te TAB label TAB sentence` in TASK.txt,"
        " or `sentence TAB label` in TASK.tr.tsv, TASK.va.tsv and TASK.te.tsv; .gz too"
    )
    tasks: Annotated[tuple[str, ...], InHelp("NAMES", "all of the folder")] = Field(
        (), description="probing tasks, by the names of their files"
    )
    run_task: Annotated[str | None, InHelp("TASK", "the one path of all")] = Field(
        None, description="task of the run whose layers are probed, where tasks have their own"
    )
    vector: Vector = Field(
        "cls",
        description="what a layer says of a sentence: its first token, or the mean over its tokens",
    )
    max_length: int = Field(128, ge=3, description="tokens per sentence, special ones counted")
    epochs: int = Field(
        20, ge=1, description="passes over the training rows; the best on dev counts"
    )
    batch_size: int = Field(32, ge=1, description="rows per step of the classifiers")
    lr: float = Field(1e-3, gt=0, description="rate of Adam")
    standardize: bool = Field(
        True,
        description="give classifiers each number less its mean over the training rows, in standard"
        " deviations; as it stands, what sentences differ in can be too small to be learned",
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="numbers of the encoder's forward pass; classifiers compute in fp32"
    )
    seed: int = Field(
        0, ge=0, description="of the classifiers' weights and order of rows, and of random encoders"
    )
    device: Annotated[str, InHelp("DEVICE")] = Field(
        "auto", description="where it runs: cpu, cuda or cuda:N; auto for a GPU if there is one"
    )

    @property
    def recipe(self) -> Recipe:
        """How the classifiers are trained."""
        return Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            lr=self.lr,
            standardize=self.standardize,
            seed=self.seed,
        )
