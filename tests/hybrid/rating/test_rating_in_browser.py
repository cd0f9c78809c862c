"""The page in a real browser, as raters use it."""

import csv
import json
import sqlite3

import pytest
from chromium import needs_chromium

from hybrid.rating.votes import FILE

pytestmark = needs_chromium

READY = "return !pending && !checking && items.length > 0 && (place === items.length || performance.now() >= seen)"
DEAF = (
    "const real = refresh;window.refresh = () => document.getElementById('alert').hidden ? Promise.resolve() : real();"
)
"""the window hears of the others only once it has been told of a vote that it did not know of"""


def until(page, script, *words):
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(page, 60, poll_frequency=0.05).until(lambda _: page.execute_script(script, *words))


def press(page, *keys):
    from selenium.webdriver import ActionChains

    ActionChains(page).send_keys(*keys).perform()


def open_page(page, server, rater):
    page.get(f"{server.address}/rate?as={rater}")
    until(page, READY)


def shown(page):
    """(clip, showing), or None at the end."""
    return page.execute_script("return items[place] ? [items[place].clip, items[place].showing] : null")


def give(page, key, expected):
    """Press a key on the clip that is shown, and note in `expected` what is to be stored."""
    until(page, READY)
    before = page.execute_script("return items.filter((item) => item.vote).length + turn")
    rater = page.execute_script("return key")
    expected[rater, *shown(page)] = None if key == "x" else key.upper()
    press(page, key)
    until(page, "return !pending && items.filter((item) => item.vote).length + turn > arguments[0]", before)
    until(page, READY)


def stored(folder):
    """Last vote of each showing, from the database."""
    with sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT rater, clip, showing, grade FROM votes ORDER BY number").fetchall()
    return {(rater, clip, showing): grade for rater, clip, showing, grade in rows}, len(rows)


@pytest.fixture
def page(browser):
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get_log("performance")
    first = browser.current_window_handle
    yield browser
    for handle in browser.window_handles:
        if handle != first:
            browser.switch_to.window(handle)
            browser.close()
    browser.switch_to.window(first)
    browser.get("about:blank")


def test_two_raters_two_windows_reloads_and_a_kill_lose_and_double_no_vote(page, folder, start_server):
    server, expected, votes = start_server(folder, 0, "--repeat=0.2"), {}, 0

    # Eva, in two windows on the same clip.
    open_page(page, server, "Eva")
    eva = page.current_window_handle
    for key in "ab":
        give(page, key, expected)
    page.switch_to.new_window("tab")
    open_page(page, server, "Eva")
    other = page.current_window_handle
    assert page.execute_script("return place") == 2, "a second window goes on where the first one is"
    page.execute_script(DEAF)  # as if both were in view
    page.switch_to.window(eva)
    both = shown(page)
    give(page, "c", expected)
    page.switch_to.window(other)
    assert shown(page) == both
    press(page, "e")
    until(page, "return !pending && !document.getElementById('alert').hidden")
    assert "has been voted on in another window" in page.find_element("id", "alert").text
    until(page, READY)
    assert page.find_element("css selector", "#grades [aria-pressed=true]").text[0] == "C"
    give(page, "d", expected)  # now she has seen it, and means it
    votes += 4

    # Ada in a third window, and a reload.
    page.switch_to.new_window("tab")
    open_page(page, server, "Ada")
    ada = page.current_window_handle
    give(page, "x", expected)
    page.refresh()
    until(page, READY)
    assert page.execute_script("return place") == 1
    give(page, "b", expected)
    votes += 2

    # The first window comes back into view and hears of the others.
    page.switch_to.window(eva)
    page.execute_script("window.dispatchEvent(new Event('focus'))")
    until(page, "return place === firstOpen()")
    until(page, READY)
    assert page.execute_script("return items.filter((item) => item.vote).length") == 3

    # The server dies; a vote waits in the page until it is back.
    server.kill()
    waiting = shown(page)
    press(page, "e")
    until(page, "return !document.getElementById('alert').hidden")
    assert "not stored yet" in page.find_element("id", "alert").text
    assert shown(page) == waiting and ("Eva", *waiting) not in stored(folder)[0]
    press(page, "a", "b")  # changes nothing
    server = start_server(folder, server.port, "--repeat=0.2")
    until(page, "return !pending && document.getElementById('alert').hidden")
    expected["Eva", *waiting] = "E"
    votes += 1

    # Both go on to the end; Ada goes back and corrects.
    for window in (eva, ada):
        page.switch_to.window(window)
        until(page, READY)
        while shown(page):
            give(page, "d", expected)
            votes += 1
    from selenium.webdriver import Keys

    press(page, Keys.ARROW_LEFT)
    until(page, READY)
    give(page, "a", expected)
    votes += 1
    assert "All 7 are graded" in page.find_element("id", "note").text

    assert stored(folder) == (expected, votes)
    assert len(expected) == 2 * 7
    with open(folder / "ratings.csv", newline="") as file:
        rows = {(row["rater"], row["clip"], 1): row["grade"] for row in csv.DictReader(file)}
    assert rows == {place: grade for place, grade in expected.items() if place[2] == 1 and grade}


