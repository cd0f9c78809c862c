"""Nothing leaves this machine while the tests run, from them or from the programs that they start."""

import socket
import subprocess
import sys

import pytest

ELSEWHERE = "192.0.2.1"  # of a net that is kept for documents (RFC 5737): nobody is there
ASK = {
    "connection": f"import socket; socket.create_connection(('{ELSEWHERE}', 80), timeout=5)",
    "name": "import socket; socket.getaddrinfo('no-such-host.invalid', 80)",
    "request": "import urllib.request as r; r.urlopen('http://no-such-host.invalid/weights.pt')",
}


@pytest.fixture(autouse=True)
def not_told(monkeypatch, tmp_path):
    monkeypatch.setenv("REFUSED_CONNECTIONS", str(tmp_path / "refused.txt"))


@pytest.mark.parametrize("what", ASK)
def test_what_is_elsewhere_is_refused_in_here_and_in_programs(what, tmp_path):
    with pytest.raises(OSError, match="the tests use no network"):
        exec(ASK[what])
    done = subprocess.run([sys.executable, "-c", ASK[what]], capture_output=True, text=True)
    assert done.returncode != 0 and "the tests use no network" in done.stderr
    assert len((tmp_path / "refused.txt").read_text().splitlines()) == 2


def test_this_machine_is_reached():
    for host in ("127.0.0.1", "localhost"):
        with socket.create_server(("127.0.0.1", 0)) as server:
            with socket.create_connection((host, server.getsockname()[1]), timeout=5):
                pass
