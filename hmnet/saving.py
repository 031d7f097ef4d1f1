"""What safetensors raises for a full disk, as Python itself raises it."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from safetensors import SafetensorError


@contextmanager
def os_errors() -> Iterator[None]:
    """Turn errors of saving tensors into those that every other way of writing a file raises.

    Yields:
        Nothing.

    Raises:
        OSError: If safetensors could not write, for the reason that the system gave.
    """
    try:
        yield
    except SafetensorError as error:
        found = re.search(r"\(os error (\d+)\)", str(error))
        code = int(found[1]) if found else errno.EIO
        raise OSError(code, os.strerror(code)) from error
