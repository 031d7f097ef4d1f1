"""Settings of pre-training, frozen; a folder holds them as `pretraining.toml`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hmnet.backbones.levels import Concat, Levels
from hmnet.settings.config import (
    OptimizerName,
    ScheduleName,
    TrackerName,
    check_unchanged,
    readable_again,
)
from relevance.choice import InHelp
from relevance.disk.files import read_toml, validated, write_text
from relevance.errors import RelevanceError
from relevance.numerals import whole_number

OFF = "off"
FREE_ON_RESUME = frozenset({"device", "tracker", "checkpoint_s"})
EVALUATIONS = 10


class PretrainingConfig(BaseModel):
    """Every setting of `hmnet pretrain`; defaults are those of Aksoy et al. where they have any."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        title="Pre-training",
        validate_default=True,
        allow_inf_nan=False,
    )

    corpus: Annotated[tuple[str, ...], InHelp("FILE[:COLUMN][@WHERE]|TASK[:COLUMN]")] = Field(
        min_length=1,
        description="texts: a file, or a column of a table or of a task's training rows. Documents"
        " end @blank at blank lines, @heading at lines such as ` = Title = `, @row at every row;"
        " by default @blank in text files, else @row",
    )
    data_dir: Annotated[Path | None, InHelp("DIR", "data_cache/tasks")] = Field(
        None, description="folder of the tasks' files"
    )
    backbone: Annotated[str, InHelp("NAME")] = Field(
        "bert-base-uncased",
        description="encoder to go on from; a folder with configuration and tokenizer but no"
        " weights begins at random ones",
    )
    steps: Annotated[int, InHelp("N")] = Field(ge=1, description="updates")
    mlm_layer: Annotated[int | None, InHelp("N", "the top")] = Field(
        None, description="layer of masked tokens, from 1, the lowest"
    )
    nsp_layer: Annotated[str | None, InHelp("N|off", "the top")] = Field(
        None, description="layer of next sentence prediction; off goes without"
    )
    bigram_layer: Annotated[int | None, InHelp("N", "off")] = Field(
        None, description="layer that tells swapped tokens; they are swapped only where it is given"
    )
    concat: Concat = Field(
        "none",
        description="joined to every masked token's vector: the [CLS] vector of the NSP layer"
        " (cls), or the two logits of the NSP classifier (nsp)",
    )
    nsp_freeze: bool = Field(
        False,
        description="freeze embeddings, layers up to the NSP layer and its classifier once the NSP"
        " loss on dev has not improved for two evaluations",
    )
    nsp_freeze_at: Annotated[int | None, InHelp("STEP", "by dev")] = Field(
        None, ge=1, description="freeze them after this step"
    )
    max_length: int = Field(128, ge=8, description="tokens per input, special ones counted")
    long_length: Annotated[int, InHelp(default="384, or what the backbone has positions for")] = (
        Field(384, ge=8, description="tokens per input of long steps")
    )
    long_share: Annotated[float, InHelp("SHARE")] = Field(
        0.1, ge=0, le=1, description="share of the steps that are long, spread evenly"
    )
    batch_size: int = Field(32, ge=1, description="inputs per step")
    long_batch_size: int = Field(1, ge=1, description="inputs per long step")
    mask_share: Annotated[float, InHelp("SHARE")] = Field(
        0.15, gt=0, le=1, description="share of an input's tokens that are masked"
    )
    mask_cap: Annotated[int | None, InHelp("N", "any number")] = Field(
        None, ge=1, description="masked tokens of an input at most"
    )
    lr: float = Field(1e-4, gt=0, description="learning rate at its peak")
    warmup: Annotated[float, InHelp("SHARE")] = Field(
        0.0, ge=0, le=1, description="share of the steps that the learning rate rises for, from 0"
    )
    schedule: ScheduleName = Field("constant", description="how the rate goes from its peak")
    optimizer: OptimizerName = Field("adam", description="what takes the steps")
    amsgrad: bool = Field(
        True, description="divide by the largest second moment so far, not by the present one"
    )
    weight_decay: float = Field(
        1e-4, ge=0, description="decay of matrices; for adam it is added to the gradient"
    )
    clip_norm: Annotated[float | None, InHelp("NORM", "any")] = Field(
        None, gt=0, description="largest norm of an update's gradient"
    )
    dev_share: Annotated[float, InHelp("SHARE")] = Field(
        0.05, ge=0, lt=1, description="share of the documents held out to score on; 0 for none"
    )
    evaluate_every: Annotated[int | None, InHelp("STEPS", "a tenth of all")] = Field(
        None, ge=1, description="steps between two scores on dev"
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="numbers of forward and backward, as in `hmnet train`"
    )
    seed: int = Field(0, ge=0, description="of everything random")
    device: Annotated[str, InHelp("DEVICE")] = Field(
        "auto", description="where it runs: cpu, cuda or cuda:N; auto for a GPU if there is one"
    )
    tracker: Annotated[TrackerName | None, InHelp(default="none")] = Field(
        None, description="where the log goes besides log.jsonl; each is an extra of its name"
    )
    checkpoint_s: float = Field(120.0, gt=0, description="seconds between two checkpoints")

    _can_be_read_again = field_validator("*")(readable_again)

    @field_validator("nsp_layer", mode="before")
    @classmethod
    def _number_or_off(cls, given: Any) -> Any:
        text = str(given).strip().lower() if given is not None else None
        if text not in {None, OFF} and whole_number(text) is None:
            raise RelevanceError(f"`nsp_layer={given}` is neither a layer nor off.")
        return text

    @field_validator("corpus")
    @classmethod
    def _absolute_files(cls, corpora: tuple[str, ...]) -> tuple[str, ...]:
        from hmnet.pretraining.named import settled

        return tuple(map(settled, corpora))

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, folder: Path | None) -> Path | None:
        return folder.absolute() if folder else None

    @field_validator("backbone")
    @classmethod
    def _absolute_backbone(cls, name: str) -> str:
        return str(Path(name).absolute()) if Path(name).is_dir() else name

    @model_validator(mode="after")
    def _consistent(self) -> "PretrainingConfig":
        if self.freezes and self.nsp_layer == OFF:
            raise RelevanceError(
                "`nsp_freeze` freezes what next sentence prediction reads, which is off. Leave it"
                " out, or give `nsp_layer` a layer."
            )
        if self.nsp_freeze and self.nsp_freeze_at is None and not self.dev_share:
            raise RelevanceError(
                "`nsp_freeze` goes by the loss on dev, and `dev_share=0` holds nothing out. Give"
                " `nsp_freeze_at`, or a share."
            )
        if self.nsp_freeze_at is not None and self.nsp_freeze_at >= self.steps:
            raise RelevanceError(
                f"`nsp_freeze_at={self.nsp_freeze_at}` is no step before the last of {self.steps}."
            )
        return self

    @property
    def freezes(self) -> bool:
        """Whether anything is frozen on the way."""
        return self.nsp_freeze or self.nsp_freeze_at is not None

    @property
    def chunk(self) -> int:
        """Steps between two evaluations."""
        return self.evaluate_every or -(-self.steps // EVALUATIONS)

    @property
    def longest(self) -> int:
        """Most tokens of any input."""
        return max(self.max_length, self.long_length) if self.long_share else self.max_length

    def levels(self, depth: int) -> Levels:
        """The layers that are read.

        Args:
            depth: Number of the encoder's layers.

        Returns:
            The layers, checked.

        Raises:
            RelevanceError: If one is none of the encoder's, or concatenation lacks NSP.
        """
        nsp = None if self.nsp_layer == OFF else int(self.nsp_layer or depth)
        mlm = depth if self.mlm_layer is None else self.mlm_layer
        levels = Levels(mlm, nsp, self.bigram_layer, self.concat)
        levels.check(depth)
        return levels

    def check_resumes(self, folder: Path, file: Path) -> None:
        """Refuse to go on under other settings than it was started with.

        Args:
            folder: What is gone on with, for the message.
            file: Its settings.

        Raises:
            RelevanceError: With the first setting that differs.
        """
        written = validated(type(self), read_toml(file), str(file))
        check_unchanged(self, written, FREE_ON_RESUME, folder)

    def to_toml(self, path: Path) -> None:
        """Write every setting that is not none.

        Args:
            path: The file; an older one is replaced.

        Raises:
            RelevanceError: If it cannot be written.
        """
        write_text(path, tomli_w.dumps(self.model_dump(mode="json", exclude_none=True)))
