"""A `.vec` file of MiniLM's own word embeddings, for the BiLSTM where there are no others at hand.

python benchmarks/minilm_vectors.py OUT/minilm-words.vec

Whole words alone, pieces such as `##ing` and special tokens left out: rows of the encoder's input
embeddings, which come from contexts of a transformer. They stand in for vectors such as fastText's,
and a table says so.
"""

import argparse
from pathlib import Path

from hmnet.backbones.folder import resolve_backbone
from hmnet.backbones.token_vectors import read_token_vectors
from hmnet.backbones.word_vectors import write_word_vectors
from hmnet.data.tokenizer import read_tokenizer

NAME = "minilm-words.vec"


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help=f"the file, such as {NAME}")
    options = parser.parse_args()
    tokenizer = read_tokenizer(resolve_backbone("minilm", weights=False))
    special = set(tokenizer.all_special_tokens)
    codes = {
        word: code
        for word, code in sorted(tokenizer.get_vocab().items(), key=lambda each: each[1])
        if not word.startswith(("##", "[unused")) and word not in special
    }
    vectors = read_token_vectors("minilm").vectors[list(codes.values())]
    write_word_vectors(options.out, codes, vectors)
    print(f"{options.out}: {len(codes)} words of MiniLM, {vectors.shape[1]} numbers each")


if __name__ == "__main__":
    main()
