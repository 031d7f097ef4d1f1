"""What the jobs of a study may use, as a user chooses it: devices, workers, an engine."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from relevance.choice import InHelp


@dataclass(frozen=True)
class Resources:
    """Devices and workers, and what starts them.

    Workers on the CPU share the cores that the process is granted, unless `$OMP_NUM_THREADS` says
    how many threads each has. They are few unless told, as each holds a model in memory
    (`benchmarks/RESULTS.md`).
    """

    gpus: Annotated[
        int | None,
        Field(ge=0, description="GPUs to use; 0 for the CPU"),
        InHelp("N", "all visible, else the CPU"),
    ] = None
    jobs: Annotated[
        int | None,
        Field(ge=1, description="workers on the CPU"),
        InHelp("N", "one per core, 4 at most"),
    ] = None
    jobs_per_gpu: Annotated[int, Field(ge=1, description="workers on each GPU"), InHelp("N")] = 1
    engine: Annotated[
        str,
        Field(description="what runs the jobs"),
        InHelp("ENGINE", members="relevance.jobs.engines"),
    ] = "local"
    address: Annotated[
        str | None,
        Field(description="where a Dask or Ray cluster listens, or Dask's scheduler file"),
        InHelp("A", "workers on this machine"),
    ] = None
