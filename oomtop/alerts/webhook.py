"""A webhook: the letter as JSON by POST, with a deadline for each attempt, tried again with back-off, then dropped.

Only the status of the response counts: 2xx is success, 408, 425, 429 and 5xx are retried, everything else is
a configuration mistake and is not.  Redirects are not followed, proxies not used.
"""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Event
from urllib.parse import urlsplit

from oomtop import __version__
from oomtop.alerts.notice import Letter

ATTEMPTS = 5
FIRST_PAUSE = 1.0
"""Seconds before the second attempt; each next pause is twice as long."""
_AGAIN = frozenset({408, 425, 429})


class Webhook:
    """Posts to one URL, one letter at a time, in the thread that calls."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout: float, closing: Event) -> None:
        self._url = url
        self._headers = {"Content-Type": "application/json", "User-Agent": f"oomtop/{__version__}", **headers}
        self._timeout = timeout
        self._closing = closing
        parts = urlsplit(url)
        self._is_secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._is_secure else 80)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._wrap = _tls(self._host) if self._is_secure else None

    def __call__(self, letter: Letter) -> str | None:
        """Post it; return what went wrong, in words, once it is given up."""
        pause, problem = FIRST_PAUSE, None
        for attempt in range(ATTEMPTS):
            if attempt and self._closing.wait(pause * 2 ** (attempt - 1)):
                break
            problem, may_help = self._try(letter)
            if problem is None or not may_help:
                break
        return None if problem is None else f"webhook {self._host}: {problem}"

    def _try(self, letter: Letter) -> tuple[str | None, bool]:
        """Return (what went wrong, whether another attempt may help)."""
        try:
            status = self._post(letter.body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return _in_words(error), True
        if 200 <= status < 300:
            return None, False
        return f"returned status {status}", status >= 500 or status in _AGAIN

    def _post(self, body: bytes) -> int:
        raw = socket.create_connection((self._host, self._port), self._timeout)
        # A byte now and then would make every wait of the socket a new one; this ends the attempt as a whole.
        watched = raw.dup()
        alarm = threading.Timer(self._timeout, _shut, (watched,))
        alarm.daemon = True
        alarm.start()
        try:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
            with raw if self._wrap is None else self._wrap(raw) as connection.sock:
                connection.request("POST", self._path, body, self._headers)
                return connection.getresponse().status
        finally:
            raw.close()
            alarm.cancel()
            watched.close()


def _shut(watched: socket.socket) -> None:
    with suppress(OSError):
        watched.shutdown(socket.SHUT_RDWR)


def _tls(host: str) -> Callable[[socket.socket], socket.socket]:
    """Return what shakes hands; made at the start, because it loads code and certificates."""
    import ssl

    context = ssl.create_default_context()
    return lambda raw: context.wrap_socket(raw, server_hostname=host)


def _in_words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no response in time"
    if isinstance(error, http.client.RemoteDisconnected):
        return "closed the connection without a response"
    if isinstance(error, http.client.HTTPException):
        return f"sent an invalid response ({type(error).__name__})"
    return getattr(error, "strerror", None) or str(error)
