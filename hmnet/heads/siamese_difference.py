"""A siamese head that also looks at how far the two vectors are apart."""

import torch
from jaxtyping import Float
from torch import Tensor

from hmnet.heads.siamese import SiameseHead, Vector


class SiameseDifferenceHead(SiameseHead):
    """A `SiameseHead` on (u, v, |u - v|).

    Args:
        backbone: Backbone whose hidden size, dropout and initialisation are used.
        task: Task, which sets the numbers of texts and outputs.
        pooling: `mean` or `cls`.

    Source:
        Li (2024), CS224N report; Reimers and Gurevych (2019), section 3.
    """

    vectors = 3

    def join(self, u: Vector, v: Vector) -> Float[Tensor, "batch joined"]:
        """Two texts and their absolute difference, side by side."""
        return torch.cat([u, v, (u - v).abs()], dim=-1)
