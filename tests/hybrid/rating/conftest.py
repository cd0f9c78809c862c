"""Six clips without grades, as tools/crop.py leaves them, and the real server on them."""

import csv
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
from support import ROOT, write_dataset


@pytest.fixture
def folder(tmp_path) -> Path:
    root = write_dataset(tmp_path / "my_clips", num_clips=6)
    (root / "labels.csv").unlink()
    rows = [(f"{n}.mkv", f"donor{n // 3}", "field.mp4") for n in range(6)]
    with open(root / "clips.csv", "w", newline="") as file:
        csv.writer(file).writerows([("clip", "group", "video"), *rows])
    return root


class Server:
    """tools/rate.py in a process of its own."""

    def __init__(self, folder: Path, port: int = 0, *words: str):
        command = [sys.executable, str(ROOT / "tools" / "rate.py"), str(folder), f"--port={port}", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        started = threading.Timer(60, self.process.kill)
        started.start()
        said = next((line for line in iter(self.process.stdout.readline, "") if line.startswith("open ")), None)
        started.cancel()
        assert said, "the server did not start"
        self.address = said.split()[1].rstrip("/")
        self.port = int(self.address.rpartition(":")[2])

    def kill(self) -> None:
        """As a power cut: no handler of the process runs."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, path: str, rater: str, sent=None) -> tuple[int, dict]:
        """(status, JSON); an OSError or HTTPException where no answer comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            method, body = ("GET", None) if sent is None else ("POST", json.dumps(sent))
            connection.request(method, f"{path}?as={quote(rater)}", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture
def start_server():
    """`start_server(folder, port)`; all are ended with the test."""
    servers = []

    def start(*words) -> Server:
        servers.append(Server(*words))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()
