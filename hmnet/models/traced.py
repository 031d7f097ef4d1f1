"""One program that answers for all tasks, in which whatever tasks share is calculated once.

Every path is traced by the backbone's own forward. The traces of tasks that share layers begin with
the same operations on the same weights, so that merging equal operations leaves each layer once.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.export.graph_signature import InputKind
from torch.fx import Node
from torch.utils._pytree import tree_flatten

from hmnet.models.multitask import MultiTaskModel

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
APART = "_apart"  # ends the names of inputs that hold the texts of a row one by one
ROWS, TOKENS = 2, 8  # of the example that is traced; both are free in the program
TO_THE_END = 2**63 - 1
Ids: TypeAlias = Int[Tensor, "row token"]
IdsApart: TypeAlias = Int[Tensor, "row 2 token_apart"]
aten = torch.ops.aten


class AllTasks(nn.Module):
    """Paths of tasks as one module.

    Args:
        models: For each of the tasks the model that has a path for it, most often one for all.
    """

    def __init__(self, models: Mapping[str, MultiTaskModel]) -> None:
        super().__init__()
        self.models = nn.ModuleList(dict.fromkeys(models.values()))
        self._model_of = {task: list(self.models).index(model) for task, model in models.items()}

    def model_of(self, task: str) -> MultiTaskModel:
        """The model that has a path for a task."""
        model = self.models[self._model_of[task]]
        assert isinstance(model, MultiTaskModel)  # noqa: S101  a list of modules knows no more
        return model

    @property
    def example(self) -> dict[str, Tensor]:
        """Inputs of the forms that the tasks read, with a token of padding."""
        ids = torch.ones(ROWS, TOKENS, dtype=torch.int64)
        mask = ids.clone()
        mask[1, -1] = 0
        found = {}
        for task in self._model_of:
            form = self.model_of(task).input_form(task)
            inputs = {"input_ids": ids, "attention_mask": mask}
            if form["with_segments"]:
                inputs["token_type_ids"] = torch.zeros_like(ids)
            for name, values in inputs.items():
                if form["apart"]:
                    # One token fewer: lengths that are the same here would be held for one.
                    found[name + APART] = values[:, None, 1:].repeat(1, 2, 1)
                else:
                    found[name] = values
        return found

    def forward(  # torch.export wants each by its name
        self,
        input_ids: Ids | None = None,
        attention_mask: Ids | None = None,
        token_type_ids: Ids | None = None,
        input_ids_apart: IdsApart | None = None,
        attention_mask_apart: IdsApart | None = None,
        token_type_ids_apart: IdsApart | None = None,
    ) -> dict[str, Tensor]:
        """Logits of a batch for each task.

        Args:
            input_ids: Token ids; for tasks that read a row as one input.
            attention_mask: One for tokens, zero for padding.
            token_type_ids: Segments, for families that have several.
            input_ids_apart: Token ids; for heads that read the texts of a row one by one.
            attention_mask_apart: One for tokens, zero for padding.
            token_type_ids_apart: Segments, for families that have several.

        Returns:
            Logits by the name of the task, as its path gives them.
        """
        joined = (input_ids, attention_mask, token_type_ids)
        apart = (input_ids_apart, attention_mask_apart, token_type_ids_apart)
        answers = {}
        for task in self._model_of:
            model = self.model_of(task)
            own = apart if model.input_form(task)["apart"] else joined
            given = {n: v for n, v in zip(INPUTS, own, strict=True) if v is not None}
            answers[task] = model(task, given)
        return answers


def traced(models: Mapping[str, MultiTaskModel]) -> ExportedProgram:
    """Trace the paths of tasks.

    Args:
        models: For each of the tasks the model that has a path for it, in evaluation mode, on the
            CPU.

    Returns:
        A program that takes as many rows and tokens as wanted, the latter up to the positions of
        the backbone, and returns logits by the name of the task.
    """
    together = AllTasks(models).eval()
    example = together.example
    free = {
        name: {0: Dim("batch"), values.ndim - 1: Dim.DYNAMIC} for name, values in example.items()
    }
    with torch.no_grad():
        program = torch.export.export(
            together, (), kwargs=example, dynamic_shapes=free, strict=False
        )
        if any(map(_changes_its_input, program.graph.nodes)):
            program = program.run_decompositions({})
    merge_equal(program)
    drop_unused(program)
    return program


def merge_equal(program: ExportedProgram) -> None:
    """Leave one of all operations that do the same to the same values.

    Args:
        program: A program in evaluation mode, of operations that change none of their inputs; it is
            changed.
    """
    graph = program.graph
    _merge_constants(program)
    seen: dict[Any, Node] = {}
    for node in list(graph.nodes):
        node.meta.pop("stack_trace", None)  # which has paths of this machine
        if node.op != "call_function":
            continue
        same = _passes_on(node) or seen.setdefault(_key(node), node)
        if same is not node:
            node.replace_all_uses_with(same)
            graph.erase_node(node)
    program.graph_module.recompile()


def drop_unused(program: ExportedProgram) -> None:
    """Take weights that no operation reads out of a program, such as those of tasks left out.

    Args:
        program: A program that was traced; it is changed.
    """
    signature = program.graph_signature
    kept = []
    placeholders = program.graph.find_nodes(op="placeholder")
    for spec, node in zip(signature.input_specs, placeholders, strict=True):
        if spec.kind is InputKind.USER_INPUT or node.users:
            kept.append(spec)
        else:
            program.graph.erase_node(node)
    signature.input_specs[:] = kept
    read = {spec.target for spec in kept}
    for values in (program.state_dict, program.constants):
        for name in values.keys() - read:
            del values[name]
    program.graph_module.recompile()


def _merge_constants(program: ExportedProgram) -> None:
    """Let equal constants, which each path has of its own, be one."""
    names = program.graph_signature.inputs_to_lifted_tensor_constants
    seen: dict[Any, Node] = {}
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in names:
            value = program.constants[names[node.name]]
            if isinstance(value, Tensor):
                key = value.dtype, tuple(value.shape), value.numpy().tobytes()
                node.replace_all_uses_with(seen.setdefault(key, node))


def _passes_on(node: Node) -> Node | None:
    """The node whose value an operation gives as it is."""
    given = node.args[0] if node.args else None
    if not isinstance(given, Node):
        return None
    if node.target is aten.dropout.default:
        return given  # nothing trains
    if node.target is aten.slice.Tensor and node.args[2:] == (0, TO_THE_END):
        return given
    is_cast = getattr(node.target, "overloadpacket", None) is aten.to
    if is_cast and node.meta["val"].dtype == given.meta["val"].dtype:
        return given  # all is on the CPU
    return None


def _key(node: Node) -> Any:
    """What tells whether two operations do the same to the same values; itself where none does."""
    tags = getattr(node.target, "tags", ())
    attention = node.target is aten.scaled_dot_product_attention.default  # random in training alone
    if torch.Tag.nondeterministic_seeded in tags and not attention:
        return node
    arguments, form = tree_flatten((node.args, node.kwargs))
    # 1, 1.0 and True are equal, and do not do the same
    return node.target, form, tuple((type(each), each) for each in arguments)


def _changes_its_input(node: Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and schema.is_mutable
