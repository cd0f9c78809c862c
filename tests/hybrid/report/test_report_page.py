"""The page as a file: whole, alone, and honest about what it shows."""

import re
from html.parser import HTMLParser

import pytest
from finished_runs import write_runs

from hybrid.files import read_json, write_json
from hybrid.report import benchmark
from hybrid.report.benchmark import write_report


class Attributes(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "xlink:href", "srcset", "action", "data"):
                self.links.append(value)
            if name == "id":
                self.ids.append(value)


def page_of(folder):
    write_report(folder)
    return (folder.report / "index.html").read_text(encoding="utf-8")


def test_the_page_needs_no_other_file(experiment):
    text = page_of(experiment)
    seen = Attributes(text)
    assert all(link.startswith(("#", "data:")) for link in seen.links)
    assert all(target[1:] in seen.ids for target in seen.links if target.startswith("#"))
    assert len(seen.ids) == len(set(seen.ids))
    assert set(re.findall(r"url\(([^)]{5})", text)) <= {"data:", "#mse-", "#cost", "#curv", "#cali", "#cont"}
    assert "@import" not in text and not {"link" if "stylesheet" in text else "", "iframe"} & set(seen.tags)


def test_every_section_has_its_content(experiment):
    text = page_of(experiment)
    assert seen_in(text, "Hybrid (ours)", "1.30 (0.14)", "another data set", "pre-registered", "exploratory")
    assert seen_in(text, "1.346", "WACV 2024 (arXiv", "2Q-08")
    assert seen_in(text, "no medical device", "0123abc", "learning_rate", "clips_of_mine")
    assert "Neither hybrid nor" in text or "lower MSE than" in text or "practically equivalent" in text
    names = {path.name for path in experiment.report.iterdir()}
    for table in ("table", "measures", "grades", "contrasts", "runs"):
        assert {f"{table}.csv", f"{table}.md", f"{table}.tex"} <= names
    for figure in ("mse", "cost", "curves", "calibration", "contrasts"):
        assert {f"{figure}.svg", f"{figure}.png"} <= names


def test_a_start_that_knew_the_test_clips_is_told_before_the_results(experiment):
    assert "Not a fair test" not in page_of(experiment)
    run = experiment.run("slowfast", 0, 1)
    write_json(run.result, read_json(run.result) | {"test_clips_seen": 3})
    text = page_of(experiment)
    assert 0 < text.index("Not a fair test: &#39;slowfast&#39;") < text.index('id="results"')
    assert "Not a fair test" in write_report(experiment, anew=True)
    assert "Not a fair test" in (experiment.report / "table.md").read_text(encoding="utf-8")


def seen_in(text, *words):
    return all(word in text for word in words)


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_clips_are_said_to_be(tmp_path, clips_of_mine, simulated):
    folder = write_runs(tmp_path / "runs" / "x", clips_of_mine, simulated=simulated)
    assert ("no evidence about real sperm" in page_of(folder)) is simulated


def test_names_are_text_and_never_markup(tmp_path, clips_of_mine):
    folder = write_runs(tmp_path / "runs" / "x", clips_of_mine, rename=lambda clip: f"<img src=x onerror=1>{clip}")
    text = page_of(folder)
    assert "<img" not in text and "&lt;img src=x onerror=1&gt;" in text


def test_one_model_alone_is_reported_without_contrasts(tmp_path, clips_of_mine):
    folder = write_runs(tmp_path / "runs" / "x", clips_of_mine, models={"hybrid": 0.3})
    assert "A paired comparison takes two models" in page_of(folder)


def test_a_report_is_written_again_only_when_something_changed(experiment, monkeypatch):
    first = write_report(experiment)
    written = []
    monkeypatch.setattr(benchmark, "_write", lambda folder: written.append(folder) or "again")
    assert write_report(experiment) == first and not written
    assert write_report(experiment, anew=True) == "again" and len(written) == 1

    run = experiment.run("hybrid", 0, 0)
    write_json(run.result, read_json(run.result) | {"seconds": 13.0})
    assert write_report(experiment) == "again" and len(written) == 2
    (experiment.report / "index.html").unlink()
    assert write_report(experiment) == "again" and len(written) == 3
