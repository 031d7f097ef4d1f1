"""Settings that a text of the library names, as options: `lr=1e-3` in backticks as --lr 1e-3."""

import re
import shlex
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

SETTING = re.compile(r"\\?`((?:[a-z]|\\?_)+)(?:=([^`]+?))?\\?`")  # backslashes are Markdown's
COLUMN = "COLUMN"
"""Placeholder of an option that says which column of a file is which."""
LIST = re.compile(r"[(\[](.*)[)\]]")

Options = Mapping[str, tuple[str, str]]
"""An option by the setting's name, and the one that says no; empty where there is none."""

_running: Options = {}


def options_of(parameters: Iterable[Any]) -> Options:
    """The options of a command by the names of settings.

    Args:
        parameters: What the command takes, arguments too.

    Returns:
        By each option's name, underscores for hyphens.
    """
    return {
        each.opts[0].removeprefix("--").replace("-", "_"): (
            each.opts[0],
            next(iter(each.secondary_opts), ""),
        )
        for each in parameters
        if each.opts[0].startswith("--")
    }


def runs(options: Options) -> None:
    """Say which options a text means from now on where several commands have one of a name.

    Args:
        options: Those of the command that is run.
    """
    global _running
    _running = options


def in_flags(text: str, options: Options | None = None) -> str:
    """Say how settings are given on the command line.

    Args:
        text: Such as ``Leave out `max_train`.``, with settings in backticks as Python would have
            them.
        options: What there is; None for the options of the command that runs, and for what it does
            not take those of all others, since advice may be to run one of these.

    Returns:
        The text with options in the place of settings; what is no option stays as it is.
    """

    def flag(found: re.Match[str]) -> str:
        name, value, as_it_is = found[1].replace("\\", ""), found[2], str(found[0])
        known = _running if options is None else options
        if name not in known and options is None:
            known = _of_all_commands()
        yes, no = known.get(name, ("", ""))
        if not yes or value is None or value == "True":
            return yes or as_it_is
        if value == "False":
            return no or as_it_is
        return f"{yes} {_plain(value)}"

    return SETTING.sub(flag, text)


@cache
def _of_all_commands() -> Options:
    """The options of every command, those aside that say which column of a file is which."""
    import cli.hmnet
    import cli.relevance
    from cli.commands import parameters_of

    apps = (cli.relevance.app, cli.hmnet.app)
    # `source` and `target` are columns to one command, and keys of TOML files to all others.
    return options_of(each for app in apps for each in parameters_of(app) if each.metavar != COLUMN)


def _plain(value: str) -> str:
    """A Python value as an option takes it.

    >>> _plain('"absolute"'), _plain("(8, 2, 2)"), _plain('["RTE", "CB"]'), _plain("N")
    ('absolute', '8,2,2', 'RTE,CB', 'N')
    >>> _plain("'half of it'"), _plain("50%")
    ("'half of it'", '50%')
    """
    if several := LIST.fullmatch(value):
        return ",".join(_plain(part.strip()) for part in several[1].split(",") if part.strip())
    if value[:1] not in {"'", '"'}:
        return value
    text = value[1:-1]
    return shlex.quote(text) if re.search(r"\s|['\"]", text) or not text else text