def test_a_key_hit_twice_or_held_is_one_vote(page, folder, start_server):
    open_page(page, start_server(folder), "Eva")
    press(page, "a", "a", "a")
    until(page, READY)
    assert stored(folder)[1] == 1


def test_the_clip_is_played_at_its_speed_and_at_half_of_it(page, folder, start_server):
    server = start_server(folder)
    open_page(page, server, "Eva")
    until(page, "window.frames_seen = (window.frames_seen ?? new Set()).add(drawn); return window.frames_seen.size > 8")
    speed = (
        "const done = arguments[0], began = performance.now(); let before = clock, total = 0;"
        "const look = () => { total += (clock - before + film.seconds) % film.seconds; before = clock;"
        "const passed = (performance.now() - began) / 1000;"
        "if (passed > 1.5) done(total / passed); else requestAnimationFrame(look); }; look();"
    )
    assert page.execute_async_script(speed) == pytest.approx(1, abs=0.1)
    press(page, "s")
    assert page.execute_async_script(speed) == pytest.approx(0.5, abs=0.05)
    press(page, " ")
    assert page.execute_async_script(speed) == 0
    pixels = (
        "const film = document.getElementById('film'); return [...new Set("
        "film.getContext('2d').getImageData(0, 0, film.width, film.height).data)].sort((a, b) => a - b)"
    )
    assert page.execute_script(pixels) == [120, 220, 255]  # the grey field, the square, and no transparency
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert asked and all(url.startswith((server.address, "data:")) for url in asked)


@pytest.mark.parametrize("width, height", [(1280, 900), (390, 844), (320, 568)])
def test_everything_is_in_view_without_scrolling(page, folder, start_server, width, height):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    server = start_server(folder)
    open_page(page, server, "Eva")
    inside = (
        "return [...document.querySelectorAll('button, #film, #count')].map((part) => part.getBoundingClientRect())"
        ".map((box) => [box.left, box.top, innerWidth - box.right, innerHeight - box.bottom])"
    )
    assert all(edge >= 0 for box in page.execute_script(inside) for edge in box)
    sides = "const box = document.getElementById('film').getBoundingClientRect(); return [box.width, box.height]"
    before = page.execute_script(sides)
    press(page, "z")
    assert page.execute_script(sides) == pytest.approx([2 * side for side in before], abs=2)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    heights = "return [...document.querySelectorAll('#grades button')].map((button) => button.offsetHeight)"
    assert min(page.execute_script(heights)) >= 44
    page.find_element("css selector", "[data-grade=B]").click()
    until(page, "return items[0].vote !== null")
    assert list(stored(folder)[0].values()) == ["B"]
    page.get(server.address)
    page.find_element("id", "as").send_keys("Ida\n")
    until(page, READY)
    assert page.execute_script("return key") == "Ida"


def test_a_clip_that_cannot_be_shown_says_why_and_can_be_passed(page, folder, start_server):
    for clip in (folder / "clips").iterdir():
        clip.write_bytes(b"no video")
    open_page(page, start_server(folder), "Eva")
    assert "This clip cannot be shown: it is no video" in page.find_element("id", "note").text
    expected = {}
    give(page, "x", expected)
    assert stored(folder)[0] == expected and list(expected.values()) == [None]
