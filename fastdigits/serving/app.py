"""The routes of the server: the pages, and a JSON endpoint for each thing that they do."""

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict

import numpy as np
from fasthtml.core import FastHTML
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from ..answers import SURE, Predictions, reading_of
from ..pages import DIGITS_FILE, WRITERS_FILE
from ..photos import Turning, cut_sheet, normalised
from ..sources import Notes, turned_notes
from ..system import InputError
from .collection import Collection
from .limits import Limits, Refusal, host_name, is_from_here
from .pages import served_collecting_page, served_drawing_page
from .served import Served, ServedModels
from .shell import add_endpoints, guarded_app
from .uploads import (
    SentTable,
    as_clients_say,
    asked_flag,
    asked_ground,
    decoded_picture,
    digit_picture,
    is_json,
    json_pictures,
    one_picture,
    sent_pictures,
    shown_name,
    shown_picture,
    slices,
)

LONGEST_NOTE = 300  # characters, of which clients take some thousand in a header
NOTES_HEADER = "x-fastdigits-notes"  # what was noticed while a table was read
BUSY_S = 0.2  # after which a table asks again


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
        self.one_table, self.one_sheet = asyncio.Semaphore(1), asyncio.Semaphore(1)  # they are long questions
        self.table_at_work: dict | None = None  # its ticket, the rows that are done, and all of them if that is known
        self.drawing = ThreadPoolExecutor(1, thread_name_prefix="collection")  # one change at a time

    async def in_thread(self, function, *arguments):
        """What `function` returns, computed beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, function, *arguments)

    async def predict(self, request: Request) -> JSONResponse:
        """POST /predict: labels and probabilities of one or many pictures, each a digit."""
        served = self.models.named(request.query_params.get("model"))
        ground, as_json = asked_ground(request), is_json(request)
        # rows of a table stay as they are, but for their ground
        normalise = asked_flag(request, "normalise", not as_json and served.model.normalise)
        turning = Turning("dark" if normalise else ground)
        if as_json:
            images = await self.in_thread(json_pictures, await request.body(), self.limits)
            names, grays = [str(k) for k in range(len(images))], await self.in_thread(turning.turn, images)
            if normalise:
                grays = await asyncio.gather(*(self.in_thread(normalised, gray, ground) for gray in grays))
        else:
            sent = await sent_pictures(request, self.limits)
            names, how = [name for name, _ in sent], (self.limits, normalise, ground)
            grays = await asyncio.gather(*(self.in_thread(digit_picture, name, data, *how) for name, data in sent))
            grays = [(await self.in_thread(turning.turn, gray[None]))[0] for gray in grays]
        rows = await asyncio.gather(*(served.shares(gray[None]) for gray in grays))
        answers = [await self.in_thread(served.answer, name, row, gray) for name, row, gray in zip(names, rows, grays)]
        notes = as_clients_say(turned_notes("request", turning))
        if asked_flag(request, "seen", False):
            shown = [shown_picture(gray) for gray in grays]
            if sum(picture.size for picture in shown) > self.limits.seen_pixels:
                raise Refusal(413, f"seen=true returns at most {self.limits.seen_pixels:,} pixels; send fewer pictures")
            for answer, picture in zip(answers, shown):
                answer["seen"] = picture.tolist()
        return JSONResponse({"model": served.name, "predictions": answers, "notes": notes})

    async def read(self, request: Request) -> JSONResponse:
        """POST /read: the numbers on a photo of several digits, in reading order."""
        served = self.models.named(request.query_params.get("model"))
        name, data = await one_picture(request, self.limits)
        if self.one_sheet.locked():
            raise Refusal(503, "another sheet is being read; send yours again in a moment")
        async with self.one_sheet:
            gray = await self.in_thread(decoded_picture, name, data, self.limits)
            sheet = await self.in_thread(cut_sheet, gray)
        pictures = [cut.picture for cut in sheet.cuts]
        rows = [await served.shares(part) for part in slices(np.array(pictures))] if pictures else []
        reading = reading_of(sheet, np.concatenate(rows) if rows else [], served.judge)
        told = [
            [
                [{**vars(digit), "doubtful": digit.verdict != SURE, "box": vars(digit.box)} for digit in number]
                for number in line
            ]
            for line in reading.lines
        ]
        height, width = gray.shape
        left_out = [vars(box) for box in reading.left_out]
        about = {"left_out": left_out, "notes": reading.notes, "size": [width, height]}
        return JSONResponse({"model": served.name, "numbers": reading.numbers, "lines": told, **about})

    async def table(self, request: Request) -> Response:
        """POST /table: a csv of pixel rows -> a csv of id, label, confidence, verdict; what was noticed as a header."""
        served = self.models.named(request.query_params.get("model"))
        if self.one_table.locked():
            raise Refusal(503, "another table is being answered; send yours again in a moment")
        name = shown_name(request.query_params.get("name", "table.csv"))
        try:
            async with self.one_table, asyncio.timeout(self.limits.table_s):
                self.table_at_work = {"ticket": request.query_params.get("ticket", ""), "done": 0, "rows": None}
                text, notes = await self._table_answers(request, served, name)
        except TimeoutError:
            raise Refusal(504, f"{name} takes longer than {self.limits.table_s:g} s; send it in parts") from None
        finally:
            self.table_at_work = None
        headers = {"content-disposition": 'attachment; filename="predictions.csv"'}
        if notes:  # as JSON, which has no letters that headers do not take
            headers[NOTES_HEADER] = json.dumps(
                [note.replace("table.csv", name)[:LONGEST_NOTE] for note in notes.said()]
            )
        return Response(text, media_type="text/csv", headers=headers)

    async def table_progress(self, request: Request) -> JSONResponse:
        """GET /table/{ticket}: how many rows are done of the table that was sent with this ticket, and of how many,
        where that is known.
        """
        found = self.table_at_work
        if found is None or found["ticket"] != request.path_params["ticket"]:
            raise Refusal(404, "no table of this ticket is at work")
        return JSONResponse({"done": found["done"], "rows": found["rows"]})

    async def _table_answers(self, request: Request, served: Served, name: str) -> tuple[str, Notes]:
        ids, rows, contents = [], [], []
        with SentTable(name, await request.body()) as sent:
            try:
                table = await self.in_thread(sent.opened, asked_ground(request))
                self.table_at_work["rows"] = table.rows
                async for chunk in iterate_in_threadpool(table.chunks()):
                    ids += chunk.ids
                    contents.append(chunk.contents)
                    for part in slices(chunk.images):
                        rows.append(await self._in_its_turn(served, part))
                        self.table_at_work["done"] += len(part)
                        if await request.is_disconnected():
                            raise Refusal(400, "the connection was closed")
            except InputError as error:
                raise sent.refusal(error) from None
        judge, shares = served.judge, np.concatenate(rows)
        shown = judge.contents(shares, np.concatenate(contents))
        about = {"contents": shown, "least_sure": judge.least_sure}
        found = Predictions(ids, judge.probabilities(shares), judge.classes, **about)
        return await self.in_thread(lambda: found.table().to_csv(index=False)), Notes(as_clients_say(table.notes))

    async def _in_its_turn(self, served: Served, images: np.ndarray) -> np.ndarray:
        """Shares of a part of a table, which waits while others fill the queue."""
        while True:
            try:
                return await served.shares(images)
            except Refusal as refusal:
                if refusal.status != 503:
                    raise
                await asyncio.sleep(BUSY_S)

    async def collect(self, request: Request) -> JSONResponse:
        """POST /collect?label=7&token=...: keep a drawn digit."""
        name, data = await one_picture(request, self.limits)
        image = await self.in_thread(digit_picture, name, data, self.limits, True)
        asked, loop = request.query_params, asyncio.get_running_loop()
        label, token = asked.get("label", ""), asked.get("token")
        id_, token = await loop.run_in_executor(self.drawing, self.collection.add, image, label, token)
        return JSONResponse({"id": id_, "token": token, "seen": image.tolist(), **self._counts(token)})

    async def take_back(self, request: Request) -> JSONResponse:
        """DELETE /collect/d000001?token=...: remove a digit that was drawn by mistake."""
        token, digit = request.query_params.get("token", ""), request.path_params["digit"]
        await asyncio.get_running_loop().run_in_executor(self.drawing, self.collection.take_back, digit, token)
        return JSONResponse(self._counts(token))

    def _counts(self, token: str) -> dict:
        return {"yours": self.collection.drawn_with(token), "all": len(self.collection)}

    async def collected_file(self, request: Request) -> Response:
        """GET /collect/digits.csv and /collect/writers.csv, on the machine that serves alone."""
        if not _is_from_here(request):
            raise Refusal(403, "the collection is downloaded on the machine that serves it")
        file = self.collection.folder / request.url.path.rpartition("/")[2]
        if not file.exists():
            raise Refusal(404, "nothing was drawn yet")
        return FileResponse(file, media_type="text/csv", filename=file.name)

    async def health(self, request: Request) -> JSONResponse:
        """GET /health: that the server answers, how much waits, and what to expect on the pictures seen lately."""
        waiting = sum(served.batcher.waiting for served in self.models)
        told = {}
        for served in self.models:
            found = await asyncio.to_thread(served.seen.expectation, served.model)
            told[served.name] = asdict(found) if found else None
        about = {"models": list(self.models.by_name), "waiting": waiting, "expectations": told}
        return JSONResponse({"status": "ok", **about})

    async def about(self, request: Request) -> JSONResponse:
        """GET /model: what the models are."""
        return JSONResponse({"models": [served.about() for served in self.models]})

    def close(self) -> None:
        """Begin nothing new; what a thread is doing is done to its end."""
        for threads in (self.threads, self.drawing):
            threads.shutdown(wait=False, cancel_futures=True)

    async def page(self, request: Request):
        """GET /: the drawing page."""
        return served_drawing_page(list(self.models), self.limits, self.collection is not None)

    async def collecting_page(self, request: Request):
        """GET /collect: the page on which a class draws digits."""
        return served_collecting_page(self.collection, _is_from_here(request))


def _is_from_here(request: Request) -> bool:
    """Whether a request comes from the machine that serves."""
    server = (request.scope.get("server") or ("", None))[0]
    return is_from_here(request.client.host, server, host_name(request.headers.get("host", "")))


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

    @asynccontextmanager
    async def at_work():
        async with models.at_work():
            yield
            answering.close()

    app = guarded_app(limits, is_local, at_work)
    app.get("/")(answering.page)
    endpoints = [
        ("POST", "/predict", answering.predict),
        ("POST", "/read", answering.read),
        ("POST", "/table", answering.table),
        ("GET", "/table/{ticket}", answering.table_progress),
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
    add_endpoints(app, endpoints)
    return app
