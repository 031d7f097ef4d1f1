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
READ = {"Lower NSP": 2}  # the layer whose first token is probed in the table, the top in others
MARGIN = 0.01  # by which a constant answer is to be beaten
COLUMNS = ["recipe", "model", "seed", "part", "score", "layer", "value", "constant"]
RECIPE = sha256(
    repr((MODELS, ENCODER, CORPORA, MARKUP, PRETRAINING, TRAINING, TASKS, PROBING)).encode()
).hexdigest()[:8]


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


def encoder_of(model: str, seed: int, folder: Path, options: argparse.Namespace) -> Path:
    """The folder of a model's encoder, which is pre-trained unless it is there."""
    made, encoder, levels = options.out / "made", folder / "encoder", MODELS[model]
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
    rows = [(name, value, constants[name]) for name, value in scores.items()]
    return pd.DataFrame(rows, columns=["score", "value", "constant"])


def task_scores(
    task: str, encoder: Path, seed: int, folder: Path, options: argparse.Namespace
) -> pd.DataFrame:
    """Fine-tune on a task; the constant is the commonest answer, of SQuAD 2.0 that of none."""
    import hmnet

    own = options.out / "made" / f"{task}.toml"
    arguments = ["--tasks", own if own.is_file() else task, "--data-dir", options.data]
    arguments += ["--backbone", encoder, *TRAINING.split(), *TASKS[task].split()]
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


def make(part: str, model: str, seed: int, options: argparse.Namespace) -> pd.DataFrame:
    """The scores of one part for one model."""
    folder = options.out / model.lower().replace(" ", "-") / f"seed-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    encoder = encoder_of(model, seed, folder, options)
    if part == PRETRAINED:
        found = pretraining_scores(encoder, options.out / "made")
    elif part == PROBED:
        found = probing_scores(encoder, seed, folder, options)
    else:
        found = task_scores(part, encoder, seed, folder, options)
    return found.assign(recipe=RECIPE, model=model, seed=seed, part=part).reindex(columns=COLUMNS)


def show(scores: pd.DataFrame) -> None:
    """Print means over seeds with their deviation, and where no model beats the constant answer."""
    read = scores["model"].map(READ).fillna(ENCODER["num_hidden_layers"])
    scores = scores[scores["layer"].isna() | (scores["layer"] == read)]
    for (part, score), found in scores.groupby(["part", "score"], sort=False):
        constant = found["constant"].mean()
        print(f"{part}, {score}: constant {constant:.3f}")
        best = -math.inf
        for model in MODELS:
            values = found.loc[found["model"] == model, "value"]
            if len(values):
                spread = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
                print(f"    {model:16} {values.mean():.3f}{spread}, {len(values)} seed(s)")
                better = values.mean() - constant
                best = max(best, -better if str(score).endswith("loss") else better)
        if best <= MARGIN:
            print(f"    no model beats the constant by {MARGIN}: no conclusion")


def main() -> None:
    """Make the scores that are missing, all models of a seed before the next, and print them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scores", type=Path, required=True, help="csv file of finished scores")
    parser.add_argument("--cache", type=Path, help="cache of the commands; unless given OUT/cache")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print what the csv file has")
    options = parser.parse_args()
    found = (
        pd.read_csv(options.scores) if options.scores.exists() else pd.DataFrame(columns=COLUMNS)
    )
    own = found[found["recipe"] == RECIPE]
    done = set(zip(own["model"], own["seed"], own["part"], strict=True))
    missing = [
        (part, model, seed)
        for seed in SEEDS
        for model in MODELS
        for part in PARTS
        if (model, seed, part) not in done and (part != PRETRAINED or MODELS[model] is not None)
    ]
    if missing and not options.show:
        os.nice(19)
        options.out.mkdir(parents=True, exist_ok=True)
        cache = (options.cache or options.out / "cache").absolute()
        os.environ |= {"RELEVANCE_CACHE": str(cache), "OMP_NUM_THREADS": str(options.threads)}
        prepare(options.data, options.out / "made")
        for part, model, seed in missing:
            found = pd.concat([found, make(part, model, seed, options)])
            found.to_csv(options.scores, index=False)
    show(found[found["recipe"] == RECIPE])


if __name__ == "__main__":
    main()
