"""The multi-task model: a pool of layers, and for every task a path through it.

Which layers the tasks share is the sharing plan's affair alone, so single-task fine-tuning, hard sharing
and the hierarchical model are this one class. A path is a view of the pretrained backbone whose layers
are modules of the pool; the backbone's own forward runs it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hmnet.heads.head import Head
from hmnet.heads.linear import LinearHead
from hmnet.heads.native import NativeHead
from hmnet.models.backbone import Backbone, graft, load_backbone
from hmnet.models.plan import SharingPlan
from relevance.errors import RelevanceError
from relevance.tasks.task import Task

Pooling = Literal["native", "cls", "mean"]


class MultiTaskModel(nn.Module):
    """One pool of modules and, for every task, the path that its row of the plan makes of them.

    Every layer starts as a copy of the pretrained layer at its depth, every head from a seed that
    depends on nothing but `seed` and the task's name.

    Args:
        backbone: Where the weights come from.
        tasks: What is trained, in any order.
        plan: A row for each of the tasks.
        pooling: `native` for the family's own head; `cls` or `mean` for a linear one.
        seed: Of the heads' weights.

    Attributes:
        pool: Every module of the model, by the plan's names with `/` for `.`; heads are `<task>/head`.
        plan: The plan.
        config: The backbone's configuration.
        pooling: As given.
    """

    def __init__(
        self,
        backbone: Backbone,
        tasks: Sequence[Task],
        plan: SharingPlan,
        *,
        pooling: Pooling = "native",
        seed: int = 0,
    ) -> None:
        super().__init__()
        if {task.name for task in tasks} != set(plan.tasks):
            raise ValueError(f"The plan is for {plan.tasks}, the tasks are others.")
        if plan.depth != backbone.depth:
            raise RelevanceError(
                f"The sharing plan has {plan.depth} layers, but the backbone has {backbone.depth}."
            )
        self.plan, self.pooling, self.config = plan, pooling, backbone.config
        self._tasks = {task.name: task for task in tasks}
        self.pool = nn.ModuleDict()
        for name in dict.fromkeys(plan.outside.values()):
            self.pool[_key(name)] = backbone.copy_outside()
        for name, depth in plan.depths.items():
            self.pool[_key(name)] = backbone.copy_layer(depth)
        for task in tasks:
            self.pool[_key(f"{task.name}.head")] = _make_head(backbone, task, pooling, seed)
        # A plain dict: registered as submodules, the views would list every weight once more.
        self._paths = {task: self._make_path(task, backbone.layer_list) for task in self.tasks}

    @classmethod
    def from_backbone(
        cls,
        backbone: str,
        tasks: Sequence[Task],
        plan: SharingPlan,
        *,
        pooling: Pooling = "native",
        seed: int = 0,
    ) -> Self:
        """Build a model from pretrained weights.

        Args:
            backbone: `minilm`, a folder, or a name on the hub.
            tasks: What is trained.
            plan: A row for each of the tasks.
            pooling: `native` for the family's own head; `cls` or `mean` for a linear one.
            seed: Of the heads' weights.

        Returns:
            The model in evaluation mode, on the CPU, in fp32.
        """
        loaded = load_backbone(backbone, seed=seed)
        return cls(loaded, tasks, plan, pooling=pooling, seed=seed).eval()

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names."""
        return tuple(self._tasks)

    def path(self, task: str) -> nn.Module:
        """The modules that one task runs through, head included.

        Args:
            task: A name.

        Returns:
            A module to be called with the inputs as keywords; it returns logits `[batch, outputs]`. Its
            weights are the pool's.
        """
        return self._paths[task]

    def path_parameters(self, task: str) -> Iterable[nn.Parameter]:
        """The parameters that a step on one task changes.

        Args:
            task: A name.

        Returns:
            Each of them once.
        """
        return self.path(task).parameters()

    def forward(self, task: str, inputs: Mapping[str, Tensor]) -> Float[Tensor, "batch outputs"]:
        """Logits of a batch of one task.

        Args:
            task: A name.
            inputs: Token ids and masks `[batch, length]`, as the backbone's tokenizer names them.

        Returns:
            Logits; for regression one value on the scale of [0, 1].
        """
        logits: Tensor = self.path(task)(**inputs)
        return logits

    def train(self, mode: bool = True) -> Self:
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

    def _make_path(self, task: str, layer_list: str) -> nn.Module:
        """The view of one task."""
        layers = nn.ModuleList(self.pool[_key(name)] for name in self.plan.layers[task])
        encoder = graft(self.pool[_key(self.plan.outside[task])], {layer_list: layers})
        head: Head = self.pool[_key(f"{task}.head")]
        return head.path(encoder)


def _key(name: str) -> str:
    """A name as torch allows it for a submodule; task names hold dots at times, but no slashes."""
    return name.replace(".", "/")


def _make_head(backbone: Backbone, task: Task, pooling: Pooling, seed: int) -> Head:
    """A task's head, the same whatever other tasks there are."""
    with torch.random.fork_rng(devices=[]):
        number = hashlib.sha256(f"{seed}/{task.name}".encode()).digest()[:8]
        torch.default_generator.manual_seed(int.from_bytes(number, "little", signed=True))
        if pooling == "native":
            return NativeHead(backbone, task)
        return LinearHead(backbone, task, pooling)
