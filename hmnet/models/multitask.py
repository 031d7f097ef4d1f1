"""The multi-task model: a pool of layers, and for every task a path through it.

Which layers the tasks share is the sharing plan's affair alone, so single-task fine-tuning, hard
sharing and the hierarchical model are this one class. A path is a view of the pretrained backbone
whose layers are modules of the pool; the backbone's own forward runs it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, cast

from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from transformers import PreTrainedModel

from hmnet.answer_scale import NO_SCALES, AnswerScale
from hmnet.backbones.backbone import Backbone, load_backbone
from hmnet.backbones.folder import OWN_CONFIG
from hmnet.backbones.graft import graft
from hmnet.backbones.pretrained import read_config, readable
from hmnet.data.batching import InputForm, input_form
from hmnet.heads._choice import DEFAULT, HeadChoice, Pooling
from hmnet.heads.head import Head
from hmnet.inserts.insert import make_insert
from hmnet.kinds.kind import kind_of
from hmnet.models.activation_cache import activation_cache
from hmnet.models.skillnet import SkillLayer
from hmnet.randomness import seeded
from hmnet.saving import os_errors
from hmnet.sharing.plan import SharingPlan
from relevance.choice import FromText
from relevance.disk.files import read_json, replacing, validated, write_json, write_text
from relevance.disk.manifest import check_files
from relevance.errors import RelevanceError, unknown_name
from relevance.names import some
from relevance.tasks.task import Task

SCHEMA = "hmnet.plan/1"
WEIGHTS = "weights.safetensors"


class Blueprint(BaseModel):
    """What `plan.json` holds: all of a model but its backbone's configuration and its weights.

    Attributes:
        pooling: `native`, `cls` or `mean`.
        head: Which head each task gets.
        tasks: The definitions, which say what the outputs mean.
        plan: The sharing plan.
        scales: How outputs stand for values, by the names of those regression tasks whose outputs
            are not spread over their range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pooling: Pooling
    head: Annotated[HeadChoice, FromText(HeadChoice, HeadChoice.parse)] = DEFAULT
    tasks: tuple[Task, ...]
    plan: SharingPlan
    scales: dict[str, AnswerScale] = Field(default_factory=dict)


def weights_file(folder: Path) -> Path:
    """Where the weights of a run's model are.

    transformers' own classes take a `model.safetensors` without a configuration for a model of
    default size and draw random weights where names differ, so the file is called otherwise.

    Args:
        folder: Folder of the model.

    Returns:
        Its `weights.safetensors`, or `model.safetensors` where an older version wrote that.
    """
    old = folder / "model.safetensors"
    return old if old.is_file() and not (folder / WEIGHTS).is_file() else folder / WEIGHTS


