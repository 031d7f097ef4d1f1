"""Temperature sampling: rows capped, then flattened by a temperature (1 changes nothing)."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from hmnet.samplers.sampler import Sampler, apportion


@dataclass(kw_only=True)
class Temperature(Sampler):
    """One task and one update per batch, tasks by p ∝ min(n, cap)^(1/T) for n rows.

    An epoch is as many steps as all tasks together have batches, split by p and at least one for
    each task.

    Attributes:
        temperature: T: 1 is proportional to the capped rows, the higher the more uniform.
        cap: Rows of one task that count at most; None for all.

    Source:
        Raffel et al. (2020), section 3.5.2: temperature-scaled mixing with a limit on sizes.
    """

    temperature: Annotated[float, Field(gt=0)] = 2.0
    cap: Annotated[int, Field(ge=1)] | None = None

    def turns(self) -> list[dict[str, int]]:
        """The steps of every epoch split by capped and flattened rows.

        Returns:
            Steps by task, the same in every epoch.
        """
        counted = {task: min(n, self.cap or n) for task, n in self.sizes.items()}
        largest = max(counted.values())  # powers of ratios stay in range at any temperature
        weights = {task: (n / largest) ** (1 / self.temperature) for task, n in counted.items()}
        return [apportion(self.total, weights)] * self.epochs
