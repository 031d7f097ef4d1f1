"""Does the layer that an objective of pre-training reads matter? The study of Aksoy et al., small.

    python benchmarks/studies/pretraining.py DATA OUT --scores benchmarks/studies/pretraining.csv

An encoder of 4 layers, 128 wide, 64 tokens, is pre-trained from random weights on WikiText-2 (valid
and test), IMDB (train) and MultiRC (train) texts: as BERT (both levels at the top), Lower NSP and
Lower Mask (at layer 2), without NSP. These and one with random weights are fine-tuned on MNLI and
on questions in SQuAD's form, and probed. WordPiece of 8,000 pieces is trained on the same texts:
of MiniLM's 30,522 pieces most would be seen too rarely to be learned in so few steps. Markup is
taken out of the texts, since it is guessed too easily.

Pre-training has learned something only where its loss on held-out masked pieces lies clearly below
the entropy of single pieces in the corpus, so this is printed first. A column in which no model
beats the constant answer carries no conclusion. Of SQuAD 1.1, where something must be answered, the
constant is right hardly ever, and an untrained model is better: there the row without pre-training
is what counts.

Started again it goes on where it was stopped, on another machine too: scores that the csv file
holds are not made again. One command runs at a time. RECIPE is what scores depend on; those of
another recipe are kept in the file and not read.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pretraining_inputs import CORPORA, ENCODER, MARKUP, prepare, write_encoder

MODELS = {
    "BERT": "",
    "Lower NSP": "--nsp-layer 2",
    "Lower Mask": "--mlm-layer 2",
    "Without NSP": "--nsp-layer off",
    "No pre-training": None,
}
SEEDS = range(3)
PRETRAINING = (
    "--steps 3200 --batch-size 32 --max-length 64 --long-share 0 --lr 1e-3 --warmup 0.05"
    " --schedule linear --optimizer adamw --no-amsgrad --weight-decay 0.01 --clip-norm 1"
    " --dev-share 0.02"
)
TRAINING = "--method single --max-length 64 --batch-size 32 --lr 3e-4 --warmup 0.1 --clip-norm 1"
TASKS = {"MNLI": "--epochs 1 --length-grouped", "SQuAD2": "--epochs 1", "SQuAD": "--epochs 3"}
PROBING = "--vector cls --max-length 64 --epochs 10 --batch-size 64"
PRETRAINED, PROBED = "pre-training", "probing"
PARTS = (PRETRAINED, *TASKS, PROBED)
# the layer whose first token is probed in the table, the top in others
READ = {"Lower NSP": 2, "Lower NSP, frozen": 2}
MARGIN = 0.01  # by which a constant answer is to be beaten
COLUMNS = ["recipe", "model", "seed", "part", "score", "layer", "value", "constant"]
RECIPE = sha256(
    repr((MODELS, ENCODER, CORPORA, MARKUP, PRETRAINING, TRAINING, TASKS, PROBING)).encode()
).hexdigest()[:8]

Part = tuple[str, str, int]
"""What is made at once: part of the study, model, seed."""

Make = Callable[[str, str, int, argparse.Namespace], pd.DataFrame]


def command(options: argparse.Namespace, *arguments: Any, cache: Path | None = None) -> None:
    """Run a command of `hmnet`; what it says goes to a log file."""
    own = {"RELEVANCE_CACHE": str(cache)} if cache else {}
    with (options.out / "commands.log").open("a") as said:
        subprocess.run(
            [sys.executable, "-m", "hmnet", *map(str, arguments), "--device", "cpu"],
            check=True,
            stdout=said,
            stderr=said,
            env=os.environ | own,
        )


def unigrams(made: Path) -> dict[str, float]:
    """What masked pieces score where only shares of pieces are known: their entropy in nats."""
    from hmnet.data.tokenizer import read_tokenizer
    from hmnet.pretraining.encoded_corpus import encode_corpora
    from hmnet.pretraining.named import named_corpus

    corpus = named_corpus(f"{made / 'corpus.txt'}@blank")
    ids = encode_corpora([corpus], read_tokenizer(made / "encoder")).ids
    counts = np.bincount(ids)
    shares = counts[counts > 0] / len(ids)
    return {"mlm_loss": -(shares * np.log(shares)).sum(), "mlm_accuracy": shares.max()}


def encoder_of(levels: str | None, seed: int, folder: Path, options: argparse.Namespace) -> Path:
    """The folder of an encoder, which is pre-trained at these levels unless it is there."""
    made, encoder = options.out / "made", folder / "encoder"
    if levels is None:
        write_encoder(encoder, made / "tokenizer", seed)
    elif not (encoder / "config.json").is_file():
        arguments = ["--corpus", f"{made / 'corpus.txt'}@blank", "--backbone", made / "encoder"]
        arguments += [*PRETRAINING.split(), *levels.split()]
        command(options, "pretrain", *arguments, "--seed", seed, "--out", encoder, "--resume")
    return encoder


def pretraining_scores(encoder: Path, made: Path) -> pd.DataFrame:
    """The last scores on held-out documents; half of the pairs are true neighbours."""
    scores = json.loads((encoder / "pretraining.json").read_text())["evaluations"][-1]["scores"]
    constants = {"nsp_loss": math.log(2), "nsp_accuracy": 0.5} | unigrams(made)
    rows = [(name, value, constants.get(name, math.nan)) for name, value in scores.items()]
    return pd.DataFrame(rows, columns=["score", "value", "constant"])


def task_scores(
    task: str, encoder: Path, seed: int, folder: Path, options: argparse.Namespace, own: str = ""
) -> pd.DataFrame:
    """Fine-tune on a task; the constant is the commonest answer, of SQuAD 2.0 that of none."""
    import hmnet

    file = options.out / "made" / f"{task}.toml"
    arguments = ["--tasks", file if file.is_file() else task, "--data-dir", options.data]
    arguments += ["--backbone", encoder, *f"{TRAINING} {TASKS[task]} {own}".split()]
    command(options, "train", *arguments, "--seed", seed, "--out", folder / task, "--resume")
    rows = [
        (f"{score.split} {score.metric}", score.value, score.majority)
        for score in hmnet.load(folder / task).scores
        if score.metric != "loss"
    ]
    return pd.DataFrame(rows, columns=["score", "value", "constant"])


def probing_scores(
    encoder: Path, seed: int, folder: Path, options: argparse.Namespace
) -> pd.DataFrame:
    """Probe all layers; features are thrown away, since no other command reads them again."""
    arguments = [encoder, "--data", options.data / "probing", *PROBING.split(), "--seed", seed]
    out, cache = folder / PROBED, folder / "features"
    command(options, "probe", *arguments, "--out", out, cache=cache)
    found = pd.read_csv(out / "probing.csv")
    shutil.rmtree(cache)
    names = {"task": "score", "accuracy": "value", "majority": "constant"}
    return found.rename(columns=names)[["score", "layer", "value", "constant"]]


def folder_of(model: str, seed: int, options: argparse.Namespace) -> Path:
    """The folder of one model and seed."""
    folder: Path = options.out / model.lower().replace(",", "").replace(" ", "-") / f"seed-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def make(part: str, model: str, seed: int, options: argparse.Namespace) -> pd.DataFrame:
    """The scores of one part for one model."""
    folder = folder_of(model, seed, options)
    encoder = encoder_of(MODELS[model], seed, folder, options)
    return scores_of(part, encoder, seed, folder, options)


def scores_of(
    part: str, encoder: Path, seed: int, folder: Path, options: argparse.Namespace
) -> pd.DataFrame:
    """The scores of one part for an encoder."""
    if part == PRETRAINED:
        return pretraining_scores(encoder, options.out / "made")
    if part == PROBED:
        return probing_scores(encoder, seed, folder, options)
    return task_scores(part, encoder, seed, folder, options)


def show(scores: pd.DataFrame, models: Iterable[str] = MODELS) -> None:
    """Print means over seeds with their deviation, and where no model beats the constant answer."""
    read = scores["model"].map(READ).fillna(ENCODER["num_hidden_layers"])
    scores = scores[scores["layer"].isna() | (scores["layer"] == read)]
    for (part, score), found in scores.groupby(["part", "score"], sort=False):
        constant = found["constant"].mean()
        print(f"{part}, {score}: constant {constant:.3f}")
        best = -math.inf
        for model in models:
            values = found.loc[found["model"] == model, "value"]
            if len(values):
                spread = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
                print(f"    {model:16} {values.mean():.3f}{spread}, {len(values)} seed(s)")
                better = values.mean() - constant
                best = max(best, -better if str(score).endswith("loss") else better)
        if best <= MARGIN and not math.isnan(constant):  # swapped pieces have none
            print(f"    no model beats the constant by {MARGIN}: no conclusion")


def parser_of(description: str) -> argparse.ArgumentParser:
    """The options of a study."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scores", type=Path, required=True, help="csv file of finished scores")
    parser.add_argument("--cache", type=Path, help="cache of the commands; unless given OUT/cache")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print what the csv file has")
    return parser


