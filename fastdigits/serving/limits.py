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
    raw_pixels, seen_pixels : int
        Of a picture that is not normalised, and of one that is sent back as numbers.
    held_bytes : int
        Of all bodies at a time.
    body_s, answer_s, table_s : float
        Seconds for a body to arrive, an answer to be found, and a table to be answered.
    """

    picture_bytes: int = 10_000_000
    table_bytes: int = 64_000_000
    pixels: int = 50_000_000
    pictures: int = 256
    raw_pixels: int = 1_000_000
    seen_pixels: int = 65_536
    held_bytes: int = 256_000_000
    waiting: int = 2048
    connections: int = 256
    body_s: float = 30
    answer_s: float = 30
    table_s: float = 300

    def body_bytes(self, method: str, path: str) -> int:
        """Largest body of a request to `path`."""
        if method != "POST":
            return 0
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
        self.held = 0  # bytes of bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_guarded(message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS.items()]
            await send(message)

        parts: list[bytes] = []
        try:
            self._check_sender(headers, scope["method"])
            await self._read_body(parts, receive, headers, self.limits.body_bytes(scope["method"], scope["path"]))
            # a client that does not read its answer is given up in the end
            async with asyncio.timeout(self.limits.table_s + self.limits.body_s):
                await self.app(scope, _already_read(parts, receive), send_guarded)
        except Refusal as refusal:
            await refused(refusal)(scope, receive, send_guarded)
        except TimeoutError:
            pass  # whoever serves closes the connection
        finally:
            self.held -= sum(map(len, parts))

    def _check_sender(self, headers: Headers, method: str) -> None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if self.is_local and not is_loopback(host_name(host)):
            raise Refusal(403, "this server answers to localhost alone; start it with --host to serve others")
        if method not in READING and origin and origin.partition("://")[2] != host:
            raise Refusal(403, "pages of other sites may not use this server")

    async def _read_body(self, parts: list[bytes], receive: Receive, headers: Headers, most: int) -> None:
        """Read the whole body into `parts`, at most so many bytes."""
        too_large = Refusal(413, f"the upload is larger than {most / 1e6:g} MB; send a smaller one")
        if headers.get("content-length", "0").isdecimal() and int(headers.get("content-length", "0")) > most:
            raise too_large
        size, more = 0, True
        try:
            async with asyncio.timeout(self.limits.body_s):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refusal(400, "the connection was closed")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    self.held += len(parts[-1])
                    if size > most:
                        raise too_large
                    if self.held > self.limits.held_bytes:
                        raise Refusal(503, "many uploads are under way; send yours again in a moment")
                    more = message.get("more_body", False)
        except TimeoutError:
            raise Refusal(408, f"the upload took longer than {self.limits.body_s:g} s; send it again") from None


def _already_read(parts: list[bytes], receive: Receive) -> Receive:
    """A `receive` that gives a body which was read before, and then what the connection says."""
    is_given = False

    async def receive_read():
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": b"".join(parts), "more_body": False}

    return receive_read


def host_name(host: str) -> str:
    """The name or address in a Host header, without its port; empty where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """None for a name. An IPv4 address in IPv6's clothes is the former."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_loopback(host: str) -> bool:
    """Whether an address, or the name localhost, stands for this machine alone."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def is_from_here(client: str, server: str, host: str) -> bool:
    """Whether a request comes from the machine that serves, by the clients's and the server's addresses.

    Only where the Host header is an address or localhost: another site's name may lead here too (DNS rebinding).
    """
    came_home = is_loopback(client) or _address(client) == _address(server) is not None
    return came_home and (host == "localhost" or _address(host) is not None)
