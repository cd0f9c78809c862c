"""The page of a graded video in a real browser."""

import json

import pytest
from chromium import needs_chromium

from hybrid import load_grader
from hybrid.field.settings import Settings
from hybrid.grading.run import grade_field

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def address(field, boxes, trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("graded") / "out"
    grade_field(field.video, boxes, folder, Settings(side=64), load_grader(trained, accelerator="cpu").ensemble)
    return (folder / "index.html").as_uri()


@pytest.fixture
def page(browser, address):
    browser.get_log("performance")
    browser.get(address)
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []


def test_cells_play_the_best_first_and_only_files_beside_the_page_are_read(page, address):
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
    home = address.removesuffix("index.html")
    # Not the browser's own pages, such as a new tab's.
    assert [url for url in asked if url.startswith(("http", "ws", "file")) and not url.startswith(home)] == []
    assert len({url for url in asked if url.startswith(home + "films/")}) == 5
    expected = page.execute_script("return [...document.querySelectorAll('.clip h3')].map((h) => h.innerText)")
    grades = [float(text.split("expected ")[1]) for text in expected]
    assert grades == sorted(grades) and len(grades) == 5
    screen, button = (page.find_element("css selector", css) for css in (".screen", ".play"))
    before = screen.value_of_css_property("background-position")
    page.execute_script("arguments[0].click()", button)
    page.execute_async_script("setTimeout(arguments[0], 400)")
    assert screen.value_of_css_property("background-position") != before


def test_the_graded_video_plays(page):
    video = "const video = document.querySelector('video'); "
    page.execute_async_script(video + "const done = arguments[0]; video.oncanplay = done; video.load()")
    assert page.execute_script(video + "return [video.videoWidth, Math.round(100 * video.duration)]") == [480, 125]


@pytest.mark.parametrize("width", (1280, 390))
def test_nothing_is_wider_than_the_screen(page, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
