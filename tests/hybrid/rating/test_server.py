"""What the page asks for, without a browser."""

import errno
import json

import pytest
from starlette.testclient import TestClient

from hybrid.errors import UserError
from hybrid.rating import ratings_file
from hybrid.rating.collection import opened
from hybrid.rating.server import listening, make_app


@pytest.fixture
def collection(folder):
    with opened(folder) as collection:
        yield collection


def client_of(collection, **options):
    app = make_app(collection, repeated=0.2, **options)
    return TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)


@pytest.fixture
def client(collection):
    return client_of(collection)


def vote(client, rater="Eva", *, number="1", clip="0.mkv", showing=1, grade="A", replaces=None):
    sent = {"id": number, "clip": clip, "showing": showing, "grade": grade, "replaces": replaces}
    return client.post("/api/vote", params={"as": rater}, json=sent)


def test_a_round_has_every_clip_and_its_votes(client, collection):
    sent = client.get("/api/round", params={"as": "Eva"}).json()
    assert sent["grades"] == ["A", "B", "C", "D", "E"]
    assert sorted((item["clip"], item["showing"]) for item in sent["items"])[:1] == [("0.mkv", 1)]
    assert len(sent["items"]) == 6 + 1 and all(item["vote"] is None for item in sent["items"])
    assert vote(client).json() == {"stored": "1"}
    assert vote(client, number="2", clip="1.mkv", grade=None).status_code == 200
    votes = {
        item["clip"]: item["vote"]
        for item in client.get("/api/round", params={"as": "eva"}).json()["items"]
        if item["showing"] == 1
    }
    assert votes["0.mkv"] == {"id": "1", "grade": "A"} and votes["1.mkv"] == {"id": "2", "grade": None}
    assert client.get("/api/round", params={"as": "Ada"}).json()["items"] != sent["items"]
    assert (collection.votes_folder / "ratings.csv").read_text() == "clip,rater,grade\n0.mkv,Eva,A\n"


def test_a_vote_in_another_window_is_not_overwritten(client):
    assert vote(client).status_code == 200
    assert vote(client, number="2", grade="B").status_code == 409
    assert vote(client).status_code == 200  # the first one, sent again
    assert vote(client, number="3", grade="C", replaces="1").status_code == 200


@pytest.mark.parametrize(
    "wrong, status",
    [
        ({"clip": "9.mkv"}, 404),
        ({"clip": "../labels.csv"}, 404),
        ({"clip": ["0.mkv"]}, 404),
        ({"showing": 3}, 404),
        ({"grade": "F"}, 400),
        ({"grade": ["A"]}, 400),
        ({"number": ""}, 400),
        ({"number": "x" * 65}, 400),
        ({"replaces": 1}, 400),
        ({"rater": "=1"}, 403),
        ({"rater": ""}, 403),
    ],
)
def test_what_is_no_vote_is_refused_and_not_stored(client, collection, wrong, status):
    answer = vote(client, wrong.pop("rater", "Eva"), **wrong)
    assert answer.status_code == status and answer.json()["error"]
    assert collection.votes.counting() == []


def test_a_form_of_another_site_cannot_vote(client, collection):
    sent = {"id": "1", "clip": "0.mkv", "showing": 1, "grade": "A", "replaces": None}
    plain = {"content-type": "text/plain"}
    assert client.post("/api/vote?as=Eva", content=json.dumps(sent), headers=plain).status_code == 415
    assert client.post("/api/vote?as=Eva", content="{", headers={"content-type": "application/json"}).status_code == 400
    assert client.post("/api/vote?as=Eva", json=[]).status_code == 400
    odd = '{"id": "\\ud800", "clip": "0.mkv", "showing": 0, "grade": "A", "replaces": null}'
    as_json = {"headers": {"content-type": "application/json"}}
    assert client.post("/api/vote?as=Eva", content=odd, **as_json).status_code == 400
    assert client.post("/api/vote?as=Eva", content="[" * 100_000, **as_json).status_code == 400
    assert client.get("/api/round?as=Eva", headers={"host": "elsewhere.example"}).status_code == 400
    assert collection.votes.counting() == []


def test_a_film_is_sent_only_of_the_clips(client, folder):
    film = client.get("/api/film", params={"as": "Eva", "clip": "0.mkv"}).json()
    assert (film["width"], film["height"], len(film["frames"]), film["seconds"]) == (64, 64, 16, 1)
    for clip in ("../clips.csv", "9.mkv", str(folder / "clips" / "0.mkv")):
        assert client.get("/api/film", params={"as": "Eva", "clip": clip}).status_code == 404
    (folder / "clips" / "1.mkv").write_bytes(b"")
    answer = client.get("/api/film", params={"as": "Eva", "clip": "1.mkv"})
    assert answer.status_code == 422 and answer.json()["error"] == "is empty (0 bytes)"


def test_nothing_is_written_but_votes(client, folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "votes" not in path.name}
    client.get("/api/film", params={"as": "Eva", "clip": "0.mkv"})
    client.get("/rate", params={"as": "Eva"})
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "votes" not in path.name}
    assert before == after


def test_pages_are_whole_and_escape_names(client):
    vote(client, "<b>Eva</b>")
    start, page = client.get("/").text, client.get("/rate", params={"as": "<b>Eva</b>"}).text
    assert "&lt;b&gt;Eva&lt;/b&gt;" in start and "1 of 7" in start
    for text in (start, page):
        assert "<b>Eva" not in text and "http://" not in text and "https://" not in text
    assert client.get("/rate?as=", follow_redirects=False).headers["location"] == "/"


def test_with_tokens_names_are_neither_shown_nor_taken(collection):
    client = client_of(collection, tokens={"blue-lamp": "Eva"})
    assert vote(client, "blue-lamp").status_code == 200
    assert "Eva" not in client.get("/").text
    for key in ("Eva", "", "blue-lam"):
        for answer in (vote(client, key, clip="1.mkv"), client.get("/api/round", params={"as": key})):
            assert answer.status_code == 403
        assert client.get("/api/film", params={"as": key, "clip": "0.mkv"}).status_code == 403
    assert [given.rater for given in collection.votes.counting()] == ["Eva"]


def test_a_rater_who_gets_a_token_is_who_typed_that_name_before(collection):
    assert vote(client_of(collection), "ana maria").status_code == 200
    with_token = client_of(collection, tokens={"blue-lamp": "Ana  Maria"})
    assert vote(with_token, "blue-lamp", number="2", clip="1.mkv").status_code == 200
    assert [given.rater for given in collection.votes.counting()] == ["ana maria"] * 2


def test_a_full_disk_is_told_and_the_vote_can_be_sent_again(client, collection, monkeypatch):
    def full(path, text):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(ratings_file, "write_text", full)
        answer = vote(client)
        assert answer.status_code == 500 and "No space left" in answer.json()["error"]
    assert vote(client).status_code == 200
    assert len(collection.votes.counting()) == 1
    assert (collection.votes_folder / "ratings.csv").read_text() == "clip,rater,grade\n0.mkv,Eva,A\n"


def test_a_port_in_use_is_explained_and_only_this_machine_can_connect():
    with listening(0) as taken:
        host, port = taken.getsockname()
        assert host == "127.0.0.1"
        with pytest.raises(UserError, match=f"port {port} is used by another program.*--port"):
            listening(port)
    with pytest.raises(UserError, match="--port is 0 to 65535"):
        listening(70000)
