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
beats the constant answer carries no conclusion.

Started again it goes on where it was stopped, on another machine too: scores that the csv file
holds are not made again. One command runs at a time. RECIPE is what scores depend on; those of
another recipe are kept in the file and not read.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MODELS = {
    "BERT": "",
    "Lower NSP": "--nsp-layer 2",
    "Lower Mask": "--mlm-layer 2",
    "Without NSP": "--nsp-layer off",
    "No pre-training": None,
}
SEEDS = range(3)
ENCODER = {
    "vocab_size": 8000,
    "hidden_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "max_position_embeddings": 64,
}
CORPORA = (
    ("wikitext2/valid", "text", "heading"),
    ("wikitext2/test", "text", "heading"),
    ("imdb/train", "sentence", "row"),
    ("multirc/train", "paragraph", "row"),
)
MARKUP = re.compile(r"<[^<>]{1,20}>|Sent \d+: ")
PRETRAINING = (
    "--steps 4000 --batch-size 32 --max-length 64 --long-share 0 --lr 1e-3 --warmup 0.05"
    " --schedule linear --optimizer adamw --no-amsgrad --weight-decay 0.01 --clip-norm 1"
    " --dev-share 0.02"
)
TRAINING = "--method single --max-length 64 --batch-size 32 --lr 3e-4 --warmup 0.1 --clip-norm 1"
TASKS = {"MNLI": "--epochs 2", "SQuAD2": "--epochs 3", "SQuAD": "--epochs 8"}
PROBING = "--vector cls --max-length 64 --epochs 10 --batch-size 64"
PARTS = ("pre-training", *TASKS, "probing")
COLUMNS = ["recipe", "model", "seed", "part", "score", "layer", "value", "constant"]
RECIPE = sha256(
    repr((MODELS, ENCODER, CORPORA, PRETRAINING, TRAINING, TASKS, PROBING)).encode()
).hexdigest()[:8]


def command(options: argparse.Namespace, *arguments: Any, cache: Path | None = None) -> None:
    """Run a command of `hmnet`; what it says goes to a log file."""
    environment = {
        "OMP_NUM_THREADS": str(options.threads),
        "RELEVANCE_CACHE": str(cache or options.cache),
    }
    with (options.out / "commands.log").open("a") as said:
        subprocess.run(
            [sys.executable, "-m", "hmnet", *map(str, arguments), "--device", "cpu"],
            check=True,
            stdout=said,
            stderr=said,
            env=os.environ | environment,
        )


def write_corpus(data: Path, file: Path) -> None:
    """One text file: a paragraph a line, a blank line between documents."""
    from hmnet.pretraining.corpus import Corpus

    with file.open("w") as out:
        for name, column, documents in CORPORA:
            for document in Corpus(data / f"{name}.parquet", column, documents).read():
                text = "\n".join(MARKUP.sub("\n", paragraph) for paragraph in document)
                lines = [" ".join(line.split()) for line in text.split("\n") if line.strip()]
                out.write("\n".join(lines) + "\n\n")


def write_tokenizer(corpus: Path, folder: Path) -> None:
    """Lower-case WordPiece of the corpus."""
    from tokenizers.implementations import BertWordPieceTokenizer
    from transformers import PreTrainedTokenizerFast

    from hmnet.backbones.tiny import SPECIAL

    trained = BertWordPieceTokenizer(lowercase=True)
    trained.train(
        str(corpus),
        vocab_size=ENCODER["vocab_size"],
        special_tokens=list(SPECIAL.values()),
        show_progress=False,
    )
    cls, sep = (trained.token_to_id(SPECIAL[name]) for name in ("cls_token", "sep_token"))
    from tokenizers.processors import TemplateProcessing

    trained.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", cls), ("[SEP]", sep)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer,
        model_input_names=["input_ids", "attention_mask", "token_type_ids"],
        model_max_length=ENCODER["max_position_embeddings"],
        **SPECIAL,
    ).save_pretrained(folder)


