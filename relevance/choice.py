"""A component as a user names it, with parameters of its own: `temperature:cap=1000`.

Parameters stand in the constructor of the component that has them and nowhere else, so that no
setting is there for components that would ignore it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from inspect import Parameter, signature
from pkgutil import resolve_name
from types import NoneType
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

from relevance.disk.files import validated
from relevance.errors import RelevanceError
from relevance.registry import Registry

T = TypeVar("T")


@dataclass(frozen=True)
class FromText:
    """Lets a field of settings hold a value that is read from text once, and written as text.

    Stands in an annotation: `Annotated[HeadChoice, FromText(HeadChoice, HeadChoice.parse)]`. What
    takes time to import is named instead, as `package.module:name`, and imported when the first
    value is read: the help of a command shows settings and reads none.

    Attributes:
        kind: Class of the values; one that is given is taken as it is.
        parse: Function that makes one of text; its `str` gives text that means the same.
    """

    kind: type | str
    parse: Callable[[str], Any] | str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Tell pydantic how a field is validated and dumped."""
        optional = NoneType in get_args(source)

        def read(given: Any, as_text: Callable[[Any], str]) -> Any:
            if isinstance(given, _imported(self.kind)) or (optional and given is None):
                return given
            return _imported(self.parse)(as_text(given))

        # To JSON schemas and in files such a field is text, whatever value it holds in memory.
        return core_schema.no_info_wrap_validator_function(
            read,
            handler.generate_schema(str),
            serialization=core_schema.to_string_ser_schema(when_used="unless-none"),
        )


@dataclass(frozen=True)
class Named:
    """A factory of the default of a field of text when it is needed; see `FromText`.

    Attributes:
        parse: Function that reads the text, as `package.module:name`.
        text: Text that it reads, which help shows.
    """

    parse: Callable[[str], Any] | str
    text: str

    def __call__(self) -> Any:
        """The value."""
        return _made(self)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class InHelp:
    """Words for the help of a setting, beside its description, type, default and bounds.

    Stands in the annotation of a field: `Annotated[int, InHelp(metavar="N")]`.

    Attributes:
        metavar: Word for a value; None for the name of its type.
        default: Words for what holds where nothing is given; None for the field's default.
        members: Package of a kind whose members the value names, which are listed.
        panel: Heading of the group of options; None for the title of the settings' class.
        several: Whether the option can be given several times, each with a list with commas.
        choices: The values that there are, where the type does not say them.
    """

    metavar: str | None = None
    default: str | None = None
    members: str | None = None
    panel: str | None = None
    several: bool = False
    choices: tuple[str, ...] = ()


@cache
def _made(default: Named) -> Any:
    """The value of a default, which is frozen and so can be that of many settings."""
    return _imported(default.parse)(default.text)


@cache
def _imported(named: Any) -> Any:
    """An object, or what is found under its name."""
    return resolve_name(named) if isinstance(named, str) else named


@dataclass(frozen=True)
class Choice(Generic[T]):
    """A member of a kind and what was chosen for it; as text it can be chosen again.

    Attributes:
        name: Name of the member.
        member: Class of the member.
        parameters: Arguments of its constructor that differ from their defaults.
    """

    name: str
    member: type[T]
    parameters: Mapping[str, Any] = field(hash=False)

    def build(self, *arguments: Any, **others: Any) -> T:
        """Make an instance of the member, from its parameters and whatever else it takes."""
        return self.member(*arguments, **others, **self.parameters)

    def __str__(self) -> str:
        chosen = ",".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.name}:{chosen}" if chosen else self.name


@dataclass(frozen=True)
class Choosing:
    """Reads a choice among the members of a kind, which is imported when the first text is read.

    Attributes:
        registry: Function that gives all members of the kind, as `package.module:name`.
    """

    registry: str

    def __call__(self, text: str) -> Choice[Any]:
        """The member that a text names, with its parameters; see `choose`."""
        return choose(_imported(self.registry), text)


def choose(registry: Registry[T], text: str) -> Choice[T]:
    """The member that a text names, with its parameters checked.

    Args:
        registry: All members of the kind.
        text: `NAME`, or `NAME:parameter=value,...`. A member's parameters are the arguments of its
            constructor that have defaults, with the bounds of their annotations.

    Returns:
        The choice; texts that mean the same give the same one.

    Raises:
        RelevanceError: If there is no such member or parameter, or a value is out of range.
    """
    name, _, rest = text.partition(":")
    name = name.strip()
    member = registry.find(name)
    where = f"{registry.kind} '{name}'"
    given = _pairs(rest, where)
    model = _parameters(member)
    if given and not model.model_fields:
        raise RelevanceError(f"{where} takes no parameters, got '{rest}'. Leave them out.")
    # Defaults are left out, so that texts which mean the same give one choice and one cache key.
    chosen = validated(model, given, where).model_dump(exclude_defaults=True)
    return Choice(name, member, chosen)


def _pairs(text: str, where: str) -> dict[str, str]:
    """`cap=3, temperature=2` as a dictionary."""
    pairs: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        name = name.replace("-", "_")
        if not (name and equals and value):
            raise RelevanceError(f"{where}: '{part}' is not of the form parameter=value.")
        if name in pairs:
            raise RelevanceError(f"{where}: {name} is given twice. Give it once.")
        pairs[name] = value
    return pairs


def _parameters(member: type) -> type[BaseModel]:
    """The constructor's arguments with defaults, as a model that checks text."""
    fields: dict[str, Any] = {
        name: (argument.annotation, argument.default)
        for name, argument in signature(member).parameters.items()
        if argument.default is not Parameter.empty
    }
    return create_model(member.__name__, __config__=ConfigDict(extra="forbid"), **fields)
