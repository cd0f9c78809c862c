"""The page and what it asks for, on 127.0.0.1 alone.

GET  /                   who are you
GET  /rate?as=KEY        the page; KEY is a rater's name, or token where there are tokens
GET  /api/round?as=KEY   JSON: the clips in the rater's order, with the votes so far
GET  /api/film?as=KEY    JSON: a clip (&clip=NAME) as pictures with their times
POST /api/vote?as=KEY    JSON: id, clip, showing, grade (null: cannot grade), replaces (id of the vote before, or null)
"""

import errno
import os
import socket
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import uvicorn
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from hybrid.data.clip import ClipError
from hybrid.errors import UserError
from hybrid.rating.collection import Collection
from hybrid.rating.films import SECONDS, read_film
from hybrid.rating.raters import rater_name
from hybrid.rating.showings import Showing, showings
from hybrid.rating.votes import Vote, VoteConflict

HOST = "127.0.0.1"
LONGEST_ID = 64
FILMS_KEPT = 8
"""in memory, of those shown last: the page asks for the next one while the rater looks at this"""

NEVER_KEPT = {"Cache-Control": "no-store"}
TEMPLATES = Environment(loader=PackageLoader("hybrid.rating"), autoescape=True, undefined=StrictUndefined)


def make_app(collection: Collection, repeated: float, tokens: Mapping[str, str] | None = None) -> Starlette:
    """repeated: share of the clips that are shown twice. tokens: token -> rater; None: names are typed."""
    pages = _Pages(collection, repeated, tokens)
    return Starlette(
        routes=[
            Route("/", pages.start),
            Route("/rate", pages.rate),
            Route("/api/round", pages.round),
            Route("/api/film", pages.film),
            Route("/api/vote", pages.vote, methods=["POST"]),
        ],
        # Other hosts' names for this address are how pages of other sites would read what is here.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
        exception_handlers={UserError: _user_error, HTTPException: _http_error},
    )


class _Pages:
    def __init__(self, collection: Collection, repeated: float, tokens: Mapping[str, str] | None):
        self.collection, self.repeated, self.tokens = collection, repeated, tokens
        self.clips = frozenset(collection.clips)
        self.showings = lru_cache(maxsize=None)(partial(showings, collection.clips, repeated=repeated))
        self.films = lru_cache(maxsize=FILMS_KEPT)(read_film)

    def start(self, request: Request) -> Response:
        raters = []
        if self.tokens is None:
            for rater in self.collection.votes.raters():
                raters.append((rater, *self._progress(rater)))
        return _page("start.html.j2", name=self.collection.root.resolve().name, raters=raters, tokens=self.tokens)

    def rate(self, request: Request) -> Response:
        try:
            rater = self._rater(request)
        except HTTPException:
            return RedirectResponse("/")
        return _page("rate.html.j2", name=self.collection.root.resolve().name, rater=rater, longest=SECONDS)

    def round(self, request: Request) -> Response:
        rater = self._rater(request)
        votes = self.collection.votes.of(rater)
        items = [{"clip": clip, "showing": number} for clip, number in self.showings(rater)]
        for item in items:
            vote = votes.get((item["clip"], item["showing"]))
            item |= {"vote": vote and {"id": vote.id, "grade": vote.grade}}
        return JSONResponse({"grades": self.collection.grades, "items": items}, headers=NEVER_KEPT)

    def film(self, request: Request) -> Response:
        self._rater(request)
        clip = request.query_params.get("clip")
        if clip not in self.clips:
            raise HTTPException(404, f"there is no clip {clip!r}")
        try:
            return JSONResponse(vars(self.films(self.collection.root / "clips" / clip)))
        except ClipError as error:
            raise HTTPException(422, error.reason) from error

    async def vote(self, request: Request) -> Response:
        # A form of another site can send no JSON without being asked about by the browser, which is answered with no.
        if request.headers.get("content-type", "").split(";")[0] != "application/json":
            raise HTTPException(415, "a vote is sent as JSON")
        try:
            sent = await request.json()
        except (ValueError, RecursionError):
            raise HTTPException(400, "a vote is sent as JSON") from None
        return await run_in_threadpool(self._vote, request, sent)

    def _vote(self, request: Request, sent: Any) -> Response:
        rater = self._rater(request)
        match sent:
            case {"id": str(number), "clip": clip, "showing": showing, "grade": grade, "replaces": before}:
                pass
            case _:
                raise HTTPException(400, "a vote has id, clip, showing, grade and replaces")
        ids = [number] if before is None else [number, before]
        if not all(isinstance(text, str) and text.isprintable() for text in ids) or not 0 < len(number) <= LONGEST_ID:
            raise HTTPException(400, "the ids of votes are texts")
        if grade is not None and grade not in self.collection.grades:
            raise HTTPException(400, f"there is no grade {grade!r}")
        if (clip, showing) not in self.showings(rater):
            raise HTTPException(404, "the clips have changed since: reload the page")
        try:
            self.collection.give(Vote(number, rater, clip, showing, grade), before)
        except VoteConflict:
            raise HTTPException(409, "this clip has been voted on in another window") from None
        return JSONResponse({"stored": number})

    def _rater(self, request: Request) -> str:
        key = request.query_params.get("as", "")
        if self.tokens is not None:
            if key not in self.tokens:
                raise HTTPException(403, "this token is not known")
            key = self.tokens[key]
        try:
            return rater_name(key, self.collection.votes.raters())
        except UserError as error:
            raise HTTPException(403, str(error)) from None

    def _progress(self, rater: str) -> tuple[int, int]:
        wanted: list[Showing] = self.showings(rater)
        return len(set(wanted) & set(self.collection.votes.of(rater))), len(wanted)


def _page(template: str, **contents) -> HTMLResponse:
    return HTMLResponse(TEMPLATES.get_template(template).render(contents), headers=NEVER_KEPT)


def _user_error(request: Request, error: Exception) -> Response:
    """Of a vote, it was not stored, or is in the database but not in ratings.csv yet."""
    return JSONResponse({"error": str(error)}, 500)


def _http_error(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code)


def listening(port: int) -> socket.socket:
    """A socket on 127.0.0.1; a port that is taken is a UserError. port: 0 for any that is free."""
    if not 0 <= port <= 65535:
        raise UserError(f"--port is 0 to 65535, not {port}")
    taken = socket.socket()
    if os.name == "posix":  # else a server that was killed keeps the port for a minute
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((HOST, port))
        taken.listen()  # else two could bind
    except OSError as error:
        taken.close()
        if error.errno == errno.EADDRINUSE:
            why = "is used by another program, perhaps another tools/rate.py"
        else:
            why = f"cannot be used ({error.strerror})"
        raise UserError(f"port {port} {why}: choose another one with --port") from error
    return taken


def serve(app: Starlette, taken: socket.socket) -> None:
    """Until it is stopped."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    server.run(sockets=[taken])
