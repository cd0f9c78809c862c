"""The real server, killed without warning while votes come in."""

import csv
import http.client
import sqlite3
import threading
from collections import Counter

from hybrid.rating.votes import FILE


def send_until_stopped(server, rater, clips, answered, sent):
    """Votes as pages send them, one after another; each is noted before it is sent, and when it is answered."""
    for number, clip in enumerate(clips):
        vote = {
            "id": f"{rater}{number}",
            "clip": clip,
            "showing": 1,
            "grade": "ABCDE"[number % 5],
            "replaces": None if number < 6 else f"{rater}{number - 6}",
        }
        sent.append(vote)
        try:
            status, said = server.ask("/api/vote", rater, vote)
        except (OSError, http.client.HTTPException):
            return
        assert (status, said) == (200, {"stored": vote["id"]})
        answered.append(vote)


def test_no_vote_is_lost_or_doubled_by_kills_while_two_raters_vote(folder, start_server):
    clips = [f"{n}.mkv" for n in range(6)] * 500
    sent, answered = {}, {}
    server = start_server(folder)
    for kill, raters in enumerate((("Eva0", "Ada0"), ("Eva1", "Ada1"))):
        threads = []
        for rater in raters:
            sent[rater], answered[rater] = [], []
            words = (server, rater, clips, answered[rater], sent[rater])
            threads.append(threading.Thread(target=send_until_stopped, args=words))
            threads[-1].start()
        while any(len(answered[rater]) < 8 for rater in raters):
            assert any(thread.is_alive() for thread in threads)
            threads[0].join(0.01)
        server.kill()
        for thread in threads:
            thread.join()
        server = start_server(folder, server.port)
        for rater in raters:
            # The page sends its last vote until it is answered: it may have been stored already.
            last = sent[rater][-1]
            assert server.ask("/api/vote", rater, last) == (200, {"stored": last["id"]})
            assert len(sent[rater]) - len(answered[rater]) <= 1, f"kill {kill}"
    with sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True) as database:
        stored = Counter(number for (number,) in database.execute("SELECT id FROM votes"))
    assert stored == Counter(vote["id"] for votes in sent.values() for vote in votes)
    latest = {(vote["clip"], rater): vote["grade"] for rater, votes in sent.items() for vote in votes}
    with open(folder / "ratings.csv", newline="") as file:
        rows = [(row["clip"], row["rater"], row["grade"]) for row in csv.DictReader(file)]
    assert sorted(rows) == sorted((*place, grade) for place, grade in latest.items())
