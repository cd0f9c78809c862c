"""Decoding: the right source frames, the right way up, at the right grey."""

import shutil
import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import Interpolation, VideoReformatter

from hybrid.data.picture import ACCURATE, displayed
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
    assert (clip.facts.padded, clip.facts.distinct, clip.facts.seconds) == (0, 16, 1.0)


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
    assert (clip.facts.padded, clip.facts.distinct) == (0, 8)


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
    assert clip.facts.padded == 0 and clip.facts.seconds == pytest.approx(50 / 16, abs=0.01)


def test_shorter_clip_holds_its_last_frame(tmp_path, video, grey):
    clip = decode_clip(video(tmp_path / "a.mkv", grey(5)), SMALL)
    assert levels(clip) == [0, 10, 20, 30] + [40] * 12
    assert (clip.facts.padded, clip.facts.distinct) == (11, 5)
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
    assert clip.facts.padded == 0


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


MATRICES = {  # QuickTime's (a, b, c, d): x' = a x + c y, y' = b x + d y, y downwards
    "as it is": (1, 0, 0, 1),
    "90 clockwise": (0, 1, -1, 0),  # what a phone held upright writes
    "180": (-1, 0, 0, -1),
    "270 clockwise": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "upside down": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "transposed the other way": (0, -1, -1, 0),
    "all zero": (0, 0, 0, 0),  # some programs write it; players ignore it
    "flattened": (1, 0, 0, 0),
    "half a degree off": (0.99996, 0.0087, -0.0087, 0.99996),
}


def turned_video(path, video, frame, matrix):
    """The matrix is written into the file by hand, so that no convention is taken from the library under test."""
    video(path, [frame] * 3, codec="png")
    data = bytearray(path.read_bytes())
    a, b, c, d = (round(value * 65536) for value in matrix)
    start = data.index(b"tkhd") + 4 + 40
    data[start : start + 36] = b"".join(
        value.to_bytes(4, "big", signed=True) for value in (a, b, 0, c, d, 0, 0, 0, 1 << 30)
    )
    path.write_bytes(data)
    return path


def moved(frame, matrix):
    """The frame with each pixel where the matrix puts it, rounded to right angles."""
    a, b, c, d = (round(value) for value in matrix)
    if a * d == b * c:
        return frame
    y, x = np.indices(frame.shape)
    to_x, to_y = a * x + c * y, b * x + d * y
    shown = np.zeros(frame.shape if a else frame.shape[::-1], np.uint8)
    shown[to_y - to_y.min(), to_x - to_x.min()] = frame
    return shown


@pytest.mark.parametrize("name", MATRICES)
def test_display_matrices_are_obeyed(tmp_path, video, name):
    frame = np.full((24, 40), 20, np.uint8)
    frame[:8, :13] = 220  # top left
    frame[-3:] = 120  # below
    clip = decode_clip(turned_video(tmp_path / "a.mov", video, frame, MATRICES[name]), ClipSpec(side=24, channels=1))
    shown = moved(frame, MATRICES[name])
    top, left = (shown.shape[0] - 24) // 2, (shown.shape[1] - 24) // 2
    np.testing.assert_array_equal(clip.frames_THWC[0, ..., 0], shown[top : top + 24, left : left + 24])
    assert (clip.facts.height, clip.facts.width) == shown.shape


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the ffmpeg command is not installed")
@pytest.mark.parametrize("name", MATRICES)
def test_display_matrices_are_obeyed_as_by_the_ffmpeg_command(tmp_path, video, noise, name):
    path = turned_video(tmp_path / "a.mov", video, noise(1, (32, 32))[0], MATRICES[name])
    command = ["ffmpeg", "-v", "error", "-i", path, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    shown = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8).reshape(32, 32)
    np.testing.assert_array_equal(decode_clip(path, ClipSpec(side=32, channels=1)).frames_THWC[0, ..., 0], shown)


