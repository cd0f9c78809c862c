import base64
import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from hybrid.data.clip import ClipError
from hybrid.rating import films
from hybrid.rating.films import read_film


def moving(frames, height, width):
    """Another brightness in every frame, and a ramp from left to right, so that size and turning show."""
    ramp_HW = np.broadcast_to(np.linspace(20, 120, width), (height, width))
    return np.stack([ramp_HW + 2 * t for t in range(frames)]).astype(np.uint8)


def write(path, frames_THW, codec="ffv1", rate=16, pix_fmt="gray", times=None):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = frames_THW.shape[1:]
        stream.pix_fmt = pix_fmt
        for t, picture in enumerate(frames_THW):
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format=pix_fmt)
            if times is not None:
                frame.pts, frame.time_base = times[t], Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def pictures(film):
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in film.frames]


def test_a_film_has_the_frames_of_the_video_and_their_times(tmp_path):
    frames_THW = moving(8, 40, 60)
    film = read_film(write(tmp_path / "a.mkv", frames_THW))
    assert (film.width, film.height, film.whole, film.seconds) == (60, 40, True, pytest.approx(0.5, abs=1e-3))
    assert film.times == pytest.approx([t / 16 for t in range(8)], abs=1e-3)
    shown = pictures(film)
    assert all(picture.mode == "L" for picture in shown)  # a third of the size
    assert np.abs(np.stack(shown).astype(int) - frames_THW).max() <= 1


def test_frames_that_are_not_evenly_apart_keep_their_times(tmp_path):
    times = [0, 1, 5, 6, 20]
    film = read_film(write(tmp_path / "a.mkv", moving(5, 16, 16), times=times))
    assert film.times == pytest.approx([t / 16 for t in times], abs=1e-3)


@pytest.mark.parametrize("name, codec", [("a.avi", "mjpeg"), ("a.avi", "rawvideo"), ("a.mpg", "mpeg2video")])
def test_containers_that_no_browser_plays_are_shown(tmp_path, name, codec):
    pix_fmt = {"mjpeg": "yuvj420p", "rawvideo": "gray", "mpeg2video": "yuv420p"}[codec]
    film = read_film(write(tmp_path / name, moving(8, 48, 64), codec, rate=25, pix_fmt=pix_fmt))
    assert (film.width, film.height, len(film.frames)) == (64, 48, 8)
    assert np.asarray(pictures(film)[0].convert("L")).astype(int)[24, [4, 60]] == pytest.approx([26, 114], abs=12)


def test_of_a_long_or_large_video_what_a_browser_can_hold_is_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(films, "SECONDS", 1.0)
    monkeypatch.setattr(films, "SIDE", 30)
    film = read_film(write(tmp_path / "a.mkv", moving(40, 40, 60)))
    assert (film.width, film.height, len(film.frames), film.seconds, film.whole) == (30, 20, 16, 1.0, False)


def test_one_that_cannot_be_shown_says_why(tmp_path):
    whole = write(tmp_path / "a.mkv", moving(16, 64, 64)).read_bytes()
    for content, reason in ((b"", "is empty"), (b"no video", "is no video"), (whole[: len(whole) // 2], "cut off")):
        (tmp_path / "b.mkv").write_bytes(content)
        with pytest.raises(ClipError, match=reason):
            read_film(tmp_path / "b.mkv")
    with pytest.raises(ClipError, match="has 1 frames"):
        read_film(write(tmp_path / "c.mkv", moving(1, 64, 64)))
