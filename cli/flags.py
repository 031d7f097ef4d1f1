"""Settings that a text names, as the options of the command that runs."""

import re
from collections.abc import Iterable
from typing import Any

SETTING = re.compile(r"`([a-z_]+)(?:=([^`]+))?`")
LIST = re.compile(r"[(\[](.*)[)\]]")


class Flags:
    """The options of a command by the names of the settings they are for.

    Args:
        options: What the command takes, arguments too.
    """

    current: "Flags"

    def __init__(self, options: Iterable[Any] = ()) -> None:
        self._flags: dict[str, tuple[str, str]] = {
            option.name: (option.opts[0], [*option.secondary_opts, ""][0])
            for option in options
            if option.opts and option.opts[0].startswith("--")
        }

    def use(self) -> None:
        """Make these the options of the command that runs."""
        Flags.current = self

    def tell(self, text: str) -> str:
        """Say how settings are given on the command line.

        Args:
            text: Such as ``Leave out `max_train`.`` Settings stand in backticks, as Python would
                have them.

        Returns:
            The text with the options in place of settings; what is no option stays as it is.
        """
        return SETTING.sub(self._flag, text)

    def _flag(self, found: re.Match[str]) -> str:
        flag, off = self._flags.get(found[1], ("", ""))
        value, as_it_is = found[2], str(found[0])
        if not flag:
            return as_it_is
        if value is None or value == "True":
            return flag
        if value == "False":
            return off or as_it_is
        return f"{flag} {_plain(value)}"


def _plain(value: str) -> str:
    """A Python value as an option takes it.

    >>> _plain('"absolute"'), _plain("(8, 2, 2)"), _plain('["RTE", "CB"]'), _plain("N")
    ('absolute', '8,2,2', 'RTE,CB', 'N')
    """
    if several := LIST.fullmatch(value):
        return ",".join(_plain(part.strip()) for part in several[1].split(",") if part.strip())
    return value.strip("\"'")


Flags.current = Flags()
