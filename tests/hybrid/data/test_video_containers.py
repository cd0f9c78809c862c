"""Every frame in its place, whatever codec and container: by ramps of brightness, and by the ffmpeg command.

Frame i of a ramp is grey FIRST + STEP * i and shown at i / RATE seconds, so a clip tells which frames it was made of.
"""

import re
import shutil
import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest

from hybrid.data.video import ClipSpec, decode_clip

FRAMES, RATE, FIRST, STEP = 40, 25, 20, 5
EVERY_FRAME = ClipSpec(FRAMES, RATE, 32, 1)
FINE = ClipSpec(4 * FRAMES, 4 * RATE, 32, 1)
"""four moments a frame, so that a time that is off by 10 ms shows another frame"""

LOSSY = {"bit_rate": "4000000"}
B_FRAMES = {"bf": "3", "b-pyramid": "normal", "x264-params": "b-adapt=0:keyint=12:scenecut=0"}
CODECS = {  # encoder, pixel format, options, containers
    "h264": (
        "libx264",
        "yuv420p",
        B_FRAMES,
        "avi mkv mp4 mov ts mpg vob nut asf wmv flv mxf 3gp m4v h264 wtv f4v m2ts",
    ),
    "h264 with 16 B-frames": (
        "libx264",
        "yuv420p",
        {"bf": "16", "x264-params": "b-adapt=0:keyint=40:scenecut=0"},
        "avi mkv mp4 ts asf flv mxf h264",
    ),
    "hevc": (
        "libx265",
        "yuv420p",
        {"x265-params": "bframes=4:b-adapt=0:keyint=12:log-level=none"},
        "mkv mp4 mov ts mpg nut flv hevc",
    ),
    "mpeg4": ("mpeg4", "yuv420p", {"bf": "2", **LOSSY}, "avi mkv mp4 mov ts mpg nut asf wmv 3gp m4v wtv"),
    "mpeg2": ("mpeg2video", "yuv420p", {"bf": "2", **LOSSY}, "avi mkv mp4 mov ts mpg vob nut asf wmv mxf m2v wtv"),
    "mpeg1": ("mpeg1video", "yuv420p", {"bf": "2", **LOSSY}, "avi mkv mp4 mov ts mpg nut asf wmv m1v wtv"),
    "vp8": ("libvpx", "yuv420p", {"lag-in-frames": "10", "auto-alt-ref": "1", **LOSSY}, "avi mkv webm nut asf ogv ivf"),
    "vp9": ("libvpx-vp9", "yuv420p", {"lag-in-frames": "16", **LOSSY}, "avi mkv mp4 webm nut flv ivf"),
    "wmv2": ("wmv2", "yuv420p", LOSSY, "avi asf wmv nut"),
    "msmpeg4": ("msmpeg4", "yuv420p", LOSSY, "avi asf mkv"),
    "flv1": ("flv", "yuv420p", LOSSY, "flv swf avi nut"),
    "rv20": ("rv20", "yuv420p", LOSSY, "rm"),
    "mjpeg": ("mjpeg", "yuvj420p", LOSSY, "avi mkv mp4 mov nut asf mjpeg swf"),
    "png": ("png", "gray", {}, "avi mp4 mov nut asf"),
    "ffv1": ("ffv1", "gray", {}, "avi mkv mp4 nut asf mxf"),
    "huffyuv": ("huffyuv", "yuv422p", {}, "avi nut asf"),
    "utvideo": ("utvideo", "yuv420p", {}, "avi nut"),
    "raw": ("rawvideo", "yuv420p", {}, "avi mkv nut y4m"),
    "prores": ("prores_ks", "yuv422p10le", {}, "mov mkv mxf"),
    "jpeg2000": ("jpeg2000", "gray", {}, "avi mkv mov mp4 mxf"),
    "tiff": ("tiff", "gray", {}, "mov"),
    "qtrle": ("qtrle", "rgb24", {}, "mov"),
    "gif": ("gif", "gray", {}, "gif mov nut"),
    "apng": ("apng", "gray", {}, "apng"),
}
PAIRS = [(codec, container) for codec, (*_, containers) in CODECS.items() for container in containers.split()]
MUXERS = {"m2v": "mpeg2video", "m1v": "mpeg1video", "y4m": "yuv4mpegpipe"}

