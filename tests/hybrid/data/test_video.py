"""Decoding: the right source frames, the right way up, at the right grey."""

from fractions import Fraction

import av
import numpy as np
import pytest

from hybrid.data.video import ClipError, ClipSpec, decode_clip
from hybrid.errors import UserError

SMALL = ClipSpec(side=16, channels=1)


def levels(clip):
    """The grey of each frame, where every frame is one grey."""
    frames_TN = clip.frames_THWC.reshape(len(clip.frames_THWC), -1)
    assert (frames_TN == frames_TN[:, :1]).all()
    return frames_TN[:, 0].tolist()


def test_same_rate_gives_every_frame_exactly(tmp_path, video, grey):
    clip = decode_clip(video(tmp_path / "a.mkv", grey(16)), SMALL)
    assert clip.frames_THWC.shape == (16, 16, 16, 1) and clip.frames_THWC.dtype == np.uint8
    assert levels(clip) == [10 * i for i in range(16)]
    assert (clip.facts.held, clip.facts.distinct, clip.facts.seconds) == (0, 16, 1.0)


def test_pixels_are_untouched_where_size_and_format_agree(tmp_path, video, noise):
    frames = noise(16, (32, 32))
    clip = decode_clip(video(tmp_path / "a.mkv", frames), ClipSpec(side=32, channels=1))
    np.testing.assert_array_equal(clip.frames_THWC[..., 0], frames)


@pytest.mark.parametrize("rate", [24, 25, 30, 60])
def test_other_rates_give_the_nearest_frame(tmp_path, video, grey, rate):
    clip = decode_clip(video(tmp_path / "a.mov", grey(rate, step=4), codec="png", rate=rate), SMALL)
    expected = [int(np.ceil(i * rate / 16 - 0.5)) for i in range(16)]  # halves go to the earlier frame
    assert levels(clip) == [4 * frame for frame in expected]
    assert clip.facts.frame_rate == pytest.approx(rate, abs=0.01)


