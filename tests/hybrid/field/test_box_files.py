"""Files of boxes: all formats say the same, and each mistake gets one message that names the file and what to do."""

import numpy as np
import pandas as pd
import pytest
from simulated_fields import TILE, write_boxes

from hybrid.errors import UserError
from hybrid.field.box_files import files_of, read_boxes
from hybrid.field.boxes import of_classes
from hybrid.field.video import look_through

SIZE = (3 * TILE, 2 * TILE)
VOC = (
    "<annotation><object><name>S</name><bndbox><xmin>{}</xmin><ymin>10</ymin><xmax>20</xmax><ymax>20</ymax></bndbox>"
    "</object></annotation>"
)


@pytest.fixture(scope="module")
def video(field):
    return look_through(field.video)


@pytest.mark.parametrize("kind", ("csv", "csv without ids", "mot", "voc", "yolo", "yolo with ids"))
def test_every_format_gives_the_same_boxes(kind, field, video, tmp_path):
    boxes, _ = read_boxes(write_boxes(tmp_path / "boxes", field.boxes, kind, SIZE), video)
    order = ["frame", "x"]
    told, true = (table.sort_values(order)[[*order, "y", "w", "h"]].to_numpy() for table in (boxes, field.boxes))
    np.testing.assert_allclose(told, true, atol=1e-5)
    assert boxes["id"].nunique() == (0 if kind in ("csv without ids", "voc", "yolo") else 6)


def test_a_table_of_a_western_spreadsheet_is_read(video, tmp_path):
    path = tmp_path / "b.csv"
    path.write_text("\ufeffFrame;X;Y;W;H;ID\n0;10,5;20;10;10;007\n1;11,5;20;10;10;007\n", encoding="utf-8")
    boxes, _ = read_boxes(path, video)
    assert boxes["x"].tolist() == [15.5, 16.5] and boxes["id"].tolist() == ["007", "007"]


def test_frames_are_counted_from_0_or_1_as_the_files_show_or_the_user_says(video, tmp_path):
    path = tmp_path / "b.csv"
    for first, last, told, start in ((0, 5, None, 0), (1, 60, None, 1), (3, 5, 1, 1), (3, 5, 0, 0)):
        path.write_text(f"frame,x,y,w,h\n{first},9,9,9,9\n{last},9,9,9,9\n")
        assert read_boxes(path, video, told)[0]["frame"].tolist() == [first - start, last - start]


def one_frame_each(folder, texts, ending=".txt"):
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"donor1_{number}{ending}").write_text(text)
    return folder


GOOD = "0 0.5 0.5 0.1 0.1\n"
WRONG_FRAMES = {
    "four values": ([GOOD, "0 0.5 0.5 0.1\n"], ".txt", r"donor1_1.txt line 1: has 4 values"),
    "no number": ([GOOD, "0 0.5 x 0.1 0.1\n"], ".txt", r"donor1_1.txt line 1: '0.5 x 0.1 0.1' are not four numbers"),
    "pixels": ([GOOD, "0 320 240 20 20\n"], ".txt", r"shares from 0 to 1 are wanted"),
    "a confidence": ([GOOD, "0 0.5 0.5 0.1 0.1 0.9\n"], ".txt", r"without a confidence"),
    "an id now and then": ([GOOD, "7 0 0.5 0.5 0.1 0.1\n"], ".txt", r"donor1_0.txt line 1: the box has no id, though"),
    "no width": ([GOOD, "0 0.5 0.5 0 0.1\n"], ".txt", r"donor1_1.txt line 1: the box has a width or height"),
    "an id twice": (
        ["7 0 0.5 0.5 0.1 0.1\n" * 2, ""],
        ".txt",
        r"donor1_0.txt line 2: the box is the second one of its",
    ),
    "all empty": (["", ""], ".txt", r"hold not one box"),
    "more files than frames": ([GOOD] * 61, ".txt", r"has 61 files of frames, but donor1.mkv has 60"),
    "no XML": ([VOC.format(10), "0 0.5"], ".xml", r"donor1_1.xml: is no Pascal VOC file"),
    "no corner": ([VOC.format(10), VOC.format("")], ".xml", r"donor1_1.xml: is no Pascal VOC file"),
    "beyond the picture": ([VOC.format(10), VOC.format(9999)], ".xml", r"donor1_1.xml: the box has a width or height"),
    "another size": (
        [VOC.format(10), "<annotation><size><width>640</width><height>480</height></size></annotation>"],
        ".xml",
        r"donor1_1.xml: is of a picture of 640x480 px, but donor1.mkv has 480x320",
    ),
}


