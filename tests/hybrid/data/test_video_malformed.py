"""Videos that cannot be used, and what is said about each."""

import contextlib
import os
import wave

import av
import pytest
from PIL import Image

from hybrid.data.video import ClipError, ClipSpec, decode_clip


def cut(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def text_named_mp4(folder, video, noise):
    path = folder / "a.mp4"
    path.write_text("clip,A,B\n" * 100)
    return path


def sound_only(folder, video, noise):
    path = folder / "a.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 8000, "NONE", ""))
        sound.writeframes(bytes(16000))
    return path


def empty(folder, video, noise):
    path = folder / "a.mp4"
    path.touch()
    return path


def pipe(folder, video, noise):
    os.mkfifo(folder / "a.mp4")
    return folder / "a.mp4"


def folder(folder, video, noise):
    (folder / "a.mp4").mkdir()
    return folder / "a.mp4"


def playlist(folder, video, noise):
    """A playlist in a video's clothes must not make the program read other files."""
    other = video(folder / "other.ts", noise(16), codec="libx264", pix_fmt="yuv420p")
    path = folder / "a.mp4"
    path.write_text(f"ffconcat version 1.0\nfile {other.name}\n")
    return path


def mkv_header(folder, video, noise):
    path = video(folder / "a.mkv", noise(4))
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\x1f\x43\xb6\x75")])  # the first cluster
    return path


def no_frames(folder, video, noise):
    path = folder / "a.mp4"
    with av.open(str(path), "w", container_options={"movflags": "+empty_moov"}) as container:
        stream = container.add_stream("mpeg4", rate=16)
        stream.width = stream.height = 64
        container.start_encoding()
    return path


def garbled(folder, video, noise):
    path = video(folder / "a.mp4", noise(16), codec="libx264", pix_fmt="yuv420p")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start + 4000 : start + 20000] = bytes(16000)
    path.write_bytes(data)
    return path


def unknown_codec(folder, video, noise):
    path = video(folder / "a.mkv", noise(16))
    path.write_bytes(path.read_bytes().replace(b"V_FFV1", b"V_XXV1"))
    return path


def odd_metadata(folder, video, noise):
    path = video(folder / "a.avi", noise(16), codec="mjpeg", pix_fmt="yuvj420p")
    data = path.read_bytes()
    assert b"Lavf" in data
    path.write_bytes(data.replace(b"Lavf", b"\xff\xfe\xe4\xf6"))
    return path


def tiff_stack(folder, video, noise):
    pages = [Image.fromarray(page) for page in noise(3)]
    pages[0].save(folder / "a.tif", save_all=True, append_images=pages[1:])
    return folder / "a.tif"


def encoded(name, codec, pix_fmt, share=1.0, count=16, pts=None, options=None):
    def make(folder, video, noise):
        path = video(folder / name, noise(count), codec=codec, pix_fmt=pix_fmt, pts=pts, options=options)
        return cut(path, share) if share < 1 else path

    return make


FAST_START = {"movflags": "+faststart"}

