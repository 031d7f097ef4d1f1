"""How much the best partition into groups can be worth at most, when only some were looked at."""

import numpy as np
from jaxtyping import Float

Shares = Float[np.ndarray, "task partner"]

STEPS = 150
PATIENCE = 8  # steps without a better bound before the next ones are half as long
ROUNDING = 1e-9  # of the bound; sums are made in another order than those of a partition


def upper_bound(
    gains: Float[np.ndarray, "source target"],
    budget: int,
    reached: float,
    *,
    overlap: bool = False,
    steps: int = STEPS,
) -> float:
    """A number that no choice of at most `budget` groups is worth more than.

    A task whose group has m members is given the mean of m - 1 gains, so at most that of the m - 1
    largest. And a task in a group of m is 1/m of a group, of which all tasks together have at most
    `budget`. Let a group have a price of p. Then nothing is worth more than `budget` times p and,
    summed over tasks, the largest over m of that mean less p/m (weak duality). Without overlap what
    two tasks give each other counts whole in their group's sum, whichever of the two it is put down
    to, so it is divided between them such that the bound is small. Price and division are found by
    subgradient steps; the bound holds wherever these end.

    Args:
        gains: Gains of pairs; the diagonal is ignored.
        budget: Number of groups at most.
        reached: What the best choice found is worth, which directs the steps.
        overlap: Whether groups may train tasks that another one serves: then every gain is its
            target's own.
        steps: Number of steps at most.

    Returns:
        The bound, as a sum over tasks; never below `reached`.

    Source:
        Geoffrion (1974), Lagrangean relaxation; Polyak (1969) for the length of the steps.
    """
    if len(gains) == 1:
        return max(reached, 0.0)
    given = gains.T.copy()
    mean = given if overlap else (given + given.T) / 2
    best, rounding = np.inf, len(gains) ** 2 * float(np.finfo(float).eps)
    shares, price, length, waited = mean.copy(), 0.0, 1.0, 0
    for _ in range(steps):
        bound, slope, of_price = _relaxed(shares, price, budget)
        bound += rounding * (float(np.abs(shares).max()) + budget * price)
        waited = waited + 1 if bound > best - 1e-6 * abs(best) else 0
        best = min(best, bound)
        if waited >= PATIENCE:
            length, waited = length / 2, 0
        if overlap:
            slope[:] = 0.0
        else:
            slope -= slope.T
        squared = float((slope**2).sum()) / 2 + of_price**2
        if best - reached <= ROUNDING * abs(best) or squared < 1e-18 or length < 1e-3:
            break
        step = length * (bound - reached) / squared
        shares -= step * slope
        price = max(0.0, price - step * of_price)
    return max(reached, best + ROUNDING * abs(best))


def _relaxed(shares: Shares, price: float, budget: int) -> tuple[float, Shares, float]:
    """The bound at a division and a price, and how it grows with both."""
    count = len(shares)
    others = shares.copy()
    np.fill_diagonal(others, -np.inf)
    order = np.argsort(-others, axis=1, kind="stable")[:, :-1]
    sums = np.cumsum(np.take_along_axis(shares, order, axis=1), axis=1)
    sizes = np.arange(1, count + 1)
    means = np.zeros((count, count))
    means[:, 1:] = sums / sizes[:-1]
    offered = means - price / sizes
    chosen = offered.argmax(axis=1)  # partners of each task: one less than its group has members
    bound = budget * price + float(offered[np.arange(count), chosen].sum())
    slope = np.zeros_like(shares)
    within = (np.arange(count - 1) < chosen[:, None]) / np.maximum(chosen, 1)[:, None]
    np.put_along_axis(slope, order, within, axis=1)
    return bound, slope, budget - float((1 / (chosen + 1)).sum())
