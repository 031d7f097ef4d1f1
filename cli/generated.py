"""Options made of the fields of settings, which say name, type, bounds, default and description."""

import dataclasses
import inspect
from collections.abc import Collection, Mapping
from pathlib import Path
from pkgutil import resolve_name
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import typer

from cli.completion import completer
from cli.lists import split_layers, split_names
from relevance.registry import members_of

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from relevance.choice import InHelp

Given = dict[str, Any]
"""Values of settings by field, those that were given on the command line only."""

PLAIN = (int, float, bool, str, Path)


class SettingsOf:
    """A group of options, one for each of some settings; the command gets those that are given.

    Args:
        model: The class of settings, as `package.module:name`; it is imported when the options are
            asked for. A dataclass has its fields' descriptions and bounds in their annotations.
        chosen: Names of its fields, or where they stand as `package.module:name`; None for all.
        panel: Heading of the options; None for the field's own, else the title of the class.
        default: In words, what holds where nothing is given, for all of them or by field; None for
            the default of each field.
    """

    def __init__(
        self,
        model: str,
        chosen: Collection[str] | str | None = None,
        *,
        panel: str | None = None,
        default: str | Mapping[str, str] | None = None,
    ) -> None:
        self._model, self._chosen = model, chosen
        self._panel, self._default = panel, default

    def fields(self) -> "dict[str, FieldInfo]":
        """The fields, the class's own before those that it inherits."""
        model = resolve_name(self._model)
        known = _fields(model)
        chosen = resolve_name(self._chosen) if isinstance(self._chosen, str) else self._chosen
        names = [name for name in known if chosen is None or name in chosen]
        names.sort(key=lambda name: _owner(model, name) is not model)
        return {name: known[name] for name in names}

    def parameters(self) -> list[inspect.Parameter]:
        """The options, as parameters that typer reads."""
        model, default, fields = resolve_name(self._model), self._default, self.fields()
        by_method = getattr(model, "defaults_of_methods", {}) if "method" in fields else {}
        return [
            option(
                name,
                field,
                others={how: own[name] for how, own in by_method.items() if name in own},
                panel=self._panel or in_help(field).panel or _title(model, name),
                default=default[name] if isinstance(default, Mapping) else default,
            )
            for name, field in fields.items()
        ]

    def value(self, options: Mapping[str, Any]) -> Given:
        """What was given, as the settings take it."""
        fields = self.fields()
        given = {name: value for name, value in options.items() if value not in (None, [])}
        return {name: _as_setting(name, fields[name], value) for name, value in given.items()}


def _fields(model: Any) -> "dict[str, FieldInfo]":
    """The fields of a class of settings, whichever kind of class it is."""
    if not dataclasses.is_dataclass(model):
        return dict(model.model_fields)
    from pydantic.fields import FieldInfo

    hints = get_type_hints(model, include_extras=True)
    return {
        each.name: FieldInfo.from_annotated_attribute(hints[each.name], each.default)
        for each in dataclasses.fields(model)
    }


def _owner(model: Any, field: str) -> Any:
    """The class that states a field."""
    return next(each for each in model.__mro__ if field in vars(each).get("__annotations__", {}))


def _title(model: Any, field: str) -> str | None:
    title: str | None = getattr(_owner(model, field), "model_config", {}).get("title")
    return title


def option(
    name: str,
    field: "FieldInfo",
    *,
    panel: str | None,
    default: str | None,
    others: Mapping[str, object],
) -> inspect.Parameter:
    """The option of one setting.

    Args:
        name: The field's; the option has hyphens for underscores.
        field: What settings say of it.
        panel: Heading of the group it stands in.
        default: In words, what holds where it is not given; None for what the field says.
        others: Defaults that hold with some methods, by the method's name.

    Returns:
        A parameter that typer makes the option of. It is None where it was not given, so that a
        file or a method may say otherwise; help shows the setting's default.
    """
    shown = in_help(field)
    kind = _kind(field, shown)
    flag = f"--{name.replace('_', '-')}"
    said = typer.Option(
        f"{flag}/--no-{flag[2:]}" if kind is bool else flag,
        help=_help(field, shown, others),
        metavar=shown.metavar,
        show_default=default or _default(field, shown),
        rich_help_panel=panel,
        autocompletion=completer(name, shown.members),
        **_bounds(field),
    )
    needed = field.is_required() and shown.default is None
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if needed else None,
        annotation=Annotated[kind if needed else kind | None, said],
    )


def in_help(field: "FieldInfo") -> "InHelp":
    """What a field says for help only."""
    from relevance.choice import InHelp

    return next((each for each in field.metadata if isinstance(each, InHelp)), InHelp())


def _kind(field: "FieldInfo", shown: "InHelp") -> Any:
    """The type that typer parses; text for what settings read from text, a path for a table."""
    inner = _inner(field.annotation)
    if shown.choices:
        return Literal[shown.choices]
    if shown.several or (get_origin(inner) is tuple and get_args(inner)[-1] is ...):
        return list[str]
    if any(hasattr(each, "parse") for each in field.metadata) or get_origin(inner) is tuple:
        return str
    if inner in PLAIN or get_origin(inner) is Literal:
        return inner
    return Path if hasattr(inner, "model_fields") else str


def _inner(annotation: Any) -> Any:
    """An annotation without its None."""
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (each for each in get_args(annotation) if each is not NoneType)
    return annotation


def _bounds(field: "FieldInfo") -> dict[str, Any]:
    """Smallest and largest value; a bound that is excluded itself is left to the settings."""
    ends = {"ge": "min", "gt": "min", "le": "max", "lt": "max"}
    return {
        end: getattr(each, name)
        for each in field.metadata
        for name, end in ends.items()
        if hasattr(each, name)
    }


def _help(field: "FieldInfo", shown: "InHelp", others: Mapping[str, object]) -> str:
    """The description as a sentence, with the names that may be given, and defaults of methods."""
    text = field.description or ""
    members = f" One of {', '.join(members_of(shown.members))}." if shown.members else ""
    end = "" if text.endswith(".") else "."
    own = "".join(f" With {method} it is {value}." for method, value in others.items())
    return f"{text[:1].upper()}{text[1:]}{end}{members}{own}"


def _default(field: "FieldInfo", shown: "InHelp") -> str | bool:
    """The default in words; False for a setting that has to be given."""
    if shown.default is not None or field.is_required():
        return shown.default or False
    default = field.default_factory or field.default
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, float):
        return f"{default:g}".replace("e-0", "e-")
    return "none" if default is None else str(default)


def _as_setting(name: str, field: "FieldInfo", value: Any) -> Any:
    """An option's value as its setting takes it."""
    inner = _inner(field.annotation)
    if get_origin(inner) is tuple and get_args(inner)[-1] is ...:
        return split_names(value)
    if get_origin(inner) is tuple:
        return split_layers(value, f"--{name}")
    return ",".join(value) if in_help(field).several else value
