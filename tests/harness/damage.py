"""What the programs are given wrongly: damaged videos, tables, pickles, checkpoints, run folders, and odd settings.

A kind is a function (folder, seed, numbers, check) that makes the cases of these numbers and hands each to
`check(name, mentions, act)`: `act` calls what a program calls with the file; a message is to hold one of `mentions`.
"""

from __future__ import annotations

import csv
import io
import os
import pickle
import shutil
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from finished_runs import write_runs
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from support import ROOT, write_dataset

from hybrid import create_model
from hybrid.config import PretrainConfig, TrainConfig, register_schemas
from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import load_dataset
from hybrid.data.folds import planned_folds
from hybrid.data.pickled_clips import import_pickles
from hybrid.data.transforms import Normalisation
from hybrid.data.video import decode_clip
from hybrid.experiment.benchmark import check_all
from hybrid.experiment.hydra_jobs import composed
from hybrid.experiment.overrides import settings_of, typed
from hybrid.experiment.prepare import check_folds
from hybrid.field.dataset import Settings, crop_fields
from hybrid.field.groups import groups_of
from hybrid.pretraining.run import check_pretraining
from hybrid.rating.films import read_film
from hybrid.rating.raters import read_tokens
from hybrid.report.benchmark import write_report
from hybrid.training.build import build_model
from hybrid.training.checkpoint import TrainedModel, TrainedOn, load_trained, save_trained
from hybrid.training.loop import to_continue_from
from hybrid.training.seen import behind

Check = Callable[[str, Sequence[str], Callable[[], Any]], None]

CONFIGS = ROOT / "configs"
SPEC = ClipSpec(8, 8, 32, 1)
CONTAINERS = {  # ending: encoder, pixel format
    "mp4": ("libx264", "yuv420p"),
    "mkv": ("ffv1", "gray"),
    "avi": ("mjpeg", "yuvj420p"),
    "raw.avi": ("rawvideo", "yuv420p"),
    "mov": ("mpeg4", "yuv420p"),
    "webm": ("libvpx-vp9", "yuv420p"),
    "gif": ("gif", "rgb8"),
    "ts": ("libx264", "yuv420p"),
}
FRAMES, RATE, SIDE = 20, 20, 64
TEXTS = [
    *(
        "",
        " ",
        "0",
        "-1",
        "1",
        "2.5",
        "1,5",
        "1e400",
        "nan",
        "inf",
        "-0",
        "9" * 5000,
        "²",
        "٣",
        "0x10",
        "1_000",
        "None",
    ),
    *(
        "=1+1",
        "'",
        '"',
        '""',
        "\0",
        "\n",
        "\r",
        ";",
        ",",
        "\t",
        "..",
        "/",
        "../0.mkv",
        "C:\\0.mkv",
        "~",
        "${x}",
        "\ud7ff",
    ),
    *(
        "é",
        "e\u0301",
        "\u202e",
        "\ufeff",
        "精子",
        "🧬",
        "A" * 200_000,
        "clip",
        "group",
        "a\u2028b",
        "\x1b[31m",
        "0.mkv",
        "clips",
    ),
]


# videos