def test_other_angles_are_refused(tmp_path, video, noise):
    path = turned_video(tmp_path / "a.mov", video, noise(1)[0], (0.866, 0.5, -0.5, 0.866))
    with pytest.raises(ClipError, match="is to be shown turned by 30 degrees; only right angles are"):
        decode_clip(path, SMALL)


def test_metadata_that_pyav_does_not_know(tmp_path, video, grey):
    """A frame of TIFF has Exif beside it, at which PyAV fails to list what there is."""
    path = video(tmp_path / "a.mov", grey(16), codec="tiff")
    assert levels(decode_clip(path, SMALL)) == [10 * i for i in range(16)]


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("pix_fmt", ["gray16le", "rgb48le", "yuv444p16le", "gbrp16le", "rgba64le"])
def test_bits_kept_low_in_sixteen(tmp_path, bits, pix_fmt):
    """As programs write the samples of a 12-bit camera: unscaled, into a format of 16 bits."""
    path, ramp = tmp_path / "a.mkv", np.linspace(0.3, 0.9, 16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=16)
        stream.width = stream.height = 16
        stream.pix_fmt = pix_fmt
        for share in ramp:
            frame = av.VideoFrame.from_ndarray(np.full((16, 16), share * 65535, np.uint16), format="gray16le")
            frame = frame.reformat(format=pix_fmt)
            for plane in frame.planes:
                samples = np.frombuffer(plane, np.uint16)
                samples >>= 16 - bits
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    clip = decode_clip(path, SMALL)
    np.testing.assert_allclose(clip.frames_THWC.mean(axis=(1, 2, 3)), 255 * ramp, atol=2)
    factor = 2 ** (16 - bits)
    assert clip.facts.notes == (f"only the lower {bits} of 16 bits are used: made {factor} times brighter",)


def test_sixteen_bits_stay_as_they_are(tmp_path, video):
    dim = [np.full((16, 16), 17000 + i, np.uint16) for i in range(16)]
    black = [np.zeros((16, 16), np.uint16)] * 16
    for frames, level in ((dim, 66), (black, 0)):
        clip = decode_clip(video(tmp_path / "a.mkv", frames, pix_fmt="gray16le", source="gray16le"), SMALL)
        assert (clip.frames_THWC == level).all() and clip.facts.notes == ()


@pytest.mark.parametrize("name", ["a.mkv", "a.mov"])
@pytest.mark.parametrize("marked", [0, 1, None])
def test_of_several_videos_the_default_one_else_the_largest(tmp_path, name, marked):
    path = tmp_path / name
    sizes = (16, 32)
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("ffv1" if path.suffix == ".mkv" else "png", rate=16) for _ in sizes]
        for number, (stream, size) in enumerate(zip(streams, sizes, strict=True)):
            stream.width = stream.height = size
            stream.pix_fmt = "gray"
            default = av.stream.Disposition.default
            stream.disposition = default if marked in (number, None) else av.stream.Disposition(0)
        for t in range(16):
            for stream, size in zip(streams, sizes, strict=True):
                frame = av.VideoFrame.from_ndarray(np.full((size, size), 100 + size, np.uint8), format="gray")
                frame.pts, frame.time_base = t, Fraction(1, 16)
                container.mux(stream.encode(frame))
    with av.open(str(path)) as container:
        default = [bool(s.disposition & s.disposition.default) for s in container.streams.video]
    if marked is not None and default != [marked == 0, marked == 1]:
        pytest.skip(f"{name} cannot be written so: {default}")
    clip = decode_clip(path, SMALL)
    assert (clip.frames_THWC == (116 if marked == 0 else 132)).all()
    assert clip.facts.notes == ("several videos in one file: taken is the default one, else the largest",)


