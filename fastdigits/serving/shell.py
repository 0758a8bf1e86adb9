"""What every page of the server stands in: limits, files of our own, and refusals of one line."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from fasthtml.core import FastHTML
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from ..pages import ASSETS, stylesheet
from ..system import InputError
from .limits import HEADERS, Gate, Limits, Refusal, refused

log = logging.getLogger("fastdigits.serving")


def guarded_app(limits: Limits, is_local: bool, at_work: Callable[[], AbstractAsyncContextManager[None]]) -> FastHTML:
    """An application without pages, behind the gate.

    Parameters
    ----------
    limits : Limits
    is_local : bool
        Whether it listens to this machine alone.
    at_work : callable () -> async context manager
        What goes on while the server runs.
    """

    async def lifespan(app):
        async with at_work():
            yield {}

    async def refuse(request: Request, refusal: Refusal):
        return refused(refusal)

    async def wrong_input(request: Request, error: InputError):
        return refused(Refusal(400, str(error)))

    async def no_page(request: Request, error):
        return refused(Refusal(error.status_code, f"there is no {request.method} {request.url.path[:80]} here"))

    async def own_fault(request: Request, error: Exception):
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        answer = refused(Refusal(500, "the server failed; its log says why"))
        answer.headers.update({name.decode(): value.decode() for name, value in HEADERS.items()})
        return answer

    app = FastHTML(
        default_hdrs=False,  # which would load scripts from elsewhere
        sess_cls=None,
        secret_key="no sessions",  # else a file with a key is written into the current folder
        canonical=False,
        htmlkw={"lang": "en"},
        lifespan=lifespan,
        middleware=[Middleware(Gate, limits=limits, is_local=is_local)],
        exception_handlers={Refusal: refuse, InputError: wrong_input, 404: no_page, 405: no_page, 500: own_fault},
    )
    app.mount("/assets", StaticFiles(directory=ASSETS))
    style = Response(stylesheet(), media_type="text/css")

    async def look(request: Request) -> Response:
        return style

    add_endpoints(app, [("GET", "/style.css", look)])
    return app


def add_endpoints(app: FastHTML, endpoints: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]]) -> None:
    """Add (method, path, function): Starlette's own routes, since FastHTML's would read every body as a form first,
    without our limits.
    """
    for method, path, endpoint in endpoints:
        app.add_route(Route(path, endpoint, methods=[method]))
