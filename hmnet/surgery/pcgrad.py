"""PCGrad: each task's gradient gives up what points against the others'."""

from jaxtyping import Float
from torch import Tensor
from torchjd.aggregation import PCGradWeighting

from hmnet.surgery.surgery import Surgery


class PCGrad(Surgery):
    """Projects each task's gradient off those original gradients of others that it conflicts with.

    A task meets the others in random order, itself left out; the projected gradients are summed.

    Source:
        Yu et al. (2020), "Gradient Surgery for Multi-Task Learning", algorithm 1.
    """

    def __init__(self) -> None:
        self._weighting = PCGradWeighting()

    def weights(self, gramian: Float[Tensor, "task task"]) -> Float[Tensor, " task"]:
        """Weight with which each task's gradient goes into the sum of the projected ones."""
        weights: Tensor = self._weighting(gramian)
        return weights
