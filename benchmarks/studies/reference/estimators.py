r"""Cheap estimates of relevance beside the reference study: agreement and cost, a row for each.

    python benchmarks/studies/reference/estimators.py DATA OUT \
        --runs benchmarks/studies/reference/runs.csv --study STUDY \
        --table benchmarks/studies/reference/estimators.csv

Every measure of `relevance estimate` on the tasks, rows and encoder of the study, with a seed that
the study has not, so that no estimate shares its initial weights. Its matrix is kept in OUT and not
made again (those of a trial, `--other`, in OUT/trial). What trains has the study's settings, on a
share of the rows or with one layer more frozen. `--only NAME ...` makes some; `--show` makes none
and prints the table of those there are. STUDY is the folder in which `runs.py` worked and that has
`seed-N.json`, of which the study's cost is the sum. Costs are seconds of workers, on one thread
each.

`one seed` is the yardstick: a whole seed of the study against the mean of its others, the mean over
seeds. All else is judged by the mean of all seeds. How far that mean can be trusted stands above
the table; where its reliability within targets is below .5 the table says that it is one of noise.
"""

import argparse
import shlex
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
from gains import TASKS, read_gains
from runs import TRAINING, command, encoder

from cli.app import bad_input_ends
from relevance.clustering.agreement import rank_correlations
from relevance.comparison.judging import Judgement, compare_with
from relevance.comparison.ranking_metrics import reliability_within, within_targets
from relevance.errors import RelevanceError
from relevance.gains.gain_choice import METRICS
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.report.comparison import HEADINGS, remarks
from relevance.report.tables import table

SHARES = (10, 25, 50)
ESTIMATES = {
    "vocabulary": "vocabulary --tokenizer {backbone}",
    "taxonomy": "taxonomy --graded",
    "token-embedding": "token-embedding --tokenizer {backbone}",
    **{name: name for name in ("embedding", "fisher", "logme", "h-score", "usable-information")},
    **{name: name for name in ("gradient-cosine", "lookahead", "linearised")},
    "top-layers": "top-layers --freeze 1 --gpus 0",
    **{f"short-runs {share} %": f"short-runs --share {share / 100} --gpus 0" for share in SHARES},
}
ONE_SEED = "one seed"
SEED = 100  # none of the study's
LEAST_RELIABILITY = 0.5


@bad_input_ends("estimators.py")
def main() -> None:
    """Make the estimates that are missing, then judge all there are."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=Path, required=True, help="csv file of runs.py")
    parser.add_argument("--study", type=Path, help="folder of runs.py, for its cost")
    parser.add_argument("--table", type=Path, help="csv file of the table's rows")
    parser.add_argument("--only", nargs="+", choices=ESTIMATES, default=list(ESTIMATES))
    parser.add_argument("--show", action="store_true", help="make no estimate")
    parser.add_argument("--metric", choices=METRICS, default="gain", help="of the study's gains")
    parser.add_argument("--k", type=int, default=3, help="number of groups")
    parser.add_argument("--jobs", type=int, default=2, help="workers of what trains pairs")
    parser.add_argument("--other", default="", help="settings other than the study's, for a trial")
    options = parser.parse_args()
    if options.other and options.table:
        parser.error("--other is a trial, whose rows are none of the table's: leave out --table.")
    reference = read_gains(options.runs, options.metric, study=options.study, needed=TASKS)
    options.kept = options.out / "trial" if options.other else options.out
    options.kept.mkdir(parents=True, exist_ok=True)
    for name in [] if options.show else options.only:
        if not file_of(options.kept, name).is_file():
            started = time.perf_counter()
            told = "failed after" if estimate(name, options) else "took"
            seconds = time.perf_counter() - started
            print(f"{name} {told} {seconds:.0f} s", file=sys.stderr, flush=True)
    there = [name for name in ESTIMATES if file_of(options.kept, name).is_file()]
    matrices = [load_matrix(file_of(options.kept, name)) for name in there]
    show(reference, judged(reference, matrices, there, options), options)


def file_of(out: Path, name: str) -> Path:
    """The file of an estimate's matrix."""
    return out / f"{name.replace(' %', '').replace(' ', '-')}.json"


