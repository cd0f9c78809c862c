"""The one kind of error that is the user's to mend."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """Something in the user's data, configuration or checkpoint is wrong; the message says what and where."""


@contextmanager
def explained(again: str = "continues where this one was") -> Iterator[None]:
    """For entry points: a UserError is printed and ends the program with status 2; no traceback is shown.

    again: what the same command does after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that a terminal of another encoding cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # `| head` has read enough; Python would complain again while it closes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print(f"\nstopped; the same command {again}", file=sys.stderr)
        sys.exit(130)
