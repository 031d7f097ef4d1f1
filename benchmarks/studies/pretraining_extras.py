"""What `pretraining.py` leaves out: a BiLSTM, joined vectors, freezing, bigram shift, every layer.

    python benchmarks/studies/pretraining_extras.py DATA OUT \
        --scores benchmarks/studies/pretraining_extras.csv --main benchmarks/studies/pretraining.csv

OUT, texts, encoder and settings are those of `pretraining.py`, whose encoders are taken where they
are there and pre-trained where not; its scores stand beside these. Parts, in this order:

- BiLSTM on the word embeddings of MiniLM (`benchmarks/minilm_vectors.py`): not pre-trained here,
  but its vectors come from a transformer that has seen far more text. Fine-tuned on all tasks.
- Lower NSP with the NSP layer's first token, or the logits of its classifier, joined to every token
  in fine-tuning: answers alone read tokens, and there it can only tip the choice between windows.
- Lower NSP, frozen up to the NSP layer once that loss stops to fall; BERT that tells swapped pieces
  as well.
- The NSP layer searched, at half the steps: losses on dev of every inner layer, which are compared
  with each other.

All but the BiLSTM have one seed, which is no ground for a conclusion by itself. Resumed like the
study.
"""

import argparse
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pretraining as study

BILSTM, SEARCH = "BiLSTM, MiniLM word vectors", "Layer search"
OF_BILSTM = "--lr 1e-3"  # the layer is drawn, so a high rate is right
JOINED = {f"Lower NSP, {concat} joined": f"--concat {concat}" for concat in ("cls", "nsp")}
LEVELS = {
    "Lower NSP, frozen": "--nsp-layer 2 --nsp-freeze",
    "BERT, bigram shift": "--bigram-layer 4",
}
SEARCHED = "--search nsp-layer --steps 1600"
PARTS: list[study.Part] = [
    *((task, BILSTM, seed) for seed in study.SEEDS for task in study.TASKS),
    *((task, model, 0) for model in JOINED for task in ("SQuAD", "SQuAD2")),
    *((part, model, 0) for model in LEVELS for part in study.PARTS),
    (study.PRETRAINED, SEARCH, 0),
]
RECIPE = sha256(repr((study.RECIPE, OF_BILSTM, JOINED, LEVELS, SEARCHED)).encode()).hexdigest()[:8]


def vectors(out: Path) -> Path:
    """The file of word vectors, which is written unless it is there."""
    file = out / "made" / "minilm-words.vec"
    if not file.is_file():
        script = Path(__file__).parents[1] / "minilm_vectors.py"
        subprocess.run([sys.executable, script, file], check=True, stdout=subprocess.DEVNULL)
    return file


def searched(folder: Path, options: argparse.Namespace) -> pd.DataFrame:
    """Pre-train with next sentences at every inner layer; scores on dev by layer."""
    made = options.out / "made"
    arguments = ["--corpus", f"{made / 'corpus.txt'}@blank", "--backbone", made / "encoder"]
    arguments += [*f"{study.PRETRAINING} {SEARCHED}".split(), "--seed", 0]
    study.command(options, "pretrain", *arguments, "--out", folder)
    found = [
        study.pretraining_scores(layer, made).assign(layer=int(layer.name.removeprefix("layer-")))
        for layer in sorted(folder.glob("layer-*"))
    ]
    return pd.concat(found)


def make(part: str, model: str, seed: int, options: argparse.Namespace) -> pd.DataFrame:
    """The scores of one part for one model."""
    folder = study.folder_of(model, seed, options)
    if model == SEARCH:
        return searched(folder, options)
    if model == BILSTM:
        return study.task_scores(part, vectors(options.out), seed, folder, options, OF_BILSTM)
    if model in JOINED:
        lower = study.encoder_of(
            study.MODELS["Lower NSP"], seed, study.folder_of("Lower NSP", seed, options), options
        )
        return study.task_scores(part, lower, seed, folder, options, JOINED[model])
    encoder = study.encoder_of(LEVELS[model], seed, folder, options)
    return study.scores_of(part, encoder, seed, folder, options)


def main() -> None:
    """Make the scores that are missing, and print them beside the study's of the same seed."""
    parser = study.parser_of(__doc__.partition("\n")[0])
    parser.add_argument("--main", type=Path, required=True, help="csv file of the study's scores")
    options = parser.parse_args()
    found = study.finish(PARTS, make, RECIPE, options)
    of_study = study.read_scores(options.main)
    of_study = of_study[(of_study["recipe"] == study.RECIPE) & (of_study["seed"] == 0)]
    is_search = found["model"] == SEARCH
    study.show(pd.concat([of_study, found[~is_search]]), (*study.MODELS, BILSTM, *JOINED, *LEVELS))
    print(f"{SEARCH}, {SEARCHED}")
    print(found[is_search].pivot(index="layer", columns="score", values="value").to_string())


if __name__ == "__main__":
    main()