class MultiTaskModel(nn.Module):
    """One pool of modules and, for every task, the path that its row of the plan makes of them.

    Every layer starts as a copy of the pretrained layer at its depth, every head from a seed that
    depends on nothing but `seed` and the task's name.

    Args:
        backbone: Where the weights come from.
        tasks: What is trained, in any order.
        plan: A row for each of the tasks.
        pooling: How hidden states become one vector: `native` by the family's head, `cls`, `mean`.
        head: Which head each task gets; `auto` is the family's with `native` pooling, else a linear
            one.
        seed: Seed of the heads' weights.
        scales: How outputs stand for values, by task, where they are not spread over its range.

    Attributes:
        pool: Every module, by the plan's names with `/` for `.`; heads are `<task>/head`.
        plan: The plan.
        insert: What a method puts into the layers; None without.
        pooling: As given.
        head: As given.
        config: The backbone's configuration.
        definitions: The tasks by name.
        kinds: How each task is learned and answered, its scale included.
        scales: As given.

    Raises:
        RelevanceError: If the plan is for another number of layers than the backbone has.
        ValueError: If the plan is for other tasks.
    """

    def __init__(
        self,
        backbone: Backbone,
        tasks: Sequence[Task],
        plan: SharingPlan,
        *,
        pooling: Pooling = "native",
        head: HeadChoice = DEFAULT,
        seed: int = 0,
        scales: Mapping[str, AnswerScale] = NO_SCALES,
    ) -> None:
        super().__init__()
        if {task.name for task in tasks} != set(plan.tasks):
            raise ValueError(f"The plan is for {plan.tasks}, the tasks are others.")
        if plan.depth != backbone.depth:
            raise RelevanceError(
                f"The sharing plan has {plan.depth} layers, but the backbone has {backbone.depth}."
            )
        self.plan, self.pooling, self.head = plan, pooling, head
        self.config = backbone.config
        self.definitions = {task.name: task for task in tasks}
        self.scales = dict(scales)
        self.kinds = {task.name: kind_of(task, scales.get(task.name)) for task in tasks}
        self._layer_list = backbone.layer_list
        self.pool = nn.ModuleDict()
        for name in dict.fromkeys(plan.outside.values()):
            self.pool[_key(name)] = backbone.copy_outside()
        for name, depth in plan.depths.items():
            layer = backbone.copy_layer(depth)
            self.pool[_key(name)] = SkillLayer(layer, plan.skills.names) if plan.skills else layer
        for task in tasks:
            self.pool[_key(f"{task.name}.head")] = _make_head(backbone, task, pooling, head, seed)
        self.insert = (
            make_insert(plan.inserted, backbone, plan.tasks, seed=seed) if plan.inserted else None
        )
        self._layers = {task: self._make_layers(task) for task in self.tasks}
        # A plain dict: registered as submodules, the views would list every weight once more.
        self._paths = {task: self._make_path(task) for task in self.tasks}

    @classmethod
    def from_backbone(
        cls,
        backbone: str,
        tasks: Sequence[Task],
        plan: SharingPlan,
        *,
        pooling: Pooling = "native",
        head: HeadChoice | str = DEFAULT,
        seed: int = 0,
    ) -> "MultiTaskModel":
        """Build a model from pretrained weights.

        Args:
            backbone: `minilm`, a folder, or a name on the hub.
            tasks: What is trained.
            plan: A row for each of the tasks.
            pooling: `native` for the family's own head; `cls` or `mean` for a linear one.
            head: Which head each task gets, or text that says it: `NAME`, `TASK=NAME`.
            seed: Seed of the heads' weights.

        Returns:
            The model in evaluation mode, on the CPU, in fp32.

        Raises:
            RelevanceError: If the backbone cannot be loaded or has another number of layers.
        """
        loaded = load_backbone(backbone, seed=seed)
        choice = HeadChoice.parse(head)
        return cls(loaded, tasks, plan, pooling=pooling, head=choice, seed=seed).eval()

    def __repr__(self) -> str:
        plan = self.plan  # the pool's own would fill screens
        return f"MultiTaskModel({some(plan.tasks)}; {len(plan.depths)} layers, {plan.depth} a task)"

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names."""
        return tuple(self.definitions)

    def path(self, task: str) -> nn.Module:
        """The modules that one task runs through, head included.

        Args:
            task: A name.

        Returns:
            A module to be called with the inputs as keywords; it returns logits `[batch, outputs]`.
            Its weights are the pool's. Ask a deep copy of it for hidden states or attention maps:
            the hooks by which transformers records them would pile up on shared layers.

        Raises:
            RelevanceError: If the model has no such task.
        """
        if task not in self._paths:
            raise unknown_name("task", task, self.tasks)
        return self._paths[task]

    def layers(self, task: str) -> Sequence[nn.Module]:
        """The layers of a task's path, the lowest first.

        Args:
            task: A name.

        Returns:
            As the path runs them: views where a method puts modules into them.

        Raises:
            RelevanceError: If the model has no such task.
        """
        self.path(task)
        return self._layers[task]

    def path_parameters(self, task: str) -> Iterator[nn.Parameter]:
        """The parameters that a step on one task changes.

        Args:
            task: A name.

        Returns:
            Each of them once.
        """
        return self.path(task).parameters()

    def forward(
        self, task: str, inputs: Mapping[str, Tensor]
    ) -> Float[Tensor, "batch class *place"]:
        """Logits of a batch of one task.

        Args:
            task: A name.
            inputs: Token ids and masks `[batch, length]`, as the backbone's tokenizer names them;
                `[batch, 2, length]` where the head wants texts apart, see `input_form`.

        Returns:
            Logits; for regression one value on the scale that `kinds` has for the task.
        """
        logits: Tensor = self.path(task)(**inputs)
        return logits

    def input_form(self, task: str) -> InputForm:
        """What `forward` wants of a task's inputs.

        Args:
            task: A name.

        Returns:
            Keywords for `hmnet.data.batching.collate`.
        """
        head = cast("Head", self.pool[_key(f"{task}.head")])
        return input_form(self.config, apart=head.apart)

    def embed(self, task: str, ids: Int[Tensor, "*row token"]) -> Float[Tensor, "*row token width"]:
        """Word embeddings alone: what a path takes as `inputs_embeds` in the place of ids.

        Args:
            task: A name.
            ids: Token ids.

        Returns:
            Rows of the table of words, without positions, segments and norm.

        Raises:
            RelevanceError: If the model has no such task.
        """
        base = next(part for part in self.path(task).modules() if isinstance(part, PreTrainedModel))
        embeddings: Tensor = base.get_input_embeddings()(ids)
        return embeddings

    def train(self, mode: bool = True) -> "MultiTaskModel":
        """Switch dropout on or off, in the views too.

        Args:
            mode: True for training.

        Returns:
            The model.
        """
        super().train(mode)
        for path in self._paths.values():
            path.train(mode)
        return self

    def activation_cache(self) -> AbstractContextManager[None]:
        """A context in which each shared layer runs once when tasks are asked one batch in turn.

        Gradients are off inside, and the model must be in evaluation mode.

        Returns:
            The context manager; what the layers remember is freed at its end.
        """
        modules = [layer for layers in self._layers.values() for layer in layers]
        for name in set(self.plan.outside.values()):
            modules += _beside(self.pool[_key(name)], self._layer_list)
        return activation_cache(dict.fromkeys(modules))

    def save_pretrained(self, folder: Path) -> None:
        """Write `backbone_config.json`, `plan.json` and `weights.safetensors`.

        Args:
            folder: Made if missing; files of these names are replaced.

        Raises:
            RelevanceError: If the folder cannot be written.
        """
        write_text(folder / OWN_CONFIG, self.config.to_json_string())
        blueprint = Blueprint(
            pooling=self.pooling,
            head=self.head,
            tasks=tuple(self.definitions.values()),
            plan=self.plan,
            scales=self.scales,
        )
        # Where the data lay is the run's affair; a model folder may be carried elsewhere.
        content = blueprint.model_dump(mode="json", exclude={"tasks": {"__all__": {"source"}}})
        if not self.scales:
            del content["scales"]
        write_json(folder / "plan.json", SCHEMA, content)
        with replacing(folder / WEIGHTS) as temporary, os_errors():
            save_model(self, str(temporary))

    @classmethod
    def from_pretrained(cls, folder: Path) -> "MultiTaskModel":
        """Read what `save_pretrained` wrote; nothing else is needed.

        Args:
            folder: With `backbone_config.json`, `plan.json` and `weights.safetensors`; in older
                runs the first may be `config.json` and the last `model.safetensors`.

        Returns:
            The model in evaluation mode, on the CPU.

        Raises:
            RelevanceError: If a file is missing, damaged or of a newer version, or is not what was
                written, where the folder has a manifest that says what was.
        """
        check_files(folder)
        plan_file, weights = folder / "plan.json", weights_file(folder)
        blueprint = validated(Blueprint, read_json(plan_file, SCHEMA), str(plan_file))
        config = read_config(folder)
        with readable(folder):
            backbone = Backbone.from_config(config)
        model = cls(
            backbone,
            blueprint.tasks,
            blueprint.plan,
            pooling=blueprint.pooling,
            head=blueprint.head,
            scales=blueprint.scales,
        )
        try:
            load_model(model, weights)
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = str(error).strip().partition("\n")[0].rstrip(".:")
            raise RelevanceError(f"{weights} cannot be loaded: {reason}.") from error
        return model.eval()

    def _make_path(self, task: str) -> nn.Module:
        """The view of one task."""
        layers = nn.ModuleList(self._layers[task])
        outside = cast("PreTrainedModel", self.pool[_key(self.plan.outside[task])])
        head = cast("Head", self.pool[_key(f"{task}.head")])
        return head.path(graft(outside, {self._layer_list: layers}))

    def _make_layers(self, task: str) -> list[nn.Module]:
        """The layers of a path; tasks that use the very same weights have the same objects."""
        layers = [self.pool[_key(name)] for name in self.plan.layers[task]]
        if self.plan.skills:
            skills = self.plan.skills.active[task]
            layers = [cast("SkillLayer", layer).activating(skills) for layer in layers]
        if self.insert:
            layers = [self.insert.view(task, depth, layer) for depth, layer in enumerate(layers)]
        return layers


def _beside(root: nn.Module, name: str) -> list[nn.Module]:
    """The submodules that hang off the way from a module down to a dotted name below it."""
    on_the_way, _, rest = name.partition(".")
    found = [module for child, module in root.named_children() if child != on_the_way]
    return found + (_beside(root.get_submodule(on_the_way), rest) if rest else [])


def _key(name: str) -> str:
    """A name as torch allows it for a submodule; task names hold dots at times, but no slashes."""
    return name.replace(".", "/")


def _make_head(
    backbone: Backbone, task: Task, pooling: Pooling, head: HeadChoice, seed: int
) -> Head:
    """A task's head, the same whatever other tasks there are."""
    with seeded(seed, task.name):
        return head.of(task.name, pooling)(backbone, task, pooling)
