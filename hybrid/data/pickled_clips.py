"""A data set that was kept as three pickles of dictionaries by clip id, made into a folder of ours.

    grades   {id: K fractions or votes, best grade first}
    clips    {id: (T, H, W, C) uint8, C = 1 (grey) or 3 (RGB)}
    paths    {id: the file it was cut from}, optional

as FTKR12/RoSTFine keeps them, the code of T. Fujii et al., WACV 2024. Clips are written without loss (FFV1), so that
what is read again is what was in the pickle.
"""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from tqdm import tqdm

from hybrid.data.labels import SUM_TOLERANCE
from hybrid.data.paths import LABELS
from hybrid.data.permuted_labels import write_rows
from hybrid.data.problems import Problems, some_of
from hybrid.data.unpickling import read_pickle
from hybrid.errors import UserError
from hybrid.files import whole_folder

ORIGINS = "origins.csv"
ENDING = ".mkv"
MOST_FRAMES_A_SECOND = 1000
FORBIDDEN = '/\\:*?"<>|'
"""in names of files, on one system or another"""


def import_pickles(
    grades: Path,
    clips: Path,
    root: Path,
    paths: Path | None = None,
    *,
    frame_rate: float = 16.0,
    group_by_folder: bool = False,
) -> Path:
    """Make the data set folder `root` and return it; all problems are listed at once, and nothing is left half made.

    frame_rate: of the clips, frames a second; the pickles do not say it. group_by_folder: the folder that a clip's path
    lies in says which clips must not be split; with it `paths` is needed. Paths are kept in `origins.csv`.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UserError(f"{root} exists and is not empty; choose another folder")
    if not 0 < frame_rate <= MOST_FRAMES_A_SECOND:
        raise UserError(f"the frame rate must be above 0 and at most {MOST_FRAMES_A_SECOND} a second, not {frame_rate}")
    if group_by_folder and paths is None:
        raise UserError("groups by folder are read off the pickle of paths, which was not given")
    problems = Problems("pickles")
    files = {"grades": grades, "clips": clips} | ({"paths": paths} if paths else {})
    of_id = {kind: by_id(path, problems) for kind, path in files.items()}
    problems.raise_if_any()
    names = named(of_id["grades"], problems)
    check_ids(of_id, problems)
    check_grades(of_id["grades"], problems)
    check_clips(of_id["clips"], problems)
    origins = check_paths(of_id["paths"], group_by_folder, problems) if paths else {}
    problems.raise_if_any()

    groups = {key: str(PurePosixPath(origin).parent) for key, origin in origins.items()} if group_by_folder else {}
    with whole_folder(root) as folder:
        (folder / "clips").mkdir()
        for key, name in tqdm(names.items(), desc="clips", disable=None, leave=False):
            write_clip(folder / "clips" / name, of_id["clips"][key], frame_rate)
        write_rows(folder / LABELS, label_rows(names, of_id["grades"], groups))
        if origins:
            write_rows(folder / ORIGINS, [["clip", "path"], *([name, origins[key]] for key, name in names.items())])
    return root


def by_id(path: Path, problems: Problems) -> dict[Any, Any]:
    """What the pickle says of each clip."""
    value = read_pickle(path)
    if not isinstance(value, dict) or not value:
        what = "nothing" if isinstance(value, dict) else f"a {type(value).__name__}"
        problems.add(f"{path}: holds {what}, not a dictionary by clip id")
        return {}
    return value


def named(ids: Iterable[Any], problems: Problems) -> dict[Any, str]:
    """The file of each clip. Ids are text or whole numbers, and differ in more than capitals."""
    names: dict[Any, str] = {}
    taken: dict[str, Any] = {}
    for key in ids:
        text = str(key).strip()
        if isinstance(key, bool) or not isinstance(key, (str, int)):
            problems.add(f"clip id {key!r} is neither text nor a whole number")
        elif not text or text.startswith(".") or not text.isprintable() or set(text) & set(FORBIDDEN):
            problems.add(f"clip id {key!r} cannot be a file's name")
        elif (other := taken.setdefault(text.casefold(), key)) is not key:
            problems.add(f"clip ids {other!r} and {key!r} would be one file")
        names[key] = text + ENDING
    return names


def check_ids(of_id: dict[str, dict], problems: Problems) -> None:
    """Every clip is in every pickle."""
    for kind, values in of_id.items():
        for other, there in of_id.items():
            if missing := [key for key in there if key not in values]:
                problems.add(f"the pickle of {kind} lacks {some_of(missing)}, which that of {other} has")


def check_grades(grades: dict, problems: Problems) -> None:
    sizes = {}
    for key, values in grades.items():
        if not isinstance(values, np.ndarray) and not (
            isinstance(values, list) and all(isinstance(value, (int, float)) for value in values)
        ):
            problems.add(f"grades of clip {key!r}: no list of numbers")
            continue
        votes_K = np.asarray(values, dtype=np.float64)
        if votes_K.ndim != 1 or not 2 <= len(votes_K) <= 26:
            problems.add(f"grades of clip {key!r}: of shape {votes_K.shape}, not a row of 2 to 26 numbers")
        elif not np.isfinite(votes_K).all() or (votes_K < 0).any() or votes_K.sum() == 0:
            problems.add(f"grades of clip {key!r}: {votes_K.tolist()} are no votes")
        elif (votes_K % 1).any() and abs(votes_K.sum() - 1) > SUM_TOLERANCE:
            problems.add(f"grades of clip {key!r}: fractions that sum to {votes_K.sum():.3g}, not 1")
        else:
            sizes.setdefault(len(votes_K), key)
    if len(sizes) > 1:
        problems.add("grades: " + ", ".join(f"clip {key!r} has {size}" for size, key in sorted(sizes.items())))


def check_clips(clips: dict, problems: Problems) -> None:
    for key, frames in clips.items():
        if not isinstance(frames, np.ndarray) or frames.dtype != np.uint8:
            problems.add(f"clip {key!r}: {getattr(frames, 'dtype', type(frames).__name__)}, not an array of uint8")
        elif frames.ndim != 4 or frames.shape[3] not in (1, 3) or frames.shape[0] < 2 or min(frames.shape[1:3]) < 8:
            problems.add(
                f"clip {key!r}: of shape {frames.shape}, not (frames, height, width, 1 or 3 channels) with 2 frames "
                "and 8 pixels a side or more"
            )


def check_paths(paths: dict, with_folder: bool, problems: Problems) -> dict[Any, str]:
    """With slashes, as text."""
    origins = {key: str(path).replace("\\", "/") for key, path in paths.items()}
    for key, path in paths.items():
        if not isinstance(path, str) or not path.strip():
            problems.add(f"path of clip {key!r}: a {type(path).__name__} or empty, not text")
        elif with_folder and not PurePosixPath(origins[key]).parent.name:
            problems.add(f"path of clip {key!r}: {path!r} names no folder to group by")
    return origins


def label_rows(names: dict[Any, str], grades: dict, groups: dict[Any, str]) -> list[list[str]]:
    """labels.csv with its header; grades are called A, B, C ..."""
    number = len(next(iter(grades.values())))
    rows = [["clip", *(chr(ord("A") + k) for k in range(number)), *(["group"] if groups else [])]]
    for key, name in names.items():
        votes = [str(vote) for vote in np.asarray(grades[key]).tolist()]
        rows.append([name, *votes, *([groups[key]] if groups else [])])
    return rows


def write_clip(path: Path, frames_THWC: np.ndarray, frame_rate: float) -> None:
    import av  # here, since the room is read without a decoder too

    source, coded = ("gray", "gray") if frames_THWC.shape[3] == 1 else ("rgb24", "bgr0")
    frames = frames_THWC[..., 0] if source == "gray" else frames_THWC
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=Fraction(frame_rate).limit_denominator(1000))
        stream.height, stream.width = frames_THWC.shape[1:3]
        stream.pix_fmt = coded
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=source)))
        container.mux(stream.encode(None))
