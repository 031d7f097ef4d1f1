"""Defaults of a run's settings that methods have of their own.

They stand apart from the methods, so that help says them without importing what methods need.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hmnet.sharing.freeze import Freeze
from relevance.tasks.groups import GROUPS, ungrouped

OF_METHODS: Mapping[str, Mapping[str, Any]] = {
    "adapters": {"freeze": Freeze(everything=True)},
    "camtl": {
        "max_length": 128,
        "freeze": Freeze(percent=50),
        "epochs": 5,
        "warmup": 0.1,
        "optimizer": "adam",
    },
}
OF_GROUPS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("camtl", "camtl24"): {"max_length": 256, "epochs": 8},
}
"""Defaults of a method for a run of all tasks of a group, before those of the method.

Source:
    El Hattami (2021), settings of Tables 3.4 and 3.5.
"""


def defaults_for(method: str, tasks: Sequence[str]) -> Mapping[str, Any]:
    """Defaults of a run's settings.

    Args:
        method: Name of the method.
        tasks: Names of the run's tasks and groups, in any case and order.

    Returns:
        Those of the method, and of the group where the tasks are exactly those of one.

    >>> defaults_for("camtl", ["camtl24"])["epochs"], defaults_for("camtl", ["RTE"])["epochs"]
    (8, 5)
    """
    named = {name.lower() for name in ungrouped(tasks)}
    found = dict(OF_METHODS.get(method, {}))
    for (name, group), values in OF_GROUPS.items():
        if name == method and named == {each.lower() for each in GROUPS[group]}:
            found |= values
    return found
