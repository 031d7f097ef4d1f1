"""The hierarchical multi-task model whose layers follow the clusters, next to its baselines.

`hmnet.train(...)` gives a trained run, `hmnet.load("run/")` opens one that was trained before; both
can be asked to predict, to be scored, and to be exported. Every name is imported when it is first
used, so that `import hmnet` takes a moment.
"""

import os

from relevance import __version__ as __version__
from relevance.lazy import lazy_names, stub_places

# Read by OpenMP when torch is loaded: threads that wait for others of their process sleep, and
# leave the core to whoever else wants it. By default they spin, which on a busy machine takes many
# times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

PLACES = stub_places(__file__)
"""Where each public name is, as the stub beside this file says to type checkers as well."""

__all__ = list(PLACES)

__getattr__, __dir__ = lazy_names(__name__, PLACES)
