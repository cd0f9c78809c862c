"""Presets that results rest on stay as they were when they were frozen: their definition, their votes, their pictures.

A clip's bytes depend on the versions of the libraries that draw and encode it; what is held here does not.
"""

import hashlib
import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from hybrid.simulator.clip import draw_cell, film, make_panel, vote_counts
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings

FROZEN = {"standard": "f115284d5fd8d147", "clinic": "7e17d8632a9336ce"}
"""of the definition and of the votes on the first 24 clips of seed 0"""
SPREAD = {
    "standard": [2.47, 2.67, 3.46, 2.67, 4.27, 3.44, 2.72, 7.36, 3.14],
    "clinic": [2.96, 2.92, 2.85, 2.65, 4.51, 3.63, 2.84, 22.43, 8.36],
}
"""standard deviation of grey in the 3 x 3 parts of the first frame of clip 0 of seed 0"""


@pytest.mark.parametrize("name", FROZEN)
def test_a_frozen_preset_is_as_it_was(name):
    preset, settings = get_preset(name), Settings()
    definition = asdict(preset) | dict(about="")
    del definition["look"]["microscope"]  # in the camera, too
    if not definition["look"]["signs"]["even_grain"]:
        del definition["look"]["signs"]["even_grain"]  # younger than the hash of `standard`
    camera, panel = preset.look.camera(replace(settings, microscope=preset.look.microscope)), make_panel(0, preset)
    votes = [vote_counts(draw_cell(0, index, camera, preset, panel)).tolist() for index in range(24)]
    text = json.dumps([definition, asdict(camera), votes], default=lambda function: function.__name__, sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == FROZEN[name]


@pytest.mark.parametrize("name", FROZEN)
def test_its_pictures_are_as_they_were(name):
    preset = get_preset(name)
    settings = preset.look.camera(Settings())
    frames = film(draw_cell(0, 0, settings, preset), settings, shown=2)[0]
    spread = frames[0].mean(-1).reshape(3, 50, 3, 50).std((1, 3))
    np.testing.assert_allclose(spread.ravel(), SPREAD[name], atol=0.05)
