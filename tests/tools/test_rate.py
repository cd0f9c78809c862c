"""tools/rate.py as a person types it: mistakes are explained, and nothing is left behind by them."""

import pytest
from support import write_dataset

from hybrid.errors import UserError
from hybrid.rating.server import listening
from tools import rate


@pytest.fixture
def folder(tmp_path):
    root = write_dataset(tmp_path / "my_clips", num_clips=2)
    (root / "labels.csv").unlink()
    return root


@pytest.mark.parametrize(
    "words, message",
    [
        (("--repeat", "0.6"), "--repeat is a share from 0 to 0.5, not 0.6"),
        (("--repeat", "nan"), "--repeat is a share from 0 to 0.5"),
        (("--grades", "A"), "grades are 2 to 9"),
        (("--grades", "A,,B"), "grades must differ"),
        (("--grades", "good,bad"), "ratings.csv does not say which grade is the best"),
        (("--tokens", "none.csv"), "none.csv: there is no such file"),
        (("--port", "99999"), "--port is 0 to 65535, not 99999"),
        (("--summary",), "there are no votes in"),
        (("--summary", "--width", "-1"), "--width is above 0, not -1"),
    ],
)
def test_a_mistake_is_explained(words, message, folder, monkeypatch):
    monkeypatch.setattr("sys.argv", ["rate.py", str(folder), *words])
    with pytest.raises(UserError, match=message):
        rate.main()
    assert not (folder / "ratings.csv").exists()


def test_a_port_in_use_is_explained(folder, monkeypatch):
    with listening(0) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setattr("sys.argv", ["rate.py", str(folder), "--port", port])
        with pytest.raises(UserError, match=f"port {port} is used by another program"):
            rate.main()