def test_slower_source_repeats_frames(tmp_path, video, grey):
    clip = decode_clip(video(tmp_path / "a.mov", grey(8), codec="png", rate=8), SMALL)
    assert levels(clip) == [10 * (i // 2) for i in range(16)]
    assert (clip.facts.held, clip.facts.distinct) == (0, 8)


def test_variable_rate_follows_the_time_stamps(tmp_path, video, grey):
    pts = [0, 100, 120, 140, 700, 1000, 1400]
    path = video(tmp_path / "a.mkv", grey(7), pts=pts, time_base=Fraction(1, 1000))
    wanted = 1000 * np.arange(16) / 16
    expected = np.abs(np.array(pts)[None] - wanted[:, None]).argmin(axis=1)
    assert levels(decode_clip(path, SMALL)) == (10 * expected).tolist()


def test_times_count_from_the_first_frame(tmp_path, video, grey):
    path = video(tmp_path / "a.mkv", grey(16), pts=list(range(80, 96)))
    assert levels(decode_clip(path, SMALL)) == [10 * i for i in range(16)]


def test_no_time_stamps_fall_back_to_the_average_rate(tmp_path, video, grey):
    """A raw H.264 stream has no times; FFmpeg takes it for 25 frames a second."""
    path = video(tmp_path / "a.h264", grey(25, step=8), codec="libx264", pix_fmt="yuvj420p", rate=25)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).pts is None
    expected = [8 * int(np.ceil(i * 25 / 16 - 0.5)) for i in range(16)]
    np.testing.assert_allclose(decode_clip(path, SMALL).frames_THWC.mean(axis=(1, 2, 3)), expected, atol=2)


def test_longer_clip_gives_its_beginning(tmp_path, video, grey):
    clip = decode_clip(video(tmp_path / "a.mkv", grey(50, step=5)), SMALL)
    assert levels(clip) == [5 * i for i in range(16)]
    assert clip.facts.held == 0 and clip.facts.seconds == pytest.approx(50 / 16, abs=0.01)


def test_shorter_clip_holds_its_last_frame(tmp_path, video, grey):
    clip = decode_clip(video(tmp_path / "a.mkv", grey(5)), SMALL)
    assert levels(clip) == [0, 10, 20, 30] + [40] * 12
    assert (clip.facts.held, clip.facts.distinct) == (11, 5)
    assert clip.facts.seconds == pytest.approx(5 / 16, abs=0.01)


def test_other_frame_counts_and_rates(tmp_path, video, grey):
    path = video(tmp_path / "a.mov", grey(32, step=5), codec="png", rate=32)
    assert levels(decode_clip(path, ClipSpec(8, 8, 16, 1))) == [20 * i for i in range(8)]
    assert levels(decode_clip(path, ClipSpec(32, 32, 16, 1))) == [5 * i for i in range(32)]


def test_grey_source_in_colour(tmp_path, video, grey):
    clip = decode_clip(video(tmp_path / "a.mkv", grey(16)), ClipSpec(side=16))
    assert clip.frames_THWC.shape == (16, 16, 16, 3)
    assert levels(clip) == [10 * i for i in range(16)]


def test_colour_keeps_its_channels(tmp_path, video):
    frame = np.zeros((16, 16, 3), np.uint8)
    frame[...] = (200, 100, 50)
    path = video(tmp_path / "a.mkv", [frame] * 4, pix_fmt="bgr0", source="rgb24")
    assert (decode_clip(path, ClipSpec(side=16)).frames_THWC == (200, 100, 50)).all()
    luma = decode_clip(path, SMALL).frames_THWC
    np.testing.assert_allclose(luma, 0.299 * 200 + 0.587 * 100 + 0.114 * 50, atol=1.5)


@pytest.mark.parametrize("pix_fmt", ["gray10le", "gray16le", "yuv420p", "yuv420p10le", "yuv422p", "yuva420p", "bgra"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pixel_formats_keep_the_grey(tmp_path, video, grey, pix_fmt, channels):
    path = video(tmp_path / "a.mkv", grey(16, step=15), pix_fmt=pix_fmt)
    clip = decode_clip(path, ClipSpec(side=16, channels=channels))
    means = clip.frames_THWC.mean(axis=(1, 2))
    np.testing.assert_allclose(means, np.repeat(15.0 * np.arange(16)[:, None], channels, axis=1), atol=1.01)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mp4", "mpeg4", "yuv420p"),
        ("a.mov", "mjpeg", "yuvj420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.avi", "rawvideo", "yuv420p"),
        ("a.mkv", "libx264", "yuv420p"),
        ("a.ts", "libx264", "yuv420p"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.gif", "gif", "gray"),
    ],
)
def test_containers_and_codecs(tmp_path, video, grey, name, codec, pix_fmt):
    frames = grey(16, (32, 32), step=12, start=10)
    clip = decode_clip(video(tmp_path / name, frames, codec=codec, pix_fmt=pix_fmt), ClipSpec(side=32, channels=1))
    np.testing.assert_allclose(clip.frames_THWC.mean(axis=(1, 2, 3)), 10 + 12 * np.arange(16), atol=3)
    assert clip.facts.held == 0


def left_dark_right_bright(height, width, half):
    frame = np.full((height, width), 50, np.uint8)
    frame[:, half:] = 200
    return frame


@pytest.mark.parametrize(("height", "width"), [(33, 47), (47, 33), (16, 101), (150, 151)])
def test_odd_sizes_are_scaled_and_centred(tmp_path, video, height, width):
    """The edge in the middle of the source is in the middle of the square."""
    frames = [left_dark_right_bright(height, width, width // 2)] * 4
    clip = decode_clip(video(tmp_path / "a.mkv", frames), SMALL)
    assert (clip.facts.width, clip.facts.height) == (width, height)
    picture = clip.frames_THWC[0, ..., 0]
    assert (abs(picture[:, :7].astype(int) - 50) <= 12).all() and (abs(picture[:, 9:].astype(int) - 200) <= 12).all()


def test_the_centre_is_kept(tmp_path, video):
    frame = np.full((16, 48), 10, np.uint8)
    frame[:, 16:32] = 99
    assert (decode_clip(video(tmp_path / "a.mkv", [frame] * 3), SMALL).frames_THWC == 99).all()


def test_shrinking_averages(tmp_path, video):
    """A checkerboard of single pixels becomes its mean, not stripes."""
    frame = (np.indices((64, 64)).sum(axis=0) % 2 * 200).astype(np.uint8)
    picture = decode_clip(video(tmp_path / "a.mkv", [frame] * 3), SMALL).frames_THWC[0]
    np.testing.assert_allclose(picture, 100, atol=1)


def test_enlarging_does_not_shift(tmp_path, video):
    frame = left_dark_right_bright(16, 16, 8)
    picture = decode_clip(video(tmp_path / "a.mkv", [frame] * 3), ClipSpec(side=64, channels=1)).frames_THWC[0, ..., 0]
    np.testing.assert_allclose(picture[:, :24], 50, atol=16)
    np.testing.assert_allclose(picture[:, 40:], 200, atol=16)
    assert abs(picture[:, 31].mean() + picture[:, 32].mean() - 250) < 4


def test_pixels_that_are_not_square(tmp_path, video):
    """Stored 32x32, shown 64x32: the square in the middle is half as wide in stored pixels."""
    frame = np.full((32, 32), 20, np.uint8)
    frame[:, 8:24] = 220
    path = video(tmp_path / "a.mp4", [frame] * 3, codec="libx264", pix_fmt="yuv420p", pixel_aspect=Fraction(2, 1))
    clip = decode_clip(path, ClipSpec(side=32, channels=1))
    assert (clip.facts.width, clip.facts.height) == (64, 32)
    np.testing.assert_allclose(clip.frames_THWC[:, :, 4:-4], 220, atol=8)


def test_absurd_pixel_shapes_are_ignored(tmp_path, video, grey):
    options = {"codec": "libx264", "pix_fmt": "yuv420p", "pixel_aspect": Fraction(1, 200)}
    clip = decode_clip(video(tmp_path / "a.mp4", grey(3, (32, 32)), **options), SMALL)
    assert (clip.facts.width, clip.facts.height) == (32, 32)


QUARTER_TURNS = {  # QuickTime's matrix (a, b, c, d): x' = a x + c y, y' = b x + d y, y downwards
    0: (1, 0, 0, 1),
    90: (0, 1, -1, 0),  # what a phone held upright writes: turn clockwise to show
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}


@pytest.mark.parametrize("clockwise", QUARTER_TURNS)
def test_rotation_metadata_is_obeyed(tmp_path, video, clockwise):
    """The matrix is written into the file by hand, so that no convention is taken from the library under test."""
    frame = np.full((24, 40), 20, np.uint8)
    frame[:8, :13] = 220  # top left
    path = video(tmp_path / "a.mov", [frame] * 3, codec="png")
    data = bytearray(path.read_bytes())
    a, b, c, d = (value * 65536 for value in QUARTER_TURNS[clockwise])
    matrix = b"".join(value.to_bytes(4, "big", signed=True) for value in (a, b, 0, c, d, 0, 0, 0, 1 << 30))
    start = data.index(b"tkhd") + 4 + 40
    data[start : start + 36] = matrix
    path.write_bytes(data)
    clip = decode_clip(path, ClipSpec(side=24, channels=1))
    upright = np.full((24, 24), 20, np.uint8)
    upright[:8, :5] = 220  # 8 columns are cut off on both sides
    np.testing.assert_array_equal(clip.frames_THWC[0, ..., 0], np.rot90(upright, -clockwise // 90))
    assert (clip.facts.width, clip.facts.height) == ((40, 24) if clockwise % 180 == 0 else (24, 40))


def test_sound_beside_the_video_is_ignored(tmp_path, video, grey):
    """The sound lasts 3 s: the video is complete all the same."""
    for name in ("a.mkv", "a.mov", "a.avi"):
        path = video(tmp_path / name, grey(16, (32, 32)), codec="mpeg4", pix_fmt="yuv420p", sound=True)
        assert decode_clip(path, SMALL).facts.held == 0


def test_names_with_spaces_accents_and_colons(tmp_path, video, grey, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("with space.mkv", "spermé ж 精子.mkv", "http:a%20b.mkv", "-x.mkv", "50%d.mkv"):
        video(tmp_path / "plain.mkv", grey(16)).rename(tmp_path / name)
        assert levels(decode_clip(name, SMALL))[-1] == 150


def test_reads_only_the_window(tmp_path, video, grey):
    """A recording of minutes costs no more than its first second: damage after it is not met."""
    path = video(tmp_path / "a.mkv", [*grey(24), *([grey(1)[0]] * 200)])
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert levels(decode_clip(path, SMALL)) == [10 * i for i in range(16)]


@pytest.mark.parametrize(
    "wrong", [{"num_frames": 1}, {"frame_rate": 0}, {"frame_rate": float("nan")}, {"side": 4}, {"channels": 2}]
)
def test_impossible_specs_are_refused(wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        ClipSpec(**wrong)


def test_errors_travel_between_processes():
    import pickle

    error = pickle.loads(pickle.dumps(ClipError("a.mp4", "is empty")))
    assert (str(error), error.reason) == ("a.mp4: is empty", "is empty")
