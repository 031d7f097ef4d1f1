r"""README's figure: the mean gains of the reference study, and what cheap estimates know of them.

    cd benchmarks/studies/reference
    python figure.py runs.csv ../../../docs/gains.png --table estimators.csv \
        --clusters OUT/groups.json

On the left the mean over all seeds, hatched where the 95 % interval covers 0. On the right the rank
correlation within targets of every row of `estimators.py` with that mean, and what it cost as a
share of the whole study; the dashed line is the ceiling that the noise of the mean sets, and in the
grey band lie 95 % of random values. Nothing but these two files is read.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from estimators import ONE_SEED, chance
from gains import TASKS, read_gains, read_table

import relevance
from cli.app import bad_input_ends
from relevance.clustering.spec import ClusterSpec
from relevance.comparison.ranking_metrics import ceiling, reliability_within
from relevance.errors import RelevanceError
from relevance.figures.figure import (
    FAINT,
    INK,
    NEGATIVE,
    POSITIVE,
    TWO_COLUMNS_PT,
    Axes,
    draw_frame,
    draw_notes,
    new_axes,
)
from relevance.gains.gain_choice import METRICS
from relevance.matrices.matrix import RelevanceMatrix

TEXT_PT = 7.0
LEFT_PT, BELOW_PT, ABOVE_PT, SIDE_PT = 44.0, 62.0, 26.0, 196.0
NAMES_PT, COST_PT, EDGE_PT = 92.0, 46.0, 4.0
NUMBERS = ("seeds", "spearman_within", "cost_share")
BAND = "#ededed"


@bad_input_ends("figure.py")
def main() -> None:
    """Draw and save."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path, help=".png, .svg or .pdf")
    parser.add_argument("--table", type=Path, required=True, help="csv file of estimators.py")
    parser.add_argument("--clusters", type=Path, help="groups to frame")
    parser.add_argument("--metric", choices=METRICS, default="gain", help="that of the table")
    options = parser.parse_args()
    matrix = read_gains(options.runs, options.metric, needed=TASKS)
    rows = read_table(options.table, ("measure", "metric"), NUMBERS)
    wanted = len(matrix.seeds), options.metric
    if set(zip(rows["seeds"], rows["metric"], strict=True)) != {wanted}:
        raise RelevanceError(
            "{} is not of {} seeds by '{}'. Make it again with estimators.py.".format(
                options.table, *wanted
            )
        )
    left = LEFT_PT + SIDE_PT + NAMES_PT
    width = TWO_COLUMNS_PT - left - COST_PT - EDGE_PT
    map_axes, axes = new_axes(
        TWO_COLUMNS_PT,
        BELOW_PT + SIDE_PT + ABOVE_PT,
        (LEFT_PT, BELOW_PT, SIDE_PT, SIDE_PT),
        (left, BELOW_PT, width, SIDE_PT),
    )
    clusters = ClusterSpec.load(options.clusters) if options.clusters else None
    relevance.heatmap(matrix, map_axes, clusters=clusters)
    draw_estimates(matrix, rows, axes)
    relevance.save_figure(axes, options.out)


def draw_estimates(matrix: RelevanceMatrix, rows: pd.DataFrame, axes: Axes) -> None:
    """A row per estimate, the best above: a dot at its agreement, its cost beside it."""
    rows = rows.sort_values("spearman_within", na_position="first").reset_index(drop=True)
    agreement, random = rows["spearman_within"].to_numpy(), chance(matrix)
    highest = ceiling(matrix)
    axes.axvspan(-random, random, color=BAND, linewidth=0)
    axes.axvline(0, color="white", linewidth=1.0)
    if highest is not None:
        axes.axvline(highest, color=INK, linewidth=0.7, linestyle=(0, (4, 3)))
        axes.annotate(
            "ceiling",
            (highest, 1.01),
            xycoords=("data", "axes fraction"),
            ha="right" if highest > 0.5 else "left",
            va="bottom",
            fontsize=TEXT_PT - 0.5,
            color=INK,
        )
    for place, row in rows.iterrows():
        value = row["spearman_within"]
        colour = INK if row["measure"] == ONE_SEED else POSITIVE if value >= 0 else NEGATIVE
        axes.plot([0, value], [place, place], color=colour, linewidth=1.0, alpha=0.45)
        axes.plot([value], [place], "o", color=colour, markersize=4.0)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_yticks(range(len(rows)), rows["measure"])
    known = agreement[np.isfinite(agreement)]
    axes.set_xlim(min(-random, *known) - 0.06, max(highest or 0.0, random, *known) + 0.06)
    draw_frame(axes, TEXT_PT)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("rank correlation with these gains, within targets", fontsize=TEXT_PT)
    axes.xaxis.label.set_color(INK)
    costs = axes.twinx()
    costs.set_ylim(axes.get_ylim())
    costs.set_yticks(range(len(rows)), [cost_of(share) for share in rows["cost_share"]])
    costs.tick_params(length=0, labelsize=TEXT_PT, labelcolor=FAINT)
    costs.set_frame_on(False)
    costs.annotate(
        "cost",
        (1.0, 1.01),
        xycoords="axes fraction",
        xytext=(3, 0),
        textcoords="offset points",
        va="bottom",
        fontsize=TEXT_PT - 0.5,
        color=FAINT,
    )
    notes = [f"cost: share of the whole study, {len(matrix.seeds)} seeds"]
    if (rows["measure"] == ONE_SEED).any():
        notes.append("one seed: a whole seed against the mean of the others")
    reliability = reliability_within(matrix)
    told = "unknown" if reliability is None else f"{reliability:.2f}"
    notes += ["grey: 95 % of random values", f"reliability of these gains within targets: {told}"]
    draw_notes(axes, notes, 32.0)


def cost_of(share: float) -> str:
    """A share of the study's cost in percent, with one digit below 1 %."""
    if np.isnan(share):
        return "\N{EN DASH}"
    percent = 100 * share
    if percent < 0.05:
        return "< 0.1 %" if percent > 0 else "0 %"
    return f"{percent:.1f} %" if percent < 1 else f"{percent:.0f} %"


if __name__ == "__main__":
    main()