def write_clip(path: Path, encoder: str, pix_fmt: str) -> Path:
    """A bright square that crosses noise: 20 frames of 64 px in a second."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=RATE)
        stream.width = stream.height = SIDE
        stream.pix_fmt = pix_fmt
        for number in range(FRAMES):
            image = rng.integers(90, 130, (SIDE, SIDE), dtype=np.uint8)
            image[10:30, number : number + 20] = 230
            frame = av.VideoFrame.from_ndarray(image, format="gray").reformat(format=pix_fmt)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def crop(video: Path, boxes: Path | None, folder: Path, **words: Any) -> None:
    """As tools/crop.py does; what it made is removed."""
    crop_fields([video], boxes, folder / "cropped", Settings(side=16, **words))
    shutil.rmtree(folder / "cropped")


def videos(folder: Path, seed: int, numbers: range, check: Check) -> None:
    """Cut at every tenth, then bytes of all kinds of damage, read as a clip, as a field and as a film in turns."""
    whole = {ending: write_clip(folder / f"whole.{ending}", *how) for ending, how in CONTAINERS.items()}
    data = {ending: path.read_bytes() for ending, path in whole.items()}
    readers: dict[str, Callable[[Path], Any]] = {
        "clip": lambda path: decode_clip(path, ClipSpec()),
        "field": lambda path: crop(path, None, folder, head_px=14),
        "film": read_film,
    }
    rng = np.random.default_rng((seed, numbers.start))
    cuts = [(ending, tenth, reader) for tenth in range(1, 10) for reader in readers for ending in CONTAINERS]
    shown = {ending: decode_clip(path, ClipSpec()).frames_THWC for ending, path in whole.items()}

    def cut_clip(path: Path, ending: str) -> None:
        clip = decode_clip(path, ClipSpec())
        told = clip.facts.notes or clip.facts.padded
        assert told or np.array_equal(clip.frames_THWC, shown[ending]), "what was cut passes for whole"

    for case in numbers:
        ending, tenth, reader = cuts[case % len(cuts)]
        path, act = folder / f"damaged.{ending}", readers[reader]
        if case < len(cuts):
            name, content = f"cut at {tenth} tenths", data[ending][: len(data[ending]) * tenth // 10]
            act = (lambda path, ending=ending: cut_clip(path, ending)) if reader == "clip" else act
        else:
            name, content = damaged(data[ending], rng)
        path.write_bytes(content)
        check(f"{ending} {name}, read as a {reader}", [path.name], lambda act=act, path=path: act(path))


def damaged(data: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """What was done to the bytes, and they; half of it is done to the first 2 KB, which say how the rest is read."""
    end = min(len(data), 2048) if rng.random() < 0.5 else len(data)
    places = np.sort(rng.integers(0, end, 2))
    start, stop = int(places[0]), int(places[1]) + 1
    way = str(rng.choice(["flipped", "one flipped", "set", "zeroed", "left out", "doubled", "swapped", "cut"]))
    changed = bytearray(data)
    if way in ("flipped", "one flipped"):
        for place in rng.integers(0, end, 1 if way == "one flipped" else int(rng.integers(2, 60))):
            changed[place] ^= 1 << int(rng.integers(8))
    elif way == "set":  # a field of four bytes to what lengths and sizes must not be
        changed[start : start + 4] = bytes(
            rng.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\1\0\1"])
        )
    elif way == "zeroed":
        changed[start:stop] = bytes(stop - start)
    elif way == "left out":
        del changed[start:stop]
    elif way == "doubled":
        changed[stop:stop] = changed[start:stop]
    elif way == "swapped":
        middle = (start + stop) // 2
        changed[start:stop] = changed[middle:stop] + changed[start:middle]
    else:
        del changed[int(rng.integers(len(data))) :]
    return f"{way} at {start}", bytes(changed)


# tables


def table_edits() -> st.SearchStrategy:
    """Edits of a table, each a function of its rows or of its bytes."""
    cell = st.one_of(st.sampled_from(TEXTS), st.text(max_size=12), st.floats().map(str), st.integers().map(str))
    place = st.integers(0, 10**6)
    return st.lists(
        st.one_of(
            st.tuples(st.just("cell"), place, place, cell),
            st.tuples(st.sampled_from(["row left out", "row twice", "column left out", "column twice"]), place),
            st.tuples(st.just("columns swapped"), place, place),
            st.tuples(st.just("column added"), cell, cell),
            st.tuples(st.just("separator"), st.sampled_from([";", "\t", "|", " "])),
            st.tuples(
                st.just("encoding"), st.sampled_from(["utf-16", "utf-16-le", "cp932", "latin-1", "utf-8-sig", "utf-7"])
            ),
            st.tuples(st.just("ends"), st.sampled_from(["\r\n", "\r", "\n\n", "\u2028"])),
            st.tuples(st.just("cut"), place),
            st.tuples(st.just("byte"), place, st.integers(0, 255)),
            st.tuples(
                st.just("before"), st.sampled_from(["sep=;\n", "sep=\n", "\n\n", "# note\n", '"', "PK\x03\x04", " "])
            ),
        ),
        min_size=1,
        max_size=4,
    )


def edited(rows: list[list[str]], edits: list[tuple]) -> bytes:
    rows, separator, ends, encoding, before = [list(row) for row in rows], ",", "\n", "utf-8", ""
    on_bytes = []
    for what, *how in edits:
        row = rows[how[0] % len(rows)] if rows and isinstance(how[0], int) else [""]
        if what == "cell" and row:
            row[how[1] % len(row)] = how[2]
        elif what == "row left out" and len(rows) > 1:
            rows.remove(row)
        elif what == "row twice":
            rows.append(list(row))
        elif what.startswith("column"):
            for number, line in enumerate(rows):
                at = how[0] % len(line) if line and isinstance(how[0], int) else 0
                if what == "column left out":
                    del line[at : at + 1]
                elif what == "column twice":
                    line += line[at : at + 1]
                elif what == "columns swapped" and line:
                    other = how[1] % len(line)
                    line[at], line[other] = line[other], line[at]
                elif what == "column added":
                    line.append(how[1] if number else how[0])
        elif what == "separator":
            separator = how[0]
        elif what == "ends":
            ends = how[0]
        elif what == "encoding":
            encoding = how[0]
        elif what == "before":
            before = how[0]
        elif what in ("cut", "byte"):
            on_bytes.append((what, *how))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=ends).writerows(rows)
    data = bytearray((before + text.getvalue()).encode(encoding, "replace"))
    for what, place, *value in on_bytes:
        if what == "cut":
            del data[place % (len(data) + 1) :]
        elif data:
            data[place % len(data)] = value[0]
    return bytes(data)


def explored(strategy: st.SearchStrategy, seed: int, numbers: range, each: Callable[[Any], None]) -> None:
    """`each` of so many values of the strategy. What is found is told and not made smaller, so that all of it is."""

    @seeded(10**6 * seed + numbers.start)
    @settings(
        max_examples=len(numbers),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(value: Any) -> None:
        each(value)

    run()


def read_rows(path: Path) -> list[list[str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def tables(folder: Path, seed: int, numbers: range, check: Check) -> None:
    """Labels, ratings, groups, folds, donors and tokens, as benchmark, crop and rate read them."""
    root = write_dataset(folder / "set", 6)
    labels = read_rows(root / "labels.csv")
    grades = labels[0][1:6]
    votes = [
        [clip, f"R{rater:02d}", grade]
        for clip, *votes, _ in labels[1:]
        for rater, grade in enumerate(g for g, n in zip(grades, votes, strict=True) for _ in range(int(n)))
    ]
    dataset = load_dataset(root, SPEC)
    good = {
        "labels.csv": labels,
        "ratings.csv": [["clip", "rater", "grade"], *votes],
        "grade.csv": [
            ["clip", "grade", "group"],
            *([row[0], "ABCDE"[n % 5], row[-1]] for n, row in enumerate(labels[1:])),
        ],
        "clips.csv": [["clip", "group"], *([row[0], row[-1]] for row in labels[1:])],
        "folds.csv": [
            ["clip", "group", "repeat0"],
            *([row[0], row[-1], str(n // 3)] for n, row in enumerate(labels[1:])),
        ],
        "donors.csv": [["video", "donor"], *([row[0], row[-1]] for row in labels[1:])],
        "tokens.csv": [["rater", "token"], ["Ada", "a" * 12], ["Eva", "b" * 12]],
    }
    clips = [Path(row[0]) for row in labels[1:]]

    def load(name: str, content: bytes) -> None:
        for table in ("labels.csv", "ratings.csv", "clips.csv"):
            (root / table).unlink(missing_ok=True)
        if name in ("ratings.csv", "clips.csv"):  # beside good labels, of which those of clips.csv have no groups
            rows = labels if name == "ratings.csv" else [row[:-1] for row in labels]
            (root / "labels.csv").write_bytes(edited(rows, []))
        (root / name).write_bytes(content)
        read = load_dataset(root, SPEC)
        planned_folds(folder / "none.csv", read.clips, read.targets_NK, read.groups, num_folds=2, repeats=1, seed=0)

    def folds(path: Path) -> None:
        planned_folds(path, dataset.clips, dataset.targets_NK, dataset.groups, num_folds=2, repeats=1, seed=0)

    def each(drawn: tuple[str, list]) -> None:
        name, edits = drawn
        content, path = edited(good[name.removeprefix("alone ")], edits), folder / name
        if name in ("folds.csv", "donors.csv", "tokens.csv"):
            path.write_bytes(content)
            act = {"folds.csv": folds, "donors.csv": lambda path: groups_of(clips, path), "tokens.csv": read_tokens}[
                name
            ]
            check(f"{name} {edits!r:.200}", [name], lambda: act(path))
        else:
            file = {"grade.csv": "labels.csv", "alone ratings.csv": "ratings.csv"}.get(name, name)
            if name == "alone ratings.csv":

                def act(_: Path) -> None:
                    for table in ("labels.csv", "clips.csv"):
                        (root / table).unlink(missing_ok=True)
                    (root / file).write_bytes(content)
                    load_dataset(root, SPEC)
            else:

                def act(_: Path) -> None:
                    load(file, content)

            check(f"{name} {edits!r:.200}", [file, str(root), "folds"], lambda: act(path))

    explored(st.tuples(st.sampled_from([*good, "alone ratings.csv"]), table_edits()), seed, numbers, each)


def boxes(folder: Path, seed: int, numbers: range, check: Check) -> None:
    """Boxes as CSV, MOT, YOLO and Pascal VOC, as crop reads them."""
    video = write_clip(folder / "field.mkv", "ffv1", "gray")
    rows = [[str(t), str(t), "10", "20", "20"] for t in range(FRAMES)]
    good = {
        "csv": [["frame", "x", "y", "w", "h"], *rows],
        "ids.csv": [["frame", "x", "y", "w", "h", "id", "class"], *([*row, "1", "S"] for row in rows)],
        "mot.txt": [[str(int(row[0]) + 1), "1", *row[1:], "1", "-1", "-1", "-1"] for row in rows],
    }
    voc = (
        f"<annotation><size><width>{SIDE}</width><height>{SIDE}</height></size><object><name>S</name><bndbox>"
        "<xmin>{}</xmin><ymin>10</ymin><xmax>{}</xmax><ymax>30</ymax></bndbox></object></annotation>"
    )
    rng = np.random.default_rng((seed, numbers.start))

    def each(drawn: tuple[str, list]) -> None:
        name, edits = drawn
        path = folder / "boxes" / f"field.{name}" if name in good else folder / "boxes"
        shutil.rmtree(folder / "boxes", ignore_errors=True)
        (folder / "boxes").mkdir()
        if name in good:
            path.write_bytes(edited(good[name], edits))
        else:
            broken = int(rng.integers(FRAMES))
            for t in range(FRAMES):
                text = voc.format(t, t + 20) if name == "xml" else f"0 {(t + 10) / SIDE:.4f} 0.4 0.4 0.4\n"
                content = text.encode()
                if t == broken:
                    content = (
                        edited([text.split(" ")], edits).replace(b",", b" ")
                        if name == "txt"
                        else damaged(content, rng)[1]
                    )
                (path / f"field_{t:03d}.{name}").write_bytes(content)
        check(f"boxes.{name} {edits!r:.200}", [str(path), video.name], lambda: crop(video, path, folder))

    explored(st.tuples(st.sampled_from([*good, "xml", "txt"]), table_edits()), seed, numbers, each)


# settings


def odd_values() -> st.SearchStrategy:
    plain = [
        "0",
        "1",
        "-1",
        "2",
        "3",
        "7",
        "1.5",
        "1e3",
        "1e400",
        "nan",
        "inf",
        "-inf",
        "null",
        "true",
        "yes",
        "[]",
        "[1,2]",
        "{}",
        "{a: 1}",
        "''",
        "",
        " ",
        "???",
        "${x}",
        "${seed}",
        "${oc.env:HOME}",
        "1,2",
        "range(0,3)",
        "auto",
        "none",
        "tiny",
        "paper",
        "official",
        "cpu",
        "cuda",
        "no/such/file",
        "/",
        "a b",
        "精子",
        "'",
        '"',
        "(",
        "9" * 30,
        "-" + "9" * 30,
        "100000000",
        "\0",
        "\n",
        "a" * 5000,
    ]
    return st.one_of(st.sampled_from(plain), st.integers().map(str), st.floats().map(str), st.text(max_size=10))


def odd_settings(folder: Path, seed: int, numbers: range, check: Check) -> None:
    """One or two settings of train or pretrain, of any key and value, checked as the programs check before training."""
    register_schemas()
    root = write_dataset(folder / "set", 6)
    (folder / "runs").mkdir(exist_ok=True)
    common = ["protocol=smoke", "model=x3d", "logger=disabled", f"runs_dir={folder / 'runs'}"]
    tools = {
        "train": (TrainConfig, [*common, "data=folder", f"data.root={root}"]),
        "pretrain": (PretrainConfig, [*common, f"data.root={folder / 'pools'}"]),
    }
    groups = sorted(path.name for path in CONFIGS.iterdir() if path.is_dir() and path.name != "hydra")
    keys = {tool: sorted(settings_of(schema)) + groups for tool, (schema, _) in tools.items()}

    def run(tool: str, words: list[str]) -> None:
        schema, usual = tools[tool]
        given = {word.partition("=")[0].lstrip("+~") for word in words}
        usual = [word for word in usual if word.partition("=")[0] not in given]
        config = composed(CONFIGS, tool, typed([*usual, *words], schema, CONFIGS))
        if tool == "train":
            check_folds(config, check_all([config]))
        else:
            check_pretraining(config)

    def each(drawn: tuple[str, list[tuple[int, str, str]]]) -> None:
        tool, picked = drawn
        words = [f"{sign}{keys[tool][at % len(keys[tool])]}={value}" for at, sign, value in picked]
        named = [word.partition("=")[0].lstrip("+~").rpartition(".")[2] for word in words]
        values = [value for word in words if len((value := word.partition("=")[2][:50]).encode()) > 2]
        check(f"{tool} {words!r:.300}", [*named, *values], lambda: run(tool, words))
        shutil.rmtree(folder / "runs")
        (folder / "runs").mkdir()

    one = st.tuples(st.integers(0, 10**6), st.sampled_from(["", "", "", "", "+", "~", "++"]), odd_values())
    explored(st.tuples(st.sampled_from(sorted(tools)), st.lists(one, min_size=1, max_size=2)), seed, numbers, each)


# pickles, checkpoints, run folders


class Code:
    """What runs code when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch /tmp/code-of-a-checkpoint-ran",)


