"""A place to listen at, and a server there until Ctrl-C."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from ..system import InputError
from .limits import Limits, is_loopback

HEADERS_S, KEEP_ALIVE_S, STOP_S = 20, 5, 5  # for a request's head, the next request, and answers under way at the end
LAST_PORT = 65_535


@contextmanager
def listening_at(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens at an address; InputError where that cannot be."""
    with closing(_listening(host, port)) as found:
        yield found


def serve_until_interrupted(app, listening: socket.socket, limits: Limits) -> None:
    """Answer requests until Ctrl-C, and those that are under way then."""
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=_patient_protocol(),
            log_level="critical",  # faults are logged by the application
            access_log=False,
            limit_concurrency=limits.connections,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=STOP_S,
            server_header=False,
        )
    )
    with suppress(KeyboardInterrupt):  # by which a server ends; uvicorn has answered what was under way
        server.run(sockets=[listening])


def address(host: str, listening: socket.socket) -> str:
    """The URL by which others reach a socket that listens at a host."""
    shown = _address_of_this_machine() if host in ("0.0.0.0", "::") else host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{listening.getsockname()[1]}"


def greet(host: str, lines: list[str]) -> None:
    """Say where the pages are."""
    print("\n".join(lines), flush=True)
    if not is_loopback(host):
        print("everyone who reaches this machine can use it", flush=True)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens at the address."""
    if not 0 <= port <= LAST_PORT:
        raise InputError(f"--port {port} makes no sense; accepted are 0 to {LAST_PORT}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no host has such a name"
        raise InputError(f"--host {host} --port {port} is no address ({reason}); name another") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as error:
        listening.close()
        raise InputError(
            f"{host}:{port} cannot be listened to ({error.strerror}); pass another --port, or 0 for any"
        ) from None
    return listening


def _address_of_this_machine() -> str:
    """The address by which others in the same network reach this machine; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # kept for documentation (RFC 5737); a datagram socket only picks a route
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()


def _patient_protocol():
    """uvicorn's HTTP protocol that closes a connection on which no request begins in time.

    Without this a client that sends a line of its head now and then would keep its connection for ever.
    """
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class PatientProtocol(H11Protocol):
        def connection_made(self, transport) -> None:
            super().connection_made(transport)
            self._expect_request()

        def on_response_complete(self) -> None:
            self._expect_request()
            super().on_response_complete()  # which may begin the next request at once

        def _expect_request(self) -> None:
            self.loop.call_later(HEADERS_S, self._close_unless_begun, self.cycle)

        def _close_unless_begun(self, before) -> None:
            if self.cycle is before:
                self.transport.close()
                self.loop.call_later(HEADERS_S, self.transport.abort)  # of a client that does not read its answer

    return PatientProtocol
