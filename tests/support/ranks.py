"""Several processes that train together, as a launcher would start them."""

import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable
from typing import Any

import torch

from hmnet.training.ranks import Ranks, find_ranks


def joined(work: Callable[[Ranks], Any], count: int = 2) -> list[Any]:
    """What each of several new processes makes of its rank; `Died` of those that end otherwise."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork")  # the others would import torch anew
    ends = []
    for number in range(count):
        end, child = context.Pipe(duplex=False)
        environment = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        environment |= {"WORLD_SIZE": str(count), "RANK": str(number), "LOCAL_RANK": str(number)}
        process = context.Process(target=_join, args=(environment, work, child))
        process.start()
        child.close()
        ends.append((end, process))
    found = []
    for end, process in ends:
        try:
            found.append(end.recv() if end.poll(300) else "silent")
        except EOFError:
            found.append("died")
        process.join(30)
    return found


def _join(environment: dict[str, str], work: Callable[[Ranks], Any], end: Any) -> None:
    from accelerate.state import PartialState

    PartialState._reset_state()  # a copy of what the tests' own process may have
    os.environ.update(environment)
    torch.set_num_threads(1)
    try:
        end.send(work(find_ranks("cpu", seed=0)))
    except BaseException:
        end.send(traceback.format_exc())
    finally:
        end.close()
        os._exit(0)
