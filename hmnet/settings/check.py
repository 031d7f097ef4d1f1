"""One check of settings, tasks and plan, for all that trains; it takes no time."""

from collections.abc import Sequence

from hmnet.heads.head import check_heads
from hmnet.methods.method import ModelGroup
from hmnet.models.freezing import frozen_layers, trains_together
from hmnet.regularizers.regularizer import make_regularizer
from hmnet.samplers.sampler import find_sampler
from hmnet.settings.config import TrainingSettings
from hmnet.settings.loss_weights import check_loss_weights
from relevance.errors import RelevanceError
from relevance.tasks.task import Task


def check_training(
    settings: TrainingSettings, tasks: Sequence[Task], parts: Sequence[ModelGroup], depth: int
) -> None:
    """Refuse settings that don't fit the tasks, or the layers that these share.

    Args:
        settings: How models are trained.
        tasks: All that the models answer, those that were trained before included.
        parts: For every model the tasks that it is trained on now, and its plan.
        depth: Layers of the backbone.

    Raises:
        RelevanceError: If a head or a loss weight is for no task or for one it is not made for,
            regularizer or sampler cannot take a task, more layers are to be frozen than there are,
            or there are no gradients of several tasks to be joined.
    """
    check_heads(settings.head, settings.pooling, tasks)
    check_loss_weights(settings.loss_weights, (task.name for task in tasks))
    regularizer, sampler = make_regularizer(settings.regularizer), find_sampler(settings.sampler)
    known = {task.name: task for task in tasks}
    for part in parts:
        trained = [known[name] for name in part.tasks]
        sampler.member.check(trained, **sampler.parameters)
        if regularizer:
            regularizer.check(trained)
    _check_surgery(settings, parts, frozen_layers(settings.freeze, depth))


def _check_surgery(settings: TrainingSettings, parts: Sequence[ModelGroup], frozen: range) -> None:
    """Refuse to join the gradients of tasks that never train weights together."""
    if settings.surgery and all(len(part.tasks) == 1 for part in parts):
        raise RelevanceError(
            f"--surgery {settings.surgery} joins the gradients of tasks that train together, but"
            " here each trains alone. Leave it out, or train several tasks with --method multi or"
            " hmnet."
        )
    if settings.surgery and not any(trains_together(part.plan, frozen) for part in parts):
        raise RelevanceError(
            f"--surgery {settings.surgery} joins the gradients of weights that tasks share, but"
            f" --freeze {settings.freeze} leaves all of those as they are. Leave one of the two"
            " out."
        )
