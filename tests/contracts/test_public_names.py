"""What `import relevance` and `import hmnet` offer: names, lazily, that nothing else takes."""

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import hmnet
import relevance

REPO = Path(__file__).resolve().parents[2]
PACKAGES = {"relevance": relevance, "hmnet": hmnet}
HEAVY = {"torch", "transformers", "pandas", "matplotlib", "sklearn", "scipy", "numpy", "pydantic"}

pytestmark = pytest.mark.parametrize("package", PACKAGES.values(), ids=PACKAGES)


def in_new_process(code: str) -> Any:
    """What a fresh interpreter prints, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def submodules(package: ModuleType) -> list[str]:
    """All of a package's, at any depth."""
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [each.name for each in found]


@pytest.mark.process
def test_importing_takes_a_moment_and_nothing_heavy(package: ModuleType) -> None:
    seconds, loaded = in_new_process(
        "import json, sys, time\n"
        "start = time.perf_counter()\n"
        f"import {package.__name__}\n"
        "print(json.dumps([time.perf_counter() - start, list(sys.modules)]))"
    )
    assert package.__name__ in loaded
    assert not HEAVY & set(loaded)
    assert seconds < 0.1


def test_names_stay_what_they_are_when_every_submodule_is_imported(package: ModuleType) -> None:
    modules = submodules(package)
    assert len(modules) > 90
    for name in modules:
        importlib.import_module(name)
    for name, place in package.PLACES.items():
        assert getattr(package, name) is getattr(sys.modules[place], name), name
        assert not isinstance(getattr(package, name), ModuleType), name


def test_no_name_is_one_of_a_file_or_folder(package: ModuleType) -> None:
    own = {name.split(".")[1] for name in submodules(package)}
    folders = {path.name for path in (REPO / package.__name__).iterdir() if path.is_dir()}
    assert "tasks" in own | folders or package is hmnet
    assert not set(package.__all__) & (own | folders)


def test_names_are_listed_where_people_look_for_them(package: ModuleType) -> None:
    assert set(package.__all__) <= set(dir(package))
    text = (REPO / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.partition(f"### `import {package.__name__}`")[2].partition("\n#")[0]
    listed = re.findall(r"^\| (.+?) \|", section, flags=re.MULTILINE)[1:]
    names = [name for row in listed for name in re.findall(r"`(\w+)`", row)]
    assert sorted(names) == sorted(package.__all__)
    assert 20 <= len(names) <= 36


def test_type_checkers_see_what_a_program_gets(package: ModuleType) -> None:
    stub = Path(str(package.__file__)).with_suffix(".pyi").read_text(encoding="utf-8")
    seen: dict[str, Any] = {}
    exec(stub, seen)  # noqa: S102 - our own imports
    public = {name: value for name, value in seen.items() if not name.startswith("_")}
    assert set(public) == set(package.__all__)
    assert [name for name in public if getattr(package, name) is not public[name]] == []


def test_another_name_is_none(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'x'"):
        getattr(package, "x")  # noqa: B009 - no such name, as the type checker knows
    assert not hasattr(package, "__wrapped__")  # as inspect and doctest ask
