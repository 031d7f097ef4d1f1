"""Every name that `import relevance` offers, and where it is."""

from relevance.budget.rounds import Budget as Budget
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
from relevance.figures.style import FigureStyle as FigureStyle
from relevance.inspection.facts import check_tasks as check_tasks
from relevance.interfaces.trainer import Result as Result
from relevance.interfaces.trainer import Trainer as Trainer
from relevance.jobs.job import Schedule as Schedule
from relevance.matrices.imported import RunColumns as RunColumns
from relevance.matrices.imported import import_runs as import_runs
from relevance.matrices.matrix import RelevanceMatrix as RelevanceMatrix
from relevance.matrices.matrix import load_matrix as load_matrix
from relevance.matrices.merge import merge_matrices as merge_matrices
from relevance.measures.measure import measure as measure
from relevance.posterior.predict import predict as predict
from relevance.report.page.write import write_report as write_report
from relevance.report.tables import matrix_table as matrix_table
from relevance.tasks.data import DataOptions as DataOptions
from relevance.tasks.find import find_tasks as find_tasks
from relevance.tasks.generated import generate_tasks as generate_tasks
from relevance.tasks.load import load_task as load_task
from relevance.tasks.prepare import prepare_task as prepare_task
from relevance.tasks.task import Task as Task

__version__: str
