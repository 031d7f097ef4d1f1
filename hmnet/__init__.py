"""The hierarchical multi-task model whose layers follow the clusters, next to its baselines.

`hmnet.train(...)` gives a trained run, `hmnet.load("run/")` opens one that was trained before; both
can be asked to predict, to be scored, and to be exported. Every name is imported when it is first
used, so that `import hmnet` takes a moment.
"""

import os
from typing import TYPE_CHECKING

from relevance import __version__ as __version__
from relevance.lazy import lazy_names

if TYPE_CHECKING:
    from hmnet.analysis.attention import compare_attention as compare_attention
    from hmnet.analysis.covariance import similarity as similarity
    from hmnet.analysis.curves import curves as curves
    from hmnet.analysis.diagnosis import diagnose as diagnose
    from hmnet.api import add_tasks as add_tasks
    from hmnet.api import compare as compare
    from hmnet.api import evaluate as evaluate
    from hmnet.api import load as load
    from hmnet.api import predict as predict
    from hmnet.api import train as train
    from hmnet.backbones.tiny import write_tiny_encoder as write_tiny_encoder
    from hmnet.backbones.token_vectors import read_token_vectors as read_token_vectors
    from hmnet.comparison.table import Comparison as Comparison
    from hmnet.devices import resolve_schedule as resolve_schedule
    from hmnet.figures.attention import attention_figure as attention_figure
    from hmnet.figures.curves import curves_figure as curves_figure
    from hmnet.figures.similarity import similarity_figure as similarity_figure
    from hmnet.measuring.joint_trainer import make_trainer as make_trainer
    from hmnet.measuring.probe import EncoderProbe as EncoderProbe
    from hmnet.models.count import count_parameters as count_parameters
    from hmnet.models.multitask import MultiTaskModel as MultiTaskModel
    from hmnet.runs.scores import Score as Score
    from hmnet.settings.config import RunConfig as RunConfig
    from hmnet.sharing.plan import SharingPlan as SharingPlan
    from hmnet.sharing.plan import fully_shared as fully_shared
    from hmnet.sharing.plan import hierarchical as hierarchical
    from hmnet.sharing.plan import separate as separate
    from hmnet.sharing.skill_table import SkillTable as SkillTable
    from hmnet.trained_run import TrainedRun as TrainedRun

# Read by OpenMP when torch is loaded: threads that wait for others of their process sleep, and
# leave the core to whoever else wants it. By default they spin, which on a busy machine takes many
# times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

PLACES = {
    # a run: train it, open it, ask it, extend it, set it beside others
    "Comparison": "hmnet.comparison.table",
    "RunConfig": "hmnet.settings.config",
    "Score": "hmnet.runs.scores",
    "TrainedRun": "hmnet.trained_run",
    "add_tasks": "hmnet.api",
    "compare": "hmnet.api",
    "evaluate": "hmnet.api",
    "load": "hmnet.api",
    "predict": "hmnet.api",
    "train": "hmnet.api",
    # the model
    "MultiTaskModel": "hmnet.models.multitask",
    "SharingPlan": "hmnet.sharing.plan",
    "SkillTable": "hmnet.sharing.skill_table",
    "count_parameters": "hmnet.models.count",
    "fully_shared": "hmnet.sharing.plan",
    "hierarchical": "hmnet.sharing.plan",
    "separate": "hmnet.sharing.plan",
    "write_tiny_encoder": "hmnet.backbones.tiny",
    # what measures of relevance are handed
    "EncoderProbe": "hmnet.measuring.probe",
    "make_trainer": "hmnet.measuring.joint_trainer",
    "read_token_vectors": "hmnet.backbones.token_vectors",
    "resolve_schedule": "hmnet.devices",
    # a look into runs
    "attention_figure": "hmnet.figures.attention",
    "compare_attention": "hmnet.analysis.attention",
    "curves": "hmnet.analysis.curves",
    "curves_figure": "hmnet.figures.curves",
    "diagnose": "hmnet.analysis.diagnosis",
    "similarity": "hmnet.analysis.covariance",
    "similarity_figure": "hmnet.figures.similarity",
}
"""Where each public name is. The imports above say the same to type checkers."""

__all__ = list(PLACES)

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, PLACES)
