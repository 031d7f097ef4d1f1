"""What the study of pre-training reads: a corpus, an encoder that knows nothing, and tasks.

WordPiece of 8,000 pieces is trained on the corpus itself: of MiniLM's 30,522 pieces most would be
seen too rarely to be learned in few steps. Markup is taken out of the texts, since it is guessed
too easily; WikiText's `<unk>` is one piece, "unk".
"""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

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
MARKUP = {"<unk>": "unk", r"<br */?>": "\n", r"<[^<>]{1,20}>": " "}


def write_corpus(data: Path, file: Path) -> None:
    """One text file: a paragraph a line, a blank line between documents."""
    from hmnet.pretraining.corpus import Corpus

    with file.open("w") as out:
        for name, column, documents in CORPORA:
            for document in Corpus(data / f"{name}.parquet", column, documents).read():
                text = "\n".join(document)
                for markup, plain in MARKUP.items():
                    text = re.sub(markup, plain, text)
                lines = [" ".join(line.split()) for line in text.split("\n") if line.strip()]
                out.write("\n".join(lines) + "\n\n")


def write_tokenizer(corpus: Path, folder: Path) -> None:
    """Lower-case WordPiece of the corpus."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    from hmnet.backbones.tiny import SPECIAL

    tokenizer = Tokenizer(models.WordPiece(unk_token=SPECIAL["unk_token"]))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=ENCODER["vocab_size"],
        special_tokens=list(SPECIAL.values()),
        limit_alphabet=200,
        show_progress=False,
    )
    tokenizer.train([str(corpus)], trainer)
    tokenizer.post_processor = processors.BertProcessing(
        *[(token, tokenizer.token_to_id(token)) for token in ("[SEP]", "[CLS]")]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
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


def prepare(data: Path, made: Path) -> None:
    """Corpus, tokenizer, configuration and tasks, unless they are there."""
    if not (made / "encoder").is_dir():
        made.mkdir(exist_ok=True)
        write_corpus(data, made / "corpus.txt")
        write_tokenizer(made / "corpus.txt", made / "tokenizer")
        write_tasks(data, made)
        write_encoder(made / "encoder.new", made / "tokenizer", None)
        (made / "encoder.new").rename(made / "encoder")
