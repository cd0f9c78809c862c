"""The page in a real browser, on the real server: whatever happens to either, every vote is stored, and once."""

import csv
import signal
import sqlite3
import time

import pytest
from chromium import needs_chromium

from hybrid.rating.votes import FILE

pytestmark = needs_chromium


class Panel:
    """Raters in one browser, a tab each or several; what they have given, to be compared with what is stored."""

    def __init__(self, browser, folder, start):
        self.browser, self.folder, self.start = browser, folder, start
        self.server = start(folder, 0, "--repeat=0.2")
        self.order: dict[str, list[tuple[str, int]]] = {}
        self.given: dict[tuple[str, str, int], list[str | None]] = {}

    def open(self, rater: str) -> str:
        """A new tab, by the name typed on the first page."""
        self.browser.switch_to.new_window("tab")
        self.browser.get(self.server.address)
        self.find("#as").send_keys(rater)
        self.find("form button").click()
        self.wait(lambda: self.place is not None)
        self.order[rater] = [(item["clip"], item["showing"]) for item in self.items(rater)]
        return self.browser.current_window_handle

    def find(self, css: str):
        return self.browser.find_element("css selector", css)

    def wait(self, until):
        end = time.monotonic() + 20
        while not (found := until()):
            assert time.monotonic() < end, self.browser.execute_script("return document.body.innerText")
            time.sleep(0.02)
        return found

    @property
    def place(self) -> int | None:
        """Of the clip that is seen, among those of the page's rater; behind the last one, how many there are."""
        place, seen, said = self.browser.execute_script(
            "const film = document.getElementById('film'), note = document.getElementById('note');"
            "return [document.body.dataset.place, film?.style.visibility === '', note?.innerText]"
        )
        return int(place) if place is not None and (seen or "Thank you" in said) else None

    def items(self, rater: str) -> list[dict]:
        return self.server.ask("/api/round", rater)[1]["items"]

    def press(self, key: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.browser).send_keys(key).perform()

    def note(self, rater: str, place: int, grade: str | None) -> None:
        self.given.setdefault((rater, *self.order[rater][place]), []).append(grade)

    def vote(self, rater: str, grade: str | None, by: str = "key") -> None:
        """And wait until the page has gone on."""
        place = self.give(rater, grade, by)
        self.wait(lambda: self.place not in (None, place))

    def give(self, rater: str, grade: str | None, by: str = "key") -> int:
        """The place of the clip."""
        self.wait(lambda: self.browser.execute_script("return performance.now() > seen"))  # long enough to be voted on
        place = self.place
        self.note(rater, place, grade)
        if by == "key":
            self.press(grade.lower() if grade else "x")
        else:
            self.find(f'[data-grade="{grade}"]' if grade else "#cannot").click()
        return place

    def check(self) -> None:
        """Nothing is lost, doubled or mixed up, in either file."""
        with sqlite3.connect(f"file:{self.folder / FILE}?mode=ro", uri=True) as database:
            rows = database.execute("SELECT rater, clip, showing, grade FROM votes ORDER BY number").fetchall()
        stored: dict[tuple[str, str, int], list[str | None]] = {}
        for *showing, grade in rows:
            stored.setdefault(tuple(showing), []).append(grade)
        assert stored == self.given
        wanted = [(clip, rater, votes[-1]) for (rater, clip, showing), votes in self.given.items() if showing == 1]
        with open(self.folder / "ratings.csv", newline="") as file:
            rows = [(row["clip"], row["rater"], row["grade"]) for row in csv.DictReader(file)]
        assert sorted(rows) == sorted(row for row in wanted if row[2] is not None)


@pytest.fixture
def panel(browser, folder, start_server):
    first = browser.current_window_handle
    browser.get_log("browser")
    yield Panel(browser, folder, start_server)
    for window in browser.window_handles:
        if window != first:
            browser.switch_to.window(window)
            browser.close()
    browser.switch_to.window(first)


