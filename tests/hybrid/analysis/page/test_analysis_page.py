"""The results page as a file: whole, alone, every sentence beside its figure, and honest about what it shows."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import torch
from untrained_runs import Answer, Brightness, OnlySlowFast, groups, write_untrained

from hybrid.analysis.page.gallery import POSITIVE, coloured
from hybrid.analysis.plan import make_plan
from hybrid.analysis.run import analyse
from hybrid.analysis.trained_models import find_trained_runs
from hybrid.device import choose_machine
from hybrid.errors import UserError

MACHINE = choose_machine("cpu", "32-true")


class Attributes(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.methods = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.links += [values[name] for name in ("src", "href", "xlink:href") if name in values]
        self.ids += [values["id"]] if "id" in values else []
        self.methods += [values["data-method"]] if "data-method" in values else []


@pytest.fixture(scope="module")
def plan(tmp_path_factory, small_dataset):
    experiment = write_untrained(tmp_path_factory.mktemp("runs") / "three", small_dataset)
    measures = groups(Answer(), OnlySlowFast())
    folder = tmp_path_factory.mktemp("out")
    plan = make_plan(
        folder,
        find_trained_runs([experiment.path]),
        measures,
        {"brightness": Brightness()},
        clips_a_run=3,
        gallery_clips=2,
    )
    analyse(plan, MACHINE)
    return plan


@pytest.fixture(scope="module")
def text(plan):
    return (plan.folder / "index.html").read_text(encoding="utf-8")


def test_the_page_needs_no_other_file(text):
    seen = Attributes(text)
    assert all(link.startswith(("#", "data:")) for link in seen.links)
    assert all(target[1:] in seen.ids for target in seen.links if target.startswith("#"))
    assert len(seen.ids) == len(set(seen.ids))
    assert set(re.findall(r"url\(([^)]{5})", text)) <= {"data:", "#answ", "#nati"}


def test_every_measure_has_its_definition_source_and_figures(text, plan):
    for words in ("The expected grade itself.", "A second paragraph.", "Source: nobody.", "Does not apply to"):
        assert words in text
    names = {path.name for path in (plan.folder / "figures").iterdir()}
    for figure in ("answer-curve-frames", "answer-map-map", "answer-figures", "native-figures"):
        assert {f"{figure}.svg", f"{figure}.png"} <= names and f'id="figure-{figure}"' in text
    assert {f"all-measures.{kind}" for kind in ("csv", "md", "tex")} <= {path.name for path in plan.folder.iterdir()}


def test_the_table_and_the_values_say_the_same(plan):
    values = pd.read_csv(plan.folder / "values.csv")
    assert len(values[values["figure"] == "grade (grades)"]) == 3 * 2 * 3 + 1 * 2 * 3
    table = pd.read_csv(plan.folder / "all-measures.csv").set_index(["measure", "figure"])
    own = values[(values["measure"] == "answer") & (values["figure"] == "grade (grades)")]
    for model in ("slowfast", "timesformer", "vgg16"):
        mean = own[own["model"] == model].groupby("run")["value"].mean().mean()
        assert table.loc[("The answer", "grade (grades)"), f"{model} mean"] == pytest.approx(mean)


def test_every_difference_in_words_leads_to_its_figure(text):
    (differences,) = re.findall(r'<section id="differences".*?</section>', text, re.DOTALL)
    links = re.findall(r'href="#(figure-[^"]+)"', differences)
    assert links and set(links) <= set(Attributes(text).ids)
    assert "SlowFast and TimeSformer" in differences and "VGG16" not in differences
    assert re.search(r"grade \(grades\): (higher in|not shown to differ between) ", text)


def test_the_gallery_shows_every_model_in_the_same_clips(text, plan):
    assert len(re.findall(r'<article class="clip"', text)) == 2
    assert Attributes(text).methods == ["brightness"] * 6
    strips = sorted(path.name for path in (plan.folder / "strips").iterdir())
    assert len(strips) == 2 and all(name.endswith("-brightness.png") for name in strips)
    for curve in re.findall(r'<path d="(M0 1V[^"]+)"/></svg></div>', text):
        heights = [float(value) for value in re.findall(r"V([\d.]+)H", curve)]
        assert len(heights) == 16 and {t for t, height in enumerate(heights) if height < 1} == {4, 5, 6, 7}


def test_colours_tell_signs_and_sizes_on_one_scale_for_all_frames():
    relevance_THW = torch.zeros(2, 4, 4)
    relevance_THW[0, 0, 0], relevance_THW[1, 0, 0], relevance_THW[1, 3, 3] = 1.0, 2.0, -2.0
    rgba = coloured(relevance_THW.numpy())
    assert tuple(rgba[0, 0, 0, :3]) == POSITIVE != tuple(rgba[1, 3, 3, :3])
    assert rgba[0, 0, 0, 3] == pytest.approx(rgba[1, 0, 0, 3] / 2, abs=2) and rgba[1, 0, 0, 3] == rgba[1, 3, 3, 3]
    assert (rgba[..., 3] > 0).sum() == 3
    assert (coloured(np.zeros((2, 4, 4)))[..., 3] == 0).all()


@pytest.mark.parametrize("simulated", [True, False])
def test_one_model_with_one_training_is_shown_without_comparisons(plan, simulated, tmp_path):
    run = next(one for one in plan.runs if one.label == "vgg16")
    run = replace(run, clip_set=replace(run.clip_set, simulated=simulated))
    analyse(replace(plan, folder=tmp_path, runs=(run,), gallery=(), models={"vgg16": "vgg16"}), MACHINE)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "A comparison takes two models" in page and "one training each" in page
    assert "Not asked: Native to SlowFast: it applies to none of these models." in page
    assert ("no evidence about real sperm" in page) is simulated


@pytest.mark.parametrize("simulated", [True, False])
def test_what_was_asked_of_simulated_cells_stands_apart_where_the_clips_are_real(plan, simulated, tmp_path):
    class OfSimulatedCells(Answer):
        rendered = True

    runs = tuple(replace(run, clip_set=replace(run.clip_set, simulated=simulated)) for run in plan.runs)
    few = replace(plan, folder=tmp_path, runs=runs, gallery=(), groups=groups(OfSimulatedCells(), OnlySlowFast()))
    analyse(few, MACHINE)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    differences = page[page.index('id="summary"') : page.index('id="all"')]
    assert ("Not of these clips" in page) is not simulated
    assert (OfSimulatedCells.title in differences) is simulated


def test_measures_of_head_and_tail_are_left_out_with_a_reason_where_there_are_no_masks(plan, tmp_path):
    run = next(one for one in plan.runs if one.label == "vgg16")
    parts = replace(plan.groups[0], title="Head and tail", needs_masks=True)
    few = replace(plan, folder=tmp_path, runs=(run,), gallery=(), models={"vgg16": "vgg16"})
    with pytest.raises(UserError, match="no answer of any measure"):
        analyse(replace(few, groups=(parts,)), MACHINE)
    native = replace(plan.groups[0], name="other", measures={"answer": Answer()})
    analyse(replace(few, groups=(parts, native)), MACHINE)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Not asked: Head and tail: the clips have no masks of head and tail (masks/)." in page