def write_encoder(folder: Path, tokenizer: Path, seed: int | None) -> None:
    """Configuration and tokenizer; with a seed random weights too."""
    import torch
    from transformers import BertConfig, BertModel

    shutil.copytree(tokenizer, folder, dirs_exist_ok=True)
    if seed is None:
        BertConfig(architectures=["BertModel"], **ENCODER).save_pretrained(folder)
        return
    torch.manual_seed(seed)
    BertModel(BertConfig(**ENCODER)).save_pretrained(folder)


def write_tasks(data: Path, folder: Path) -> None:
    """SQuAD 2.0's dev rows, a fifth of the titles as dev, and tasks in SQuAD's form."""
    rows = pd.read_parquet(data / "squad2_cs224n/dev.parquet")
    titles = np.random.default_rng(0).permutation(sorted(set(rows["title"])))
    held = rows["title"].isin(titles[: len(titles) // 5])
    rows["answers"] = [json.loads(answers) for answers in rows["answers_json"]]
    for split, part in (("train", rows[~held]), ("dev", rows[held])):
        part[["question", "context", "answers"]].to_json(
            folder / f"squad2-{split}.jsonl", orient="records", lines=True
        )
    places = {
        "SQuAD2": ("true", *(folder / f"squad2-{split}.jsonl" for split in ("train", "dev"))),
        "SQuAD": ("false", *(data / f"squad/{split}.parquet" for split in ("train", "dev"))),
    }
    for name, (unanswerable, train, dev) in places.items():
        lines = [f'name = "{name}"', 'family = "question_answering"', 'kind = "span"']
        lines += ['text = ["question", "context"]', 'label = "answers"']
        lines += [f"unanswerable = {unanswerable}", 'metrics = ["span_f1", "span_em"]']
        lines += [f'source = {{ train = "{train.absolute()}", dev = "{dev.absolute()}" }}']
        (folder / f"{name}.toml").write_text("\n".join(["[[task]]", *lines, ""]))


def prepare(options: argparse.Namespace) -> Path:
    """Corpus, tokenizer, configuration and tasks, unless they are there."""
    made = options.out / "made"
    if not (made / "encoder").is_dir():
        made.mkdir(exist_ok=True)
        write_corpus(options.data, made / "corpus.txt")
        write_tokenizer(made / "corpus.txt", made / "tokenizer")
        write_tasks(options.data, made)
        write_encoder(made / "encoder.new", made / "tokenizer", None)
        (made / "encoder.new").rename(made / "encoder")
    return made


def unigram_entropy(made: Path) -> float:
    """Entropy of single pieces of the corpus in nats, the loss of knowing nothing but their shares."""
    from hmnet.data.tokenizer import read_tokenizer
    from hmnet.pretraining.encoded_corpus import encode_corpora
    from hmnet.pretraining.named import named_corpus

    corpus = named_corpus(f"{made / 'corpus.txt'}@blank")
    ids = encode_corpora([corpus], read_tokenizer(made / "encoder")).ids
    counts = np.bincount(ids)
    shares = counts[counts > 0] / len(ids)
    print(f"corpus: {len(ids):,} pieces, {np.count_nonzero(counts):,} different ones")
    return float(-(shares * np.log(shares)).sum())


def encoder_of(model: str, seed: int, made: Path, options: argparse.Namespace) -> Path:
    """The folder of a model, pre-trained unless it is there."""
    folder = options.out / model.lower().replace(" ", "-") / f"seed-{seed}" / "encoder"
    if MODELS[model] is None:
        write_encoder(folder, made / "tokenizer", seed)
    elif not (folder / "config.json").is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        arguments = ["--corpus", f"{made / 'corpus.txt'}@blank", "--backbone", made / "encoder"]
        arguments += [*PRETRAINING.split(), *MODELS[model].split()]
        command(options, "pretrain", *arguments, "--seed", seed, "--out", folder, "--resume")
    return folder
