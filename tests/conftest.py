"""Fixtures of the whole suite: real data, tiny encoders, and a cache that no test shares."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

REPO = Path(__file__).resolve().parent.parent

# A shell that runs the tests in the background ignores Ctrl-C for them and for all their children.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tiny models are slower on several threads, and threads of many tests at once fight for the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What Python compiles is kept, whatever the environment says: each of the many processes that tests
# start would compile the packages again, and each worker of pytest-xdist every test.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")
settings.register_profile("fast", parent=settings.get_profile("project"), max_examples=10)


def pytest_configure(config: pytest.Config) -> None:
    """The fast tier tries a tenth of the examples; test files read the profile after this."""
    if config.getoption("markexpr") == "not process":
        settings.load_profile("fast")


# Fixtures of tests that train a model, look at one that is trained, or read real data.
SLOW = frozenset(
    {
        *("world", "config", "quick", "trained", "study", "finished_study"),
        *("make_probe", "data_dir"),
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with such a fixture, and heavy ones, are none of the fast tier."""
    for item in items:
        slow = SLOW.intersection(getattr(item, "fixturenames", ()))
        if slow or item.get_closest_marker("heavy"):
            item.add_marker(pytest.mark.process)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real task data; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("RELEVANCE_TEST_DATA", REPO.parent / "shared" / "data"))
    if not (folder / "rte" / "train.parquet").is_file():
        pytest.skip(f"no task data in {folder}")
    return folder


@pytest.fixture(scope="session")
def paper_dir() -> Path:
    """The paper's tables beside the data; tests that need them skip where they are absent."""
    folder = Path(os.environ.get("RELEVANCE_TEST_PAPER", REPO.parent / "shared" / "paper"))
    if not folder.is_dir():
        pytest.skip(f"no tables in {folder}")
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("RELEVANCE_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def make_backbone() -> Callable[..., Path]:
    """`make_backbone(family, folder, **settings)`: a random encoder with its tokenizer."""
    from encoders import write_backbone  # torch, which tests of `relevance` do without

    return write_backbone


@pytest.fixture(scope="session")
def tiny_backbones(
    make_backbone: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Checkpoint folders of four layers, 16 wide, by model type."""
    from encoders import FAMILIES

    root = tmp_path_factory.mktemp("backbones")
    return {family: make_backbone(family, root / family) for family in FAMILIES}


@pytest.fixture(scope="session")
def tiny_bert(tiny_backbones: dict[str, Path]) -> Path:
    """The BERT among them, with a WordPiece tokenizer that knows every ASCII letter and digit."""
    return tiny_backbones["bert"]


@pytest.fixture(scope="session")
def tiny_albert(
    make_backbone: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An ALBERT, which has no list of layers."""
    from encoders import SMALL

    return make_backbone("albert", tmp_path_factory.mktemp("albert"), **SMALL, embedding_size=8)