GUESSED_BY_FFMPEG = {("mpeg1", "avi"), ("mpeg1", "m1v")} | {
    (codec, container)
    for codec in ("h264 with 16 B-frames", "h264", "mpeg1", "mpeg2")
    for container in ("asf", "wmv", "mxf")
}
"""the container has no presentation times, and those that the ffmpeg command makes up leave a hole among the first"""


NEWER_THAN_SOME_FFMPEG = {("hevc", "flv"), ("vp9", "flv"), ("ffv1", "mxf")}


def write_ramp(path, codec, rate=RATE):
    encoder, pix_fmt, options, _ = CODECS[codec]
    try:
        av.Codec(encoder, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this PyAV has no encoder {encoder}")
    options = dict(options)
    bit_rate = options.pop("bit_rate", None)
    with av.open(str(path), "w", format=MUXERS.get(path.suffix[1:])) as container:
        stream = container.add_stream(encoder, rate=rate, options=options)
        stream.width = stream.height = 96
        stream.pix_fmt = pix_fmt
        if bit_rate:
            stream.codec_context.bit_rate = int(bit_rate)
        for number in range(FRAMES):
            grey = np.full((96, 96), FIRST + STEP * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="gray").reformat(format=pix_fmt)
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def numbers(levels):
    """Which frames of a ramp have these grey levels."""
    return np.rint((np.asarray(levels) - FIRST) / STEP).astype(int).tolist()


def numbers_of(clip):
    return numbers(clip.frames_THWC.mean(axis=(1, 2, 3)))


def file_name(codec, container):
    return f"{codec.replace(' ', '-')}.{container}"


@pytest.fixture(scope="module")
def ramps(tmp_path_factory):
    """ramps(codec, container): the file, made once."""
    folder, made = tmp_path_factory.mktemp("ramps"), {}

    def ramp(codec, container):
        if (codec, container) not in made:
            made[codec, container] = write_ramp(folder / file_name(codec, container), codec)
        return made[codec, container]

    return ramp


def test_there_are_enough_pairs():
    assert len({(CODECS[codec][0], container) for codec, container in PAIRS}) >= 70


@pytest.mark.parametrize(("codec", "container"), PAIRS)
def test_frames_and_times_are_those_that_were_written(ramps, codec, container):
    path = ramps(codec, container)
    clip = decode_clip(path, EVERY_FRAME)
    assert numbers_of(clip) == list(range(FRAMES))
    assert (clip.facts.padded, clip.facts.distinct) == (0, FRAMES)
    assert clip.facts.frame_rate == pytest.approx(RATE, abs=0.02)
    # Two of the four moments are nearest to their own frame; half way, rounding of the container's clock decides.
    fine = numbers_of(decode_clip(path, FINE))
    assert fine[::4] == list(range(FRAMES)) and fine[1::4] == list(range(FRAMES))
    assert fine[3:-1:4] == list(range(1, FRAMES))


def test_a_raw_stream_has_its_own_rate(tmp_path):
    """FFmpeg's average rate of it is 25 always."""
    for codec, container in (("h264", "h264"), ("hevc", "hevc"), ("mpeg2", "m2v")):
        clip = decode_clip(write_ramp(tmp_path / f"a.{container}", codec, rate=30), ClipSpec(FRAMES, 30, 32, 1))
        assert numbers_of(clip) == list(range(FRAMES)) and clip.facts.notes == ()


def test_a_raw_stream_without_any_rate_is_noticed(ramps):
    assert decode_clip(ramps("mjpeg", "mjpeg"), EVERY_FRAME).facts.notes == (
        "no time stamps and no frame rate in the file: taken for 25 frames a second",
    )


@pytest.mark.parametrize("source", ["avi", "mxf"])
@pytest.mark.parametrize("container", ["mkv", "nut"])
def test_times_that_were_guessed_and_written_down(ramps, tmp_path, source, container):
    """A copy into another container takes FFmpeg's shuffled guess along as if it were known."""
    path = tmp_path / f"copy.{container}"
    with av.open(str(ramps("h264", source))) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    assert numbers_of(decode_clip(path, EVERY_FRAME)) == list(range(FRAMES))


FFMPEG = shutil.which("ffmpeg")
with_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="the ffmpeg command is not installed")


