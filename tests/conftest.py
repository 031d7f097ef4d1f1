"""Fixtures of the whole suite: where the real data is, and a cache that no test shares."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

REPO = Path(__file__).resolve().parent.parent

settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")


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
