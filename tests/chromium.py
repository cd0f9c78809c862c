"""A real browser for pages: Debian's chromium and chromium-driver, or Chrome and its driver."""

import shutil

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1280,900"
)

needs_chromium = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="needs Chromium and chromedriver (apt install chromium chromium-driver)"
)


def start(profile):
    """A driver that keeps what the browser complains of and what it asks the network for; profile: an empty folder."""
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS.split(), f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