def test_two_raters_grade_all_clips_in_turn_with_reloads_corrections_and_what_cannot_be_graded(panel):
    windows = {rater: panel.open(rater) for rater in ("Eva", "Jürgen Groß")}
    how = {"Eva": "key", "Jürgen Groß": "touch"}
    assert len(panel.items("Eva")) == 7 and panel.items("Eva") != panel.items("Jürgen Groß")
    for number in range(7):
        for rater, window in windows.items():
            panel.browser.switch_to.window(window)
            if number == 3:
                panel.browser.refresh()
            panel.vote(rater, None if number == 5 else "ABCDE"[(number + len(rater)) % 5], how[rater])
            panel.check()
    assert {len(votes) for votes in panel.given.values()} == {1} and len(panel.given) == 14
    # Back from the end over two clips, and another grade for the one before, which had one, and one that had none.
    for back, grade in ((2, "E"), (2, None), (6, "A")):
        for _ in range(back):
            before = panel.place
            panel.press("\ue012")  # the arrow to the left
            panel.wait(lambda: panel.place == before - 1)  # noqa: B023, it is called at once
        panel.vote("Jürgen Groß", grade)
        panel.check()
    assert panel.place == 7 and sum(map(len, panel.given.values())) == 17
    panel.browser.get(panel.server.address)
    assert panel.find(".raters").text.split("\n") == ["Eva", "7 of 7", "Jürgen Groß", "7 of 7"]
    assert [entry for entry in panel.browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []


def test_a_vote_outlasts_the_servers_death_and_is_stored_once(panel):
    panel.open("Eva")
    panel.vote("Eva", "A")

    def restart():
        panel.server.kill()
        panel.server = panel.start(panel.folder, panel.server.port, "--repeat=0.2")

    # Asleep, it takes the vote's connection and never answers.
    panel.server.process.send_signal(signal.SIGSTOP)
    place = panel.give("Eva", "B")
    restart()
    panel.wait(lambda: panel.place == place + 1)
    panel.check()

    # Dead already: the page says so and keeps the vote, and a second key changes nothing.
    panel.server.kill()
    place = panel.give("Eva", "C")
    panel.wait(lambda: "Your vote is not stored yet" in panel.find("#alert").text)
    panel.press("e")
    assert panel.place == place
    restart()
    panel.wait(lambda: panel.place == place + 1)
    assert not panel.find("#alert").is_displayed()
    panel.check()

    # Stored, but it died before it had said so.
    panel.browser.execute_script(
        "const sent = fetch; let votes = 0;"
        "fetch = async (...words) => {"
        "  const answer = await sent(...words);"
        "  if (words[0].includes('vote') && ++votes === 1) throw new TypeError('no answer');"
        "  return answer;"
        "}; window.votes = () => votes"
    )
    panel.vote("Eva", "D")
    assert panel.browser.execute_script("return votes()") == 2
    panel.check()
    panel.browser.refresh()
    panel.vote("Eva", "E")
    panel.check()
    assert len(panel.given) == 5


def test_two_windows_of_one_rater_neither_double_a_vote_nor_write_over_one(panel):
    windows = [panel.open("Eva") for _ in range(2)]
    moment = 1000 * (time.time() + 0.5)
    for window, grade in zip(windows, "AB", strict=True):
        panel.browser.switch_to.window(window)
        panel.wait(lambda: panel.browser.execute_script("return performance.now() > seen"))
        click = f"document.querySelector('[data-grade={grade}]').click()"
        panel.browser.execute_script(f"setTimeout(() => {click}, {moment} - Date.now())")
    panel.wait(lambda: panel.items("Eva")[0]["vote"])
    taken = panel.items("Eva")[0]["vote"]["grade"]
    panel.note("Eva", 0, taken)
    panel.browser.switch_to.window(windows["BA".index(taken)])
    panel.wait(lambda: "voted on in another window" in panel.find("#alert").text)
    panel.wait(lambda: panel.browser.find_elements("css selector", f"[data-grade={taken}][aria-pressed=true]"))
    panel.check()
    panel.press("\ue014")  # the arrow to the right
    for number in range(1, 7):
        panel.browser.switch_to.window(windows[number % 2])
        panel.wait(lambda: panel.place == number)  # noqa: B023, it is called at once
        panel.vote("Eva", "ABCDE"[number % 5])
        panel.check()


@pytest.mark.parametrize("width", (1280, 390))
def test_the_clip_and_all_buttons_are_on_the_screen_at_once_and_the_clip_plays(panel, width):
    panel.open("Eva")
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    panel.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    fits = """
        const parts = [...document.querySelectorAll('header, #film, button')];
        const boxes = parts.map((part) => part.getBoundingClientRect());
        const inside = ({left, top, right, bottom}) =>
            left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
        const large = ({width, height}) => width > 30 && height > 30;
        return [innerWidth, innerHeight, boxes.length, boxes.every(inside), boxes.every(large)]
    """
    # A browser lays a page out some time after it was told of the new size.
    panel.wait(lambda: panel.browser.execute_script(fits) == [width, 800, 13, True, True])
    picture = "return document.getElementById('film').toDataURL()"
    assert len({panel.browser.execute_script(picture), *(seen_later(panel, picture) for _ in range(3))}) > 1


def seen_later(panel, picture: str) -> str:
    time.sleep(0.15)
    return panel.browser.execute_script(picture)
