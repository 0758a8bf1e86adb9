"""What a request may bring and how long it may take; what is beyond that is refused before it is looked at."""

import asyncio
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
}
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Limits:
    """Limits of the server.

    Attributes
    ----------
    picture_bytes, table_bytes : int
        Largest body of a request: with pictures, and with a table.
    pixels : int
        Of one picture.
    pictures : int
        In one request.
    waiting : int
        Pictures that wait for a model's answer; who comes then is asked to come again.
    connections : int
        At a time.
    body_s, answer_s, table_s : float
        Seconds for a body to arrive, an answer to be found, and a table to be answered.
    """

    picture_bytes: int = 10_000_000
    table_bytes: int = 64_000_000
    pixels: int = 50_000_000
    pictures: int = 256
    waiting: int = 2048
    connections: int = 256
    body_s: float = 30
    answer_s: float = 30
    table_s: float = 300

    def body_bytes(self, path: str) -> int:
        """Largest body of a request to `path`."""
        return self.table_bytes if path == "/table" else self.picture_bytes


class Refusal(Exception):
    """What is answered instead: an HTTP status and one line for the client."""

    def __init__(self, status: int, line: str):
        super().__init__(line)
        self.status, self.line = status, line


def refused(refusal: Refusal) -> JSONResponse:
    """The line as JSON; who is to come again (503) is told when."""
    headers = {"retry-after": "1"} if refusal.status == 503 else None
    return JSONResponse({"error": refusal.line}, refusal.status, headers)


class Gate:
    """ASGI middleware in front of all else: who may ask, and bodies read whole within their limits.

    Parameters
    ----------
    app : ASGI application
    limits : Limits
    is_local : bool
        Whether the server listens to this machine alone. Other host names are then refused, since a page of another
        site could reach the server by a name of its own that stands for this machine (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, limits: Limits, is_local: bool):
        self.app, self.limits, self.is_local = app, limits, is_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_guarded(message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS.items()]
            await send(message)

        try:
            self._check_sender(headers, scope["method"])
            body = await self._body(receive, headers, scope["path"])
        except Refusal as refusal:
            await refused(refusal)(scope, receive, send_guarded)
            return
        is_read = False

        async def receive_read():
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, receive_read, send_guarded)

    def _check_sender(self, headers: Headers, method: str) -> None:
        host = headers.get("host", "")
        if self.is_local and (urlsplit(f"//{host}").hostname or "") not in LOCAL_NAMES:
            raise Refusal(403, "this server answers to localhost alone; start it with --host to serve others")
        origin = headers.get("origin")
        if method not in READING and origin and urlsplit(origin).netloc != host:
            raise Refusal(403, "pages of other sites may not use this server")

    async def _body(self, receive: Receive, headers: Headers, path: str) -> bytes:
        most = self.limits.body_bytes(path)
        too_large = Refusal(413, f"the upload is larger than {most / 1e6:g} MB; send a smaller one")
        if headers.get("content-length", "0").isdecimal() and int(headers.get("content-length", "0")) > most:
            raise too_large
        parts, size, more = [], 0, True
        try:
            async with asyncio.timeout(self.limits.body_s):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refusal(400, "the connection was closed")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > most:
                        raise too_large
                    more = message.get("more_body", False)
        except TimeoutError:
            raise Refusal(408, f"the upload took longer than {self.limits.body_s:g} s; send it again") from None
        return b"".join(parts)


def is_loopback(host: str) -> bool:
    """Whether an address, or the name localhost, stands for this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