def ffmpeg(*words):
    done = subprocess.run([FFMPEG, "-hide_banner", "-nostdin", *map(str, words)], capture_output=True, check=True)
    return done.stdout, done.stderr.decode()


def shown_by_ffmpeg(path, size):
    """Frames (T, size, size) uint8 as the ffmpeg command decodes them, and their times from the first."""
    filters = f"showinfo,scale={size}:{size}:flags=area,format=gray"
    frames, log = ffmpeg("-threads", 1, "-i", path, "-vf", filters, "-fps_mode", "passthrough", "-f", "rawvideo", "-")
    times = np.array([float(time) for time in re.findall(r"pts_time:(\S+)", log)])
    return np.frombuffer(frames, np.uint8).reshape(-1, size, size), times - times[0]


def nearest_frames(times, spec):
    wanted = np.array(spec.times)
    distance = np.abs(times[None] - wanted[:, None])
    return (distance <= distance.min(axis=1, keepdims=True) + 1e-6).argmax(axis=1)


def assert_same_as_ffmpeg(path, spec, times_of=None):
    frames_THW, times = shown_by_ffmpeg(path, 8)
    times = times if times_of is None else times_of(len(times))
    assert (np.diff(times) > 0).all()
    levels = frames_THW.mean(axis=(1, 2))[nearest_frames(times, spec)]
    np.testing.assert_allclose(decode_clip(path, spec).frames_THWC.mean(axis=(1, 2, 3)), levels, atol=0.4 * STEP)


@with_ffmpeg
@pytest.mark.parametrize(("codec", "container"), PAIRS)
def test_frames_and_times_are_those_of_the_ffmpeg_command(ramps, codec, container):
    made_up = (codec, container) in GUESSED_BY_FFMPEG
    try:
        assert_same_as_ffmpeg(
            ramps(codec, container), EVERY_FRAME, (lambda n: np.arange(n) / RATE) if made_up else None
        )
    except subprocess.CalledProcessError:
        if (codec, container) not in NEWER_THAN_SOME_FFMPEG:
            raise
        pytest.skip(f"this ffmpeg command knows no {codec} in {container}")


@with_ffmpeg
@pytest.mark.parametrize(
    ("codec", "container"),
    [(c, k) for c in ("h264", "mpeg2") for k in ("mp4", "mov", "mkv", "ts")] + [("mpeg4", "mp4")],
)
@pytest.mark.parametrize("start", [0.3, 0.55])
def test_cut_without_coding_anew(ramps, tmp_path, codec, container, start):
    """An edit list (MP4, MOV) hides what comes before the cut; elsewhere times begin below zero or late."""
    path = tmp_path / f"cut.{container}"
    ffmpeg("-ss", start, "-i", ramps(codec, "mp4"), "-c", "copy", path)
    assert_same_as_ffmpeg(path, ClipSpec(20, RATE, 32, 1))


@with_ffmpeg
@pytest.mark.parametrize("container", ["mp4", "mkv", "nut", "ts", "flv"])
def test_variable_frame_rate(ramps, tmp_path, container):
    """Frames 5 to 11 and every third are left out, and those that stay keep their times."""
    path = tmp_path / f"variable.{container}"
    select = "select='not(between(n,5,11))*mod(n,3)'"
    ffmpeg("-i", ramps("ffv1", "mkv"), "-vf", select, "-fps_mode", "vfr", "-c:v", "libx264", "-bf", "3", path)
    assert_same_as_ffmpeg(path, ClipSpec(36, RATE, 32, 1))
