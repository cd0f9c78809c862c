"""Field videos: what is known of them before cropping, and which are refused."""

import numpy as np
import pytest
from simulated_fields import RATE, write_video

from hybrid.errors import UserError
from hybrid.field.video import look_through, pictures


def woven(frames_THWC: np.ndarray) -> np.ndarray:
    """Half as many frames, each with the upper lines of one moment and the lower lines of the next."""
    upper, lower = frames_THWC[0::2].copy(), frames_THWC[1::2]
    upper[:, 1::2] = lower[:, 1::2]
    return upper


@pytest.fixture(scope="module")
def moving() -> np.ndarray:
    """A bright disc that crosses a grey field by 3 px a frame, smooth at its edge."""
    y, x = np.mgrid[:96, :192]
    discs = [200 / (1 + np.exp(np.hypot(x - 20 - 3 * t, y - 48) - 14)) for t in range(48)]
    noise = np.random.default_rng(0).normal(size=(48, 96, 192))
    return np.clip(np.array(discs) + 40 + noise, 0, 255).astype(np.uint8)[..., None].repeat(3, -1)


def test_interlaced_pictures_are_noticed_and_mended_though_the_file_does_not_say_so(moving, tmp_path):
    whole = look_through(write_video(tmp_path / "whole.mkv", moving))
    mixed = look_through(write_video(tmp_path / "mixed.mkv", woven(moving)))
    assert (whole.interlaced, mixed.interlaced) == ("", "tff")
    before, after = (np.array(list(pictures(mixed, mend))).astype(float) for mend in (False, True))
    assert before.shape == after.shape == (24, 96, 192, 3)
    true = moving[0::2].astype(float)
    error = [np.abs(seen - true)[2:-2].mean() for seen in (before, after)]
    assert error[1] < 0.5 * error[0]


def test_times_of_matroska_are_freed_of_their_rounding(field):
    video = look_through(field.video)
    np.testing.assert_allclose(np.diff(video.times_N), 1 / RATE, rtol=1e-3)
    assert np.ptp(np.diff(video.times_N)) < 1e-9 and video.rate == pytest.approx(RATE, rel=1e-3)


def test_pictures_are_those_of_the_file_one_at_a_time(field):
    seen = pictures(look_through(field.video))
    for picture_HWC, true_HWC in zip(seen, field.frames_THWC, strict=True):
        assert np.abs(picture_HWC.astype(int) - true_HWC).max() <= 2


def test_a_video_that_cannot_be_measured_in_is_refused(field, tmp_path):
    with pytest.raises(UserError, match="there is no such file"):
        look_through(tmp_path / "none.mp4")
    with pytest.raises(UserError, match="has 2 frames; a track needs 3 or more"):
        look_through(write_video(tmp_path / "short.mkv", field.frames_THWC[:2]))
    whole = write_video(tmp_path / "whole.mkv", field.frames_THWC).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="cut off"):
        look_through(tmp_path / "cut.mkv")
    raw = write_video(tmp_path / "raw.mjpeg", field.frames_THWC[:10], codec="mjpeg", strict="unofficial")
    with pytest.raises(UserError, match="has neither time stamps nor a frame rate.*ffmpeg -framerate RATE"):
        look_through(raw)
