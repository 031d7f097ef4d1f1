"""What a run costs: parameters that a task activates, that are trained, overall, and time."""

from collections.abc import Iterable
from statistics import fmean
from typing import NamedTuple

from hmnet.backbones.backbone import load_config
from hmnet.models.count import Count, count_parameters, total
from hmnet.runs.folder import Run
from hmnet.sharing.freeze import NOTHING


class Cost(NamedTuple):
    """The cost of one run.

    Attributes:
        active: Parameters on the path of one task, head included, mean over the tasks.
        trained: Parameters that were not frozen, of all its models together; with all of them once
            `--train all` of an addition trained the whole model.
        overall: Parameters of all its models together, shared ones counted once.
        seconds: Duration of training, evaluation and checkpoints left out; None where the run has
            no record of it.
        examples_per_s: Rows trained per second; None likewise.
        multiple: Parameters overall over those of one encoder of the run, which a model of one task
            alone has; heads are left out of both. 1 for tasks that share all, T for T models apart.
        trained_share: Parameters trained per task, which are `trained` without heads over the
            number of tasks, as a share of the same encoder; 1 / T for tasks that share all.

    Source:
        El Hattami (2021), columns "Total params" and "Trained params/task".
    """

    active: float
    trained: int
    overall: int
    seconds: float | None = None
    examples_per_s: float | None = None
    multiple: float | None = None
    trained_share: float | None = None


def cost_of(run: Run, counts: dict[tuple[str, ...], Count] | None = None) -> Cost:
    """Count a run's parameters from its plans, without loading weights, and read its clock.

    Args:
        run: A finished run.
        counts: What was counted before, which is added to; models of one form, such as seeds, are
            counted once.

    Returns:
        The cost.

    Raises:
        RelevanceError: If a model's folder is damaged.
    """
    counts = {} if counts is None else counts
    found = []
    whole = any(one.get("train") == "all" and one.get("fraction") for one in run.additions())
    freeze = NOTHING if whole else run.config.freeze
    for folder, blueprint in run.blueprints.items():
        form = load_config(str(folder)).to_json_string(), blueprint.model_dump_json(), str(freeze)
        if form not in counts:
            parts = blueprint.tasks, blueprint.plan, blueprint.pooling, blueprint.head
            counts[form] = count_parameters(str(folder), *parts, freeze, blueprint.concat)
        found.append(counts[form])
    counted, timing = total(found), run.timing()
    one, heads, tasks = counted["backbone"], counted["heads"], counted["active"]
    return Cost(
        fmean(tasks.values()),
        counted["trained"],
        counted["overall"],
        timing and timing.seconds,
        timing and timing.examples_per_s,
        (counted["overall"] - heads) / one,
        (counted["trained"] - heads) / len(tasks) / one,
    )


def costs_of(runs: Iterable[Run]) -> dict[str, list[Cost]]:
    """Costs of runs by the column that they stand in.

    Args:
        runs: Finished runs; those of one name are seeds.

    Returns:
        For every name the costs of its runs.

    Raises:
        RelevanceError: If a model's folder is damaged.
    """
    costs: dict[str, list[Cost]] = {}
    counts: dict[tuple[str, ...], Count] = {}
    for run in runs:
        costs.setdefault(run.config.label, []).append(cost_of(run, counts))
    return costs
