"""Files that are either whole or not there: written under a temporary name, then renamed; one writer at a time;
and the commit of this software."""

import contextlib
import errno
import fcntl
import glob
import hashlib
import json
import math
import mmap
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from hybrid.errors import UserError

FULL = (errno.ENOSPC, errno.EDQUOT)
LONGEST = 255
"""bytes of a file's or folder's name, on every system that is used today"""


class Unwritable(UserError):
    """The disk is full, or the folder may not be written; the system's own error is its cause."""


class Damaged(UserError, ValueError):
    """A file that a program wrote holds something else now."""


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, in a folder made where it is missing; without an error it becomes `path`.

    It is called `<name>....tmp`, cut where that is too long; what a killed program has left of that kind is removed.
    `Unwritable` where nothing can be written there, as on a full disk. Of a link, what it points to is replaced. A
    device or a pipe is `path` itself, for nothing can take its place.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    try:
        check_above(path)
        if path.is_dir() or path.is_symlink():
            kind = errno.EISDIR if path.is_dir() else errno.ELOOP
            raise OSError(kind, os.strerror(kind))
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_over(path)
        handle, temporary = _temporary(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes it private
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())  # else a power cut may leave the name on an empty file
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in FULL:
            raise _unwritable(path, error) from error
        raise
    finally:
        os.close(handle)


ENDING = ".????????.tmp"


def fitting(name: str, ending: str) -> str:
    """`name` with `ending` behind it, of a long name as much as there is room for."""
    while len(os.fsencode(name + ending)) > LONGEST:
        name = name[:-1]
    return name + ending


def _stem(path: Path) -> str:
    """of the temporary files beside `path`"""
    return fitting(path.name, ENDING).removesuffix(ENDING)


def check_above(path: Path) -> None:
    """`Unwritable` where a path goes through a file, as if that were a folder."""
    if file := next((parent for parent in path.parents if parent.exists() and not parent.is_dir()), None):
        cause = NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        told = f"{path}: cannot be written, for {file} is a file and no folder: choose another name"
        raise Unwritable(told) from cause


def _temporary(path: Path) -> tuple[int, Path]:
    """A new file beside `path`, locked while its handle is open, which says that its writer lives."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f"{_stem(path)}.", suffix=".tmp", dir=path.parent)
        with contextlib.suppress(OSError):  # of a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.path.exists(name):  # else another program took it for left over before it was locked
            return handle, Path(name)
        os.close(handle)


def _remove_left_over(path: Path) -> None:
    for old in path.parent.glob(glob.escape(_stem(path)) + ENDING):
        with contextlib.suppress(OSError), open(old, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an OSError while its writer lives
            old.unlink()


def _unwritable(path: Path, error: OSError) -> Unwritable:
    mend = "make room there, and the same command continues" if error.errno in FULL else "choose another place"
    return Unwritable(f"{path} cannot be written ({error.strerror or error}); what was there before is kept: {mend}")


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """As `whole_file`: an empty folder beside `folder`; without an error it becomes `folder`, which must not hold
    anything before.

    It is called `<name>.tmp`. One program at a time writes it: another one is refused. What a killed one left there is
    removed, and said.
    """
    folder = folder.resolve()  # of '.', the name
    making = folder.with_name(fitting(folder.name, ".tmp"))
    try:
        check_above(folder)
        making.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}); name another folder") from None
    lock = FileLock(making / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{folder}: another program is writing it now; wait for that, or name another folder") from None
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder}: is there already, and nothing in it is written over: name another folder")
        left_over = [path for path in making.iterdir() if path.name != "lock"]
        if left_over:
            print(f"note: {folder}: starts anew; what a run that was stopped left of it is removed", file=sys.stderr)
        for path in left_over:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield making
        making.rename(folder)
        (folder / "lock").unlink()
    except BaseException as error:
        shutil.rmtree(making, ignore_errors=True)
        if getattr(error, "errno", None) in FULL:
            raise Unwritable(f"{folder} cannot be written ({error.strerror}), and nothing of it is kept") from error
        raise
    finally:
        lock.release()


@contextlib.contextmanager
def only_one(folder: Path, doing: str) -> Iterator[None]:
    """A lock that one program holds at a time, so that of several started together one does the work; freed if it dies.

    doing: what it does to the folder, as in 'decodes into', for those who wait.
    """
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"waiting for another run that {doing} {folder} ...", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def is_held(lock: Path) -> bool:
    """Whether a program that lives holds this lock."""
    try:
        with FileLock(lock, timeout=0) if lock.exists() else contextlib.nullcontext():
            return False
    except Timeout:
        return True
    except FileNotFoundError:  # it went with its folder, just now
        return False


def typed_path(text: str) -> Path:
    """A path of a command line; `~` is one's home also where the shell leaves it, as in --data=~/clips."""
    if not text:
        raise UserError("a path is empty: was a variable of the shell not set?")
    return Path(text).expanduser()


