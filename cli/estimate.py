"""Commands of `relevance` that measure without training every pair, or by any measure's name."""

from dataclasses import replace
from typing import Annotated, Any

import typer

import relevance
from cli.app import AGAIN, goes_on
from cli.completion import completes
from cli.generated import Given
from cli.matrix_output import deliver_matrix
from cli.options import (
    ConfigOption,
    FigureOption,
    OutOption,
    SeedsOption,
    StyleOptions,
    TaskOptions,
    TrainingOptions,
    settings,
)
from cli.output import check_places, look, save
from cli.study import (
    AimOption,
    BudgetOption,
    DryRunOption,
    ResourcesOption,
    budget_of,
    study_inputs,
    tell_plan,
)
from relevance.errors import RelevanceError
from relevance.registry import members_of

TokenizerOption = Annotated[
    str, typer.Option(help="minilm, word, a file or folder, or a hub name.", metavar="NAME")
]
GradedOption = Annotated[
    bool, typer.Option("--graded", help="taxonomy: count how closely families are related.")
]


def vocab(
    tasks: TaskOptions,
    style: StyleOptions,
    out: OutOption = None,
    tokenizer: TokenizerOption = "bert-base-uncased",
    heatmap: FigureOption = None,
) -> None:
    """Shared vocabulary: the share of the target's tokens that the source has too (eq. 2).

    Example: relevance vocab --tokenizer minilm --data-dir data/ --out vocab.json
    """
    looks = look(style, heatmap)
    check_places(out, figures=(heatmap,))
    with study_inputs(settings(tasks)) as (inputs, found):
        matrix = relevance.measure("vocabulary", found, inputs, tokenizer=tokenizer)
    deliver_matrix(matrix, out)
    if heatmap is not None:
        save(relevance.heatmap(matrix, style=looks), heatmap)


def taxonomy(tasks: TaskOptions, out: OutOption = None, graded: GradedOption = False) -> None:
    """The manual taxonomy: 1 within a family, 0 across, or graded over a tree of families.

    Example: relevance taxonomy --out taxonomy.json
    """
    with study_inputs(settings(tasks)) as (inputs, found):
        matrix = relevance.measure("taxonomy", found, inputs, graded=graded)
    deliver_matrix(matrix, out)


def estimate(
    measure: Annotated[
        str,
        typer.Argument(
            help=f"One of {', '.join(members_of('relevance.measures'))}.",
            metavar="MEASURE",
            show_default=False,
            autocompletion=completes(lambda: members_of("relevance.measures")),
        ),
    ],
    training: TrainingOptions,
    resources: ResourcesOption,
    out: OutOption = None,
    seeds: SeedsOption = None,
    config: ConfigOption = None,
    tokenizer: TokenizerOption = "bert-base-uncased",
    graded: GradedOption = False,
    share: Annotated[
        float | None,
        typer.Option(
            help="short-runs: share of each task's training rows.  [default: 0.25]",
            metavar="SHARE",
            show_default=False,
        ),
    ] = None,
    memory: Annotated[
        float | None,
        typer.Option(
            help="top-layers: outputs of frozen layers that workers hold in memory together, in"
            " GB; others stay in a file.  [default: 4]",
            metavar="GB",
            show_default=False,
        ),
    ] = None,
    budget: BudgetOption = None,
    aim: AimOption = None,
    *,
    dry_run: DryRunOption = False,
) -> int:
    """Any measure by name, most of them for a small share of what pairwise costs.

    Without an encoder: vocabulary, taxonomy, token-embedding. The encoder as it is: embedding.
    With a head: fisher. Trained on each task alone: logme, h-score, usable-information. On all
    together, once: gradient-cosine, lookahead, linearised. On every pair, as `relevance pairwise`
    trains them: joint-training; on a share of the rows: short-runs; over lower layers that are
    frozen (--freeze, two thirds of them by default) and run once a task: top-layers. Options under
    Study and --dry-run are for these three.

    Example: relevance estimate embedding --backbone minilm --data-dir data/ --out m.json
    """
    from relevance.measures.measure import measures

    kept = measures.find(measure).keeps_jobs  # an unknown measure is told before tasks are
    within = budget_of(budget, aim)
    if not kept:
        given = {**resources, "budget": within, "dry_run": dry_run or None}
        _refuse_study(measure, given)
    only = {
        **_only_for(measure, "short-runs", "share", share),
        **_only_for(measure, "top-layers", "memory", memory),
    }
    check_places(out)
    chosen = settings(training, seeds=seeds, config=config)
    with study_inputs(chosen, resources=resources or None) as (inputs, found):
        inputs = replace(inputs, tokenizer=tokenizer, graded=graded, budget=within, **only)
        if kept and tell_plan(measure, inputs, found, chosen, dry_run=dry_run):
            return 0
        with goes_on(AGAIN if kept else ""):
            matrix = relevance.measure(measure, found, inputs)
    return deliver_matrix(matrix, out)


def _refuse_study(measure: str, given: Given) -> None:
    """Refuse options of studies for a measure that has no jobs of its own."""
    for name, value in given.items():
        if value is not None:
            raise RelevanceError(
                f"--{name.replace('_', '-')} is for measures that train every pair: joint-training,"
                f" short-runs and top-layers; {measure} has no use for it."
            )


def _only_for(measure: str, owner: str, name: str, value: float | None) -> dict[str, Any]:
    """The setting of one measure where it is given, which means nothing to others."""
    if value is None:
        return {}
    if measure != owner:
        raise RelevanceError(f"--{name} is for {owner}; {measure} has no use for it.")
    return {name: value}
