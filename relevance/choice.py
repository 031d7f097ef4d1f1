"""A component as a user names it, with parameters of its own: `temperature:cap=1000`.

Parameters stand in the constructor of the component that has them and nowhere else, so that no
setting is there for components that would ignore it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

from relevance.disk.files import validated
from relevance.errors import RelevanceError
from relevance.registry import Registry

T = TypeVar("T")


@dataclass(frozen=True)
class FromText:
    """Lets a field of settings hold a value that is read from text once, and written as text.

    Stands in an annotation: `Annotated[HeadChoice, FromText(HeadChoice, HeadChoice.parse)]`.

    Attributes:
        kind: Class of the values; one that is given is taken as it is.
        parse: Makes one of text; its `str` gives text that means the same.
    """

    kind: type
    parse: Callable[[str], Any]

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """What pydantic asks of an annotation: how a field is validated and dumped."""

        def read(given: Any, as_text: Callable[[Any], str]) -> Any:
            return given if isinstance(given, self.kind) else self.parse(as_text(given))

        return core_schema.no_info_wrap_validator_function(
            read,
            handler.generate_schema(str),
            serialization=core_schema.to_string_ser_schema(when_used="unless-none"),
        )


@dataclass(frozen=True)
class Choice(Generic[T]):
    """A member of a kind and what was chosen for it; as text it can be chosen again.

    Attributes:
        name: The member's.
        member: Its class.
        parameters: Arguments of its constructor that differ from their defaults.
    """

    name: str
    member: type[T]
    parameters: Mapping[str, Any] = field(hash=False)

    def build(self, *arguments: Any, **others: Any) -> T:
        """Make one.

        Args:
            *arguments: What the constructor takes beside the parameters.
            **others: What it takes beside the parameters by keyword.

        Returns:
            An instance of the member.
        """
        return self.member(*arguments, **others, **self.parameters)

    def __str__(self) -> str:
        chosen = ",".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.name}:{chosen}" if chosen else self.name


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
