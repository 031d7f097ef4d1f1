"""Sweep over numbers of shared layers: one run per choice and seed, side by side."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from hmnet.analysis.layer_choices import (
    Layers,
    What,
    column,
    folder_name,
    mix_choices,
    shared_choices,
)
from hmnet.backbones.backbone import load_config
from hmnet.comparison.compare import compare_runs
from hmnet.comparison.table import Comparison
from hmnet.kinds._reading import read_depth
from hmnet.runs.checked import check_run
from hmnet.runs.train import OnEvent, train_run
from hmnet.settings.config import RunConfig
from relevance.clustering.spec import ClusterSpec
from relevance.disk.files import validated
from relevance.errors import RelevanceError
from relevance.tasks.find import find_tasks

Watch: TypeAlias = AbstractContextManager[OnEvent]
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
        """Names of the runs of each choice."""
        return tuple(column(self.what, layers) for layers in self.choices)


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
        fields: Settings of all runs, as `hmnet.settings.config.RunConfig` takes them.
        out: Folder of the sweep; every run has a folder below it, which may hold it already.
        spec: Which tasks share the cluster layers, for `mix`.
        seeds: Seeds of the runs of each choice.
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
    tasks = find_tasks(config.tasks)
    names = tuple(task.name for task in tasks)
    if len(names) < 2:
        raise RelevanceError("A sweep is about layers that tasks share, so it needs two tasks.")
    depth = read_depth(load_config(config.backbone), tasks, config.concat)
    choices = shared_choices(depth, shared) if what == "shared" else mix_choices(depth, mixes)
    spec = spec or ClusterSpec(clusters=(names,))
    runs: dict[Path, RunConfig] = {}
    for layers in choices:
        own = {"method": "hmnet", "layers": layers, "name": column(what, layers)}
        for seed in seeds:
            folder = out / folder_name(what, layers) / f"seed-{seed}"
            runs[folder] = validated(RunConfig, {**fields, **own, "seed": seed}, "settings")
    for folder, settled in runs.items():
        check_run(settled, spec, folder, resume=True)
    return Sweep(what, choices, spec, runs)


def run_sweep(
    sweep: Sweep, watch: Callable[[Path], Watch] = lambda _: nullcontext(lambda _: None)
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
    return compare_runs(runs)


def different_names(files: Sequence[Path | None]) -> dict[str, Path | None]:
    """Names for the sweeps of several groupings: each after its file.

    Args:
        files: Files of clusters; None for a sweep without.

    Returns:
        Sweeps by name, in their order.

    Raises:
        RelevanceError: If two are called the same.
    """
    named = {"" if file is None else file.stem: file for file in files}
    if len(named) < len(files):
        raise RelevanceError(
            "`clusters`: the runs of each file are kept in a folder called after it, so that the"
            " files need different names."
        )
    return named


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
            raise RelevanceError(f"A sweep chooses '{field}' itself. Leave it out of `config`.")
    others = {"clusters": spec, "mix": mixes} if what == "shared" else {"shared": shared}
    for option, value in others.items():
        if value:
            raise RelevanceError(f'`what="{what}"` takes no `{option}`. Leave it out.')
    if what == "mix" and spec is None:
        raise RelevanceError(
            '`what="mix"` needs `clusters`, a file that `relevance cluster` writes. Give one.'
        )
    if what == "shared" and "tasks" not in fields:
        raise RelevanceError(
            '`what="shared"` needs `tasks`, such as the two of `tasks=["RTE", "MRPC"]`.'
        )
