"""Runs that gave one answer for all rows, which is no answer at all."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from relevance.interfaces.trainer import Result

CONSTANT = "constant"
"""Key beside the metrics in `single` and `joint`: 1 where a run gave one answer for all rows, 0
where it did not, NaN (null) where its predictions were not kept."""


def constant_answers(results: Sequence[Any]) -> Float[np.ndarray, "..."]:
    """Mark the runs that gave one answer for all rows.

    Args:
        results: Results or None, in sequences nested alike.

    Returns:
        1 or 0 for each, NaN where fewer than two predictions were kept.
    """
    return np.array([_constant_answer(one) for one in results], dtype=np.float64)


def _constant_answer(result: Any) -> Any:
    if result is not None and not isinstance(result, Result):
        return [_constant_answer(one) for one in result]
    predictions = None if result is None else result.predictions
    if predictions is None or len(predictions) < 2:
        return np.nan
    return float(all(one == predictions[0] for one in predictions))
