"""Several processes that train one model, as `accelerate launch` starts them.

Every process, or rank, holds the whole model and takes its share of the rows of every batch, so all
work on the same task in the same step. Their gradients are summed before anything is done with
them, which leaves the same weights everywhere: the losses are those of one process with the same
batches, rounding and dropout aside.
"""

import atexit
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, TypeVar, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, distributed

from hmnet.samplers.sampler import generator
from hmnet.surgery.surgery import Surgery
from hmnet.training.launch import launched
from relevance.errors import RelevanceError
from relevance.jobs.workers import end_with

T = TypeVar("T")

LAUNCHED_BY_TORCH = "TORCHELASTIC_RUN_ID"  # `torchrun` and `accelerate launch` set it
PATIENCE = timedelta(hours=6)  # for the main process, which alone scores the model


class Share(NamedTuple):
    """The share of a rank in a batch.

    Attributes:
        rows: To be run; at least one.
        part: Weight of their mean loss in that of the batch, in [0, 1].
    """

    rows: Int[np.ndarray, " row"]
    part: float


@dataclass(frozen=True)
class Ranks:
    """The processes that train together, as one of them sees it.

    Attributes:
        number: Rank of this process, from 0.
        count: Number of all processes.
        device: Device that this one trains on, as torch names it.
        seed: Seed of the run.
    """

    number: int
    count: int
    device: str
    seed: int

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes files, scores the model and reports."""
        return self.number == 0

    def note(self) -> str | None:
        """What the user should know.

        Returns:
            One line: how work is divided, or that there is one process where several were asked
            for; None where there is nothing to tell.
        """
        if self.count > 1:
            return (
                f"{self.count} processes train together: of every batch each takes its share of the"
                " rows, so all work on the same task in every step, and gradients are summed."
                " Losses are those of one process but for dropout, which each draws for itself."
            )
        if "MASTER_ADDR" in os.environ and "ACCELERATE_USE_CPU" in os.environ:
            return (
                "accelerate has started one process. On the CPU it starts several with"
                " --multi_gpu in the place of --cpu."
            )
        return None

    def share(self, rows: Int[np.ndarray, " row"]) -> Share:
        """The part of a batch that this rank does, consecutive rows, as many as others or one less.

        A rank for which there is no row runs the first one and counts it for nothing, so that the
        same weights have gradients on all ranks.

        Args:
            rows: Rows of the batch, at least one.

        Returns:
            Own rows, and what they count for.
        """
        own = np.array_split(rows, self.count)[self.number]
        return Share(own, len(own) / len(rows)) if len(own) else Share(rows[:1], 0.0)

    def add_up(self, tensors: Iterable[Float[Tensor, "..."]]) -> None:
        """Sum tensors over all ranks, in place.

        Args:
            tensors: Tensors, as many of the same shapes in the same order on every rank, on the
                rank's device.
        """
        if self.count == 1:
            return
        with _told_by_another():
            works = [distributed.all_reduce(tensor, async_op=True) for tensor in tensors]
            for work in works:
                work.wait()

    def agree(self, decide: Callable[[], T]) -> T:
        """What the main process finds, on every rank.

        Args:
            decide: Called in the main process only; its answer must be picklable.

        Returns:
            The answer.

        Raises:
            RelevanceError: If the main process finds none, in every process with the same words.
        """
        if self.count == 1:
            return decide()
        found: list[tuple[T | None, RelevanceError | None]] = [(None, None)]
        if self.is_main:
            try:
                found = [(decide(), None)]
            except RelevanceError as error:
                found = [(None, error)]
        with _told_by_another():
            distributed.broadcast_object_list(found, device=torch.device(self.device))
        answer, refused = found[0]
        if refused is not None:
            raise refused
        return cast("T", answer)

    def wait(self) -> None:
        """Wait until all ranks are here."""
        if self.count == 1:
            return
        here = torch.zeros(1, device=self.device)
        self.add_up([here])
        here.item()  # on a GPU nobody waits before something is read

    def reseed(self, step: int) -> None:
        """Give dropout of this rank random numbers of its own, which a step decides.

        The main process goes on with the numbers that one process alone would have, so it alone has
        a random state to keep.

        Args:
            step: Number of the step.
        """
        if not self.is_main:
            numbers = generator(self.seed, "rank", self.number, step)
            torch.manual_seed(int(numbers.integers(2**63)))


ALONE = Ranks(0, 1, "auto", 0)
"""A process that trains on its own: its share is everything, and it agrees with itself."""


@dataclass(frozen=True)
class OneDecision(Surgery):
    """Surgery whose random choices are those of the main process.

    Attributes:
        surgery: Surgery that decides there.
        ranks: All processes.
    """

    surgery: Surgery
    ranks: Ranks

    def weights(self, gramian: Float[Tensor, "task task"]) -> Float[Tensor, " task"]:
        """Factors that are equal on every rank, on the CPU."""
        return torch.tensor(self.ranks.agree(lambda: self.surgery.weights(gramian).tolist()))


@contextmanager
def _told_by_another() -> Iterator[None]:
    """Say in one line that another process has gone, which has said why."""
    try:
        yield
    except RuntimeError as error:
        raise RelevanceError(
            "Another of the processes that train together has ended; its own message says why."
            " Start all of them again with `resume=True`."
        ) from error


def find_ranks(device: str, seed: int) -> Ranks:
    """Join the other processes, if a launcher has started several.

    Args:
        device: Device as the user names it.
        seed: Seed of the run.

    Returns:
        The ranks; `ALONE` for a process that was started by hand.

    Raises:
        RelevanceError: If the device is one GPU, as each process has its own.
    """
    count = launched(os.environ)
    if count == 1:
        return ALONE
    if ":" in device:
        raise RelevanceError(
            f"`device={device!r}` is one device, but {count} processes train together, each on its"
            ' own. Leave it out, or take `device="cpu"`.'
        )
    from accelerate import PartialState
    from accelerate.utils import parse_flag_from_env

    on_cpu = device == "cpu" or parse_flag_from_env("ACCELERATE_USE_CPU")
    state = PartialState(cpu=on_cpu or not torch.cuda.is_available(), timeout=PATIENCE)
    atexit.register(state.destroy_process_group)
    if LAUNCHED_BY_TORCH in os.environ:
        # A launcher that is killed leaves its processes behind, which would hold the run's folder.
        end_with(os.getppid())
    return Ranks(state.process_index, state.num_processes, str(state.device), seed)
