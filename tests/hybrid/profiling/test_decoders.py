"""The bench of decoders compares frames that are the same ones."""

import numpy as np
import pytest

from hybrid.data.clip import ClipSpec
from hybrid.data.video import decode_clip
from hybrid.profiling import decoders


@pytest.fixture
def videos(small_dataset):
    return sorted((small_dataset / "clips").iterdir())[:3]


def test_ways_are_measured_beside_ours_and_those_that_are_not_there_are_named(videos, monkeypatch):
    def brighter(path, spec):
        return np.minimum(decode_clip(path, spec).frames_THWC.astype(int) + 2, 255).astype(np.uint8)

    def broken(path, spec):
        raise OSError("no FFmpeg\nand more")

    ways = {"this project": ("av", decoders.ours), "brighter": ("numpy", brighter)}
    ways |= {"broken": ("numpy", broken), "absent": ("no_such_module", broken)}
    monkeypatch.setattr(decoders, "WAYS", ways)
    table, missing = decoders.measure_decoding(videos, ClipSpec(), rounds=2)
    assert list(table["decoder"]) == ["this project", "brighter"] and list(table["levels_off"]) == [0, 2]
    assert (table["ms"] > 0).all() and table["times_fastest_other"][1] == 1
    assert missing == [f"broken does not decode {videos[0].name}: no FFmpeg", "absent is not installed"]


@pytest.mark.parametrize("name", ["OpenCV", "decord", "torchcodec"])
def test_a_library_gives_the_frames_that_ours_does(name, videos):
    module, way = decoders.WAYS[name]
    pytest.importorskip(module, exc_type=Exception)
    assert np.abs(way(videos[0], ClipSpec()).astype(int) - decode_clip(videos[0], ClipSpec()).frames_THWC).max() <= 2
