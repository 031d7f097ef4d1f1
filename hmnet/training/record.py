"""What training took: seconds and rows, kept with the checkpoint and told in the run's folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from relevance.files import read_json, validated, write_json

SCHEMA = "hmnet.training/1"


class Record(BaseModel):
    """One part of a run up to some step, over all the times that it was resumed.

    Attributes:
        seconds: Spent on the steps; checkpoints, and steps that a kill undid, are left out.
        examples: Rows of all batches that were trained, each as often as it was.
    """

    model_config = ConfigDict(frozen=True)

    seconds: float = Field(0.0, ge=0)
    examples: int = Field(0, ge=0)


NOTHING = Record()


class Timing(NamedTuple):
    """What training a run took, all its parts together.

    Attributes:
        seconds: Spent on the steps.
        examples: Rows that were trained, each as often as it was.
    """

    seconds: float
    examples: int

    @property
    def examples_per_s(self) -> float:
        """Rows per second."""
        return self.examples / self.seconds


class _Parts(BaseModel):
    """The file's content."""

    parts: tuple[Record, ...]


def write_records(path: Path, records: Sequence[Record]) -> None:
    """Write what the parts of a run took that are trained by now.

    Args:
        path: Such as `run/training.json`; an older one is replaced.
        records: One per part, in the order of training.

    Raises:
        RelevanceError: If it cannot be written.
    """
    write_json(path, SCHEMA, {"parts": [record.model_dump(mode="json") for record in records]})


def read_records(path: Path) -> tuple[Record, ...]:
    """Read what the parts of a run took.

    Args:
        path: As `write_records` wrote it.

    Returns:
        One per part; none where there is no such file, as in runs of older versions.

    Raises:
        RelevanceError: If the file is damaged.
    """
    if not path.exists():
        return ()
    return validated(_Parts, read_json(path, SCHEMA), str(path)).parts
