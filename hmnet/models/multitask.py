"""The multi-task model: a pool of layers, and for every task a path through it.

Which layers the tasks share is the sharing plan's affair alone, so single-task fine-tuning, hard
sharing and the hierarchical model are this one class. A path is a view of the pretrained backbone
whose layers are modules of the pool; the backbone's own forward runs it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float, Int
from safetensors.torch import save_model
from torch import Tensor, nn
from transformers import PreTrainedModel

from hmnet.backbones.backbone import Backbone, load_backbone
from hmnet.backbones.folder import OWN_CONFIG
from hmnet.data.batching import InputForm, input_form
from hmnet.heads._choice import DEFAULT, HeadChoice, Pooling
from hmnet.heads._joined import JoiningEncoder
from hmnet.heads.head import Head, combining
from hmnet.inserts.insert import AdapterModule, module_key
from hmnet.kinds._reading import reading
from hmnet.kinds.kind import kind_of
from hmnet.models.activation_cache import activation_cache
from hmnet.models.blueprint import SCHEMA, WEIGHTS, Blueprint
from hmnet.models.reading import reading_encoder
from hmnet.models.skillnet import SkillLayer
from hmnet.saving import os_errors
from hmnet.sharing.plan import SharingPlan
from relevance.disk.files import replacing, write_json, write_text
from relevance.errors import unknown_name
from relevance.names import some
from relevance.tasks.task import Task


class MultiTaskModel(nn.Module):
    """One pool of modules and, for every task, the path that its row of the plan makes of them.

    `hmnet.models.build` makes the modules.

    Args:
        blueprint: The tasks, the plan, and what outputs mean.
        backbone: Backbone with its configuration and the place of its layers.
        pool: Every module by its name in the plan; heads are `<task>.head`.
        adapter_module: Modules that a method puts into the layers; None for nothing.

    Attributes:
        blueprint: Blueprint that the model is made of.
        plan: The blueprint's.
        pool: Modules by name, with `/` for `.` in the names.
        insert: The adapter module, by the name that it has in saved weights.
        config: The backbone's configuration.
        definitions: The tasks by name.
        kinds: Kind of each task, its scale included.
        readings: Layers that each task reads.
        layer_list: Where the backbone keeps its layers.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        backbone: Backbone,
        pool: Mapping[str, nn.Module],
        adapter_module: AdapterModule | None = None,
    ) -> None:
        super().__init__()
        self.blueprint, self.plan, self.config = blueprint, blueprint.plan, backbone.config
        self.definitions = {task.name: task for task in blueprint.tasks}
        self.kinds = {
            task.name: kind_of(task, blueprint.scales.get(task.name)) for task in blueprint.tasks
        }
        self.readings = {
            task.name: reading(self.config, task, blueprint.concat) for task in blueprint.tasks
        }
        self.layer_list = backbone.layer_list
        self.pool = nn.ModuleDict({module_key(name): module for name, module in pool.items()})
        self.insert = adapter_module
        self._further_names: dict[str, str] = {}
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
            tasks: Tasks to train.
            plan: A row for each of the tasks.
            pooling: `native` for the family's own head; `cls` or `mean` for a linear one.
            head: Head of each task, or text that says it: `NAME`, `TASK=NAME`.
            seed: Seed of the heads' weights.

        Returns:
            The model in evaluation mode, on the CPU, in fp32.

        Raises:
            RelevanceError: If the backbone cannot be loaded or has another number of layers.
        """
        from hmnet.models.build import assemble  # which makes the parts of this class

        loaded = load_backbone(backbone, seed=seed).up_to(plan.depth)
        choice = HeadChoice.parse(head)
        return assemble(loaded, tasks, plan, pooling=pooling, head=choice, seed=seed).eval()

    def __repr__(self) -> str:
        plan = self.plan  # the pool's own would fill screens
        return f"MultiTaskModel({some(plan.tasks)}; {len(plan.depths)} layers, {plan.depth} a task)"

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names."""
        return tuple(self.definitions)

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return next(self.parameters()).device

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

    def answers_too(self, name: str, task: str) -> None:
        """Let a path answer under a second name, such as that of a diagnostic set.

        Args:
            name: Name that `path`, `kinds` and `input_form` take from now on; it is not saved.
            task: A task of the model.

        Raises:
            RelevanceError: If the model has no such task.
        """
        self._paths[name], self._layers[name] = self.path(task), self._layers[task]
        self.kinds[name], self._further_names[name] = self.kinds[task], task

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

    def head(self, task: str) -> Head:
        """The head of a task.

        Args:
            task: A name.

        Returns:
            The module.
        """
        return cast("Head", self.module(f"{self._further_names.get(task, task)}.head"))

    def module(self, name: str) -> nn.Module:
        """A module of the pool.

        Args:
            name: Name of the module in the plan, or `<task>.head`.

        Returns:
            The module.
        """
        return self.pool[module_key(name)]

    def has(self, name: str) -> bool:
        """Whether there is such a module: layers that no task reads are not made.

        Args:
            name: Name of a module in the plan, or `<task>.head`.

        Returns:
            True if it is there.
        """
        return module_key(name) in self.pool

    def path_parameters(self, task: str) -> Iterator[nn.Parameter]:
        """The parameters that a step on one task changes.

        Args:
            task: A name.

        Returns:
            Each of them once.
        """
        return self.path(task).parameters()

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters of all heads."""
        for task in self.tasks:
            yield from self.head(task).parameters()

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
        """The form of a task's inputs that `forward` takes.

        Args:
            task: A name.

        Returns:
            Keywords for `hmnet.data.batching.collate`.
        """
        head = self.head(task)
        return input_form(self.config, apart=head.apart, further=self.kinds[task].further)

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
            modules += _beside(self.module(name), self.layer_list)
        return activation_cache(dict.fromkeys(modules))

    def save_pretrained(self, folder: Path) -> None:
        """Write `backbone_config.json`, `plan.json` and `weights.safetensors`.

        Args:
            folder: Made if missing; files of these names are replaced.

        Raises:
            RelevanceError: If the folder cannot be written.
        """
        write_text(folder / OWN_CONFIG, self.config.to_json_string())
        # Where the data lay is the run's affair; a model folder may be carried elsewhere.
        content = self.blueprint.model_dump(mode="json", exclude={"tasks": {"__all__": {"source"}}})
        if not self.blueprint.scales:
            del content["scales"]
        if self.blueprint.concat == "none":
            del content["concat"]
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
        from hmnet.models.build import load

        return load(folder)

    def _make_path(self, task: str) -> nn.Module:
        """The view of one task."""
        layers = nn.ModuleList(self._layers[task])
        outside = cast("PreTrainedModel", self.module(self.plan.outside[task]))
        head = self.head(task)
        reading = self.readings[task]
        encoder = reading_encoder(outside, self.layer_list, layers, reading)
        if head.joined is None:
            path = head.path(encoder)
        else:
            path = head.path(JoiningEncoder(encoder, layers, reading, head.joined))
        return combining(path, self.kinds[task])

    def _make_layers(self, task: str) -> list[nn.Module]:
        """The layers of a path; tasks that use the very same weights have the same objects."""
        row = self.plan.layers[task][: self.readings[task].depth]
        layers = [self.module(name) for name in row]
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
