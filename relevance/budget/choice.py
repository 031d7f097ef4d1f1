"""Which runs come next: those that are expected to change what is asked for the most."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Int

from relevance.budget.many_groups import labels_of_draws
from relevance.budget.state import Candidates, State
from relevance.posterior.fit import Fit

AIMS = ("gains", "sources", "groups")
"""What a study may be after: the whole matrix, the best sources of each target, the groups."""

Worth = Callable[[State], Float[np.ndarray, " run"]]

DRAWS = 12
GROUPS = (2, 3, 4)
STARTS = 4
SAME_SHARE = 0.02
"""Targets whose shares of cells measured differ by less have their turn together."""
OUT_OF_TURN = 1e-6
ALWAYS = 0.1
"""Weight of a task in no doubt; 1 where every other task is as often with it as not."""


def choose(
    fit: Fit, candidates: Candidates, number: int, aim: str = "gains", *, seed: int = 0
) -> list[int]:
    """Choose runs one after another, each as if those before it had come out as expected.

    What is expected of a run is divided by what it costs. `gains`: how much of what sources
    differ by becomes known, each target in its turn. `sources`: by how much a source might turn
    out to be better than the one that is best by now, in what the sources of that target differ by
    (expected improvement). `groups`: how much it narrows the rows of the matrix, those of tasks
    most of which draws of the posterior do not put into the same groups.

    Args:
        fit: The model of the runs there are.
        candidates: Runs that may be made.
        number: Number of runs to choose; fewer are chosen where there are no more.
        aim: One of `AIMS`.
        seed: Seed of the draws for groups.

    Returns:
        Numbers of candidates in the order of choice; one may be there several times.

    Source:
        Cohn, Ghahramani and Jordan (1996), Active learning with statistical models, for expected
        variance; Jones, Schonlau and Welch (1998) for expected improvement; Ginsbourger, Le Riche
        and Carraro (2010) for choosing several at once.
    """
    state = State.of(fit, candidates)
    worth = _worth(aim, fit, state, seed)
    left = candidates.left.copy()
    chosen: list[int] = []
    while len(chosen) < number and left.any():
        expected = np.where(left > 0, worth(state) / candidates.cost, -np.inf)
        best = int(np.argmax(expected))
        chosen.append(best)
        left[best] -= 1
        state.observe(best)
    return chosen


def balanced(
    candidates: Candidates, shape: tuple[int, int], number: int, *, seed: int = 0
) -> list[int]:
    """Choose runs before anything is known: every source and every target as often as others.

    Args:
        candidates: Runs that may be made; those made count.
        shape: Numbers of sources and targets.
        number: Number of runs to choose; fewer where there are no more, none twice.
        seed: Seed of the order of equal ones.

    Returns:
        Numbers of candidates.
    """
    source, target = np.divmod(candidates.cells, shape[1])
    rows, columns = np.zeros(shape[0]), np.zeros(shape[1])
    np.add.at(rows, source, candidates.made[:, None])
    np.add.at(columns, target, candidates.made[:, None])
    order = np.random.default_rng(seed).random(len(source)) / 2
    free = candidates.left > 0
    chosen: list[int] = []
    while len(chosen) < number and free.any():
        load = (rows[source] + columns[target]).sum(axis=1) + order
        best = int(np.argmin(np.where(free, load, np.inf)))
        chosen.append(best)
        free[best] = False
        np.add.at(rows, source[best], 1)
        np.add.at(columns, target[best], 1)
    return chosen


def _worth(aim: str, fit: Fit, state: State, seed: int) -> Worth:
    if aim == "gains":
        return _of_gains(state)
    if aim == "sources":
        return lambda state: _of_sources(state, fit.scale)
    weights = _in_doubt(state, len(fit.source), seed)[state.source]
    return lambda state: state.reduction(weights[None])[0]


def _of_gains(first: State) -> Worth:
    """Share of what sources of a target differ by that becomes known, where least is measured.

    Of targets whose noise is hard to tell from what they show, a few runs mislead; so every target
    has its turn, and what is chosen is the source.
    """
    of_target = first.of_target
    size = of_target.sum(axis=1)
    unknown = of_target @ np.diagonal(first.centred)
    known = np.array([np.var(first.mean[cells > 0]) * cells.sum() for cells in of_target])
    # Halfway, by logarithms, between what is found of this target and what all of them lead to
    # expect: the first is noisy, the second does not know targets whose sources are all alike.
    total = np.sqrt((unknown + known) * first.prior * size)
    several = (size > 2) & (total > 0)  # two values always correlate at 1 or -1
    total = np.where(several, total, np.inf)[:, None]

    def worth(state: State) -> Float[np.ndarray, " run"]:
        told = (state.reduction(of_target) / total).sum(axis=0)
        share = state.made / size
        turn = share <= share[several].min(initial=np.inf) + SAME_SHARE
        in_turn = turn[state.row[state.runs]].all(axis=1)
        return np.asarray(np.where(in_turn, told, OUT_OF_TURN * told))

    return worth


def _of_sources(state: State, scale: Float[np.ndarray, " target"]) -> Float[np.ndarray, " run"]:
    """Expected improvement over the best source by now; for that one over it by the second."""
    from scipy.special import ndtr

    among = np.where(state.of_target > 0, state.mean, -np.inf)
    best = among.argmax(axis=1)
    among[np.arange(len(best)), best] = -np.inf
    second = among.argmax(axis=1)
    several = state.of_target.sum(axis=1) > 1
    places = np.arange(len(state.mean))
    against = np.where(places == best[state.row], second[state.row], best[state.row])
    variance = np.diagonal(state.covariance)
    behind = -np.abs(state.mean - state.mean[against])
    together = variance + variance[against] - 2 * state.covariance[places, against]
    spread = np.sqrt(np.maximum(together, 1e-12 * variance))
    gap = behind / spread
    improved = spread * (gap * ndtr(gap) + np.exp(-(gap**2) / 2) / np.sqrt(2 * np.pi))
    told = variance / (variance + state.noise)
    worth = np.where(several[state.row], improved * told / scale[state.target], 0.0)
    return np.asarray(worth[state.runs].sum(axis=1))


def _in_doubt(state: State, sources: int, seed: int) -> Float[np.ndarray, " source"]:
    """How little the draws of the posterior agree on which tasks are with each source."""
    random = np.random.default_rng(seed)
    size = len(state.mean)
    slack = 1e-9 * max(float(np.diagonal(state.covariance).max()), 1e-300)
    root = np.linalg.cholesky(state.covariance + slack * np.eye(size))
    draws = state.mean + random.normal(size=(DRAWS, size)) @ root.T
    centred = draws - (draws @ state.of_target.T / state.of_target.sum(axis=1)) @ state.of_target
    rows = np.zeros((DRAWS, sources, len(state.of_target)))
    rows[:, state.source, state.target] = centred
    alike = rows @ rows.transpose(0, 2, 1)
    labels = [
        one
        for k in GROUPS
        if k < sources
        for one in labels_of_draws(alike, k, starts=STARTS, random=random)
    ]
    return _disagreement(labels, sources)


def _disagreement(
    labels: Sequence[Int[np.ndarray, " source"]], sources: int
) -> Float[np.ndarray, " source"]:
    if not labels:
        return np.ones(sources)
    together = np.mean([one[:, None] == one for one in labels], axis=0)
    doubt = (4 * together * (1 - together)).sum(axis=1) / (sources - 1)
    return np.asarray(ALWAYS + (1 - ALWAYS) * doubt)
