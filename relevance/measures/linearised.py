"""Linearised joint training (Grad-TAG): all single and joint runs as small convex fits."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float

from relevance.interfaces.probe import Linearisation, Probe
from relevance.measures._estimator import Cells, Estimator
from relevance.tasks.task import Task

ROWS = 256  # of each split; with both, 16 steps' worth of reading for each task
DIRECTIONS = 256  # inner products of gradients are then known to 1/16 of their lengths
# Of the penalty on a change of weights, in mean squared lengths of gradients: from a change that
# moves outputs by half a logit at most to one that fits 256 rows as it likes. The best is taken.
PENALTIES = (1.0, 0.1, 0.01, 0.001)


class Linearised(Estimator):
    """Relative reduction of held-out loss by joint training, for a model made linear.

    One model is trained on all tasks. Near its weights its outputs are linear in a change of the
    shared weights, so training it further on one task or on two is a logistic (or least-squares)
    regression on projected gradients, which takes milliseconds.
    """

    name = "linearised"
    settings: ClassVar = {"rows": ROWS, "directions": DIRECTIONS}
    per_row = True

    def estimate(self, probe: Probe, tasks: Sequence[Task], seed: int) -> Cells:
        """`(l_single - l_joint) / l_single` of held-out losses, 0 on the diagonal.

        One model is trained on all tasks.
        """
        names = [task.name for task in tasks]
        found = probe.linearise(names, rows=ROWS, directions=DIRECTIONS, seed=seed)
        parts = [
            LinearisedTask(
                *found[task.name], squared_loss if task.kind == "regression" else logistic_loss
            )
            for task in tasks
        ]
        return linear_gains(parts)


class Fitted(NamedTuple):
    """Mean loss of some rows, and its derivative with respect to each row's output."""

    loss: float
    slopes: Float[np.ndarray, " row"]


class LinearisedTask(NamedTuple):
    """A task made linear, for fits.

    Attributes:
        train: Rows to fit.
        held_out: Rows to judge by.
        loss: Loss as a function of outputs.
    """

    train: Linearisation
    held_out: Linearisation
    loss: Callable[[Float[np.ndarray, " row"]], Fitted]


def logistic_loss(margins: Float[np.ndarray, " row"]) -> Fitted:
    """Mean cross-entropy, from `log(p / (1 - p))` of each row's true label.

    >>> logistic_loss(np.zeros(2))
    Fitted(loss=0.6931471805599453, slopes=array([-0.25, -0.25]))
    """
    from scipy.special import expit

    loss = float(np.logaddexp(0.0, -margins).mean())
    return Fitted(loss, -expit(-margins) / len(margins))


def squared_loss(errors: Float[np.ndarray, " row"]) -> Fitted:
    """Mean squared error.

    >>> squared_loss(np.array([1.0, -3.0]))
    Fitted(loss=5.0, slopes=array([ 1., -3.]))
    """
    return Fitted(float(np.mean(errors**2)), 2 * errors / len(errors))


def linear_gains(parts: Sequence[LinearisedTask]) -> Cells:
    """Gains from fitting the parts alone and in pairs.

    Args:
        parts: The tasks.

    Returns:
        Relative reductions of held-out loss, 0 on the diagonal. Every fit has, for each task, the
        penalty with which its held-out loss is lowest, alone and in company alike.

    Source:
        Li et al. (2024), Grad-TAG, algorithm 1.
    """
    alone = [best_losses([part])[0] for part in parts]
    values = np.zeros((len(parts), len(parts)))
    for one, other in combinations(range(len(parts)), 2):
        joint = best_losses([parts[one], parts[other]])
        values[other, one] = (alone[one] - joint[0]) / alone[one]
        values[one, other] = (alone[other] - joint[1]) / alone[other]
    return values


def best_losses(parts: Sequence[LinearisedTask]) -> list[float]:
    """Mean held-out loss of each task after one fit to all, with the best penalty for each."""
    losses = []
    for penalty in PENALTIES:
        change = fit([(part.train, part.loss) for part in parts], penalty)
        outputs = [part.held_out.outputs + part.held_out.gradients @ change for part in parts]
        losses.append([part.loss(out).loss for part, out in zip(parts, outputs, strict=True)])
    return [min(of_part) for of_part in zip(*losses, strict=True)]


def fit(
    rows: Sequence[tuple[Linearisation, Callable[[Float[np.ndarray, " row"]], Fitted]]],
    penalty: float,
) -> Float[np.ndarray, " direction"]:
    """Fit the change of weights that lowers the mean of the tasks' mean losses the most.

    Args:
        rows: Linearised rows of each task, and the loss of its outputs.
        penalty: Weight of half the squared length of the change, in mean squared lengths of
            gradients.

    Returns:
        The change; the problem is convex, so there is one.
    """
    from scipy.optimize import minimize

    # Gradients are scaled to a mean square length of 1: one penalty then fits encoders of any size.
    lengths = [np.mean(np.sum(part.gradients**2, axis=1)) for part, _ in rows]
    unit = float(np.sqrt(np.mean(lengths)))
    scaled = [(part.outputs, part.gradients / unit, loss) for part, loss in rows]

    def objective(
        change: Float[np.ndarray, " direction"],
    ) -> tuple[float, Float[np.ndarray, " direction"]]:
        total, slope = penalty / 2 * float(change @ change), penalty * change
        for outputs, gradients, loss in scaled:
            fitted = loss(outputs + gradients @ change)
            total += fitted.loss / len(scaled)
            slope = slope + gradients.T @ fitted.slopes / len(scaled)
        return total, slope

    found = minimize(
        objective,
        np.zeros(scaled[0][1].shape[1]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-9},
    )
    return np.asarray(found.x / unit)
