import errno
import os
from pathlib import Path

import pytest

from hybrid.errors import UserError
from hybrid.files import (
    Damaged,
    check_output,
    check_output_folder,
    check_record,
    fitting,
    read_json,
    read_yaml,
    typed_path,
    whole_file,
    whole_folder,
    write_json,
    write_text,
    write_yaml,
)


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "folder" / "table.csv"
    with pytest.raises(RuntimeError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("stopped in the middle")
    assert list(path.parent.iterdir()) == []


def test_an_old_file_survives_a_failed_rewrite(tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"mse": 1})
    with pytest.raises(RuntimeError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("stopped in the middle")
    assert read_json(path) == {"mse": 1}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_and_the_old_file_kept(number, tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"mse": 1})
    with pytest.raises(UserError, match=f"{path} cannot be written"), whole_file(path):
        raise OSError(number, "full")
    assert read_json(path) == {"mse": 1} and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(PermissionError), whole_file(path):
        raise PermissionError(errno.EACCES, "not yours")


def test_a_folder_in_which_nothing_may_be_written_is_named(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(UserError, match=r"result.json cannot be written \(Permission denied\)"):
        write_json(tmp_path / "result.json", {})


def test_what_a_killed_writer_left_is_removed_and_a_living_ones_is_not(tmp_path):
    path = tmp_path / "result.json"
    (tmp_path / "result.json.abcd1234.tmp").touch()
    (tmp_path / "result.json.mine.tmp").touch()
    with whole_file(path) as temporary:
        write_json(path, {"mse": 1})
        temporary.write_text("2")
    assert path.read_text() == "2"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["result.json", "result.json.mine.tmp"]


@pytest.mark.parametrize("name", [255 * "a", 85 * "精", 243 * "a" + ".csv"])
def test_any_name_that_a_file_may_have_can_be_written(tmp_path, name):
    (tmp_path / fitting(name, ".abcd1234.tmp")).touch()
    write_text(tmp_path / name, "1")
    with whole_folder(tmp_path / f"b{name[1:]}") as making:
        (making / "file").touch()
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([name, f"b{name[1:]}"])


def test_values_come_back(tmp_path):
    value = {"grades": ["A", "é"], "nested": {"x": 1.5, "none": None}}
    for write, read in ((write_json, read_json), (write_yaml, read_yaml)):
        write(tmp_path / "file", value)
        assert read(tmp_path / "file") == value


@pytest.mark.parametrize(
    "read, content", [(read_json, b""), (read_json, b"\xff"), (read_yaml, b"a: b: c"), (read_yaml, b"\xff")]
)
def test_a_damaged_file_is_named(read, content, tmp_path):
    (tmp_path / "record").write_bytes(content)
    with pytest.raises(Damaged, match="record: was damaged"):
        read(tmp_path / "record")


def test_what_a_record_lacks_is_named(tmp_path):
    kinds = {"data.root": str, "seed": (int, float)}
    check_record(tmp_path, {"data": {"root": "clips"}, "seed": 1}, kinds)
    for record, told in (
        ({"data": {}, "seed": 1}, "data.root is not there"),
        ({"data": {"root": "clips"}, "seed": "1"}, "seed is '1'"),
        ({"data": {"root": "clips"}, "seed": float("nan")}, "seed is nan"),
        (None, "data.root is not there"),
    ):
        with pytest.raises(Damaged, match=told):
            check_record(tmp_path, record, kinds)


def test_what_is_no_regular_file_is_written_into_and_of_a_link_what_it_points_to_is_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_json(tmp_path / "pipe", {})
    assert os.read(reader, 100) == b"{}\n" and [path.name for path in tmp_path.iterdir()] == ["pipe"]
    os.close(reader)
    write_json(Path("/dev/null"), {})
    for name, told in (("loop", "symbolic links"), ("folder", "Is a directory")):
        (tmp_path / "loop").symlink_to("loop") if name == "loop" else (tmp_path / name).mkdir()
        with pytest.raises(UserError, match=f"{name} cannot be written .*{told}"):
            write_json(tmp_path / name, {})
    (tmp_path / "link.json").symlink_to(tmp_path / "there.json")
    write_json(tmp_path / "link.json", {"a": 1})
    assert (tmp_path / "link.json").is_symlink() and read_json(tmp_path / "there.json") == {"a": 1}


def test_what_is_read_and_what_others_wrote_is_not_written_over(tmp_path):
    clip, mine = tmp_path / "clip.mp4", tmp_path / "mine.csv"
    clip.write_bytes(b"frames,mark")
    mine.write_text("clip,mark")
    (tmp_path / "other.csv").symlink_to(clip)
    (tmp_path / "labels.csv").write_text("clip,A,B")
    (tmp_path / "empty.csv").touch()
    for path in (tmp_path / "new.csv", tmp_path / "empty.csv", mine, Path("/dev/null")):
        check_output(path, "mark", [tmp_path / "gone.mp4", clip])
    for name, told in (("other.csv", "is read here"), ("labels.csv", "not written by this"), (".", "is a folder")):
        with pytest.raises(UserError, match=f"{name}: .*{told}"):
            check_output(tmp_path / name, "mark", [tmp_path / "gone.mp4", clip])


def test_a_folder_of_others_is_not_written_into(tmp_path):
    (tmp_path / "mine").mkdir()
    for folder in (tmp_path / "mine", tmp_path / "new"):
        check_output_folder(folder, ["values.csv"])
    (tmp_path / "mine" / "notes.txt").touch()
    with pytest.raises(UserError, match="mine: holds what this program has not written"):
        check_output_folder(tmp_path / "mine", ["values.csv"])
    (tmp_path / "mine" / "values.csv").touch()
    check_output_folder(tmp_path / "mine", ["measures", "values.csv"])
    with pytest.raises(UserError, match="values.csv: is a file, not a folder"):
        check_output_folder(tmp_path / "mine" / "values.csv", [])


def test_a_folder_may_be_named_by_a_dot(tmp_path, monkeypatch):
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path / "new")
    with whole_folder(Path(".")) as making:
        (making / "a").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a"]


def test_an_empty_path_is_refused():
    with pytest.raises(UserError, match="a path is empty"):
        typed_path("")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for read in (read_json, read_yaml):
        with pytest.raises(UserError, match="cannot be read"):
            read(tmp_path)
        with pytest.raises(UserError, match="cannot be read"):
            read(tmp_path / "none")


def test_an_output_whose_name_is_too_long_is_told(tmp_path):
    with pytest.raises(UserError, match="cannot be written .File name too long."):
        check_output(tmp_path / (300 * "n" + ".csv"), "mark")


def test_what_a_system_leaves_in_folders_is_nobodys(tmp_path):
    (tmp_path / ".DS_Store").touch()
    check_output_folder(tmp_path, ("values.csv",))
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match="holds what this program has not written"):
        check_output_folder(tmp_path, ("values.csv",))


def test_a_path_through_a_file_is_told_as_that(tmp_path):
    (tmp_path / "a.csv").write_text("x")
    path, told = tmp_path / "a.csv" / "deep" / "b.csv", "b.csv: cannot be written, for .*a.csv is a file and no folder"
    for refuse in (lambda: check_output(path, "mark"), lambda: check_output_folder(path, ("mark",))):
        with pytest.raises(UserError, match=told):
            refuse()
    for writing in (whole_file, whole_folder):
        with pytest.raises(UserError, match=told), writing(path):
            pass
