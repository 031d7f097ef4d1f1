"""What a launcher says of the processes that it has started; asked without loading torch."""

import os
from collections.abc import Mapping

# launchers' names for how many processes there are, and for the number of each
SIZES = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
NUMBERS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")


def is_main_process() -> bool:
    """Whether this process is the one that talks to the user.

    Returns:
        True for a process on its own, and for the first of several.
    """
    return launched(os.environ) == 1 or all(os.environ.get(n, "0") == "0" for n in NUMBERS)


def launched(environment: Mapping[str, str]) -> int:
    """Number of processes that a launcher has started.

    Args:
        environment: Variables that it sets for them.

    Returns:
        1 for a process that was started by hand.

    >>> launched({"MASTER_ADDR": "127.0.0.1", "WORLD_SIZE": "4"}), launched({})
    (4, 1)
    """
    if "MASTER_ADDR" not in environment:
        return 1
    return max(int(environment.get(name, "1")) for name in SIZES)
