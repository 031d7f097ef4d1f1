"""A headless Chromium that tests drive; it fetches nothing, its driver neither."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NEEDED = "RELEVANCE_NEEDS_BROWSER"
"""Environment variable that makes a failure of a missing browser; `.ci/run` sets it."""
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root in containers; the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--window-size=1300,1000",
)


@contextmanager
def chromium(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A browser with its log of messages and requests; skips where there is none.

    Args:
        monkeypatch: Sets what keeps selenium from looking for a browser of its own.
    """
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        told = "no Chromium with its driver here (Debian: chromium, chromium-driver)"
        if os.environ.get(NEEDED):
            pytest.fail(told)
        pytest.skip(told)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    monkeypatch.setenv("SE_OFFLINE", "true")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()


def opened(browser: Any, path: Path) -> None:
    """Open a file in place of what is open, with both logs empty."""
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(path.as_uri())
