"""The HTTP server of `/metrics`: the client library's WSGI application behind bounded threads and deadlines.

The library's own `start_http_server` shakes hands over TLS in the thread that accepts, has a thread for everybody
and no deadline, so that one client which says nothing would hold up all.  Here a connection has ten seconds in
all, whoever is oldest makes room when `MAX_CLIENTS` are connected, and the handshake is the client's thread's.
"""

from __future__ import annotations

import base64
import binascii
import errno
import hmac
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from oomtop.frozen import field, frozen

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_CLIENTS = 64
SECONDS = 10.0
_LISTEN = 128
_SHORT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE = 0.2
_HEALTH = ("/-/healthy", "/-/ready")
_ROOT_PAGE = b'<html><title>oomtop</title><a href="/metrics">/metrics</a></html>\n'


@frozen
class Access:
    """Who may scrape: over TLS when `context` is there, with a user and password when `users` are.

    `/-/healthy` and `/-/ready` answer everybody, with no figure: 200 while `is_fresh` says that samples are taken.
    """

    context: ssl.SSLContext | None = None
    users: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_fresh: Callable[[], bool] = lambda: True


class _Handler(WSGIRequestHandler):
    """Answers one request; says nothing on stderr, where a scanner could fill a log."""

    timeout = SECONDS

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""

    def address_string(self) -> str:
        """Return the number: asking a name server could take longer than the answer."""
        return str(self.client_address[0])

    def handle(self) -> None:
        """Answer; a client that went away is normal."""
        with suppress(OSError):
            super().handle()


class MetricsServer(ThreadingWSGIServer):
    """Serves one registry at `/metrics` until `shutdown`."""

    request_queue_size = _LISTEN

    def __init__(self, address: tuple[str, int], registry: CollectorRegistry, access: Access) -> None:
        self._access = access
        self._connected: dict[socket.socket, float] = {}
        self._guard = threading.Lock()
        family, _, _, _, found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        self.address_family = family
        super().__init__((str(found[0]), int(found[1])), _Handler)
        self.set_app(_guarded(make_wsgi_app(registry), access))

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self.socket.getsockname()[1])

    def server_bind(self) -> None:
        """Bind without asking a name server for the own name, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = str(self.server_address[0]), self.port
        self.setup_environ()

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept a connection, make room for it and start its time."""
        try:
            request, address = self.socket.accept()
        except OSError as error:
            if error.errno in _SHORT:
                # Whoever waits is still there: without a pause this would take a whole CPU.
                time.sleep(_PAUSE)
            raise
        request.settimeout(SECONDS)
        with self._guard:
            while len(self._connected) >= MAX_CLIENTS:
                self._end(next(iter(self._connected)))
            self._connected[request] = time.monotonic()
        return request, address

    def finish_request(self, request: object, client_address: object) -> None:
        """Shake hands where TLS is asked for, and answer; runs in the client's thread."""
        assert isinstance(request, socket.socket)
        if self._access.context is None:
            super().finish_request(request, client_address)
            return
        # The raw socket stays the one that is timed and ended; closing the TLS one must not close it.
        with self._access.context.wrap_socket(request.dup(), server_side=True, do_handshake_on_connect=False) as secure:
            secure.settimeout(SECONDS)
            secure.do_handshake()
            super().finish_request(secure, client_address)

    def shutdown_request(self, request: object) -> None:
        """Forget the connection and close it."""
        assert isinstance(request, socket.socket)
        with self._guard:
            self._connected.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End connections whose time is over, twice a second: a byte now and then buys no more of it."""
        latest = time.monotonic() - SECONDS
        with self._guard:
            for request in [one for one, since in self._connected.items() if since < latest]:
                self._end(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that breaks off or sends no HTTP is its own business."""

    def _end(self, request: socket.socket) -> None:
        """Wake the thread of a connection, which then closes it."""
        self._connected.pop(request, None)
        with suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)


def _guarded(app: WSGIApplication, access: Access) -> WSGIApplication:
    """Return `app` behind basic authentication where there are users, and only under `/metrics`."""
    users = access.users

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in _HEALTH:
            fresh = access.is_fresh()
            status, body = ("200 OK", b"ok\n") if fresh else ("503 Service Unavailable", b"no recent sample\n")
            return _plain(start_response, status, [("Content-Type", "text/plain")], body)
        if users and not is_known(environ.get("HTTP_AUTHORIZATION", ""), users):
            headers = [("WWW-Authenticate", 'Basic realm="oomtop"'), ("Content-Type", "text/plain")]
            return _plain(start_response, "401 Unauthorized", headers, b"user and password, please\n")
        if path == "/metrics":
            return app(environ, start_response)
        if path == "/":
            return _plain(start_response, "200 OK", [("Content-Type", "text/html")], _ROOT_PAGE)
        return _plain(start_response, "404 Not Found", [("Content-Type", "text/plain")], b"see /metrics\n")

    return answer


def _plain(start: StartResponse, status: str, headers: list[tuple[str, str]], body: bytes) -> Iterable[bytes]:
    start(status, [*headers, ("Content-Length", str(len(body)))])
    return [body]


def is_known(header: str, users: Mapping[str, str]) -> bool:
    """Whether an `Authorization` header names a user with the right password."""
    scheme, _, code = header.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        name, colon, password = base64.b64decode(code.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return False
    expected = users.get(name)
    # An unknown user costs the same comparison, so that time tells nothing.
    is_same = hmac.compare_digest(password.encode(), (expected or "-").encode())
    return bool(colon) and expected is not None and is_same


def start_server(
    server: MetricsServer, start: Callable[[str, Callable[[], object]], threading.Thread], poll: float = 0.5
) -> Callable[[], None]:
    """Serve in a thread that `start` makes, looking at deadlines every `poll` seconds; what is returned ends it."""
    thread = start("metrics", lambda: server.serve_forever(poll))

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
