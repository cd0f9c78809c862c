"""Refuses every connection but those to this machine, in the tests and in each Python that they start.

Python imports a module of this name when it starts; tests/conftest.py puts this folder where it is found. What is
refused is written to the file that REFUSED names, for the end of the tests to tell. (Programs that are no Python, such
as a browser, are not watched.)
"""

import os
import socket
import sys
import traceback

REFUSED = "REFUSED_CONNECTIONS"


def of_this_machine(host: str) -> bool:
    """Whether an address is one of this machine's own, which one can listen at; names are not looked up."""
    if host in ("", "localhost", socket.gethostname()):
        return True
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.bind((host.partition("%")[0], 0))
        return True
    except (OSError, UnicodeError):
        return False


def is_number(host: str) -> bool:
    """Whether it is an address and no name, so that nobody is asked for it."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
            return True
        except OSError:
            continue
    return False


def in_words(frames: traceback.StackSummary) -> str:
    """The last calls, as `folder/file:line` of each."""
    return " > ".join(f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno}" for frame in frames[-12:])


def watch(event: str, words: tuple) -> None:
    if event == "socket.connect":
        asking, address = words
        if asking.family not in (socket.AF_INET, socket.AF_INET6) or asking.type == socket.SOCK_DGRAM:
            return  # a datagram's connect sends nothing: programs learn their own address by it
        host = address[0]
    elif event == "socket.getaddrinfo":
        host = words[0].decode() if isinstance(words[0], bytes) else words[0] or ""
        if is_number(host):
            return
    else:
        return
    if not of_this_machine(host):
        if path := os.environ.get(REFUSED):
            with open(path, "a", encoding="utf-8") as file:
                asked_by = os.environ.get("PYTEST_CURRENT_TEST", sys.argv[:2])
                file.write(f"{host}   asked for by {asked_by}, in {in_words(traceback.extract_stack()[:-1])}\n")
        raise OSError(f"the tests use no network: {host} is not of this machine")


sys.addaudithook(watch)