def estimate(name: str, options: argparse.Namespace) -> int:
    """Make one estimate on one thread a worker and give its exit status; runs lie in the cache."""
    backbone = encoder(options.out)
    own = shlex.split(ESTIMATES[name].format(backbone=shlex.quote(str(backbone))))
    arguments = ["--tasks", ",".join(TASKS), "--data-dir", options.data, "--backbone", backbone]
    arguments += [*TRAINING.split(), *own[1:], "--seeds", SEED, *shlex.split(options.other)]
    arguments += ["--jobs", options.jobs] if "--gpus" in own else ["--device", "cpu"]
    arguments += ["--out", file_of(options.kept, name)]
    return command(
        *("relevance", "estimate", own[0], *arguments),
        out=options.out,
        may_fail=True,
        OMP_NUM_THREADS="1",
    )


def judged(
    reference: RelevanceMatrix,
    matrices: list[RelevanceMatrix],
    names: list[str],
    options: argparse.Namespace,
) -> pd.DataFrame:
    """A row for each estimate, and for one seed of the study against its others."""
    rows = compare_with(reference, matrices, names, k=options.k).rows if names else ()
    one = of_one_seed(reference, options) if len(reference.seeds) > 2 else []
    found = pd.DataFrame([*map(asdict, rows), *one])
    return found.assign(seeds=len(reference.seeds), metric=options.metric)


def of_one_seed(reference: RelevanceMatrix, options: argparse.Namespace) -> list[dict]:
    """What a whole seed of the study says of its others, the mean over seeds."""
    found: list[Judgement] = []
    for seed in reference.seeds:
        one = read_gains(options.runs, options.metric, [seed], options.study)
        others = [other for other in reference.seeds if other != seed]
        rest = replace(
            read_gains(options.runs, options.metric, others, options.study), cost=reference.cost
        )
        found += compare_with(rest, [one], [ONE_SEED], k=options.k).rows
    rows = pd.DataFrame(map(asdict, found))
    return [{"measure": ONE_SEED, **rows.drop(columns="measure").astype(float).mean()}]


def show(reference: RelevanceMatrix, rows: pd.DataFrame, options: argparse.Namespace) -> None:
    """Print the table with what its numbers rest on, and write its rows."""
    if rows.empty:
        raise RelevanceError(
            "No estimate is there, and a study of two seeds has no others for one."
            " Leave out --show."
        )
    if options.table:
        rows.to_csv(options.table, index=False)
    for share in ("regret", "cost_share"):
        rows[share] *= 100
    shown = rows[list(HEADINGS)].rename(columns=HEADINGS)
    print(table(shown.astype(object).where(shown.notna(), None).to_dict("records"), "markdown"))
    reliability = reliability_within(reference)
    if reliability is None:
        print("One seed tells nothing of its own reliability: this table may be one of noise.")
    elif reliability < LEAST_RELIABILITY:
        print(
            f"The mean of the study's seeds has a reliability within targets of {reliability:.2f},"
            f" below {LEAST_RELIABILITY}: this is a table of noise, which ranks no estimate."
        )
    print(f"- Random values reach {chance(reference):.2f} within targets in one of 40 draws.")
    comparison = compare_with(reference, [reference], ["study"], k=options.k)
    print("\n".join(f"- {line}" for line in remarks(comparison)))


def chance(reference: RelevanceMatrix, draws: int = 1000) -> float:
    """Spearman's correlation within targets that one of 40 matrices of random values exceeds."""
    random = np.random.default_rng(0).random((draws, *reference.values.shape))
    known, truth = reference.known, within_targets(reference.values, reference.known)
    found = [rank_correlations(within_targets(values, known), truth)[0] for values in random]
    return float(np.quantile(found, 0.975))


if __name__ == "__main__":
    main()
