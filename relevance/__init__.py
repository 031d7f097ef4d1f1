"""Which NLU tasks help each other: measures, matrices, clusters and figures, without any model.

>>> import relevance
>>> gains = relevance.load_matrix("paper:table3")
>>> [len(group) for group in relevance.cluster(gains, k=3).clusters]
[4, 5, 4]

Every name is imported when it is first used, so that `import relevance` takes a moment.
"""

from relevance.lazy import lazy_names, stub_places

__version__ = "0.1.0"
"""Version of the distribution; its three packages share it."""

PLACES = stub_places(__file__)
"""Where each public name is, as the stub beside this file says to type checkers as well."""

__all__ = list(PLACES)

__getattr__, __dir__ = lazy_names(__name__, PLACES)