def pickles(folder: Path, seed: int, numbers: range, check: Check) -> None:
    """Pickles of clips with bytes damaged, as import_pickles reads them."""
    rng = np.random.default_rng((seed, numbers.start))
    frames = rng.integers(0, 255, (4, 16, 16, 1), dtype=np.uint8)
    whole = {
        "grades": {"a": np.array([3.0, 1.0]), "b": [1, 2]},
        "clips": {"a": frames, "b": frames[::-1].copy()},
        "paths": {"a": "p1/a.avi", "b": "p2/b.avi"},
    }
    files = {name: folder / f"{name}.pkl" for name in whole}
    for case in numbers:
        for name, path in files.items():
            path.write_bytes(pickle.dumps(whole[name], protocol=2 + case % 4))
        broken = str(rng.choice([*whole]))
        what, content = damaged(files[broken].read_bytes(), rng)
        if case % 10 == 9:
            what, content = "with code", pickle.dumps({"a": Code()})
        files[broken].write_bytes(content)

        def act() -> None:
            import_pickles(files["grades"], files["clips"], folder / "imported", files["paths"])

        check(f"{broken}.pkl {what}", [str(path) for path in files.values()] + ["pickle"], act)
        shutil.rmtree(folder / "imported", ignore_errors=True)


def checkpoints(folder: Path, seed: int, numbers: range, check: Check) -> None:
    """Cut at every tenth, bytes damaged, plain values of other types, of another model, with code."""
    rng = np.random.default_rng((seed, numbers.start))
    net = {name: create_model(name, "tiny", num_grades=3, num_frames=8, in_channels=1) for name in ("x3d", "vit")}
    path, grades = folder / "model.ckpt", ["good", "fair", "poor"]
    plain = Normalisation((0.45,), (0.225,), "clip")
    seen = TrainedOn(("0123456789abcdef",), sides=(64, 150))
    save_trained(
        path, TrainedModel(net["x3d"], "x3d", "tiny", {}, grades, ClipSpec(8, 8, 64, 1), plain, trained_on=seen)
    )
    data, content = path.read_bytes(), torch.load(path, weights_only=True)
    register_schemas()
    words = [
        "protocol=smoke",
        "model=x3d",
        "logger=disabled",
        "data=folder",
        f"data.root={folder}",
        f"model.pretrained={path}",
    ]
    config = composed(CONFIGS, "train", typed(words, TrainConfig, CONFIGS))
    readers: dict[str, Callable[[], Any]] = {
        "predict": lambda: load_trained(path),
        "start from": lambda: (behind(str(path)), build_model(config, 3)),
        "continue from": lambda: to_continue_from(path, net["x3d"]),
    }
    values = [
        None,
        0,
        -1,
        10**12,
        1.5,
        float("nan"),
        "",
        "x",
        [],
        [1],
        {},
        {"a": 1},
        True,
        torch.zeros(2),
        "../x",
        ["a"] * 3,
    ]

    def other(case: int) -> tuple[str, Any]:
        """The file's content with something else in it."""
        changed = {key: dict(value) if isinstance(value, dict) else value for key, value in content.items()}
        inside = [changed[key] for key in ("model", "spec", "normalisation", "trained_on") if case % 2] or [changed]
        inside = inside[int(rng.integers(len(inside)))]
        key = str(rng.choice(sorted(inside)))
        way = case % 5
        if way == 0:
            del inside[key]
            return f"without {key}", changed
        if way == 1:
            changed["model"] = net["vit"].state_dict()
            return "of another model", changed
        if way == 2:
            inside[key] = Code()
            return "with code", changed
        inside[key] = values[int(rng.integers(len(values)))]
        return f"{key} is {inside[key]!r:.30}", changed

    for case in numbers:
        reader = [*readers][case % len(readers)]
        tenth = case // len(readers) + 1
        if tenth < 10:
            name, written = f"cut at {tenth} tenths", data[: len(data) * tenth // 10]
        elif case % 2:
            name, written = damaged(data, rng)
        else:
            name, changed = other(case // 2)
            buffer = io.BytesIO()
            torch.save(changed, buffer)
            written = buffer.getvalue()
        path.write_bytes(written)
        check(f"model.ckpt {name}, to {reader}", [str(path)], readers[reader])


def run_folders(folder: Path, seed: int, numbers: range, check: Check) -> None:
    """A file of a finished experiment damaged, as report reads it."""
    rng = np.random.default_rng((seed, numbers.start))
    experiment = write_runs(folder / "e", load_dataset(write_dataset(folder / "set"), SPEC), models={"x3d": 0.3})
    files = sorted(path for path in experiment.path.rglob("*") if path.is_file())
    kept = {path: path.read_bytes() for path in files}
    for _ in numbers:
        path = files[int(rng.integers(len(files)))]
        name, content = damaged(kept[path], rng)
        if rng.random() < 0.2:
            name, content = "empty", b""
        path.write_bytes(content)
        check(
            f"{path.relative_to(experiment.path)} {name}",
            [str(path), path.name],
            lambda: write_report(experiment, anew=True),
        )
        path.write_bytes(kept[path])
        shutil.rmtree(experiment.report, ignore_errors=True)


KINDS: dict[str, tuple[Callable[[Path, int, range, Check], None], int]] = {
    "videos": (videos, 1080),
    "tables": (tables, 700),
    "boxes": (boxes, 200),
    "settings": (odd_settings, 250),
    "pickles": (pickles, 150),
    "checkpoints": (checkpoints, 210),
    "runs": (run_folders, 60),
}
"""with how many cases the whole command has of each"""
