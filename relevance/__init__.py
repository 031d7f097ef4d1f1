"""Which NLU tasks help each other: measures, matrices, clusters and figures, without any model.

>>> import relevance
>>> gains = relevance.load_matrix("paper:table3")
>>> [len(group) for group in relevance.cluster(gains, k=3).clusters]
[4, 5, 4]

Every name is imported when it is first used, so that `import relevance` takes a moment.
"""

from typing import TYPE_CHECKING

from relevance.lazy import lazy_names

__version__ = "0.1.0"
"""Version of the distribution; its three packages share it."""

if TYPE_CHECKING:
    from relevance.clustering.agreement import compare as compare
    from relevance.clustering.choose_k import choose_k as choose_k
    from relevance.clustering.cluster import cluster as cluster
    from relevance.clustering.spec import ClusterSpec as ClusterSpec
    from relevance.comparison.judging import compare_with as compare_with
    from relevance.errors import RelevanceError as RelevanceError
    from relevance.figures.bars import bars as bars
    from relevance.figures.choice_of_k import choice_of_k as choice_of_k
    from relevance.figures.consensus import consensus as consensus
    from relevance.figures.dendrogram import dendrogram as dendrogram
    from relevance.figures.figure import save_figure as save_figure
    from relevance.figures.heatmap import heatmap as heatmap
    from relevance.figures.scatter import scatter as scatter
    from relevance.interfaces.trainer import Result as Result
    from relevance.interfaces.trainer import Trainer as Trainer
    from relevance.jobs.job import Schedule as Schedule
    from relevance.matrices.matrix import RelevanceMatrix as RelevanceMatrix
    from relevance.matrices.matrix import load_matrix as load_matrix
    from relevance.matrices.merge import merge as _merge
    from relevance.measures.measure import measure as measure
    from relevance.report.tables import matrix_table as matrix_table
    from relevance.tasks.data import DataOptions as DataOptions
    from relevance.tasks.find import find_tasks as find_tasks
    from relevance.tasks.generated import generate as _generate
    from relevance.tasks.load import load_task as load_task
    from relevance.tasks.prepare import prepare as _prepare
    from relevance.tasks.task import Task as Task

    generate_tasks, merge_matrices, prepare_task = _generate, _merge, _prepare

PLACES = {
    # tasks
    "DataOptions": "relevance.tasks.data",
    "Task": "relevance.tasks.task",
    "find_tasks": "relevance.tasks.find",
    "generate_tasks": "relevance.tasks.generated:generate",
    "load_task": "relevance.tasks.load",
    "prepare_task": "relevance.tasks.prepare:prepare",
    # matrices
    "RelevanceMatrix": "relevance.matrices.matrix",
    "load_matrix": "relevance.matrices.matrix",
    "matrix_table": "relevance.report.tables",
    "merge_matrices": "relevance.matrices.merge:merge",
    # measures, and what joint training is handed
    "Result": "relevance.interfaces.trainer",
    "Schedule": "relevance.jobs.job",
    "Trainer": "relevance.interfaces.trainer",
    "measure": "relevance.measures.measure",
    # groups
    "ClusterSpec": "relevance.clustering.spec",
    "choose_k": "relevance.clustering.choose_k",
    "cluster": "relevance.clustering.cluster",
    # measure against measure
    "compare": "relevance.clustering.agreement",
    "compare_with": "relevance.comparison.judging",
    # figures
    "bars": "relevance.figures.bars",
    "choice_of_k": "relevance.figures.choice_of_k",
    "consensus": "relevance.figures.consensus",
    "dendrogram": "relevance.figures.dendrogram",
    "heatmap": "relevance.figures.heatmap",
    "save_figure": "relevance.figures.figure",
    "scatter": "relevance.figures.scatter",
    # bad input
    "RelevanceError": "relevance.errors",
}
"""Where each public name is. The imports above say the same to type checkers."""

__all__ = list(PLACES)

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, PLACES)
