"""A trained model with further tasks, whose own weights are all that is new and trains.

What a task has of its own depends on how the model shares: a head always; the task layers of the
hierarchical model; the task embedding of a conditional one.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from hmnet.answer_scale import NO_SCALES, AnswerScale
from hmnet.backbones.backbone import Backbone
from hmnet.heads._choice import DEFAULT, HeadChoice, Pooling
from hmnet.models.blueprint import Blueprint
from hmnet.models.build import from_blueprint, make_head
from hmnet.models.multitask import MultiTaskModel
from hmnet.randomness import seeded
from hmnet.sharing.plan import SharingPlan
from relevance.errors import RelevanceError
from relevance.tasks.task import Task


def extend(
    model: MultiTaskModel,
    backbone: Backbone,
    tasks: Sequence[Task],
    plan: SharingPlan,
    *,
    head: HeadChoice = DEFAULT,
    seed: int = 0,
    scales: Mapping[str, AnswerScale] = NO_SCALES,
) -> MultiTaskModel:
    """A model that has further tasks beside those of a trained one.

    Args:
        model: Trained; it is not changed.
        backbone: The pretrained weights that new layers and heads start from.
        tasks: The new ones.
        plan: A row for old and new tasks; those of the old ones name the same modules as before.
        head: Which head each task gets; for the old tasks the same as before.
        seed: Seed of new random weights; they depend on the task's name and on no other task.
        scales: How outputs of the new tasks stand for values, where they are not spread over the
            range.

    Returns:
        A new model on the CPU. The old weights are as they were and frozen; those of the new tasks
        alone are as at the start of a training, and train.

    Raises:
        ValueError: If an old task has no longer the modules that it was trained with.
    """
    definitions = [*model.definitions.values(), *tasks]
    before = model.blueprint
    blueprint = Blueprint(
        pooling=before.pooling,
        head=head,
        tasks=tuple(definitions),
        plan=plan,
        concat=before.concat,
        scales={**before.scales, **scales},
    )
    larger = from_blueprint(backbone, blueprint, seed=seed)
    trained = model.state_dict()
    report = larger.load_state_dict(trained, strict=False)
    if report.unexpected_keys:
        raise ValueError(f"The larger model lacks {report.unexpected_keys[0]}.")
    for name, weight in larger.named_parameters():
        weight.requires_grad_(name not in trained)
    return larger


def borrows_head(task: Task, source: Task, head: HeadChoice, pooling: Pooling) -> bool:
    """Whether a task can have the whole head of another.

    Args:
        task: The one that needs a head.
        source: The one that has it.
        head: Which head each task gets.
        pooling: Pooling of both tasks.

    Returns:
        True for heads of one name and the same labels in any order, or tasks of a kind without
        labels: what a regression head says is the same share of either range.
    """
    names = {head.name(one.name, pooling) for one in (task, source)}
    same_labels = task.kind == source.kind and set(task.labels) == set(source.labels)
    return same_labels and len(names) == 1


def start_from(model: MultiTaskModel, task: str, source: str) -> None:
    """Let a new task start as a copy of another: task layers, task embedding and head.

    What of the head belongs to labels is copied where labels match, each label's from its own; it
    is left random where they don't. What the other head does not have is left as it is.

    Args:
        model: A model that `extend` has made; the new task's own weights are changed.
        task: The new one.
        source: The one to copy.
    """
    with torch.no_grad():
        # tasks of different kinds may read different levels
        for own, other in zip(model.layers(task), model.layers(source), strict=False):
            theirs = dict(other.named_parameters(remove_duplicate=False))
            for name, weight in own.named_parameters(remove_duplicate=False):
                if weight.requires_grad:
                    weight.copy_(theirs[name])
        _copy_head(model, task, source)


def draw_xavier(model: MultiTaskModel, task: str, *, seed: int) -> None:
    """Draw a new task's embedding by Xavier's rule, as one row of d values.

    Args:
        model: A model that `extend` has made; the embedding is changed.
        task: The new one.
        seed: Seed of the draw, which depends on the task's name as well.

    Raises:
        RelevanceError: If the method has no task embeddings.

    Source:
        Glorot and Bengio (2010), "Understanding the difficulty of training deep feedforward neural
        networks", equation 16: uniform within ± sqrt(6 / (1 + d)).
    """
    embedding = _embedding(model, task, "`init='xavier'` draws a task embedding")
    with seeded(seed, f"{task}.xavier"), torch.no_grad():
        nn.init.xavier_uniform_(embedding[None])


def take_average(model: MultiTaskModel, task: str) -> None:
    """Let a new task's embedding start as the mean of those of the tasks that were trained.

    Args:
        model: A model that `extend` has made; the embedding is changed.
        task: The new one.

    Raises:
        RelevanceError: If the method has no task embeddings.

    Source:
        El Hattami (2021), section 3.5.4.
    """
    embedding = _embedding(model, task, "`init='average'` takes the mean of the task embeddings")
    old = [_embedding(model, name, "") for name in model.definitions]
    trained = torch.stack([one.detach() for one in old if not one.requires_grad])
    with torch.no_grad():
        embedding.copy_(trained.mean(dim=0))


def _embedding(model: MultiTaskModel, task: str, what: str) -> nn.Parameter:
    """A task's embedding, in a method that has one."""
    embedding = model.insert.embedding(task) if model.insert else None
    if embedding is None:
        raise RelevanceError(
            f"{what}, which this run's method does not have. Take random, nearest or the"
            " name of a task."
        )
    return embedding


def _copy_head(model: MultiTaskModel, task: str, source: str) -> None:
    new, old = model.head(task), model.head(source)
    task_, source_ = model.definitions[task], model.definitions[source]
    borrows = borrows_head(task_, source_, model.blueprint.head, model.blueprint.pooling)
    axes = _axes_of_labels(model, task)
    theirs = dict(old.named_parameters())
    for name, weight in new.named_parameters():
        if name not in axes:
            if name in theirs and theirs[name].shape == weight.shape:
                weight.copy_(theirs[name])
        elif borrows:
            order = [source_.labels.index(label) for label in task_.labels]
            weight.copy_(_reordered(theirs[name], axes[name], order))


def _axes_of_labels(model: MultiTaskModel, task: str) -> dict[str, int]:
    """Which of a head's weights grow with the number of labels, and along which axis."""
    definition = model.definitions[task]
    more = [f"label {number}" for number in range(definition.outputs + 3)]
    wider = definition.model_copy(update={"labels": tuple(more)})
    with torch.device("meta"):
        backbone = Backbone.from_config(model.config)
        probe = make_head(backbone, wider, model.blueprint, seed=0)
    shapes = {name: weight.shape for name, weight in probe.named_parameters()}
    return {
        name: axis
        for name, weight in model.head(task).named_parameters()
        for axis, (size, other) in enumerate(zip(weight.shape, shapes[name], strict=True))
        if size != other
    }


def _reordered(weight: Tensor, axis: int, order: list[int]) -> Tensor:
    """A label's weights where the new order has it."""
    if order == sorted(order):
        return weight
    if weight.shape[axis] == len(order):
        return weight.index_select(axis, torch.tensor(order))
    return -weight  # one logit stands for two labels, which have changed places
