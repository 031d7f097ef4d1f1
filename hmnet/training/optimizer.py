"""The optimizer, and the learning rate over a run."""

from dataclasses import dataclass

import torch
from torch import nn

from hmnet.models.multitask import MultiTaskModel
from hmnet.settings.config import OptimizerName, ScheduleName
from hmnet.training.row_updates import RowAdamW

OPTIMIZERS: dict[OptimizerName, type[torch.optim.Adam]] = {
    "adamw": torch.optim.AdamW,  # in torch a kind of Adam
    "adam": torch.optim.Adam,
}


def make_optimizer(
    model: nn.Module,
    lr: float,
    weight_decay: float,
    head_lr: float | None = None,
    *,
    name: OptimizerName = "adamw",
    amsgrad: bool = False,
) -> torch.optim.Adam:
    """Adam or AdamW over all weights that are not frozen, fused.

    Args:
        model: Model on the device that it trains on.
        lr: Largest learning rate.
        weight_decay: Weight decay of matrices, embeddings included; biases and norms have none.
            AdamW shrinks the weights by it beside the update; Adam adds it to the gradient (L2),
            where the moments scale it with the rest.
        head_lr: Largest learning rate of the tasks' heads; None for the same.
        name: `adamw` or `adam`.
        amsgrad: Whether a weight's step is divided by the largest second moment it has had so far,
            and not by the present one. The largest one is part of the optimizer's state.

    Returns:
        The optimizer. It leaves a weight without gradient alone, its decay too, so that a step on
        one task changes its own path only. The heads' groups hold `lr_factor`, the ratio of their
        rate to the others'.

    Source:
        Kingma and Ba (2015), "Adam"; Loshchilov and Hutter (2019), "Decoupled Weight Decay
        Regularization"; Reddi et al. (2018), "On the Convergence of Adam and Beyond", for AMSGrad.
    """
    heads = set(model.head_parameters()) if isinstance(model, MultiTaskModel) else set()
    groups = []
    for of_heads in (False, True):
        weights = [w for w in model.parameters() if w.requires_grad and (w in heads) == of_heads]
        factor = head_lr / lr if of_heads and head_lr else 1.0
        for decayed in (True, False):
            if own := [w for w in weights if (w.ndim > 1) == decayed]:
                decay = weight_decay if decayed else 0.0
                rates = {"lr": lr * factor, "lr_factor": factor}
                groups.append({"params": own, "weight_decay": decay, **rates})
    if name == "adamw" and not amsgrad:
        return RowAdamW(groups)
    return OPTIMIZERS[name](groups, amsgrad=amsgrad, fused=True)


@dataclass(frozen=True)
class Rate:
    """Learning rate that rises in a straight line from 0 where wanted, then falls in one or stays.

    Attributes:
        lr: The largest.
        warmup: Share of the steps that the rate rises for, to the nearest step; 0 for none.
        schedule: Course after that: `linear` falls to 0 at the end, `constant` stays.
    """

    lr: float = 2e-5
    warmup: float = 0.0
    schedule: ScheduleName = "linear"

    def at(self, step: int, total: int) -> float:
        """The rate of a step.

        Args:
            step: Number of the step, from 0 to `total` - 1.
            total: Steps of the run.

        Returns:
            The learning rate.

        >>> [Rate(1.0).at(step, 4) for step in range(4)]
        [1.0, 0.75, 0.5, 0.25]
        >>> [Rate(1.0, warmup=1 / 3).at(step, 6) for step in range(6)]
        [0.0, 0.5, 1.0, 0.75, 0.5, 0.25]
        >>> [Rate(1.0, warmup=0.5, schedule="constant").at(step, 4) for step in range(4)]
        [0.0, 0.5, 1.0, 1.0]
        """
        rising = round(self.warmup * total)
        if step < rising:
            return self.lr * step / rising
        if self.schedule == "constant":
            return self.lr
        return self.lr * (total - step) / (total - rising)
