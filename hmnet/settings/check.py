"""One check of settings, tasks and plan, for all that trains; it takes no time."""

from collections.abc import Sequence

from hmnet.methods.method import ModelGroup
from hmnet.models.freezing import trains_together
from hmnet.regularizers.regularizer import make_regularizer
from hmnet.samplers.uncertainty import has_uncertainty
from hmnet.settings.config import RunConfig, TrainingSettings
from relevance.errors import RelevanceError
from relevance.tasks.task import Task


def check(settings: TrainingSettings, tasks: Sequence[Task], parts: Sequence[ModelGroup]) -> None:
    """Refuse settings that don't fit the tasks, or the layers that these share.

    Args:
        settings: How models are trained.
        tasks: All that the models answer, those that were trained before included.
        parts: For every model the tasks that it is trained on now, and its plan; at least one.

    Raises:
        RelevanceError: If a head or a loss weight is for no task or for one it is not made for,
            regularizer or sampler cannot take a task, more layers are to be frozen than there are,
            there are no gradients of several tasks to be joined, or uncertainty is to be logged and
            no task has one.
    """
    settings.head.check(settings.pooling, tasks)
    if settings.loss_weights:
        settings.loss_weights.check(task.name for task in tasks)
    regularizer = make_regularizer(settings.regularizer)
    sampler = settings.sampler.build({}, epochs=settings.epochs, seed=0)
    known = {task.name: task for task in tasks}
    groups = [[known[name] for name in part.tasks] for part in parts]
    for trained in groups:
        sampler.check(trained)
        if regularizer:
            regularizer.check(trained)
    _check_surgery(settings, parts, settings.freeze.layers(min(part.plan.depth for part in parts)))
    if isinstance(settings, RunConfig) and settings.log_uncertainty:
        _check_logging(groups)


def _check_surgery(settings: TrainingSettings, parts: Sequence[ModelGroup], frozen: range) -> None:
    """Refuse to join the gradients of tasks that never train weights together."""
    if settings.surgery and all(len(part.tasks) == 1 for part in parts):
        raise RelevanceError(
            f"`surgery='{settings.surgery}'` joins the gradients of tasks that train together, but"
            ' here each trains alone. Leave it out, or train several tasks with `method="multi"` or'
            " hmnet."
        )
    if settings.surgery and not any(trains_together(part.plan, frozen) for part in parts):
        raise RelevanceError(
            f"`surgery='{settings.surgery}'` joins the gradients of weights that tasks share, but"
            f" `freeze='{settings.freeze}'` leaves all of those as they are. Leave one of the two"
            " out."
        )


def _check_logging(groups: Sequence[Sequence[Task]]) -> None:
    """Refuse to log uncertainty where no task has one."""
    if not any(has_uncertainty(task, group) for group in groups for task in group):
        raise RelevanceError(
            "`log_uncertainty=True` takes the entropy of predictions, and these tasks predict"
            " values alone, which have none. Leave it out."
        )
