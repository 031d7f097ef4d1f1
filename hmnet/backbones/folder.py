"""The folder of a backbone's files, found without importing torch."""

from pathlib import Path

from relevance.errors import RelevanceError
from relevance.text.minilm import minilm_dir
from relevance.text.own_code import refuse_own_code

CONFIG = "config.json"
# The configuration in a folder of ours has a name that transformers does not look for: by its own
# name it would make a model of random weights, as our weights are no plain encoder's.
OWN_CONFIG = "backbone_config.json"
HEADS = "pretraining_heads.safetensors"  # the classifiers of `hmnet pretrain`
SMALL_FILES = ["*.json", "*.txt", "*.model"]
VECTORS = ".vec"  # end of the names of files of word vectors
WEIGHTS = ["model.safetensors", "model-*.safetensors"]


def resolve_backbone(name: str, *, weights: bool = True) -> Path:
    """The folder that a backbone's name stands for; from the hub it is fetched, or was before.

    Args:
        name: `minilm`, a folder, a file of word vectors, or a name on the hub.
        weights: Whether the weights are needed, or configuration and tokenizer are enough.

    Returns:
        A folder with a `config.json`, or where no weights are needed the model of a run.

    Raises:
        RelevanceError: If there is no such folder and the hub is out of reach or does not have it,
            if what it has asks for code, if the packaged encoder is missing or damaged, or a file
            cannot be read as word vectors.
    """
    if name == "minilm":
        return minilm_dir(weights=weights)
    if is_vectors(name):
        from hmnet.backbones.vector_folder import vector_folder  # its libraries are slow to import

        return vector_folder(Path(name))
    if Path(name).is_dir():
        if weights and (Path(name) / "plan.json").is_file():
            raise RelevanceError(
                f"{name} is the model of a run, which is no plain checkpoint. Take one task out of"
                " the run with `hmnet export`, and give that folder."
            )
        if not any((Path(name) / file).is_file() for file in (CONFIG, OWN_CONFIG)):
            raise RelevanceError(f"{name} holds no config.json. Give the folder of a checkpoint.")
        return Path(name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, allow_patterns=SMALL_FILES))
        refuse_own_code(folder)  # before weights of gigabytes are fetched
        if weights:
            folder = Path(snapshot_download(name, allow_patterns=SMALL_FILES + WEIGHTS))
        return folder
    except (OSError, ValueError) as error:
        offline = isinstance(error, LocalEntryNotFoundError)
        reason = "no hub is within reach" if offline else "the hub has no such model"
        raise RelevanceError(
            f"Backbone '{name}' is no folder here and {reason}."
            " Give a folder with `backbone=DIR`, or 'minilm', which needs no network."
        ) from error


def is_vectors(name: str) -> bool:
    """Whether a backbone's name is that of a file of word vectors, `.vec`, there or not."""
    return name.lower().endswith(VECTORS) and not Path(name).is_dir()
