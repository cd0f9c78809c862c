"""The paper's figure 2, drawn of the gallery's clips where VGG16 and ViT have been asked."""

import numpy as np
from PIL import Image
from untrained_runs import Answer, groups, write_untrained

from hybrid.analysis.page.context import PageContext
from hybrid.analysis.page.gallery import draw_figure_two
from hybrid.analysis.plan import make_plan
from hybrid.analysis.registry import ATTRIBUTIONS, chosen_methods
from hybrid.analysis.run import analyse
from hybrid.analysis.trained_models import find_trained_runs
from hybrid.device import choose_machine

METHODS = ["grad_cam", "attention_rollout", "transformer_explainability"]


def test_figure_two_is_drawn_of_vgg16_and_vit(tmp_path, small_dataset):
    experiment = write_untrained(tmp_path / "runs" / "two", small_dataset, models=("vgg16", "vit"))
    methods = chosen_methods(ATTRIBUTIONS, METHODS)

    def plan_of(labels, folder):
        runs = find_trained_runs([experiment.path], labels, ["*fold0"])
        return make_plan(folder, runs, groups(Answer()), methods, clips_a_run=3, gallery_clips=3)

    plan = plan_of(["vgg16", "vit"], tmp_path / "out")
    analyse(plan, choose_machine("cpu", "32-true"))
    drawn = draw_figure_two(PageContext.of(plan))
    assert drawn.svg.count("<image") == 3 * 4  # a frame and the map over it are one image
    with Image.open(tmp_path / "out" / "figures" / "figure2.png") as image:
        assert np.asarray(image.convert("RGB")).std() > 10
    assert draw_figure_two(PageContext.of(plan_of(["vit"], tmp_path / "out"))) is None