def drop_last_frames(path, count):
    """Empty the last frames of an AVI, as a recorder does that was too slow: chunks of no bytes, also in the index."""
    data = bytearray(path.read_bytes())
    index = data.rindex(b"idx1") + 8
    entries = (len(data) - index) // 16
    for number in range(entries - count, entries):
        entry = index + 16 * number
        offset = int.from_bytes(data[entry + 8 : entry + 12], "little")
        chunk = data.index(b"movi") + offset
        size = int.from_bytes(data[chunk + 4 : chunk + 8], "little")
        data[chunk + 4 : chunk + 8] = data[entry + 12 : entry + 16] = bytes(4)
        data[chunk + 8 : chunk + 16] = b"JUNK" + (size + size % 2 - 8).to_bytes(4, "little")
    path.write_bytes(data)
    return path


def test_frames_dropped_at_the_end_are_no_cut_file(tmp_path, video, grey):
    path = video(tmp_path / "a.avi", grey(20), codec="mjpeg", pix_fmt="yuvj420p", rate=20)
    clip = decode_clip(drop_last_frames(path, 3), ClipSpec(20, 20, 16, 1))
    assert np.rint(clip.frames_THWC.mean(axis=(1, 2, 3)) / 10).tolist() == [*range(17), 16, 16, 16]
    assert (clip.facts.seconds, clip.facts.padded, clip.facts.distinct) == (1.0, 0, 17)
    assert clip.facts.notes == ("the last frames were dropped by what recorded it: the frame before is shown instead",)


def test_a_cut_file_is_one_though_its_last_frames_were_dropped(tmp_path, video, noise):
    path = drop_last_frames(video(tmp_path / "a.avi", noise(16), codec="mjpeg", pix_fmt="yuvj420p"), 3)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ClipError, match="is cut off"):
        decode_clip(path, SMALL)


def test_interlaced_pictures_are_noticed(tmp_path, video, grey):
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25, options={"flags": "+ilme+ildct"})
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for image in grey(25, (64, 64)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="gray").reformat(format="yuv420p")))
        container.mux(stream.encode())
    notes = decode_clip(tmp_path / "a.mkv", SMALL).facts.notes
    assert notes == ("interlaced by its own account, which mixes two moments in a picture: deinterlace it first",)
    plain = video(tmp_path / "b.mkv", grey(25, (64, 64)), codec="mpeg2video", pix_fmt="yuv420p", rate=25)
    assert decode_clip(plain, SMALL).facts.notes == ()


def test_sound_beside_the_video_is_ignored(tmp_path, video, grey):
    """The sound lasts 3 s: the video is complete all the same."""
    for name in ("a.mkv", "a.mov", "a.avi"):
        path = video(tmp_path / name, grey(16, (32, 32)), codec="mpeg4", pix_fmt="yuv420p", sound=True)
        assert decode_clip(path, SMALL).facts.padded == 0


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


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj444p", "yuv420p10le", "nv12", "gray", "rgb24", "bayer_bggr8"])
@pytest.mark.parametrize("size", [(150, 150), (62, 80)])
def test_enlarged_pixels_are_swscales_own_rgb(pix_fmt, size):
    """However they are come by: plane by plane is faster."""
    rng, image = np.random.default_rng(0), av.VideoFrame(*size, pix_fmt)
    for plane in image.planes:
        samples = rng.integers(0, 1024 if "10" in pix_fmt else 256, plane.buffer_size, dtype=np.uint16)
        plane.update(
            samples[: plane.buffer_size // 2].tobytes() if "10" in pix_fmt else samples.astype(np.uint8).tobytes()
        )
    wanted, reformatter = (round(1.5 * size[0]), round(1.5 * size[1])), VideoReformatter()
    method = int(Interpolation.BICUBIC) | ACCURATE
    plain = reformatter.reformat(image, *wanted, "rgb24", interpolation=method, threads=1)
    np.testing.assert_array_equal(displayed(image, wanted, "rgb24", VideoReformatter()), plain.to_ndarray())
