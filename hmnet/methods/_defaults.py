"""Defaults of a run's settings that methods have of their own.

They stand apart from the methods, so that help says them without importing what methods need.
"""

from collections.abc import Mapping
from typing import Any

from hmnet.sharing.freeze import Freeze

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
