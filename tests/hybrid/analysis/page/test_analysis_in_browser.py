"""The results page in a real browser, as the report is tested."""

import json

import pytest
from chromium import needs_chromium
from untrained_runs import Answer, Brightness, OnlySlowFast, groups, write_untrained

from hybrid.analysis.plan import make_plan
from hybrid.analysis.run import analyse
from hybrid.analysis.trained_models import find_trained_runs
from hybrid.device import choose_machine

pytestmark = needs_chromium


class Darkness(Brightness):
    """A second method."""

    name, title = "darkness", "Darkness in the middle of the clip, with a title longer than a phone is wide"

    def relevance(self, tested, clip_BCTHW):
        return -super().relevance(tested, clip_BCTHW)


@pytest.fixture(scope="module")
def address(tmp_path_factory, small_dataset):
    experiment = write_untrained(tmp_path_factory.mktemp("runs") / "two", small_dataset, models=("vgg16", "slowfast"))
    methods = {"brightness": Brightness(), "darkness": Darkness()}
    folder, sources = tmp_path_factory.mktemp("out"), find_trained_runs([experiment.path], names=["*fold0"])
    plan = make_plan(folder, sources, groups(Answer(), OnlySlowFast()), methods, clips_a_run=2, gallery_clips=2)
    analyse(plan, choose_machine("cpu", "32-true"))
    return (folder / "index.html").as_uri()


@pytest.fixture
def page(browser, address):
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get_log("performance")
    browser.get(address)
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []


def every(page, css):
    return page.find_elements("css selector", css)


def test_nothing_is_asked_of_the_network(page, address):
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
    assert address in asked and all(url == address or url.startswith("data:") for url in asked)


def test_one_slider_moves_all_models_and_the_mark_below(page):
    from selenium.webdriver import ActionChains, Keys

    player = every(page, ".player")[0]
    slider = player.find_element("css selector", "input[type=range]")
    page.execute_script("arguments[0].focus()", slider)
    ActionChains(page).send_keys(Keys.HOME, *[Keys.ARROW_RIGHT] * 5).perform()
    screens = [screen for screen in player.find_elements("css selector", ".screen") if screen.is_displayed()]
    assert len(screens) == 3
    places = {screen.value_of_css_property("background-position") for screen in screens}
    assert all(place.startswith("33.3333% 33.3333%") for place in places)
    pictures = [screen.value_of_css_property("background-image").count("data:image/") for screen in screens]
    assert pictures == [1, 2, 2], "the film alone, then under each model's relevance"
    mass = player.find_element("css selector", ".mass")
    left = page.execute_script("return parseFloat(getComputedStyle(arguments[0], '::after').left)", mass)
    assert left == pytest.approx(mass.size["width"] * 5 / 16, rel=0.02)


def test_the_method_is_chosen_for_all_clips(page):
    from selenium.webdriver.support.select import Select

    def shown():
        parts = every(page, "[data-method]")
        return [part.get_attribute("data-method") for part in parts if part.is_displayed()]

    assert shown() == ["brightness"] * 4
    Select(every(page, "#method")[0]).select_by_value("darkness")
    assert shown() == ["darkness"] * 4


def test_all_frames_are_seen_at_once_where_wanted(page):
    from selenium.webdriver import ActionChains, Keys

    player = every(page, ".player")[0]
    sheets = player.find_elements("css selector", ".sheet")
    assert not any(sheet.is_displayed() for sheet in sheets)
    page.execute_script("arguments[0].focus()", player.find_element("css selector", ".all input"))
    ActionChains(page).send_keys(Keys.SPACE).perform()
    assert sum(sheet.is_displayed() for sheet in sheets) == 3
    assert not any(screen.is_displayed() for screen in player.find_elements("css selector", ".screen"))


@pytest.mark.parametrize("width", [360, 390, 820, 1280])
def test_no_page_is_wider_than_its_window(page, width):
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")
    page.execute_script("for (const box of document.querySelectorAll('.all input')) box.click()")
    inner, content = page.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
    assert inner == width and content <= width


def test_every_control_has_a_name(page):
    page.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")
    for control in every(page, "button, input, select, a, [role=img], [role=region]"):
        if control.is_displayed():
            assert control.accessible_name, control.get_attribute("outerHTML")[:200]
