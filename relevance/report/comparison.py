"""Measures beside measured gains, as one table with what it says about itself."""

import math
from dataclasses import asdict

from relevance.clustering.resting import resting_on, tells_anything
from relevance.comparison.judging import Judgement, MeasureComparison
from relevance.comparison.ranking_metrics import ceiling, reliability_within
from relevance.escaping import for_html
from relevance.matrices.matrix import RelevanceMatrix
from relevance.report.tables import Row, table

HEADINGS = {
    "measure": "measure",
    "spearman": "Spearman",
    "kendall": "Kendall",
    "spearman_within": "Spearman within",
    "kendall_within": "Kendall within",
    "share_of_ceiling": "of ceiling",
    "precision": "precision",
    "ndcg": "NDCG",
    "regret": "regret (%)",
    "adjusted_rand": "ARI",
    "seconds": "seconds",
    "cost_share": "cost (%)",
}
NO_QUALITIES = {"measure", "seconds", "cost_share"}
LEGEND = (
    "Spearman, Kendall: rank correlation with the reference over ordered pairs; within: of values"
    " less the mean of their target; precision: at finding negative pairs, as many called negative"
    " as there are; NDCG: order of each target's sources; regret: of the target's score, by the"
    " sources named; ARI: agreement of groups"
)


def comparison_table(
    comparison: MeasureComparison,
    format: str,  # noqa: A002 - the option's name
) -> str:
    """One row per measure: how it agrees with the reference, and what it cost.

    Args:
        comparison: Measures beside a reference.
        format: Format: `csv` (every field of a `Judgement`, in full), `html`, `latex` or
            `markdown`.

    Returns:
        The table, with `remarks` above or below it where the format has room for them; share of the
        cost in percent, not in CSV. Nothing is bold where every known cell of the reference carries
        a mark.

    Raises:
        RelevanceError: If the format is unknown.
    """
    if format == "csv":
        return table([asdict(row) for row in comparison.rows], format)
    rows = [_row(row) for row in comparison.rows]
    best = _bold(comparison)
    text = table(rows, format, bold=best)
    lines = (f"{LEGEND}; bold: best." if best else f"{LEGEND}.", *remarks(comparison))
    if format == "latex":
        return "".join(f"% {line}\n" for line in lines) + text
    if format == "html":
        return text + "".join(f"<p>{for_html(line)}</p>\n" for line in lines)
    return "\n".join([text, *(f"- {line}" for line in lines)]) + "\n"


def remarks(comparison: MeasureComparison) -> tuple[str, ...]:
    """Remarks for the reader, one line each: tasks, chance, ceiling, groups, what is missing."""
    found = [
        _tasks(comparison),
        *_resting(comparison.reference),
        _negatives(comparison.reference),
        *_regret(comparison),
        _ceiling(comparison.reference),
    ]
    if comparison.groups is not None:
        groups = " / ".join(", ".join(group) for group in comparison.groups.clusters)
        found.append(f"Groups of the reference: {groups}.")
    found += [
        f"{row.measure}: {row.left_out} of {row.pairs + row.left_out} pairs are unknown and left"
        " out."
        for row in comparison.rows
        if row.left_out
    ]
    found += [
        f"{row.measure}: no rank correlation, for want of pairs or of values that differ."
        for row in comparison.rows
        if math.isnan(row.spearman)
    ]
    return (*found, *(f"No groups of {reason}" for reason in comparison.ungrouped))


def _row(row: Judgement) -> Row:
    values = asdict(row)
    for share in ("regret", "cost_share"):
        if values[share] is not None:
            values[share] *= 100
    return {heading: values[name] for name, heading in HEADINGS.items()}


def _bold(comparison: MeasureComparison) -> set[tuple[int, int]]:
    """Cells of the best, by row and column; none where the reference itself tells nothing."""
    if not tells_anything(comparison.reference):
        return set()
    columns = list(HEADINGS)
    return {
        (y, columns.index(quality))
        for quality in HEADINGS.keys() - NO_QUALITIES
        for y in _best([_quality(row, quality) for row in comparison.rows])
    }


def _quality(row: Judgement, name: str) -> float | None:
    """Higher is better; a regret counts as it is printed, in percent."""
    value: float | None = getattr(row, name)
    return -100 * value if name == "regret" and value is not None else value


def _best(values: list[float | None]) -> list[int]:
    """Places of the highest value, as far as two decimals tell; none where all known are alike."""
    known = {
        # Ties in print are ties in bold.
        place: round(value, 2)
        for place, value in enumerate(values)
        if value is not None and not math.isnan(value)
    }
    if len(set(known.values())) < 2:
        return []
    highest = max(known.values())
    return [place for place, value in known.items() if value == highest]


def _tasks(comparison: MeasureComparison) -> str:
    shared = f"{len(comparison.reference.tasks)} tasks that all matrices share"
    if not comparison.left_out:
        return f"{shared}."
    left_out = ", ".join(comparison.left_out)
    return f"{shared}; left out: {left_out}. Seconds are those of all tasks of a matrix."


def _resting(reference: RelevanceMatrix) -> list[str]:
    """A line on what of the reference may be noise; none where no cell is marked."""
    line = resting_on(reference)
    if line is None:
        return []
    tells = "" if tells_anything(reference) else ": it tells no measure from another, none is best"
    return [f"The reference is {line}{tells}."]


def _negatives(reference: RelevanceMatrix) -> str:
    known = reference.values[reference.known]
    negative = int((known < 0).sum())
    share = f", so the precision of chance is {negative / len(known):.2f}" if negative else ""
    return f"{negative} of the reference's {len(known)} pairs are negative{share}."


def _regret(comparison: MeasureComparison) -> list[str]:
    if all(row.regret is None for row in comparison.rows):
        return []
    named = f"{comparison.named} sources" if comparison.named > 1 else "source"
    return [f"Regret: what is lost by the {named} named best, against the truly best."]


def _ceiling(reference: RelevanceMatrix) -> str:
    reliability, highest = reliability_within(reference), ceiling(reference)
    if reliability is None:
        return "No ceiling: the reference does not hold the scores of several seeds."
    seeds = f"over {len(reference.seeds)} seeds the reference's reliability within targets is"
    if highest is None:
        return f"No ceiling: {seeds} {reliability:.2f}, so it cannot tell measures apart."
    return (
        f"Ceiling: {seeds} {reliability:.2f}, which lets a perfect measure reach a correlation"
        f" within targets of {highest:.2f}."
    )