def read_scores(file: Path) -> pd.DataFrame:
    """Finished scores; none where there is no file."""
    return pd.read_csv(file) if file.exists() else pd.DataFrame(columns=COLUMNS)


def finish(
    parts: Iterable[Part], make: Make, recipe: str, options: argparse.Namespace
) -> pd.DataFrame:
    """Make the scores that the csv file lacks, one part after another, and give all of a recipe."""
    found = read_scores(options.scores)
    own = found[found["recipe"] == recipe]
    done = set(zip(own["part"], own["model"], own["seed"], strict=True))
    missing = [each for each in parts if each not in done]
    if missing and not options.show:
        os.nice(19)
        options.out.mkdir(parents=True, exist_ok=True)
        cache = (options.cache or options.out / "cache").absolute()
        os.environ |= {"RELEVANCE_CACHE": str(cache), "OMP_NUM_THREADS": str(options.threads)}
        prepare(options.data, options.out / "made")
        for part, model, seed in missing:
            scores = make(part, model, seed, options).assign(
                recipe=recipe, model=model, seed=seed, part=part
            )
            found = pd.concat([found, scores.reindex(columns=COLUMNS)])
            found.to_csv(options.scores, index=False)
    return found[found["recipe"] == recipe]


def main() -> None:
    """Make the scores that are missing, all models of a seed before the next, and print them."""
    options = parser_of(__doc__.partition("\n")[0]).parse_args()
    parts = [
        (part, model, seed)
        for seed in SEEDS
        for model in MODELS
        for part in PARTS
        if part != PRETRAINED or MODELS[model] is not None
    ]
    show(finish(parts, make, RECIPE, options))


if __name__ == "__main__":
    main()
