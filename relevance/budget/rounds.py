"""A study within a budget: single runs first, then rounds of joint runs chosen by what came out."""

from math import ceil


def round_size(tasks: int, asked: int) -> int:
    """Number of joint runs of the next round.

    It hangs on neither the budget nor the workers, so that a smaller budget's runs are the first of
    a larger one's, on any machine.

    Args:
        tasks: Number of tasks.
        asked: Number of joint runs of the rounds before.

    Returns:
        As many as there are tasks in the first round, then half of that or, where more is known by
        then, a quarter of the runs so far.

    >>> round_size(13, 0), round_size(13, 13), round_size(13, 60)
    (13, 7, 15)
    """
    return tasks if not asked else max(ceil(tasks / 2), asked // 4)