CASES = {
    "no file": (lambda folder, video, noise: folder / "a.mp4", "there is no such file"),
    "folder": (folder, "is a folder, not a video"),
    "pipe": (pipe, "is not a regular file"),
    "empty": (empty, "is empty (0 bytes)"),
    "text": (text_named_mp4, "is no video that FFmpeg can read"),
    "sound": (sound_only, "holds only sound"),
    "playlist": (playlist, "is no video but a playlist (concat) that names other files"),
    "one frame": (encoded("a.mkv", "ffv1", "gray", count=1), "has only one frame; a clip needs 2 or more"),
    "one frame in time": (
        encoded("a.mkv", "ffv1", "gray", count=3, pts=[0, 40, 80]),
        "has only one frame in its first 1 s; a clip needs 2 or more",
    ),
    "no frames": (no_frames, "has no frames"),
    "mkv header": (mkv_header, "was cut off, or the disk cannot read it to its end"),
    "mp4 cut": (encoded("a.mp4", "libx264", "yuv420p", 0.9), "is no video that FFmpeg can read, or was cut off"),
    "fast mp4 cut": (encoded("a.mp4", "libx264", "yuv420p", 0.9, options=FAST_START), "of 16 frames can be decoded"),
    "fast mpeg4 mp4 cut": (
        encoded("a.mp4", "mpeg4", "yuv420p", 0.5, options=FAST_START),
        "of 16 frames can be decoded",
    ),
    "avi cut": (encoded("a.avi", "mpeg4", "yuv420p", 0.5), "is damaged or cut off: only"),
    "mkv cut": (
        encoded("a.mkv", "ffv1", "gray", 0.5),
        "is cut off: 7 frames (0.44 s) can be decoded, 1.00 s are declared",
    ),
    "mkv cut by one frame": (encoded("a.mkv", "ffv1", "gray", 0.97), "is cut off: 15 frames"),
    "webm cut": (encoded("a.webm", "libvpx-vp9", "yuv420p", 0.7), "is cut off"),
    "transport stream cut": (encoded("a.ts", "libx264", "yuv420p", 0.7), "is damaged or cut off: only"),
    "raw stream cut": (encoded("a.h264", "libx264", "yuv420p", 0.7), "is damaged or cut off: only"),
    "tiny picture": (
        lambda folder, video, noise: video(folder / "a.mkv", noise(4, (64, 4))),
        "is 4x64 pixels; a clip needs 8 or more a side",
    ),
    "unknown codec": (unknown_codec, "is coded in a way that this FFmpeg cannot decode"),
    "TIFF pages": (tiff_stack, "is a TIFF, which has no frame rate: save it as a video"),
    "garbled": (garbled, "is damaged or cut off: only"),
}


@pytest.mark.parametrize("case", CASES)
def test_says_what_is_wrong(tmp_path, video, noise, case, capfd):
    make, message = CASES[case]
    path = make(tmp_path, video, noise)
    with pytest.raises(ClipError) as error:
        decode_clip(path, ClipSpec())
    assert message in error.value.reason
    assert str(error.value) == f"{path}: {error.value.reason}"
    assert capfd.readouterr().err == "", "FFmpeg must not chatter"


def test_metadata_in_another_encoding_do_no_harm(tmp_path, video, noise):
    assert decode_clip(odd_metadata(tmp_path, video, noise), ClipSpec()).facts.distinct == 16


@pytest.mark.parametrize("share", [0.3, 0.6, 0.8, 0.95])
@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mkv", "ffv1", "gray"),
        ("a.mkv", "libx264", "yuv420p"),
        ("a.mp4", "libx264", "yuv420p"),
        ("a.avi", "mjpeg", "yuvj420p"),
    ],
)
def test_no_cut_file_passes_for_a_short_clip(tmp_path, video, noise, name, codec, pix_fmt, share):
    path = cut(
        video(tmp_path / name, noise(16), codec=codec, pix_fmt=pix_fmt, options=FAST_START if "mp4" in name else None),
        share,
    )
    with pytest.raises(ClipError, match="cut off"):
        decode_clip(path, ClipSpec())


def test_cut_file_with_longer_sound(tmp_path, video, noise):
    """The container's length is the sound's; the video's own is in a tag."""
    path = video(tmp_path / "a.mkv", noise(16), sound=True)
    assert decode_clip(path, ClipSpec()).facts.padded == 0
    with pytest.raises(ClipError, match="is cut off: .* 1.00 s are declared"):
        decode_clip(cut(path, 0.4), ClipSpec())


@contextlib.contextmanager
def without_rights():
    """Root may read everything: become nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_no_permission(tmp_path, video, noise):
    path = video(tmp_path / "a.mkv", noise(4))
    path.chmod(0)
    with without_rights(), pytest.raises(ClipError, match="cannot be read: permission denied"):
        decode_clip(path, ClipSpec())


def test_same_time_everywhere(tmp_path, video, noise, monkeypatch):
    """No container here lets such a file be written, so the stream's clock is stopped."""
    from hybrid.data import video as module

    class Stopped(module.Source):
        def __iter__(self):
            for frame in super().__iter__():
                self.latest = self.start = 0.0
                yield frame._replace(time=0.0)

    monkeypatch.setattr(module, "Source", Stopped)
    with pytest.raises(ClipError, match="same time stamp on every frame"):
        decode_clip(video(tmp_path / "a.avi", noise(4), codec="mjpeg", pix_fmt="yuvj420p"), ClipSpec())