@pytest.mark.parametrize("case", WRONG_FRAMES)
def test_a_wrong_file_of_a_frame_is_named(case, video, tmp_path):
    texts, ending, message = WRONG_FRAMES[case]
    with pytest.raises(UserError, match=message):
        read_boxes(one_frame_each(tmp_path / "boxes", texts, ending), video)


WRONG_TABLES = {
    "empty": ("", "is empty"),
    "no column": ("frame,x,y,w\n0,1,2,3\n", "there is no column 'h'"),
    "text": ("frame,x,y,w,h\n0,1,2,3,3\n1,1,2,?,3\n", "b.csv line 3: frame, x, y, w, h must be numbers"),
    "half a frame": ("frame,x,y,w,h\n0.5,1,2,3,3\n", "line 2: .* frame a whole one"),
    "short MOT": ("1,1,10,10\n", "has no header and 4 values a line"),
    "beyond the picture": ("frame,x,y,w,h\n0,1,2,3,3\n1,900,2,3,3\n", "b.csv line 3: the box lies beyond the picture"),
    "too large": ("frame,x,y,w,h\n0,-400,2,999,3\n", "line 2: the box is larger than the picture"),
    "of a longer video": (
        "frame,x,y,w,h\n0,1,2,3,3\n60,1,2,3,3\n",
        "line 3: the box is of a frame that donor1.mkv with",
    ),
    "0 or 1": ("frame,x,y,w,h\n3,1,2,3,3\n", "is its first one 0 or 1. Say it with --first-frame"),
    "an id now and then": ("frame,x,y,w,h,id\n0,1,2,3,3,a\n1,1,2,3,3,\n", "line 3: the box has no id, though"),
    "ragged": ("frame,x,y,w,h\n0,1,2,3,3\n1,1,2,3,3,4,5,6\n", "is no table of boxes"),
}


@pytest.mark.parametrize("case", WRONG_TABLES)
def test_a_wrong_table_is_named_with_its_line(case, video, tmp_path):
    text, message = WRONG_TABLES[case]
    (tmp_path / "b.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_boxes(tmp_path / "b.csv", video)


def test_a_table_that_is_no_text_is_named(video, tmp_path):
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00\x81" * 10)
    with pytest.raises(UserError, match="is not a text file in UTF-8"):
        read_boxes(tmp_path / "b.csv", video)
    with pytest.raises(UserError, match="there is no such file or folder of boxes"):
        read_boxes(tmp_path / "none.csv", video)


def test_a_folder_of_several_videos_boxes_gives_each_its_own(tmp_path):
    for name in ("a_0.xml", "a_1.xml", "ab_0.xml", "b.csv", "classes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "frame_1.txt").touch()
    (tmp_path / "c" / "frame_2.txt").touch()
    found = {stem: [file.name for file in files_of(tmp_path, stem)] for stem in "abc"}
    assert found == {"a": ["a_0.xml", "a_1.xml"], "b": ["b.csv"], "c": ["frame_1.txt", "frame_2.txt"]}
    with pytest.raises(UserError, match="none of its files is named after 'd'"):
        files_of(tmp_path, "d")


def test_sperm_among_several_classes_must_be_named():
    boxes = pd.DataFrame({"label": ["S", "S", "Impurity"]})
    assert len(of_classes(boxes, ("S",), "boxes")) == 2
    with pytest.raises(UserError, match=r"holds several classes, S \(2 boxes\), Impurity \(1 boxes\).*--classes"):
        of_classes(boxes, (), "boxes")
    with pytest.raises(UserError, match="holds no class 'T'"):
        of_classes(boxes, ("S", "T"), "boxes")
