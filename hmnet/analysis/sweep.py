"""How many layers tasks should share: one run per choice and seed, side by side."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from hmnet.config import RunConfig
from hmnet.evaluation.compare import compare
from hmnet.evaluation.comparison import Comparison
from hmnet.evaluation.costs import costs_of
from hmnet.evaluation.scores import read_scores
from hmnet.models.backbone import depth_of, load_config
from hmnet.models.plan import check_layers
from hmnet.training.folder import SCORES
from hmnet.training.loop import Progress
from hmnet.training.run import Note, check_run, train_run
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.files import validated
from relevance.tasks.find import find_tasks

What: TypeAlias = Literal["shared", "mix"]
Layers: TypeAlias = tuple[int, int, int]
Watch: TypeAlias = AbstractContextManager[Callable[[Progress | Note], None]]
OWN = ("method", "layers", "name")


@dataclass(frozen=True)
class Sweep:
    """The runs of a sweep.

    Attributes:
        what: `shared`: x layers shared by all tasks and the others by none; `mix`: x, y and z
            layers shared by all, by a cluster and by none.
        choices: Shared, cluster and task layers of each choice.
        spec: The clusters; of all tasks for `shared`, where there are no cluster layers.
        runs: Settings by folder, choice by choice.
    """

    what: What
    choices: tuple[Layers, ...]
    spec: ClusterSpec
    runs: Mapping[Path, RunConfig]

    @property
    def columns(self) -> tuple[str, ...]:
        """What the runs of each choice are called."""
        return tuple(column(self.what, layers) for layers in self.choices)


def column(what: What, layers: Layers) -> str:
    """What a run is called in tables.

    >>> column("shared", (4, 0, 2)), column("mix", (4, 1, 1))
    ('4 shared', '{4,1,1}')
    """
    return f"{layers[0]} shared" if what == "shared" else f"{{{','.join(map(str, layers))}}}"


def shared_choices(depth: int, shared: Sequence[int] | None = None) -> tuple[Layers, ...]:
    """Numbers of shared layers, without cluster layers.

    Args:
        depth: Layers of the backbone.
        shared: How many are shared; None for every number from 0, which shares the embeddings
            alone, to all of them.

    Returns:
        `(x, 0, depth - x)` for every x.

    Raises:
        RelevanceError: If a number is beyond the depth, or is given twice.

    Source:
        Fei et al. (2022), Figure 3.

    >>> shared_choices(6, [0, 4])
    ((0, 0, 6), (4, 0, 2))
    """
    chosen = tuple(range(depth + 1)) if shared is None else tuple(shared)
    for number in chosen:
        if number > depth:
            raise RelevanceError(
                f"--shared {number} is more than the backbone's {depth} layers. Choose from 0 to"
                f" {depth}."
            )
    return _different(tuple((number, 0, depth - number) for number in chosen), "--shared")


def mix_choices(depth: int, mixes: Sequence[Layers] | None = None) -> tuple[Layers, ...]:
    """Combinations of shared, cluster and task layers.

    Args:
        depth: Layers of the backbone.
        mixes: The combinations; None for `(depth - 2n, n, n)`, from all shared to a third of each.

    Returns:
        The combinations.

    Raises:
        RelevanceError: If one does not add up to the depth, or is given twice.

    Source:
        Fei et al. (2022), Figure 4.

    >>> mix_choices(12)
    ((12, 0, 0), (10, 1, 1), (8, 2, 2), (6, 3, 3), (4, 4, 4))
    """
    chosen = tuple((depth - 2 * n, n, n) for n in range(depth // 3 + 1))
    for layers in mixes or ():
        check_layers(layers, depth)
    return _different(tuple(mixes) if mixes else chosen, "--mix")


def plan_sweep(
    what: What,
    fields: Mapping[str, Any],
    out: Path,
    *,
    spec: ClusterSpec | None = None,
    seeds: Sequence[int] = (0,),
    shared: Sequence[int] | None = None,
    mixes: Sequence[Layers] | None = None,
) -> Sweep:
    """Lay out the runs of a sweep and check each of them, before the first is trained.

    Args:
        what: `shared` or `mix`.
        fields: Settings of all runs, as `hmnet.config.RunConfig` takes them.
        out: Folder of the sweep; every run has a folder below it, which may hold it already.
        spec: Which tasks share the cluster layers, for `mix`.
        seeds: Of the runs of each choice.
        shared: Numbers of shared layers, for `shared`; None for all.
        mixes: Combinations of layers, for `mix`; None for a few.

    Returns:
        The runs.

    Raises:
        RelevanceError: If an argument belongs to the other sweep or is missing, there are fewer
            than two tasks, a setting is one that a sweep chooses itself, or a run cannot be trained
            or was begun with other settings.
    """
    _check_arguments(what, fields, spec, shared, mixes)
    config = validated(RunConfig, dict(fields), "settings")
    names = tuple(task.name for task in find_tasks(config.tasks))
    if len(names) < 2:
        raise RelevanceError("A sweep is about layers that tasks share, so it needs two tasks.")
    depth = depth_of(load_config(config.backbone))
    choices = shared_choices(depth, shared) if what == "shared" else mix_choices(depth, mixes)
    own = {
        (layers, seed): {"method": "hmnet", "layers": layers, "name": column(what, layers)}
        for layers in choices
        for seed in seeds
    }
    runs = {
        out / _folder(what, layers) / f"seed-{seed}": {**fields, **given, "seed": seed}
        for (layers, seed), given in own.items()
    }
    sweep = Sweep(
        what,
        choices,
        spec or ClusterSpec(clusters=(names,)),
        {folder: validated(RunConfig, given, "settings") for folder, given in runs.items()},
    )
    for folder, settled in sweep.runs.items():
        check_run(settled, sweep.spec, folder, resume=True)
    return sweep


def run_sweep(
    sweep: Sweep, watch: Callable[[Path], Watch] = lambda _: nullcontext(_ignore)
) -> Comparison:
    """Train the runs that are not finished, each on from where a kill left it, and compare all.

    Args:
        sweep: The runs.
        watch: Opens what is told about every step of the run in a folder.

    Returns:
        A column per choice.

    Raises:
        RelevanceError: If data, backbone or a folder don't serve, or a loss is not finite.
    """
    runs = []
    for folder, config in sweep.runs.items():
        with watch(folder) as on_event:
            runs.append(train_run(config, sweep.spec, folder, resume=True, on_event=on_event))
    scores = [score for run in runs for score in read_scores(run.folder / SCORES)]
    return compare(scores, costs=costs_of(runs))


def _ignore(_: Progress | Note) -> None:
    pass


def _folder(what: What, layers: Layers) -> str:
    """Name of the folder of a choice's seeds.

    >>> _folder("shared", (4, 0, 2)), _folder("mix", (4, 1, 1))
    ('shared-4', 'mix-4-1-1')
    """
    return "-".join([what, *map(str, layers[:1] if what == "shared" else layers)])


def _check_arguments(
    what: What,
    fields: Mapping[str, Any],
    spec: ClusterSpec | None,
    shared: Sequence[int] | None,
    mixes: Sequence[Layers] | None,
) -> None:
    """Refuse what a sweep has no use for, and say what it lacks."""
    for field in OWN:
        if field in fields:
            raise RelevanceError(f"A sweep chooses '{field}' itself. Leave it out of --config.")
    others = {"--clusters": spec, "--mix": mixes} if what == "shared" else {"--shared": shared}
    for option, value in others.items():
        if value:
            raise RelevanceError(f"--what {what} takes no {option}. Leave it out.")
    if what == "mix" and spec is None:
        raise RelevanceError(
            "--what mix needs --clusters, a file that `relevance cluster` writes. Give one."
        )
    if what == "shared" and "tasks" not in fields:
        raise RelevanceError("--what shared needs --tasks, such as the two of --tasks RTE,MRPC.")


def _different(choices: tuple[Layers, ...], option: str) -> tuple[Layers, ...]:
    if len(set(choices)) < len(choices):
        raise RelevanceError(f"{option} names a choice twice. Name each once.")
    return choices
