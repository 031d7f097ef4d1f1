"""The frozen encoder that is probed: of a run, of a checkpoint, or with random weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hmnet.backbones.levels import levels_of
from hmnet.data.batching import InputForm, input_form
from hmnet.data.tokenizer import read_tokenizer
from hmnet.pretraining.begin import begin
from hmnet.runs.folder import CONFIG, Run, load_run
from relevance.disk.files import digest
from relevance.errors import RelevanceError


@dataclass(frozen=True, eq=False)
class ProbedEncoder:
    """An encoder whose layers are looked at; nothing in it is trained.

    Attributes:
        module: The encoder in evaluation mode, without a pooler.
        layers: Its layers, the lowest first.
        tokenizer: Its tokenizer.
        levels: Layers that its pre-training read, by objective; empty where nothing says so.
        identity: Changes whenever what it computes could.
        notes: What the user should know.
    """

    module: PreTrainedModel
    layers: Sequence[nn.Module]
    tokenizer: PreTrainedTokenizerBase
    levels: Mapping[str, int]
    identity: str
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """The width of the widest layer, word vectors below a BiLSTM included."""
        config = self.module.config
        return max(int(config.hidden_size), int(getattr(config, "embedding_size", 0)))

    @property
    def form(self) -> InputForm:
        """The form of inputs that it takes."""
        return input_form(self.module.config)


def open_encoder(name: str, task: str | None = None, seed: int = 0) -> ProbedEncoder:
    """Open what is probed.

    Args:
        name: Folder of a trained run, or a backbone: `minilm`, a folder, a file of word vectors,
            or a name on the hub. A folder with a configuration alone has random weights.
        task: Task of a run whose layers are looked at; None where all tasks have the same ones.
        seed: Seed of weights that are not there.

    Returns:
        The encoder on the CPU.

    Raises:
        RelevanceError: If it cannot be found or read, is a folder of several runs, a run's tasks
            have layers of their own and none is named, or one is named and it is no run.
    """
    folder = Path(name)
    if (folder / CONFIG).is_file():
        return _of_run(load_run(folder), task)
    if any(folder.glob(f"seed-*/{CONFIG}")):
        raise RelevanceError(f"{folder} holds several runs. Name one of them, such as seed-0.")
    if task is not None:
        raise RelevanceError(
            f"`run_task={task}` is a task of a run, and {name} is no run. Leave it out, or name a"
            " run."
        )
    found = begin(name, seed)
    backbone = found.backbone
    module = backbone.without_pooler()
    layers = cast("nn.ModuleList", module.get_submodule(backbone.layer_list))
    random = f"{name} has no weights, so random ones are probed, of seed {seed}."
    return ProbedEncoder(
        module=module.eval(),
        layers=list(layers),
        tokenizer=read_tokenizer(found.folder),
        levels=_levels(module),
        identity=_identity(module, None),
        notes=(random,) if found.is_random else (),
    )


def _of_run(run: Run, task: str | None) -> ProbedEncoder:
    """The path of a run's task, head left out."""
    name = run.tasks[0].name if task is None else run.task(task).name
    model = run.model_for(name)
    others = [own.name for own in run.tasks if own.name != name]
    plan = model.plan
    if task is None and any(
        other not in model.tasks or model.layers(other) != model.layers(name) for other in others
    ):
        raise RelevanceError(
            f"The tasks of {run.folder} have layers of their own. Say whose are to be probed with"
            f" `run_task`: {', '.join(own.name for own in run.tasks)}."
        )
    parts = model.path(name).modules()
    whole = next(part for part in parts if isinstance(part, PreTrainedModel))
    module = cast("PreTrainedModel", whole.base_model)
    return ProbedEncoder(
        module=module.eval(),
        layers=list(model.layers(name)),
        tokenizer=run.tokenizer,
        levels=_levels(module),
        identity=_identity(module, [name, plan.model_dump(mode="json")]),
    )


def _levels(module: PreTrainedModel) -> dict[str, int]:
    """Layers that objectives of pre-training read, as the configuration holds them."""
    found = levels_of(module.config)
    stored = {} if found is None else found.stored
    return {name: level for name, level in stored.items() if isinstance(level, int)}


def _identity(module: PreTrainedModel, more: Any) -> str:
    """A digest of weights, configuration, and whatever else says what is computed."""
    weights = sha256()
    for name, weight in module.state_dict().items():
        weights.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        weights.update(weight.detach().cpu().contiguous().numpy().data)
    config = module.config.to_dict()
    kept = {key: value for key, value in config.items() if key != "_name_or_path"}
    return digest([weights.hexdigest(), repr(sorted(kept.items())), more])
