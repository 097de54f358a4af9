"""The options of the exporter, as a scraper sees them, and of the fleet, as Prometheus sees them."""

import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from oomtop import cli
from oomtop.fleet.prometheus import PrometheusError
from oomtop.snapshot import Tick
from oomtop.sources.live import LiveSource
from tests.commands.prometheus import Server, empty_prometheus
from tests.present import present


@contextmanager
def exporter(*words: str) -> Iterator[str]:
    """Run the exporter, and yield its address once it says that it serves there."""
    argv = [sys.executable, "-m", "oomtop", "exporter", "--listen", "127.0.0.1:0", *words]
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    try:
        said = present(process.stderr).readline()
        address = re.search(r"https?://127\.0\.0\.1:[1-9]\d+/metrics", said)
        assert address, said
        yield address[0]
    finally:
        process.terminate()
        process.wait()
        present(process.stderr).close()


def get(address: str | urllib.request.Request, wanted: str = "oomtop_", **options: Any) -> str:
    """Return what is served, once the first sample is in it."""
    text = ""
    while wanted not in text:
        with urllib.request.urlopen(address, timeout=20, **options) as answer:
            text = answer.read().decode()
    return text


def test_it_listens_where_it_is_told() -> None:
    with exporter() as address:
        assert ":9797/" not in address, "the port that the kernel chose"
        assert "oomtop_" in get(address)


def test_it_names_as_many_processes_as_it_is_told() -> None:
    with exporter("--interval", "0.2", "--top", "2") as address:
        text = get(address, "oomtop_process_resident_bytes{")
        assert text.count("oomtop_process_resident_bytes{") == 2


def test_it_lets_in_whom_its_file_names(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("prom:s3cret\n")
    users.chmod(0o600)
    with exporter("--users", str(users)) as address:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            get(address)
        asked = urllib.request.Request(address, headers={"Authorization": "Basic cHJvbTpzM2NyZXQ="})
        assert "oomtop_" in get(asked)


def test_it_speaks_tls_and_asks_for_a_certificate(certificate: tuple[str, str]) -> None:
    cert, key = certificate
    trusting = ssl.create_default_context(cafile=cert)
    with exporter("--tls-cert", cert, "--tls-key", key) as address:
        assert "oomtop_" in get(address, context=trusting)
    with exporter("--tls-cert", cert, "--tls-key", key, "--client-ca", cert) as address:
        with pytest.raises((urllib.error.URLError, OSError)):
            get(address, context=trusting)
        trusting.load_cert_chain(cert, key)
        assert "oomtop_" in get(address, context=trusting)


def test_it_samples_at_its_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, began, ended = [], threading.Event(), threading.Event()

    class Noting(LiveSource):
        def ticks(self) -> Iterator[Tick]:
            seen.append(self.interval)
            began.set()
            ended.wait(20)
            return iter(())

        def close(self) -> None:
            ended.set()

    monkeypatch.setattr("oomtop.sources.live.LiveSource", Noting)
    monkeypatch.setattr("signal.pthread_sigmask", lambda how, signals: set())
    monkeypatch.setattr("signal.sigwait", lambda signals: began.wait(20))
    assert cli.run(["exporter", "--listen", "127.0.0.1:0", "--interval", "0.3"]) == 0
    assert seen == [0.3]


@pytest.fixture
def prometheus() -> Iterator[Server]:
    with empty_prometheus() as made:
        yield made


def test_the_fleet_asks_for_what_matches_with_its_token(
    prometheus: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text("t0ken\n")
    given = ["fleet", "--prometheus", prometheus.url]
    assert cli.run([*given, "--json", "--match", 'region="eu"', "--token-file", str(token)]) == 0
    assert json.loads(capsys.readouterr().out)["machines"] == []
    assert all("region%3D%22eu%22" in path for path, _ in prometheus.asked)
    assert {headers["Authorization"] for _, headers in prometheus.asked} == {"Bearer t0ken"}


def test_the_host_is_what_its_label_says(prometheus: Server, capsys: pytest.CaptureFixture[str]) -> None:
    metric = {"__name__": "up", "instance": "10.0.0.1:9797", "job": "oomtop", "node": "alpha"}
    result = [{"metric": metric, "value": [1.0, "1"]}]
    prometheus.answer = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
    cli.run(["fleet", "--prometheus", prometheus.url, "--json", "--host-label", "node"])
    assert [machine["host"] for machine in json.loads(capsys.readouterr().out)["machines"]] == ["alpha"]


def test_the_fleet_trusts_whom_it_is_told_to(certificate: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    cert, key = certificate
    with empty_prometheus() as made:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        made.socket = context.wrap_socket(made.socket, server_side=True)
        given = ["fleet", "--prometheus", made.url.replace("http:", "https:"), "--json"]
        with pytest.raises(PrometheusError, match="certificate"):
            cli.run(given)
        assert cli.run([*given, "--ca-file", cert]) == 0


def test_the_fleet_waits_as_long_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = []
    monkeypatch.setattr("urllib.request.OpenerDirector.open", lambda self, asked, timeout: waited.append(timeout))
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(Exception):  # noqa: B017, PT011
        cli.run(["fleet", "--prometheus", f"http://127.0.0.1:{deaf.getsockname()[1]}", "--once", "--timeout", "0.7"])
    assert set(waited) == {0.7}


def test_the_fleet_is_asked_again_after_its_interval_and_drawn_in_ascii(
    prometheus: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("oomtop.tui.fleet.app.FleetApp.run", lambda app: shown.append(app))
    cli.run(["fleet", "--prometheus", prometheus.url, "--interval", "3"])
    cli.run(["fleet", "--prometheus", prometheus.url, "--ascii"])
    assert [(app._interval, app.look.ascii) for app in shown] == [(3.0, False), (10.0, True)]
