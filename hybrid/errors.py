"""The one kind of error that is the user's to mend, and how an entry point ends."""

import contextlib
import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

NO_MORE = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""of a disk that is full, and of a terminal that is gone"""
NOT_TO_BE_HAD = (errno.ENAMETOOLONG, errno.EACCES)
"""of a path that no system takes, and of one that this user may not look at"""


class UserError(Exception):
    """Something in the user's data, configuration or checkpoint is wrong; the message says what and where."""


ENDING = (signal.SIGTERM, signal.SIGHUP)
"""what ends a program as Ctrl-C does, with all that it has started; the second is of a terminal that goes away"""


class Terminated(KeyboardInterrupt):
    """One of ENDING came, its number is the argument."""


@contextmanager
def explained(again: str = "continues where this one was") -> Iterator[None]:
    """For entry points: a UserError is printed and ends the program with status 2; no traceback is shown.

    again: what the same command does after Ctrl-C, SIGTERM or SIGHUP. Where what reads the output is gone (`| head`),
    the program ends without a word, with the status of the signal that says so.
    """
    _open_streams()
    heard = [number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL]  # none but in the outermost
    for number in heard:
        signal.signal(number, _terminated)
    try:
        try:
            yield
        except UserError as error:
            _end(2, f"error: {error}")
        finally:
            sys.stdout.flush()  # here, where it can be told that this fails
    except BrokenPipeError:
        _end(128 + signal.SIGPIPE)
    except OSError as error:
        if error.errno in NOT_TO_BE_HAD and error.filename:
            _end(2, f"error: {os.fsdecode(error.filename)}: {error.strerror}")
        if error.errno not in NO_MORE:
            raise
        _end(2, f"error: {error.filename or 'what is printed'} cannot be written ({error.strerror})")
    except UnicodeEncodeError as error:
        if "surrogates" not in error.reason:  # which stand for bytes in the name of a file that are no text
            raise
        name = error.object[max(0, error.start - 30) : error.end + 30]
        _end(2, f"error: {name!r} is no text in {error.encoding}: rename that file or folder")
    except Terminated as error:
        number = signal.Signals(error.args[0])
        _stop(number, f"stopped ({number.name}); the same command {again}")
    except KeyboardInterrupt:
        _stop(signal.SIGINT, f"\nstopped; the same command {again}")
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_DFL)


def _terminated(number: int, frame: object) -> NoReturn:
    for one in ENDING:  # once is enough, and none of its traces is to be in the way of the end
        signal.signal(one, signal.SIG_IGN)
    raise Terminated(number)


def _open_streams() -> None:
    """Have somewhere to print to, even if the shell has closed it (`2>&-`), and whatever a terminal cannot show."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # It takes the lowest number that is free, the stream's own, which some file would else be opened as.
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(nowhere, True)
            setattr(sys, name, open(nowhere, mode, closefd=False))
        if mode == "w" and isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _stop(number: int, told: str) -> None:
    for later in (signal.SIGINT, *ENDING):  # a second one would only break what Python does last
        signal.signal(later, signal.SIG_IGN)
    _end(128 + number, told)


def _end(status: int, told: str = "") -> None:
    with contextlib.suppress(OSError):
        if told:
            print(told, file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:  # Python would complain once more while it closes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)
