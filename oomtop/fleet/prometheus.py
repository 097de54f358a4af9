"""A client of Prometheus' HTTP API, version 1: instant and range queries of PromQL.

`GET /api/v1/query` and `/api/v1/query_range`, which Thanos, Mimir, VictoriaMetrics and Google's managed service
answer as well.  https://prometheus.io/docs/prometheus/latest/querying/api/
Sample answer: `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"instance":"a:9797"},
"value":[1795530000.1,"42"]}]}}`
"""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from typing import IO
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from oomtop import __version__
from oomtop.errors import OomtopError
from oomtop.frozen import frozen

MAX_ANSWER = 64 << 20
"""Bytes of one answer: some 200,000 series.  More is refused, not held."""
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
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise PrometheusError(f"{url!r} is no URL such as http://127.0.0.1:9090")
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
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise PrometheusError(f"{ca_file}: {error.strerror or error}") from None
        # A redirect would carry the credentials to another place.
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirects())

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
            with self._opener.open(request, timeout=self._timeout) as answer:
                body = _read(answer)
        except urllib.error.HTTPError as error:
            raise PrometheusError(f"{self.url}: {_refusal(error)}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise PrometheusError(f"{self.url}: {_in_words(error)}") from None
        try:
            return parse_answer(body)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            raise PrometheusError(f"{self.url}: that is not an answer of Prometheus' API: {body[:80]!r}") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *words: object) -> None:
        """Follow none: the answer is reported as it is."""


def parse_answer(body: bytes) -> tuple[LabeledSeries, ...]:
    """Return the series of an answer's `data`.

    Raises:
        ValueError, KeyError, TypeError, IndexError, AttributeError: it has another shape.
    """
    data = json.loads(body)["data"]
    many = {"vector": False, "matrix": True}[data["resultType"]]
    return tuple(
        LabeledSeries(
            {str(name): str(value) for name, value in item["metric"].items()},
            tuple((float(time), float(value)) for time, value in (item["values"] if many else (item["value"],))),
        )
        for item in data["result"]
    )


def _read(answer: IO[bytes]) -> bytes:
    body = answer.read(MAX_ANSWER + 1)
    if len(body) > MAX_ANSWER:
        raise ValueError(f"the answer is larger than {MAX_ANSWER >> 20} MiB; choose fewer machines with --match")
    return body


def _refusal(error: urllib.error.HTTPError) -> str:
    """Return what the server says is wrong: `{"status":"error","errorType":"bad_data","error":"parse error"}`."""
    try:
        said = json.loads(error.read(1 << 16))["error"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        said = error.reason
    return f"HTTP {error.code}: {str(said)[:_ERROR_LENGTH]}"


def _in_words(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
