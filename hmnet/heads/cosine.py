"""A head for the similarity of two texts that the encoder reads one by one: their cosine."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  what everybody calls it

from hmnet.backbones.backbone import Backbone
from hmnet.heads._choice import Pooling
from hmnet.heads.head import Head
from hmnet.heads.linear import dropout_of, linear_layer
from hmnet.kinds.kind import TokenLevelKind, kind_of
from relevance.errors import RelevanceError
from relevance.tasks.task import Task


class CosineHead(Head):
    """ReLU of the cosine of two vectors after dropout and one linear projection for both.

    A cosine of 1 is the upper end of the task's range and one of 0 or below the lower end, so for a
    range of [0, 5] the value is 5 times the report's ReLU. Three texts are the first against the
    other two, joined.

    Args:
        backbone: Backbone whose hidden size, dropout and initialisation are used.
        task: A regression on two texts or three.
        pooling: `mean` or `cls`.

    Raises:
        RelevanceError: If the task is another.

    Source:
        Li (2024), CS224N report: the similarity head.
    """

    poolings = ("mean", "cls")
    apart = True
    bounded = True

    def __init__(self, backbone: Backbone, task: Task, pooling: Pooling) -> None:
        super().__init__(backbone, task, pooling)
        self.check(task)
        width = int(backbone.config.hidden_size)
        self.dropout = dropout_of(backbone)
        self.project = linear_layer(backbone, width, width)

    @classmethod
    def check(cls, task: Task) -> None:
        """Refuse a task that is no regression on two texts or three."""
        if task.kind == "regression" and len(task.text) > 1:
            return
        other = "linear" if isinstance(kind_of(task), TokenLevelKind) else "siamese"
        what = "has one text" if task.kind == "regression" else f"is {task.kind}"
        raise RelevanceError(
            f"Head 'cosine' is for regression on two texts, but task '{task.name}' {what}."
            f" Give it another, such as `head='cosine,{task.name}={other}'`."
        )

    def forward(self, vectors: Float[Tensor, "batch text hidden"]) -> Float[Tensor, "batch 1"]:
        """Similarity of the two texts of each row.

        Args:
            vectors: Two per row.

        Returns:
            Values in [0, 1].
        """
        u, v = self.project(self.dropout(vectors)).unbind(dim=1)
        return F.relu(F.cosine_similarity(u, v, dim=-1)).unsqueeze(-1)
