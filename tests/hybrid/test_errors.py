"""How a program ends: in one sentence and with a status, whatever has become of its terminal."""

import os
import signal
import subprocess
import sys

import pytest

from hybrid.errors import UserError, explained

PROGRAM = """
import os, sys
from pathlib import Path
from hybrid.errors import explained
with explained():
    exec(sys.argv[1])
"""


def shell(statement: str, rest: str = "") -> subprocess.CompletedProcess:
    """Of a program that does this inside `explained`, with its output where `rest` says."""
    words = [sys.executable, "-c", PROGRAM, statement]
    return subprocess.run(["bash", "-c", f'"$@" {rest}', "bash", *words], capture_output=True, text=True)


def test_a_closed_stream_is_no_error_and_no_file_is_opened_in_its_place(tmp_path):
    draws = f"from tqdm import tqdm; list(tqdm([1])); print('x', file=sys.stderr); Path('{tmp_path}/f').write_text('y')"
    for closed in ("2>&-", ">&-", "<&- >&- 2>&-"):
        done = shell(f"{draws}; os.system('echo z >&2')", closed)
        assert (done.returncode, (tmp_path / "f").read_text()) == (0, "y"), done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_output_that_cannot_be_written_is_told_once():
    for statement in ("print('x')", "print('x', flush=True)", "print('x'); sys.exit(0)", "print('x' * 99999)"):
        done = shell(statement, ">/dev/full")
        assert done.returncode == 2
        assert done.stderr == "error: what is printed cannot be written (No space left on device)\n"


def test_a_reader_that_is_gone_ends_a_program_without_a_word_and_not_as_if_it_were_done():
    done = shell(
        "import time; time.sleep(0.3); print('x', flush=True); Path('/dev/null').touch()",
        "| true; exit ${PIPESTATUS[0]}",
    )
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def test_what_a_terminal_cannot_show_is_written_in_another_way():
    ascii_alone = {**os.environ, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    words = [sys.executable, "-c", PROGRAM, "print(chr(31934)); print(chr(31934), file=sys.stderr)"]
    done = subprocess.run(words, capture_output=True, text=True, env=ascii_alone)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\\u7cbe\n", "\\u7cbe\n")


def test_a_name_that_is_no_text_is_named(capsys):
    with pytest.raises(SystemExit), explained():
        "bad\udcff.mkv".encode()
    assert capsys.readouterr().err == "error: 'bad\\udcff.mkv' is no text in utf-8: rename that file or folder\n"
    with pytest.raises(UnicodeEncodeError), explained():
        "\u00e9".encode("ascii")


@pytest.mark.parametrize(
    "number, told",
    [
        (signal.SIGINT, "stopped;"),
        (signal.SIGTERM, "stopped (SIGTERM);"),
        (signal.SIGHUP, "stopped (SIGHUP);"),
    ],
)
def test_a_program_that_is_stopped_says_what_the_same_command_does(number, told):
    done = shell(f"os.kill(os.getpid(), {int(number)})")
    assert (done.returncode, done.stderr.strip()) == (
        128 + number,
        f"{told} the same command continues where this one was",
    )


def test_a_terminal_that_goes_away_does_not_end_what_was_told_not_to_hear_of_it():
    words = [sys.executable, "-c", PROGRAM, "os.kill(os.getpid(), 1); print('goes on')"]
    done = subprocess.run(["bash", "-c", "trap '' HUP; exec \"$@\"", "bash", *words], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on\n", "")


def test_a_path_that_no_system_takes_is_told(capsys):
    with pytest.raises(SystemExit) as ended, explained():
        os.stat(300 * "x")
    assert ended.value.code == 2 and capsys.readouterr().err == f"error: {300 * 'x'}: File name too long\n"


def test_a_users_error_ends_in_status_2(capsys):
    with pytest.raises(SystemExit) as ended, explained():
        raise UserError("row 3")
    assert ended.value.code == 2 and capsys.readouterr().err == "error: row 3\n"
