"""A client of Prometheus' HTTP API, version 1: instant and range queries of PromQL.

`GET /api/v1/query` and `/api/v1/query_range`, which Thanos, Mimir, VictoriaMetrics and Google's managed service
answer as well.  https://prometheus.io/docs/prometheus/latest/querying/api/
Sample answer: `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"instance":"a:9797"},
"value":[1795530000.1,"42"]}]}}`
"""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import partial
from typing import IO, Any
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from oomtop import __version__
from oomtop.errors import OomtopError
from oomtop.frozen import frozen
from oomtop.host.trusted_file import require_regular
from oomtop.threads import start_thread

MAX_ANSWER = 12 << 20
"""Bytes of one answer: some 40,000 series.  More is refused, not held."""
_MOST_PARTS = 400_000
"""Lists and objects of one answer: empty ones take forty times their text."""
_LARGEST = float(1 << 63)
_LATEST = 1e11
_ERROR_LENGTH = 300


class PrometheusError(OomtopError):
    """Prometheus did not answer, or said that it cannot."""


@frozen
class LabeledSeries:
    """One time series of an answer: its labels, and its points as (Unix time, value)."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def value(self) -> float:
        """The newest value."""
        return self.points[-1][1]


class Prometheus:
    """Asks one server.  `user:password@` in the URL is for basic authentication and is never shown again."""

    def __init__(self, url: str, token: str | None = None, ca_file: str | None = None, timeout: float = 10.0) -> None:
        """Take the server's address.

        Raises:
            PrometheusError: no http or https URL, or a CA file that cannot be read.
        """
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            raise PrometheusError(f"{url!r} is not a URL: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise PrometheusError(f"{url!r} is not a URL such as http://127.0.0.1:9090")
        place = parts.netloc.rpartition("@")[2]
        self.url = urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
        """The address without user and password."""
        self._headers = {"Accept": "application/json", "User-Agent": f"oomtop/{__version__}"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._timeout = timeout
        self._resolver = _Resolver()
        try:
            if ca_file is not None:
                require_regular(ca_file)
            self._tls = ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise PrometheusError(f"{ca_file}: {error.strerror or error}") from None

    def query(self, query: str) -> tuple[LabeledSeries, ...]:
        """Return what an expression is now.

        Raises:
            PrometheusError: no answer, an error, or an answer that is not Prometheus'.
        """
        return self._ask("query", {"query": query})

    def query_range(self, query: str, start: float, end: float, step: float) -> tuple[LabeledSeries, ...]:
        """Return what an expression was from `start` to `end` (Unix time) every `step` seconds.

        Raises:
            PrometheusError: as for `query`.
        """
        return self._ask("query_range", {"query": query, "start": f"{start}", "end": f"{end}", "step": f"{step}"})

    def _ask(self, call: str, words: Mapping[str, str]) -> tuple[LabeledSeries, ...]:
        request = urllib.request.Request(f"{self.url}/api/v1/{call}?{urlencode(words)}", headers=self._headers)
        try:
            body = self._body(request)
        except (OSError, http.client.HTTPException, ValueError, RuntimeError) as error:
            raise PrometheusError(f"{self.url}: {_in_words(error)}") from None
        try:
            return parse_answer(body)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            raise PrometheusError(f"{self.url}: not a response of the Prometheus API: {body[:80]!r}") from None

    def _body(self, request: urllib.request.Request) -> bytes:
        """Return the whole answer, within the deadline.

        Raises:
            OSError, HTTPException, ValueError, RuntimeError: as `_in_words` tells them.
        """
        with _Deadline(self._timeout) as deadline:
            opener = urllib.request.build_opener(
                _Http(deadline, self._resolver),
                _Https(deadline, self._resolver, self._tls),
                _NoRedirects(),
                urllib.request.HTTPErrorProcessor(),
            )
            try:
                with opener.open(request, timeout=self._timeout) as answer:
                    body = _read(answer)
            except urllib.error.HTTPError as error:
                said = _refusal(error)
                deadline.check()
                raise ValueError(said) from None
            except (OSError, http.client.HTTPException, ValueError):
                deadline.check()
                raise
            deadline.check()
            return body


class _Deadline:
    """Cuts the connection when the time for the whole answer is over: a byte a second is no answer."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._socket: socket.socket | None = None
        self._is_over = False

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()
        if self._socket is not None:
            self._socket.close()

    @property
    def left(self) -> float:
        """Seconds until it is over."""
        return max(0.0, self._end - time.monotonic())

    def watch(self, connected: socket.socket) -> None:
        """Cut this one, through a descriptor of its own: TLS wraps the other."""
        self._socket = connected.dup()
        if self._is_over:
            self._cut()

    def check(self) -> None:
        """Raise TimeoutError where it is over: what came is cut off."""
        if self._is_over:
            raise TimeoutError

    def _cut(self) -> None:
        self._is_over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _Resolver:
    """Looks names up in a thread: getaddrinfo(3) has the resolver's own deadline only, half a minute as a rule."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def connect(
        self, deadline: _Deadline, address: tuple[str, int], timeout: float, source: tuple[str, int] | None
    ) -> socket.socket:
        """Connect as `socket.create_connection` does.

        Raises:
            OSError: no such name, no answer in time, or a lookup before it still hangs; or nobody there.
        """
        if self._thread is not None and self._thread.is_alive():
            raise TimeoutError("the name was not resolved in time")
        answers: queue.SimpleQueue[list[Any] | BaseException] = queue.SimpleQueue()
        self._thread = start_thread(
            "resolver", lambda: answers.put(socket.getaddrinfo(*address, 0, socket.SOCK_STREAM)), answers.put
        )
        try:
            found = answers.get(timeout=deadline.left)
        except queue.Empty:
            raise TimeoutError("the name was not resolved in time") from None
        if isinstance(found, BaseException):
            raise found
        failed: OSError = OSError("the name has no address")
        for *_, place in found:
            try:
                return socket.create_connection(place[:2], timeout, source)
            except OSError as error:
                failed = error
        raise failed


class _Http(urllib.request.HTTPHandler):
    def __init__(self, deadline: _Deadline, resolver: _Resolver) -> None:
        super().__init__()
        self._deadline, self._resolver = deadline, resolver

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Open it as the class above does, with the deadline on the connection."""
        deadline, resolver = self._deadline, self._resolver

        class Connection(http.client.HTTPConnection):
            def connect(self) -> None:
                self._create_connection = partial(resolver.connect, deadline)
                super().connect()
                deadline.watch(self.sock)

        return self.do_open(Connection, request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, deadline: _Deadline, resolver: _Resolver, tls: ssl.SSLContext) -> None:
        super().__init__(context=tls)
        self._deadline, self._resolver, self._tls = deadline, resolver, tls

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Open it as the class above does, with the deadline on the connection before its handshake."""
        deadline, resolver, tls = self._deadline, self._resolver, self._tls

        class Connection(http.client.HTTPSConnection):
            def connect(self) -> None:
                self._create_connection = partial(resolver.connect, deadline)
                http.client.HTTPConnection.connect(self)
                deadline.watch(self.sock)
                # Behind a proxy it is the name at the tunnel's far end.
                name = getattr(self, "_tunnel_host", None) or self.host
                self.sock = tls.wrap_socket(self.sock, server_hostname=name)

        return self.do_open(Connection, request)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *words: object) -> None:
        """Follow none, which would carry the credentials to another place: the answer is reported as it is."""


def parse_answer(body: bytes) -> tuple[LabeledSeries, ...]:
    """Return the series of an answer's `data`.

    A point that no figure of oomtop can have (NaN, infinite, negative, beyond 2^63) is left out, and a series without
    another with it.

    Raises:
        ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError: it has another shape.
    """
    if body.count(b"[") + body.count(b"{") > _MOST_PARTS:
        raise ValueError("too many parts")
    # As floats: a whole number may have more digits than one of Python's is allowed.
    data = json.loads(body, parse_int=float)["data"]
    many = {"vector": False, "matrix": True}[data["resultType"]]
    found = (
        LabeledSeries(
            {str(name): str(value) for name, value in item["metric"].items()},
            _points(item["values"] if many else (item["value"],)),
        )
        for item in data["result"]
    )
    return tuple(series for series in found if series.points)


def _points(pairs: Iterable[tuple[float, str]]) -> tuple[tuple[float, float], ...]:
    points = ((float(at), float(value)) for at, value in pairs)
    return tuple((at, value) for at, value in points if 0 <= at < _LATEST and 0 <= value < _LARGEST)


def _read(answer: IO[bytes]) -> bytes:
    body = answer.read(MAX_ANSWER + 1)
    if len(body) > MAX_ANSWER:
        raise ValueError(f"the response is larger than {MAX_ANSWER >> 20} MiB; choose fewer machines with --match")
    return body


def _refusal(error: urllib.error.HTTPError) -> str:
    """Return what the server says is wrong: `{"status":"error","errorType":"bad_data","error":"parse error"}`."""
    try:
        said = json.loads(error.read(1 << 16))["error"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, RecursionError):
        said = error.reason
    return f"HTTP {error.code}: {str(said)[:_ERROR_LENGTH]}"


def _in_words(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return "no response in time"
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
