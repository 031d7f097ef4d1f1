"""k-means of many small sets of tasks at once, which takes a library longer one by one."""

import numpy as np
from jaxtyping import Float, Int

MOST_STEPS = 30
Alike = Float[np.ndarray, "draw task other"]


def labels_of_draws(
    alike: Alike, k: int, *, starts: int, random: np.random.Generator
) -> Int[np.ndarray, "draw task"]:
    """Groups of the tasks in every draw, by k-means from a few random starts.

    All that k-means asks of rows are their inner products: the squared distance of a row to a
    centre is its square, less twice its mean product with the members, plus their mean product with
    each other. So all draws and starts are moved together.

    Args:
        alike: Inner products of the rows of every draw.
        k: Number of groups, fewer than tasks.
        starts: Number of starts, each from k tasks as centres, the best of which is taken.
        random: Source of the starts.

    Returns:
        Labels from 0 to k - 1; a group may end without a task.

    Source:
        Lloyd (1982); Dhillon, Guan and Kulis (2004), Kernel k-means, for inner products.
    """
    draws, tasks = alike.shape[:2]
    whole = np.repeat(alike, starts, axis=0)
    square = np.einsum("bii->bi", whole)
    first = np.argsort(random.random((len(whole), tasks)), axis=1)[:, :k]
    at = np.arange(len(whole))[:, None]
    far = square[at, first][:, None, :] - 2 * whole.transpose(0, 2, 1)[at, first].transpose(0, 2, 1)
    labels = far.argmin(axis=2)
    for _ in range(MOST_STEPS):
        inside = (labels[:, :, None] == np.arange(k)).astype(float)
        share = inside / np.maximum(inside.sum(axis=1, keepdims=True), 1)
        with_members = whole @ share
        within = (share * with_members).sum(axis=1)
        far = within[:, None, :] - 2 * with_members
        far = np.where(inside.any(axis=1)[:, None, :], far, np.inf)  # nobody goes to nobody
        moved = far.argmin(axis=2)
        if (moved == labels).all():
            break
        labels = moved
    nearest = np.take_along_axis(far, labels[:, :, None], axis=2)[:, :, 0]
    inertia = (square + nearest).sum(axis=1).reshape(draws, starts)
    best = np.arange(draws) * starts + inertia.argmin(axis=1)
    return np.asarray(labels[best])
