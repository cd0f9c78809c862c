"""The page in a real browser."""

import json

import pytest
from chromium import needs_chromium
from finished_runs import write_runs

from hybrid.report.benchmark import write_report

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def report(tmp_path_factory, clips_of_mine):
    models = dict.fromkeys(("vgg16", "slowfast", "x3d", "timesformer", "vivit", "hybrid"), 0.4)
    folder = write_runs(tmp_path_factory.mktemp("runs") / "six-models", clips_of_mine, models=models, simulated=True)
    write_report(folder)
    return (folder.report / "index.html").as_uri()


@pytest.fixture
def page(browser, report):
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.get_log("performance")
    browser.get(report)
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []


def find(page, css):
    return page.find_element("css selector", css)


def column(page, number):
    script = (
        "return [...document.querySelectorAll('#table-table tbody tr')].map(row => row.cells[arguments[0]].innerText)"
    )
    return page.execute_script(script, number)


def open_all(page):
    page.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")


def press(page, *keys):
    from selenium.webdriver import ActionChains

    ActionChains(page).send_keys(*keys).perform()


def test_nothing_is_asked_of_the_network(page, report):
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
    assert report in asked, "the log of requests is empty"
    assert all(url == report or url.startswith("data:") for url in asked)


def test_tables_sort_by_click_and_by_keyboard(page):
    from selenium.webdriver import Keys

    headings = page.find_elements("css selector", "#table-table thead th")
    names = [heading.text for heading in headings]
    (gmac,) = [n for n, name in enumerate(names) if name.startswith("GMAC")]
    (paper,) = [n for n, name in enumerate(names) if name.startswith("paper")]
    headings[gmac].find_element("tag name", "button").click()
    values = [float(text) for text in column(page, gmac)]
    assert values == sorted(values) and len(set(values)) == 6
    assert headings[gmac].get_attribute("aria-sort") == "ascending"
    press(page, Keys.ENTER)  # the focus is on the heading
    assert [float(text) for text in column(page, gmac)] == values[::-1]
    assert headings[gmac].get_attribute("aria-sort") == "descending"

    page.execute_script("arguments[0].focus()", headings[paper].find_element("tag name", "button"))
    for direction in (1, -1):
        press(page, Keys.SPACE)
        cells = column(page, paper)
        figures = [float(text.split()[0]) for text in cells[:-1]]
        assert figures == sorted(figures)[::direction] and cells[-1] == "-", "what has no figure stays last"
    assert headings[gmac].get_attribute("aria-sort") is None


def test_clips_play_stop_and_step_by_keyboard(page):
    from selenium.webdriver import Keys
    from selenium.webdriver.support.wait import WebDriverWait

    player = find(page, ".player")
    button, slider = (player.find_element("css selector", css) for css in (".play", "input"))
    screen = player.find_element("css selector", ".screen")

    def position():
        return screen.value_of_css_property("background-position")

    assert position() == "0% 0%" and button.accessible_name.startswith("Play ")
    page.execute_script("arguments[0].focus()", button)
    press(page, Keys.SPACE)
    assert button.accessible_name.startswith("Pause ")
    WebDriverWait(page, 5).until(lambda _: int(slider.get_property("value")) > 2)
    press(page, Keys.SPACE)
    stopped = slider.get_property("value")
    assert button.accessible_name.startswith("Play ")

    press(page, Keys.TAB, Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.switch_to.active_element == slider and stopped != "0"
    assert slider.get_property("value") == "4"
    assert position() == "0% 33.3333%", "the fifth of sixteen frames is the first of the second row"
    assert player.find_element("css selector", "output").text == "0.25 s"
    assert slider.get_attribute("aria-valuetext") == "frame 5 of 16, 0.25 s"


def test_the_frames_are_in_the_page(page):
    size = page.execute_async_script(
        "const image = new Image(), done = arguments[0]; image.onload = () => done([image.width, image.height]);"
        "image.src = getComputedStyle(document.querySelector('.screen')).backgroundImage.slice(5, -2);"
    )
    assert size == [256, 256]


def test_clips_are_chosen_by_model(page):
    from selenium.webdriver.support.select import Select

    clips = page.find_elements("css selector", ".clip")
    Select(find(page, "#whose")).select_by_value("x3d")
    shown = [clip for clip in clips if clip.is_displayed()]
    assert len(shown) == 3 < len(clips)
    assert all("x3d" in clip.get_attribute("data-worst").split() for clip in shown)
    assert find(page, "#shown").text == "3 clips"


@pytest.mark.parametrize("width", [360, 390, 820, 1280])
def test_no_page_is_wider_than_its_window(page, width):
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    open_all(page)
    inner, content = page.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
    assert inner == width and content <= width
    script = "return getComputedStyle(document.querySelector('#table-contrasts').parentElement).overflowX"
    assert page.execute_script(script) == "auto"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_figures_are_legible_in_both_schemes(page, scheme):
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    places = {
        "body": ("color", "body"),
        ".note": ("color", "body"),
        ".banner.warning": ("color", ".banner.warning"),
        ".downloads a": ("color", "body"),
        "#table-table td": ("color", "#table-table"),
        ".drawing svg text": ("fill", ".drawing"),
        ".answers td": ("color", ".clip"),
    }
    for css, (kind, behind) in places.items():
        colours = (
            find(page, css).value_of_css_property(kind),
            find(page, behind).value_of_css_property("background-color"),
        )
        assert contrast(*colours) >= 4.5, f"{css}: {colours}"
    background = find(page, "body").value_of_css_property("background-color")
    assert (luminance(background) < 0.1) is (scheme == "dark")


def luminance(colour):
    """Relative luminance (WCAG 2.2) of rgb(...) or rgba(...)."""
    parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_focus_is_seen_and_every_control_has_a_name(page):
    from selenium.webdriver import Keys

    press(page, Keys.TAB)
    assert page.switch_to.active_element.text == "To the results"
    for _ in range(12):
        press(page, Keys.TAB)
        focused = page.switch_to.active_element
        assert focused.value_of_css_property("outline-style") == "solid", focused.get_attribute("outerHTML")
    open_all(page)
    for control in page.find_elements("css selector", "button, input, select, a, [role=img], [role=region]"):
        assert control.accessible_name, control.get_attribute("outerHTML")[:200]
