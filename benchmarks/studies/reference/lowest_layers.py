"""The encoder of the reference study: MiniLM's lowest layers as a folder for `--backbone`.

python benchmarks/studies/reference/lowest_layers.py 2 OUT
"""

import argparse
import shutil
from pathlib import Path

from hmnet.backbones.pretrained import read_model
from relevance.text.minilm import minilm_dir


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("layers", type=int)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    source = minilm_dir()
    model, _ = read_model(source, "AutoModel")
    del model.encoder.layer[options.layers :]
    model.config.num_hidden_layers = options.layers
    model.save_pretrained(options.out)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        shutil.copy(source / name, options.out)


if __name__ == "__main__":
    main()
