"""The routes of a labelling: its page, what comes next, what was said, and taking it back."""

import asyncio
import base64
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np
from fasthtml.core import FastHTML
from starlette.requests import Request
from starlette.responses import JSONResponse

from ..folders import resized
from ..labelling import Choice, NotReadYet, Session, SuspectPlanner
from ..system import encode_pictures
from .label_page import label_page
from .limits import Limits, Refusal
from .people import People
from .shell import add_endpoints, guarded_app

SHOWN_PX = 112  # larger pictures are sent at this size


class Labelling:
    """What the endpoints of a labelling share.

    Parameters
    ----------
    session : Session
    people : People
    """

    def __init__(self, session: Session, people: People):
        self.session, self.people = session, people
        self.threads = ThreadPoolExecutor(4, thread_name_prefix="labels")  # session and people let in one at a time

    async def page(self, request: Request):
        """GET /: the page on which one labels."""
        return label_page(self.session.planner.classes, self.checks_labels)

    @property
    def checks_labels(self) -> bool:
        """Whether pictures have labels that may be wrong."""
        return isinstance(self.session.planner, SuspectPlanner)

    async def begin(self, request: Request) -> JSONResponse:
        """POST /label/begin?token=...: who one is; a new token where none is given."""
        token = request.query_params.get("token")
        if self.people.name_of(token) is None:
            token = await self._in_thread(self._new_token)
        return JSONResponse({"token": token})

    async def next(self, request: Request) -> JSONResponse:
        """GET /label/next?token=...&fresh=1: the next pictures; `fresh` where the page has none any more."""
        person, is_fresh = self._person(request), "fresh" in request.query_params
        choices = await self._in_thread(self.session.next, person, is_fresh)
        return JSONResponse({"items": await self._in_thread(self._shown, choices), "state": self._state(person)})

    async def say(self, request: Request) -> JSONResponse:
        """POST /label?token=...: {"labels": {id: label}, "passed_over": [id]}, all of it one act."""
        person = self._person(request)
        try:
            content = json.loads(await request.body())
            label_of = {str(id_): str(label) for id_, label in content.get("labels", {}).items()}
            passed_over = [str(id_) for id_ in content.get("passed_over", [])]
        except (ValueError, TypeError, AttributeError):
            raise Refusal(400, 'the body is {"labels": {id: label}, "passed_over": [id]} as JSON') from None
        late = await self._in_thread(self._kept, self.session.say, person, label_of, passed_over)
        return JSONResponse({"late": late, "state": self._state(person)})

    async def take_back(self, request: Request) -> JSONResponse:
        """DELETE /label?token=...: take back what one said last; its pictures come again."""
        person = self._person(request)
        choices = await self._in_thread(self._kept, self.session.take_back, person)
        return JSONResponse({"items": await self._in_thread(self._shown, choices), "state": self._state(person)})

    async def state(self, request: Request) -> JSONResponse:
        """GET /label/state?token=...: how far it is."""
        return JSONResponse(self._state(self._person(request)))

    async def _in_thread(self, function, *arguments):
        """What `function` returns, computed beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, function, *arguments)

    def _person(self, request: Request) -> str:
        name = self.people.name_of(request.query_params.get("token"))
        if name is None:
            raise Refusal(404, "nobody has that token here; load the page again")
        return name

    def _new_token(self) -> str:
        return self._kept(self.people.new)

    def _kept(self, function, *arguments):
        """What `function` returns once it has written; a refusal where it cannot write."""
        try:
            return function(*arguments)
        except OSError as error:
            raise Refusal(507, f"the label cannot be kept: {error.strerror}") from None
        except NotReadYet:
            raise Refusal(503, "the pictures are still being read; your label is sent again in a moment") from None

    def _state(self, person: str) -> dict:
        session, expectation = self.session, self.session.expectation
        told = None
        if expectation is not None:
            low, high = expectation.interval
            told = {"accuracy": expectation.accuracy, "low": low, "high": high}
        return {
            "labelled": len(session.labels),
            "yours": session.labels.said_by(person),
            "arrived": len(session.pool),
            "is_read": session.pool.is_read,
            "is_choosing": session.is_choosing,
            "counts": session.counts(),
            "expectation": told,
            "trained": session.trained_labels,
            "is_training": session.is_training,
            "problem": session.problem,
            "notes": session.pool.notes.said() if session.pool.is_read else [],
        }

    def _shown(self, choices: list[Choice]) -> list[dict]:
        """What the page is told of pictures."""
        return [
            {
                "id": self.session.pool.ids[one.row],
                "picture": self._picture(one.row),
                "reason": one.reason,
                "guess": one.guess,
                "together": one.together,
                "label": self.session.pool.labels[one.row],
                "beside": self._beside(one),
            }
            for one in choices
        ]

    def _beside(self, choice: Choice) -> list[tuple[str, list[str]]]:
        """Of a suspect's own class, and of the likely one, the pictures that look like it."""
        if not self.checks_labels or choice.guess is None:
            return []
        beside = self.session.planner.beside(choice)
        return [(label, [self._picture(row) for row in rows]) for label, rows in beside.items()]

    def _picture(self, row: int) -> str:
        """A picture as a PNG in a data URL."""
        picture = self.session.pool.pictures[row]
        if max(picture.shape) > SHOWN_PX:
            picture = resized(picture[None], SHOWN_PX)[0]
        (png,) = encode_pictures(np.ascontiguousarray(picture)[None])
        return "data:image/png;base64," + base64.b64encode(png).decode()


def make_label_app(session: Session, people: People, limits: Limits, is_local: bool) -> FastHTML:
    """A labelling as an ASGI application; the session begins with it, and is ended by whoever made it."""
    labelling = Labelling(session, people)

    @asynccontextmanager
    async def at_work():
        session.begin()
        yield
        labelling.threads.shutdown(wait=False, cancel_futures=True)

    app = guarded_app(limits, is_local, at_work)
    app.get("/")(labelling.page)
    add_endpoints(
        app,
        [
            ("POST", "/label/begin", labelling.begin),
            ("GET", "/label/next", labelling.next),
            ("GET", "/label/state", labelling.state),
            ("POST", "/label", labelling.say),
            ("DELETE", "/label", labelling.take_back),
        ],
    )
    return app
