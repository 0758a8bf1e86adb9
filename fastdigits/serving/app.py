"""The routes of the server: the pages, and a JSON endpoint for each thing that they do."""

import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from fasthtml.core import FastHTML
from starlette.concurrency import iterate_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from ..errors import InputError
from ..photos import normalised
from ..reading import least_sure, reading_of
from ..sheets import all_cuts, cut_sheet
from .collection import DIGITS_FILE, WRITERS_FILE, Collection
from .limits import Gate, Limits, Refusal, is_loopback, refused
from .pages import ASSETS, collect_page, drawing_page
from .served import Served, ServedModels
from .uploads import (
    SentTable,
    decoded_picture,
    is_json,
    json_pictures,
    predictions_csv,
    sent_pictures,
    shown_name,
    slices,
)

log = logging.getLogger("fastdigits.serving")


class Answering:
    """What the endpoints share: models, limits, threads for pictures, and where drawn digits are kept.

    Parameters
    ----------
    models : ServedModels
    limits : Limits
    collection : Collection, optional
    """

    def __init__(self, models: ServedModels, limits: Limits, collection: Collection | None = None):
        self.models, self.limits, self.collection = models, limits, collection
        self.threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="pictures")
        self.one_table = asyncio.Semaphore(1)  # a table is a long question

    async def in_thread(self, function, *arguments):
        """What `function` returns, computed beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, function, *arguments)

    async def predict(self, request: Request) -> JSONResponse:
        """POST /predict: labels and probabilities of one or many pictures, each a digit."""
        served = self.models.named(request.query_params.get("model"))
        normalise = _flag(request, "normalise", served.model.normalise)
        if is_json(request):
            images = await self.in_thread(json_pictures, await request.body(), self.limits)
            names, grays = [str(k) for k in range(len(images))], list(images)
            normalise = _flag(request, "normalise", False)  # rows of a table stay as they are
        else:
            sent = await sent_pictures(request, self.limits)
            names = [name for name, _ in sent]
            grays = await asyncio.gather(
                *(self.in_thread(decoded_picture, name, data, self.limits) for name, data in sent)
            )
        if normalise:
            grays = await asyncio.gather(*(self.in_thread(normalised, gray) for gray in grays))
        rows = await asyncio.gather(*(served.batcher.probabilities(gray[None]) for gray in grays))
        answers = [served.answer(name, row[0]) for name, row in zip(names, rows)]
        if _flag(request, "seen", False):
            for answer, gray in zip(answers, grays):
                answer["seen"] = gray.tolist()
        return JSONResponse({"model": served.name, "predictions": answers})

    async def read(self, request: Request) -> JSONResponse:
        """POST /read: the numbers on a photo of several digits, in reading order."""
        served = self.models.named(request.query_params.get("model"))
        (name, data), *more = await sent_pictures(request, self.limits)
        if more:
            raise Refusal(400, "several sheets were sent; send one at a time")
        gray = await self.in_thread(decoded_picture, name, data, self.limits)
        lines = await self.in_thread(cut_sheet, gray)
        pictures = [cut.picture for cut in all_cuts(lines)]
        rows = [await served.batcher.probabilities(part) for part in slices(np.array(pictures))] if pictures else []
        reading = reading_of(lines, np.concatenate(rows) if rows else [], served.classes, least_sure(served.model))
        told = [
            [[{**vars(digit), "box": vars(digit.box)} for digit in number] for number in line] for line in reading.lines
        ]
        height, width = gray.shape
        return JSONResponse({"model": served.name, "numbers": reading.numbers, "lines": told, "size": [width, height]})

    async def table(self, request: Request) -> Response:
        """POST /table: a csv of pixel rows -> a csv of id, label, confidence."""
        served = self.models.named(request.query_params.get("model"))
        if self.one_table.locked():
            raise Refusal(503, "another table is being answered; send yours again in a moment")
        name = shown_name(request.query_params.get("name", "table.csv"))
        try:
            async with self.one_table, asyncio.timeout(self.limits.table_s):
                text = await self._table_answers(served, name, await request.body())
        except TimeoutError:
            raise Refusal(504, f"{name} takes longer than {self.limits.table_s:g} s; send it in parts") from None
        return Response(
            text, media_type="text/csv", headers={"content-disposition": 'attachment; filename="predictions.csv"'}
        )

    async def _table_answers(self, served: Served, name: str, data: bytes) -> str:
        ids, rows = [], []
        with SentTable(name, data) as sent:
            try:
                table = await self.in_thread(sent.opened)
                async for chunk in iterate_in_threadpool(table.chunks()):
                    ids += chunk.ids
                    for part in slices(chunk.images):
                        rows.append(await served.batcher.probabilities(part))
            except InputError as error:
                raise sent.refusal(error) from None
        return await self.in_thread(predictions_csv, ids, rows, served.classes)

    async def collect(self, request: Request) -> JSONResponse:
        """POST /collect?label=7&writer=w0001: keep a drawn digit."""
        ((name, data), *_) = await sent_pictures(request, self.limits)
        gray = await self.in_thread(decoded_picture, name, data, self.limits)
        image = await self.in_thread(normalised, gray)
        asked = request.query_params
        id_, writer = self.collection.add(image, asked.get("label", ""), asked.get("writer"))
        return JSONResponse({"id": id_, "writer": writer, "seen": image.tolist(), **self._counts(writer)})

    async def take_back(self, request: Request) -> JSONResponse:
        """DELETE /collect/d000001?writer=w0001: remove a digit that was drawn by mistake."""
        writer = request.query_params.get("writer", "")
        self.collection.take_back(request.path_params["digit"], writer)
        return JSONResponse(self._counts(writer))

    def _counts(self, writer: str) -> dict:
        return {"yours": self.collection.drawn_by(writer), "all": len(self.collection)}

    async def collected_file(self, request: Request) -> Response:
        """GET /collect/digits.csv and /collect/writers.csv, on the machine that serves alone."""
        if not is_loopback(request.client.host):
            raise Refusal(403, "the collection is downloaded on the machine that serves it")
        file = self.collection.folder / request.url.path.rpartition("/")[2]
        if not file.exists():
            raise Refusal(404, "nothing was drawn yet")
        return FileResponse(file, media_type="text/csv", filename=file.name)

    async def health(self, request: Request) -> JSONResponse:
        """GET /health: that the server answers, and how much waits."""
        waiting = sum(served.batcher.waiting for served in self.models)
        return JSONResponse({"status": "ok", "models": list(self.models.by_name), "waiting": waiting})

    async def about(self, request: Request) -> JSONResponse:
        """GET /model: what the models are."""
        return JSONResponse({"models": [served.about() for served in self.models]})

    async def page(self, request: Request):
        """GET /: the drawing page."""
        return drawing_page(list(self.models), self.limits, self.collection is not None)

    async def collecting_page(self, request: Request):
        """GET /collect: the page on which a class draws digits."""
        return collect_page(self.collection, is_loopback(request.client.host))


def _flag(request: Request, name: str, otherwise: bool) -> bool:
    given = request.query_params.get(name)
    if given is None:
        return otherwise
    if given not in ("true", "false"):
        raise Refusal(400, f"{name}={given[:80]} is unknown; accepted are true and false")
    return given == "true"


def make_app(
    models: ServedModels, limits: Limits, collection: Collection | None = None, is_local: bool = True
) -> FastHTML:
    """The whole server as an ASGI application.

    Parameters
    ----------
    models : ServedModels
    limits : Limits
    collection : Collection, optional
        Where drawn digits are kept; None: the page for that is not there.
    is_local : bool
        Whether it listens to this machine alone.
    """
    answering = Answering(models, limits, collection)

    async def lifespan(app):
        async with models.at_work():
            yield {}

    async def refuse(request: Request, refusal: Refusal):
        return refused(refusal)

    async def wrong_input(request: Request, error: InputError):
        return refused(Refusal(400, str(error)))

    async def no_page(request: Request, error):
        return refused(Refusal(error.status_code, f"there is no {request.method} {request.url.path[:80]} here"))

    async def own_fault(request: Request, error: Exception):
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return refused(Refusal(500, "the server failed; its log says why"))

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
    app.get("/")(answering.page)
    # Starlette's own routes for the rest: FastHTML's would read every body as a form first, without our limits
    endpoints = [
        ("POST", "/predict", answering.predict),
        ("POST", "/read", answering.read),
        ("POST", "/table", answering.table),
        ("GET", "/health", answering.health),
        ("GET", "/model", answering.about),
    ]
    if collection is not None:
        app.get("/collect")(answering.collecting_page)
        endpoints += [
            ("POST", "/collect", answering.collect),
            ("DELETE", "/collect/{digit}", answering.take_back),
            *(("GET", f"/collect/{name}", answering.collected_file) for name in (DIGITS_FILE, WRITERS_FILE)),
        ]
    for method, path, endpoint in endpoints:
        app.add_route(Route(path, endpoint, methods=[method]))
    return app
