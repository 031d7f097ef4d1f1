"""Settings of a run, frozen, with the unit under every field; the same TOML is read and written."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hmnet.heads._choice import DEFAULT, HeadChoice, Pooling
from hmnet.methods.method import ChosenMethod, find_method
from hmnet.samplers.sampler import Sampler, find_sampler
from hmnet.settings.loss_weights import LossWeights
from hmnet.sharing.freeze import NOTHING, Freeze
from hmnet.sharing.skill_table import SkillTable
from relevance.choice import Choice, FromText
from relevance.disk.files import read_toml, validated, write_text
from relevance.errors import RelevanceError
from relevance.tasks.data import DataOptions

OptimizerName = Literal["adamw", "adam"]
ScheduleName = Literal["linear", "constant"]
RegressionLoss = Literal["scale", "standardised"]
if TYPE_CHECKING:
    from hmnet.regularizers.regularizer import Regularizer
    from hmnet.surgery.surgery import Surgery
else:
    Regularizer = Surgery = Any  # they need torch, which settings do without

Settings = TypeVar("Settings", bound="TrainingSettings")
# what runs of older versions were trained with and do not state; a method may differ by now
UNSTATED = {"optimizer": "adamw"}
FREE_ON_RESUME = frozenset({"device", "tracker", "log_uncertainty", "checkpoint_s"})


def _regularizer(text: str) -> "Choice[Regularizer]":
    from hmnet.regularizers.regularizer import find_regularizer

    return find_regularizer(text)


def _surgery(text: str) -> "Choice[Surgery]":
    from hmnet.surgery.surgery import find_surgery

    return find_surgery(text)


class TrainingSettings(BaseModel):
    """What changes the results of training, whatever the tasks; defaults are the paper's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(3, ge=1, description="passes over the rows; the sampler says what one is")
    max_steps_per_task: int | None = Field(
        None, ge=1, description="batches of one task at most, over all epochs together"
    )
    batch_size: int = Field(32, ge=1, description="rows of one task per batch")
    max_length: int = Field(512, ge=8, description="tokens per input, special ones counted")
    lr: float = Field(2e-5, gt=0, description="learning rate at its largest")
    head_lr: float | None = Field(
        None, gt=0, description="the same for the tasks' heads; none for that of all other weights"
    )
    warmup: float = Field(
        0.0, ge=0, le=1, description="share of the steps that the learning rate rises for, from 0"
    )
    schedule: ScheduleName = Field(
        "linear",
        description="how the rate goes from its largest: linear, to 0 at the end; constant",
    )
    optimizer: OptimizerName = Field("adamw", description="adamw or adam")
    amsgrad: bool = Field(
        False, description="divide by the largest second moment so far, not by the present one"
    )
    weight_decay: float = Field(
        0.01,
        ge=0,
        description="on matrices; biases and norms have none. AdamW's stands beside the update; for"
        " adam it is added to the gradient, and 0 unless given, as in the papers that use Adam",
    )
    freeze: Annotated[Freeze, FromText(Freeze, Freeze.parse)] = Field(
        NOTHING,
        description="layers that stay as pretrained: a number or a percentage of the lowest, and"
        " the embeddings with them; a range such as `5-8`; `embeddings` alone; or `all` to train"
        " heads alone",
    )
    accumulate: int = Field(
        1, ge=1, description="parts that a batch runs in, one after another; the update is the same"
    )
    clip_norm: float | None = Field(
        None, gt=0, description="largest norm of an update's gradient; none for any"
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of a label's probability that all labels get in equal parts",
    )
    loss_weights: Annotated[LossWeights, FromText(LossWeights, LossWeights.parse)] | None = Field(
        None, description="TASK=NUMBER,...: what a task's loss counts for; 1 where not named"
    )
    regression_loss: RegressionLoss = Field(
        "scale",
        description="squared errors on the task's own scale, or of labels standardised by mean and"
        " deviation of the training rows, for tasks whose range is wide",
    )
    average: float = Field(
        0.0, ge=0, le=1, description="share of the last steps whose weights are averaged; 0: none"
    )
    pooling: Pooling = Field(
        "native", description="the family's own, [CLS] or the mean; by the head where that is given"
    )
    head: Annotated[HeadChoice, FromText(HeadChoice, HeadChoice.parse)] = Field(
        DEFAULT, description="NAME, and TASK=NAME for some tasks; auto for what the pooling implies"
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="of forward and backward; weights and optimizer are always fp32"
    )
    sampler: Annotated[Choice[Sampler], FromText(Choice, find_sampler)] = Field(
        find_sampler("packed"),
        description="order of the tasks' batches: NAME, or NAME:parameter=value,...",
    )
    length_grouped: bool = Field(
        False, description="whether rows of about the same length are packed together"
    )
    regularizer: Annotated[Choice[Regularizer], FromText(Choice, _regularizer)] | None = Field(
        None, description="added to the loss: NAME, or NAME:parameter=value,...; in fp32 throughout"
    )
    surgery: Annotated[Choice[Surgery], FromText(Choice, _surgery)] | None = Field(
        None, description="joins the gradients of a step's tasks: NAME; none for their sum"
    )

    @model_validator(mode="before")
    @classmethod
    def _pooling_of_the_head(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("head"), str | HeadChoice):
            head = HeadChoice.parse(given["head"])
            return {"pooling": head.pooling} | given | {"head": head}
        return given

    @model_validator(mode="before")
    @classmethod
    def _decay_of_the_optimizer(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("optimizer") == "adam":
            return {"weight_decay": 0.0} | given
        return given

    @model_validator(mode="after")
    def _known_head(self: Settings) -> Settings:
        self.head.check_names(self.pooling)
        return self

    @field_validator("freeze", mode="before")
    @classmethod
    def _number_of_layers(cls, given: object) -> object:
        return str(given) if isinstance(given, int) else given  # TOML has numbers

    @model_validator(mode="after")
    def _surgery_meets_several_tasks(self: Settings) -> Settings:
        if self.surgery and not self.sampler.member.joint:
            raise RelevanceError(
                f"--surgery {self.surgery} joins the gradients of several tasks in one step, but"
                f" sampler '{self.sampler.name}' gives every step one task. Add --sampler"
                " round-robin."
            )
        return self

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        values = (HeadChoice, Freeze, LossWeights, Choice, ChosenMethod)
        for name, field in type(self).model_fields.items():
            if (value := getattr(self, name)) != field.default:  # all would fill a screen
                yield name, str(value) if isinstance(value, values) else value

    def values(self) -> dict[str, Any]:
        """Every setting by name, as the value that it is; `model_dump` gives text of some."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def model_copy(
        self: Settings, *, update: Mapping[str, Any] | None = None, deep: bool = False
    ) -> Settings:
        """The same settings with some changed; what is changed is read and checked like the rest.

        Args:
            update: Fields with their new values, or text that says these.
            deep: Whether values are copied too, which makes no difference to frozen ones.

        Returns:
            The settings.
        """
        changed = type(self).model_validate(self.values() | dict(update or {}))
        return changed.__deepcopy__() if deep else changed

    def resolved(self: Settings, device: str) -> Settings:
        """The same settings with `auto` precision replaced by what it means on a device.

        Args:
            device: Such as `cpu` or `cuda:1`; `auto` for a GPU if there is one.

        Returns:
            Settings that give the same results on any machine, rounding aside.
        """
        from hmnet.precision import resolve_precision

        return self.model_copy(update={"precision": resolve_precision(self.precision, device)})


class RunConfig(TrainingSettings):
    """Every setting of `hmnet train`; a run's folder holds it as `config.toml`, paths absolute."""

    tasks: tuple[str, ...] = Field(
        min_length=1, description="names from the catalogue, or TOML files with own tasks"
    )
    data_dir: Path | None = Field(
        None, description="folder with <slug>/{train,dev}.parquet; none for tasks/ in the cache"
    )
    max_train: int | None = Field(None, ge=1, description="training rows per task at most")
    max_dev: int | None = Field(None, ge=1, description="rows per evaluation split at most")
    backbone: str = Field("bert-base-uncased", description="hub name, folder, or `minilm`")
    method: Annotated[ChosenMethod, FromText(ChosenMethod, find_method)] = Field(
        find_method("hmnet"),
        description="which layers the tasks share: NAME, or NAME:parameter=value,...",
    )
    layers: tuple[int, int, int] | None = Field(
        None, description="shared, cluster and task layers; none for the default of the depth"
    )
    skills: SkillTable | None = Field(
        None, description="table, or its file, for skillnet; none for the built-in one"
    )
    name: str | None = Field(None, description="column in comparisons; none for the method")
    seed: int = Field(0, ge=0, description="of heads, batches and dropout")
    device: str = Field("auto", description="cpu, cuda or cuda:N; auto for a GPU if there is one")
    tracker: Literal["tensorboard"] | None = Field(None, description="besides log.jsonl")
    log_uncertainty: bool = Field(
        False,
        description="whether log.jsonl says now and then how unsure the model is of each task, also"
        " for samplers that do not ask it; changes no result",
    )
    checkpoint_s: float = Field(120.0, gt=0, description="seconds between two checkpoints")
    checkpoint: Literal["last", "best"] = Field(
        "last", description="whose weights are kept: the last step's, or those of the best epoch"
    )
    patience: int | None = Field(
        None, ge=1, description="epochs without a gain that end training; none to train them all"
    )

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_method(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("method"), str | ChosenMethod):
            method = find_method(given["method"])
            return {**method.member.defaults, **given, "method": method}
        return given

    @model_validator(mode="after")
    def _one_choice_of_weights(self) -> "RunConfig":
        if self.average and (self.checkpoint == "best" or self.patience):
            raise RelevanceError(
                "--average takes the mean over the last steps, which --checkpoint best would pass"
                " over and --patience might not reach. Leave out --average, or the other."
            )
        return self

    @field_validator("skills", mode="before")
    @classmethod
    def _read_skills(cls, given: object) -> object:
        return SkillTable.load(Path(given)) if isinstance(given, str | Path) else given

    @field_validator("tasks")
    @classmethod
    def _absolute_task_files(cls, tasks: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(Path(t).absolute()) if t.lower().endswith(".toml") else t for t in tasks)

    @field_validator("data_dir")
    @classmethod
    def _absolute_data_dir(cls, folder: Path | None) -> Path | None:
        return folder.absolute() if folder else None

    @field_validator("backbone")
    @classmethod
    def _absolute_backbone(cls, name: str) -> str:
        return str(Path(name).absolute()) if Path(name).is_dir() else name

    @property
    def goes_by_dev(self) -> bool:
        """Whether dev is scored after every epoch, since something is decided by it."""
        return self.checkpoint == "best" or self.patience is not None

    @property
    def data(self) -> DataOptions:
        """Where the tasks' files are and how many rows of them are used."""
        return DataOptions(self.data_dir, self.max_train, self.max_dev)

    @property
    def label(self) -> str:
        """What comparisons call the run: its name, or else its method."""
        return self.name or str(self.method)

    def to_toml(self, path: Path) -> None:
        """Write every setting that is not none.

        Args:
            path: The file; an older one is replaced.

        Raises:
            RelevanceError: If it cannot be written.
        """
        write_text(path, self.toml_text())

    def toml_text(self) -> str:
        """Every setting that is not none, as TOML."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))

    @classmethod
    def from_toml(cls, path: Path, **overrides: Any) -> "RunConfig":
        """Read settings from a file.

        Args:
            path: A TOML file; relative paths in it are taken from the working directory.
            **overrides: Settings that win over the file's, such as those of the command line.

        Returns:
            The settings.

        Raises:
            RelevanceError: If the file cannot be read or a setting is unknown or out of range.
        """
        return validated(cls, read_toml(path) | overrides, str(path))

    @classmethod
    def of_run(cls, path: Path) -> "RunConfig":
        """Read the settings that a run was trained with.

        Args:
            path: The `config.toml` of a run of this or an older version.

        Returns:
            The settings; what an older version did not state is as it was then.

        Raises:
            RelevanceError: If the file cannot be read or a setting is unknown or out of range.
        """
        return validated(cls, UNSTATED | read_toml(path), str(path))

    def check_resumes(self, written: "RunConfig", folder: Path) -> None:
        """Refuse to go on with a run under other settings than it was started with.

        Args:
            written: The settings of the run so far.
            folder: Its folder, for the message.

        Raises:
            RelevanceError: With the first setting that differs; device, tracker and seconds between
                checkpoints may.
        """
        for field in type(self).model_fields:
            old, new = getattr(written, field), getattr(self, field)
            if field not in FREE_ON_RESUME and old != new:
                raise RelevanceError(
                    f"{folder} was started with {field} = {_shown(old)}, not {_shown(new)}."
                    " Resume with the same settings, or give another --out."
                )


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
