"""Settings of a run, frozen, with the unit under every field; the same TOML is read and written."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hmnet.backbones.folder import is_vectors
from hmnet.backbones.levels import Concat
from hmnet.heads._choice import DEFAULT, HeadChoice, Pooling
from hmnet.methods._defaults import OF_METHODS, defaults_for
from hmnet.settings.loss_weights import LossWeights
from hmnet.sharing.freeze import NOTHING, Freeze
from hmnet.sharing.skill_table import SkillTable
from relevance.choice import Choice, Choosing, FromText, InHelp, Named
from relevance.disk.files import read_toml, validated, write_text
from relevance.disk.parsing import check_choice
from relevance.errors import RelevanceError

OptimizerName = Literal["adamw", "adam"]
ScheduleName = Literal["linear", "constant"]
RegressionLoss = Literal["scale", "standardised"]
TrackerName = Literal["tensorboard", "wandb", "trackio", "mlflow"]
if TYPE_CHECKING:
    from hmnet.methods.method import ChosenMethod
    from hmnet.regularizers.regularizer import Regularizer
    from hmnet.samplers.sampler import Sampler
    from hmnet.surgery.surgery import Surgery
    from relevance.tasks.data import DataOptions
else:
    # help reads settings and must appear at once: these need numpy or torch
    ChosenMethod = Regularizer = Sampler = Surgery = Any

Settings = TypeVar("Settings", bound="TrainingSettings")
# what runs of older versions were trained with and do not state; a method may differ by now
UNSTATED = {"optimizer": "adamw"}
FREE_ON_RESUME = frozenset({"device", "tracker", "log_uncertainty", "checkpoint_s"})
FIND_METHOD = "hmnet.methods.method:find_method"
SAMPLERS = Choosing("hmnet.samplers.sampler:samplers")
TASKS, TRAINING = "Tasks", "Training"


def readable_again(value: Any, info: Any) -> Any:
    """Validator of every field of settings: a number too large for a file of ours is refused."""
    check_choice(info.field_name, value)
    return value


class TrainingSettings(BaseModel):
    """What changes the results of training, whatever the tasks; defaults are the paper's."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", defer_build=True, title=TRAINING, allow_inf_nan=False
    )

    epochs: int = Field(
        3, ge=1, le=10**6, description="passes over the rows; the sampler says what one is"
    )
    max_steps_per_task: Annotated[int | None, InHelp("N", "any number")] = Field(
        None, ge=1, description="steps of each task at most, over all epochs together"
    )
    batch_size: int = Field(32, ge=1, description="rows of one task per batch")
    max_length: int = Field(512, ge=8, description="tokens per input, special ones counted")
    lr: float = Field(2e-5, gt=0, description="learning rate at its peak")
    head_lr: Annotated[float | None, InHelp(default="that of all other weights")] = Field(
        None, gt=0, description="learning rate of the tasks' heads at its peak"
    )
    warmup: Annotated[float, InHelp("SHARE")] = Field(
        0.0, ge=0, le=1, description="share of the steps that the learning rate rises for, from 0"
    )
    schedule: ScheduleName = Field(
        "linear", description="how the rate goes from its peak: linear, to 0 at the end; constant"
    )
    optimizer: OptimizerName = Field(
        "adamw", description="what takes the steps; adam has no `weight_decay` unless one is given"
    )
    amsgrad: bool = Field(
        False, description="divide by the largest second moment so far, not by the present one"
    )
    weight_decay: Annotated[float, InHelp(default="0.01, 0 for adam")] = Field(
        0.01,
        ge=0,
        description="decay of matrices; biases and norms have none. AdamW's stands beside the"
        " update; for adam it is added to the gradient, and 0 unless given, as in the papers that"
        " use Adam",
    )
    freeze: Annotated[Freeze, FromText(Freeze, Freeze.parse), InHelp("N|P%|A-B|embeddings|all")] = (
        Field(
            NOTHING,
            description="layers that stay as pretrained: a number or a share of the lowest, and the"
            " embeddings with them; a range such as 5-8; embeddings alone; or all, which trains"
            " heads alone",
        )
    )
    accumulate: Annotated[int, InHelp("N")] = Field(
        1,
        ge=1,
        description="parts that a batch runs in, one after another: the same update in less memory",
    )
    clip_norm: Annotated[float | None, InHelp("NORM", "any")] = Field(
        None, gt=0, description="largest norm of an update's gradient"
    )
    label_smoothing: Annotated[float, InHelp("SHARE")] = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of a label's probability that all labels get in equal parts",
    )
    loss_weights: Annotated[
        LossWeights | None,
        FromText(LossWeights, LossWeights.parse),
        InHelp("TASK=NUMBER,...", "1 for all", several=True),
    ] = Field(None, description="what a task's loss counts for, beside others in a step")
    regression_loss: RegressionLoss = Field(
        "scale",
        description="squared errors on the task's own scale, or of labels standardised by mean and"
        " deviation of the training rows, for tasks whose range is wide",
    )
    average: Annotated[float, InHelp("SHARE")] = Field(
        0.0,
        ge=0,
        le=1,
        description="share of the last steps whose weights are averaged; 0 keeps the last ones",
    )
    pooling: Annotated[Pooling, InHelp(default="native, or the head's own")] = Field(
        "native",
        description="how heads read a text: native by the backbone family's own head; cls, mean"
        " by a linear one",
    )
    head: Annotated[
        HeadChoice,
        FromText(HeadChoice, HeadChoice.parse),
        InHelp("NAME[,TASK=NAME]", "what `pooling` implies", "hmnet.heads", several=True),
    ] = Field(DEFAULT, description="how a task is answered: NAME, and TASK=NAME for some tasks")
    concat: Concat = Field(
        "none",
        description="joined to every token's vector in tasks that label parts of a text: the [CLS]"
        " vector of the backbone's NSP layer (cls), or the two logits of its NSP classifier (nsp),"
        " which trains on; for backbones of `hmnet pretrain`",
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto",
        description="numbers of forward and backward; auto: bf16 autocast where the hardware is"
        " fast at it, else fp32. Weights and optimizer are always fp32",
    )
    sampler: Annotated[
        Choice[Sampler],
        FromText(Choice, SAMPLERS),
        InHelp("SAMPLER", members="hmnet.samplers"),
    ] = Field(
        default_factory=Named(SAMPLERS, "packed"),
        description="order of the tasks' batches: NAME, or NAME:parameter=value,...",
    )
    length_grouped: bool = Field(
        False, description="pack rows of about the same length together, which saves padding"
    )
    regularizer: Annotated[
        Choice[Regularizer] | None,
        FromText(Choice, Choosing("hmnet.regularizers.regularizer:regularizers")),
        InHelp("REGULARIZER", "nothing", "hmnet.regularizers"),
    ] = Field(
        None,
        description="added to the loss, in fp32: NAME, or NAME:parameter=value,... such as"
        " smart:weight=0.1,variant=paper",
    )
    surgery: Annotated[
        Choice[Surgery] | None,
        FromText(Choice, Choosing("hmnet.surgery.surgery:surgeries")),
        InHelp("SURGERY", "their sum", "hmnet.surgery"),
    ] = Field(None, description="joins the gradients of a step's tasks: NAME")

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_others(cls, given: Any) -> Any:
        """Give pooling the default of the head, and weight decay that of the optimizer."""
        if isinstance(given, dict) and isinstance(given.get("head"), str | HeadChoice):
            head = HeadChoice.parse(given["head"])
            given = {"pooling": head.pooling} | given | {"head": head}
        if isinstance(given, dict) and given.get("optimizer") == "adam":
            given = {"weight_decay": 0.0} | given
        return given

    _can_be_read_again = field_validator("*")(readable_again)

    @field_validator("freeze", mode="before")
    @classmethod
    def _number_of_layers(cls, given: object) -> object:
        return str(given) if isinstance(given, int) else given  # TOML has numbers

    @model_validator(mode="after")
    def _consistent(self: Settings) -> Settings:
        self.head.check_names(self.pooling)
        if self.surgery and not self.sampler.member.joint:
            raise RelevanceError(
                f"`surgery='{self.surgery}'` joins the gradients of several tasks in one step, but"
                f" sampler '{self.sampler.name}' gives every step one task. Add"
                ' `sampler="round-robin"`.'
            )
        return self

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        plain = (str, int, float, tuple, Path)
        for name, field in type(self).model_fields.items():
            default = field.default_factory or field.default  # as text both say the same
            if str(value := getattr(self, name)) != str(default):  # all would fill a screen
                yield name, value if isinstance(value, plain) else str(value)

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

    model_config = ConfigDict(title="Run")
    defaults_of_methods: ClassVar = OF_METHODS

    tasks: Annotated[
        tuple[str, ...],
        InHelp("RTE,CB,my.toml", "those of the clusters, or the paper's 13", panel=TASKS),
    ] = Field(min_length=1, description="names from the catalogue, or TOML files with own tasks")
    data_dir: Annotated[Path | None, InHelp("DIR", "data_cache/tasks", panel=TASKS)] = Field(
        None,
        description="folder with <slug>/{train,dev}.parquet (or .csv, .tsv, .jsonl, .json, .gz)",
    )
    max_train: Annotated[int | None, InHelp("N", "all", panel=TASKS)] = Field(
        None, ge=1, description="training rows of each task at most, drawn with seed 0"
    )
    max_dev: Annotated[int | None, InHelp("N", "all", panel=TASKS)] = Field(
        None, ge=1, description="rows of each split that is scored at most, drawn with seed 0"
    )
    backbone: Annotated[str, InHelp("NAME", panel=TRAINING)] = Field(
        "bert-base-uncased",
        description="a hub name, a folder, minilm (comes with the extra `demo`), or a file of word"
        " vectors, .vec, for a BiLSTM on them",
    )
    method: Annotated[
        ChosenMethod,
        FromText("hmnet.methods.method:ChosenMethod", FIND_METHOD),
        InHelp("METHOD", members="hmnet.methods"),
    ] = Field(
        default_factory=Named(FIND_METHOD, "hmnet"),
        description="which layers the tasks share: NAME, or NAME:parameter=value,...",
    )
    layers: Annotated[tuple[int, int, int] | None, InHelp("X,Y,Z", "8,2,2 of 12, by the depth")] = (
        Field(None, description="shared, cluster and task layers")
    )
    skills: Annotated[SkillTable | None, InHelp("skills.toml", "the built-in table")] = Field(
        None, description="which skills a task activates, for skillnet"
    )
    name: Annotated[str | None, InHelp(default="the method")] = Field(
        None, description="column in comparisons"
    )
    seed: Annotated[int, InHelp(panel=TRAINING)] = Field(
        0, ge=0, description="of everything random: heads, batches, dropout"
    )
    device: Annotated[str, InHelp("DEVICE", panel=TRAINING)] = Field(
        "auto", description="where it runs: cpu, cuda or cuda:N; auto for a GPU if there is one"
    )
    tracker: Annotated[TrackerName | None, InHelp(default="none")] = Field(
        None, description="where the log goes besides log.jsonl; each is an extra of its name"
    )
    log_uncertainty: bool = Field(
        False,
        description="log now and then how unsure the model is of each task, for `hmnet curves`;"
        " changes no result",
    )
    checkpoint_s: float = Field(120.0, gt=0, description="seconds between two checkpoints")
    checkpoint: Literal["last", "best"] = Field(
        "last",
        description="whose weights are kept: the last step's, or those of the epoch with the best"
        " mean on dev",
    )
    patience: Annotated[int | None, InHelp("N", "train all epochs")] = Field(
        None,
        ge=1,
        description="stop after so many epochs without a gain of the mean primary metric on dev",
    )

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_method(cls, given: Any) -> Any:
        from hmnet.methods.method import ChosenMethod, find_method

        if isinstance(given, dict) and isinstance(given.get("method"), str | ChosenMethod):
            method = find_method(given["method"])
            tasks = given.get("tasks")
            names = (
                [each for each in tasks if isinstance(each, str)]
                if isinstance(tasks, list | tuple)
                else []
            )
            return {**defaults_for(method.name, names), **given, "method": method}
        return given

    @model_validator(mode="after")
    def _one_choice_of_weights(self) -> "RunConfig":
        if self.average and (self.checkpoint == "best" or self.patience):
            raise RelevanceError(
                '`average` takes the mean over the last steps, which `checkpoint="best"` would pass'
                " over and `patience` might not reach. Leave out `average`, or the other."
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
        return str(Path(name).absolute()) if Path(name).is_dir() or is_vectors(name) else name

    @property
    def goes_by_dev(self) -> bool:
        """Whether dev is scored after every epoch, since something is decided by it."""
        return self.checkpoint == "best" or self.patience is not None

    @property
    def data(self) -> "DataOptions":
        """Where the tasks' files are and how many rows of them are used."""
        from relevance.tasks.data import DataOptions

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

    def differs_in(self, other: "RunConfig", *, free: Collection[str] = ()) -> list[str]:
        """Settings that keep two runs from being seeds of one another.

        Args:
            other: The settings of the other run.
            free: Further settings that may differ, beside the seed and what may change on resuming.

        Returns:
            Names in the order of the settings; none for seeds of one another.
        """
        may, others = FREE_ON_RESUME | {"seed", *free}, other.values()
        return [
            name
            for name, value in self.values().items()
            if name not in may and value != others[name]
        ]

    def check_resumes(self, written: "RunConfig", folder: Path) -> None:
        """Refuse to go on with a run under other settings than it was started with.

        Args:
            written: The settings of the run so far.
            folder: Its folder, for the message.

        Raises:
            RelevanceError: With the first setting that differs; device, tracker and seconds between
                checkpoints may.
        """
        check_unchanged(self, written, FREE_ON_RESUME, folder)


OF_A_STUDY = frozenset(TrainingSettings.model_fields) | {
    *("tasks", "data_dir", "max_train", "max_dev", "backbone", "seed", "device")
}
"""What decides gains; the rest is about the folder of a run, or the method that it tries."""


def check_unchanged(now: BaseModel, written: BaseModel, free: frozenset[str], folder: Path) -> None:
    """Refuse to go on with something under other settings than it was started with.

    Args:
        now: Settings that are given.
        written: Settings of the same class that it was started with.
        free: Names of those that may differ.
        folder: What was started, for the message.

    Raises:
        RelevanceError: With the first setting that differs.
    """
    for field in type(now).model_fields:
        old, new = getattr(written, field), getattr(now, field)
        if field not in free and old != new:
            raise RelevanceError(
                f"{folder} was started with {field} = {_shown(old)}, not {_shown(new)}."
                " Resume with the same settings, or give another `out`."
            )


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