def check_output(path: Path, mark: str, inputs: Iterable[Path] = ()) -> None:
    """Refuse to write a file over what is read, or over any that this program has not written.

    mark: what every file holds that it writes so.
    """
    try:
        if path.is_dir():
            raise UserError(f"{path}: is a folder, not a file to write")
        check_above(path)
        if not path.is_file():  # nothing is there, or a device
            return
        if any(path.samefile(file) for file in inputs if file.exists()):
            raise UserError(f"{path}: is read here, and is not written over: choose another name")
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(mark.encode()) < 0:
                raise UserError(f"{path}: is there and was not written by this program: choose another name")
    except ValueError:  # an empty file cannot be mapped
        return
    except OSError as error:  # the name is too long, say
        raise UserError(f"{path}: cannot be written ({error.strerror})") from None


def check_output_folder(folder: Path, marks: Iterable[str]) -> None:
    """Refuse a folder that holds anything, unless this program has written to it.

    marks: names, or patterns of them, of which a folder has one that it has written to.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is a file, not a folder to write into")
    check_above(folder)
    if folder.exists() and _holds_anything(folder) and not any(any(folder.glob(mark)) for mark in marks):
        raise UserError(f"{folder}: holds what this program has not written: choose another folder, or a new one in it")


def _holds_anything(folder: Path) -> bool:
    """But for what systems leave in folders that people have looked into."""
    return any(path.name not in (".DS_Store", "Thumbs.db", "desktop.ini") for path in folder.iterdir())


def write_text(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """What is not a number is written as null: JSON has no NaN."""
    write_text(path, json.dumps(_without_nan(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inside) for inside in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path) -> Any:
    """What the file holds; `Damaged`, a UserError, where it is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{path}: was damaged, it is no JSON any more ({_in_a_line(error)})") from error
    except OSError as error:
        raise Damaged(f"{path}: cannot be read ({error.strerror})") from error


def write_yaml(path: Path, value: Any) -> None:
    write_text(path, yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


Kinds = dict[str, type | tuple[type, ...]]
"""of values, by key; `a.b` is for what is inside of a"""
ABSENT = object()


def read_yaml(path: Path, kinds: Kinds | None = None) -> dict[str, Any]:
    """The settings in the file; `Damaged`, a UserError, where there are none or not those that `kinds` names."""
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Damaged(f"{path}: was damaged, it is no YAML any more ({_in_a_line(error)})") from error
    except OSError as error:
        raise Damaged(f"{path}: cannot be read ({error.strerror})") from error
    if not isinstance(settings, dict):
        raise Damaged(f"{path}: was damaged, it holds no settings")
    check_record(path, settings, kinds or {})
    return settings


def check_record(path: Path, record: Any, kinds: Kinds, needed: Collection[str] | None = None) -> None:
    """`Damaged` where what the file holds lacks one of these values or has another kind of it.

    needed: keys that it may not lack, by default all.
    """
    for key, kind in kinds.items():
        value = record
        for part in key.split("."):
            value = value.get(part, ABSENT) if isinstance(value, dict) else ABSENT
        if value is ABSENT and needed is not None and key not in needed:
            continue
        other = isinstance(value, bool) and kind is not bool  # which Python counts among the numbers
        if other or not isinstance(value, kind) or (isinstance(value, float) and not math.isfinite(value)):
            raise Damaged(f"{path}: was damaged, {key} is {'not there' if value in (None, ABSENT) else repr(value)}")


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def digest_of(files: Iterable[Path]) -> str:
    """12 hex digits of the files' contents, in their order."""
    whole = hashlib.sha256()
    for path in files:
        with open(path, "rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:12]


def software_commit() -> str | None:
    """The commit that is checked out, and whether files differ from it; None where this is no git repository."""
    here = Path(__file__)

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(here.parent), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)  # or it is installed inside someone else's repository
        return git("rev-parse", "HEAD") + (" with changes" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
