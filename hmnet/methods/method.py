"""The base of methods, which say which layers tasks share and which tasks train together."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from hmnet.methods._defaults import OF_METHODS
from hmnet.sharing.plan import Inserted, SharingPlan, fully_shared
from hmnet.sharing.skill_table import SkillTable
from relevance.choice import Choice, choose
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.registry import Registry
from relevance.tasks.task import Task

if TYPE_CHECKING:
    from hmnet.inserts.insert import AdapterModule
else:
    AdapterModule = Any  # it needs torch, which plain methods do without

MAX_LENGTH = 512


class ModelGroup(NamedTuple):
    """Tasks that one model is trained for; parts are trained one after another.

    Attributes:
        tasks: Names, in the order of the run.
        plan: Layer module that each of them uses at each depth.
    """

    tasks: tuple[str, ...]
    plan: SharingPlan


@dataclass(frozen=True)
class Method(ABC):
    """A way to share layers among tasks.

    Attributes:
        spec: Groups of tasks that share the middle layers; only methods that read clusters look at
            it.
        layers: Numbers of shared, cluster and task layers; None for the default of the depth.
        skills: Skills that each task activates; only methods that read skills look at it, and take
            the built-in table for None.
        modules: An adapter module with its parameters, for methods that put one into the layers;
            None for the one of the method's own name as it is by default.
        max_length: Most tokens of one input, which an adapter module may need; None for the default
            of a run with this method.
    """

    reads_clusters: ClassVar[bool] = False
    reads_skills: ClassVar[bool] = False

    spec: ClusterSpec | None = None
    layers: tuple[int, int, int] | None = None
    skills: SkillTable | None = None
    _: KW_ONLY
    modules: Choice[AdapterModule] | None = None
    max_length: int | None = None

    @abstractmethod
    def plans(self, tasks: Sequence[Task], depth: int) -> tuple[ModelGroup, ...]:
        """The models to train.

        Args:
            tasks: Definitions of all tasks of the run.
            depth: Layers of the backbone.

        Returns:
            Parts that hold every task once; each starts from the pretrained weights and has an
            optimizer and a schedule of its own.

        Raises:
            RelevanceError: If clusters, layers or skills don't fit the tasks or the depth.
        """

    @property
    def note(self) -> str | None:
        """One line for the user about arguments that this method does not use."""
        clusters = {} if self.reads_clusters else {"`clusters`": self.spec, "`layers`": self.layers}
        skills = {} if self.reads_skills else {"`skills`": self.skills}
        unused = [option for option, value in (clusters | skills).items() if value is not None]
        return f"Method '{_name(type(self))}' ignores {' and '.join(unused)}." if unused else None


class AdapterMethod(Method):
    """A method whose tasks share all layers, with the adapter module of its name put into them."""

    def plans(self, tasks: Sequence[Task], depth: int) -> tuple[ModelGroup, ...]:
        """One group with all tasks."""
        names = tuple(task.name for task in tasks)
        default = find_method(_name(type(self)))
        modules = self.modules or default.modules
        max_length = self.max_length or default.defaults.get("max_length", MAX_LENGTH)
        inserted = Inserted(modules=modules, max_length=max_length)
        plan = fully_shared(names, depth).model_copy(update={"inserted": inserted})
        return (ModelGroup(names, plan),)


methods = Registry("method", Method)
"""All methods, by name."""


@dataclass(frozen=True)
class ChosenMethod:
    """A method and what was chosen for it; as text it can be chosen again.

    Attributes:
        name: The method's.
        member: Class of the method.
        modules: Adapter modules in the layers, with their parameters; None for nothing.
    """

    name: str
    member: type[Method]
    modules: Choice[AdapterModule] | None = None

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Settings of a run that have other defaults with this method."""
        return OF_METHODS.get(self.name, {})

    def __str__(self) -> str:
        return str(self.modules or self.name)

    def build(self, *given: Any, **others: Any) -> Method:
        """The method for a run, of all that its constructor takes beside the modules."""
        return self.member(*given, **others, modules=self.modules)


def find_method(text: str | ChosenMethod) -> ChosenMethod:
    """The method that a setting stands for.

    Args:
        text: `NAME`, or `NAME:parameter=value,...` for a method that puts modules into the layers;
            the parameters are those of the adapter module of its name. A choice is returned
            as it is.

    Returns:
        The choice; texts that mean the same give the same one.

    Raises:
        RelevanceError: If there is no such method or parameter, or a value is out of range.

    >>> str(find_method("camtl: alignment=off, variant=paper"))
    'camtl:alignment=off'
    """
    if isinstance(text, ChosenMethod):
        return text
    name, _, parameters = (part.strip() for part in text.partition(":"))
    member = methods.find(name)
    if issubclass(member, AdapterMethod):
        from hmnet.inserts.insert import adapter_modules

        return ChosenMethod(name, member, choose(adapter_modules, text))
    if parameters:
        raise RelevanceError(
            f"Method '{name}' takes no parameters, got '{parameters}'. Leave them out."
        )
    return ChosenMethod(name, member)


def _name(member: type[Method]) -> str:
    return member.__module__.rpartition(".")[2]
