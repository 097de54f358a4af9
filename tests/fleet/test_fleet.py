"""The table of machines: what Prometheus may answer, what becomes of it, and what the keys do."""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.pilot import Pilot

from oomtop import cli
from oomtop.errors import OomtopError
from oomtop.fleet import prometheus as prometheus_module
from oomtop.fleet.machines import FleetMachine, FleetShortage, NextVictim, machines_of, need, queries, read_machines
from oomtop.fleet.prometheus import LabeledSeries, Prometheus, PrometheusError, parse_answer
from oomtop.render.fleet import COLUMNS, NOTHING, describe, fit, machine_line, render_fleet
from oomtop.render.fleet_json import machines_to_json
from oomtop.render.json_text import json_text
from oomtop.tui.fleet import app as fleet_app
from oomtop.tui.fleet.app import FleetApp, MachineList
from oomtop.tui.widgets.text_block import Sheet
from oomtop.units import GIB, sparkline
from tests.present import present

NOW = 1_795_000_000.0
HOSTILE = 'a"}\n\x1b[31m[b]x[/b]'


def make_machine(name: str = "web-01", **more: Any) -> FleetMachine:
    values: dict[str, Any] = {
        "job": "oomtop", "instance": f"{name}:9797", "host": name, "up": True, "total": 64.0 * GIB,
        "available": 32.0 * GIB, "swap_total": None, "swap_used": None, "some": 0.0, "full": 0.0, "shortage": None,
        "worst": None, "victim": None, "kills": 0.0, "last_kill": None, "killed_in": None, "alerts": (),
        "sampled": NOW - 3, "history": (),
    }  # fmt: skip
    return FleetMachine(**values | more)


# -- the client -------------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """Answers every request with `answer` (status, headers, body), and notes what was asked."""

    asked: list[tuple[str, dict[str, str]]]
    answer: tuple[int, dict[str, str], bytes]
    url: str


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        server: Server

        def do_GET(self) -> None:
            self.server.asked.append((self.path, dict(self.headers)))
            status, headers, body = self.server.answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: str) -> None:
            pass

    made = Server(("127.0.0.1", 0), Handler)
    made.asked, made.url = [], f"http://127.0.0.1:{made.server_port}"
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def answer(*items: dict[str, object], kind: str = "vector") -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": list(items)}}).encode()


def test_a_vector_and_a_matrix_are_read() -> None:
    (one,) = parse_answer(answer({"metric": {"instance": "a"}, "value": [5.5, "42"]}))
    assert (one.labels, one.points, one.value) == ({"instance": "a"}, ((5.5, 42.0),), 42.0)
    (many,) = parse_answer(answer({"metric": {}, "values": [[1, "1"], [2, "+Inf"]]}, kind="matrix"))
    assert many.points == ((1.0, 1.0),)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b'{"status":"error","errorType":"bad_data","error":"parse error: x"}', "HTTP 400: parse error: x"),
        (503, b"<html>", "HTTP 503: Service Unavailable"),
        (302, b"", "HTTP 302"),
        (200, b"<html>", "not a response of the Prometheus API: b'<html>'"),
        (200, b"[]", "not a response"),
        (200, b'{"data":{"resultType":"vector","result":[{"metric":{}}]}}', "not a response"),
        (200, answer(kind="scalar"), "not a response"),
        (200, answer({"metric": 7, "value": [1, "1"]}), "not a response"),
        (200, b"[" * 100_000, "not a response"),
        (200, b"[{" * 400_000, "not a response"),
        (200, b'{"a":' * 100_000, "not a response"),
        (400, b"[" * 60_000, "HTTP 400: Bad Request"),
        (200, b"\xff\xfe", "not a response"),
    ],
)
def test_what_is_no_answer_is_said(server: Server, status: int, body: bytes, expected: str) -> None:
    server.answer = status, {"Location": f"{server.url}/elsewhere"}, body
    with pytest.raises(PrometheusError) as caught:
        Prometheus(server.url).query("up")
    assert expected in str(caught.value)
    assert len(server.asked) == 1, "a redirect would carry the password away"


def test_an_answer_without_end_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_module, "MAX_ANSWER", 1000)
    server.answer = 200, {}, b"x" * 2000
    with pytest.raises(PrometheusError, match="larger than"):
        Prometheus(server.url).query("up")


def test_nobody_there_and_nobody_answering(server: Server) -> None:
    server.server_close()
    with pytest.raises(PrometheusError, match=r"refused|reset"):
        Prometheus(server.url).query("up")
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(PrometheusError, match="no response in time"):
        Prometheus(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=0.2).query("up")


def test_credentials_are_sent_and_never_shown(server: Server) -> None:
    server.answer = 200, {}, answer()
    client = Prometheus(server.url.replace("//", "//al%40ice:se%3Acret@") + "/prom/")
    assert client.query("up{a='b'}") == ()
    path, headers = server.asked[-1]
    assert path == "/prom/api/v1/query?query=up%7Ba%3D%27b%27%7D"
    assert headers["Authorization"] == "Basic YWxAaWNlOnNlOmNyZXQ="
    assert "cret" not in client.url
    Prometheus(server.url, token="t0ken").query_range("up", 1.0, 2.0, 0.5)
    assert server.asked[-1][1]["Authorization"] == "Bearer t0ken"
    assert "start=1.0&end=2.0&step=0.5" in server.asked[-1][0]


@pytest.fixture
def dripping() -> Iterator[Callable[[bytes], str]]:
    """Answer one request with a part of the answer, then a byte now and then, until told to end."""
    over = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(begin: bytes) -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(begin)
            while not over.wait(0.05):
                connection.sendall(b" ")

    def start(begin: bytes) -> str:
        threading.Thread(target=serve, args=(begin,), daemon=True).start()
        return f"127.0.0.1:{listening.getsockname()[1]}"

    yield start
    over.set()
    listening.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "begin", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 500 no\r\n\r\n"]
)
def test_the_deadline_is_for_the_whole_answer(dripping: Callable[[bytes], str], scheme: str, begin: bytes) -> None:
    """Each byte comes well within the timeout of a read."""
    begin = b"\x16\x03\x03\x40\x00\x02" if scheme == "https" else begin
    with pytest.raises(PrometheusError, match="no response in time"):
        Prometheus(f"{scheme}://{dripping(begin)}", timeout=0.4).query("up")


def figure(value: str | int, name: str = "memory_total_bytes") -> dict[str, object]:
    labels = {"job": "oomtop", "instance": "a:9797", "__name__": f"oomtop_{name}"}
    return {"metric": labels, "value": [1, value]}


def test_a_resolver_that_hangs_has_the_deadline_too_and_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, leave = [], threading.Event()

    def look_up(*words: object) -> None:
        asked.append(words)
        leave.wait()

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    client = Prometheus("http://prometheus.example:9090", timeout=0.1)
    try:
        for _ in range(2):
            with pytest.raises(PrometheusError, match="no response in time"):
                client.query("up")
        assert len(asked) == 1
    finally:
        leave.set()


def test_a_name_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*words: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(PrometheusError, match="Name or service not known"):
        Prometheus("http://prometheus.example:9090").query("up")


@pytest.mark.parametrize("value", ["NaN", "-Inf", "+Inf", "1e400", "-1", "9" * 400, "1e19", 10**400, -(10**400)])
def test_a_figure_that_cannot_be_is_unknown_and_never_nan(value: str | int) -> None:
    names = ("memory_total_bytes", "memory_available_bytes", "swap_total_bytes", "sample_timestamp_seconds")
    body = answer(figure("1", "x"), *(figure(value, name) for name in names))
    (machine,) = machines_of(answers_with(figures=parse_answer(body)))
    assert (machine.total, machine.available, machine.swap_total, machine.sampled) == (None,) * 4
    assert "NaN" not in json_text(machines_to_json([machine], "u", NOW))
    assert render_fleet([machine], NOW, 120)


def test_a_time_that_cannot_be_is_left_out() -> None:
    for time in (10**400, -1, 1e300):
        assert parse_answer(answer({"metric": {}, "value": [time, "1"]})) == ()


def test_a_hundred_thousand_series_of_one_machine_take_no_time() -> None:
    many = machines_of(answers_with(figures=[series(1.0, f"oomtop_{number}") for number in range(100_000)]))
    assert len(many) == 1


@pytest.mark.parametrize("url", ["http://[::1", "http://x:99999", "http://x:y"])
def test_a_url_that_is_malformed(url: str) -> None:
    with pytest.raises(PrometheusError, match="is not a URL"):
        Prometheus(url)


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://x", "http://", ""])
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(PrometheusError, match="not a URL such as"):
        Prometheus(url)


def test_certificates_and_tokens_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PrometheusError, match=r"gone\.pem"):
        Prometheus("https://x", ca_file=str(tmp_path / "gone.pem"))
    with pytest.raises(OomtopError, match="no-token"):
        cli.run(["fleet", "--once", "--token-file", str(tmp_path / "no-token")])


# -- from answers to machines -----------------------------------------------------------------------


def series(
    value: float,
    name: str = "",
    instance: str = "a:9797",
    points: tuple[tuple[float, float], ...] | None = None,
    **labels: Any,
) -> LabeledSeries:
    every = {"job": "oomtop", "instance": instance, **labels} | ({"__name__": name} if name else {})
    return LabeledSeries(every, points or ((NOW, value),))


def answers_with(**more: Any) -> dict[str, Sequence[LabeledSeries]]:
    return dict.fromkeys([*queries(), "history"], ()) | more


def test_a_machine_is_put_together_from_its_answers() -> None:
    found = machines_of(
        answers_with(
            up=(series(1.0, host="alpha"), series(0.0, instance="b:9797")),
            figures=(series(8.0, "oomtop_memory_total_bytes"), series(2.0, "oomtop_memory_available_bytes")),
            pressure=(series(0.5, kind="some"), series(0.25, kind="full")),
            shortage=(series(60.0, resource="RAM"),),
            ends=(
                series(50.0, "oomtop_exhaustion_earliest_seconds", resource="RAM"),
                series(70.0, "oomtop_exhaustion_latest_seconds", resource="RAM"),
                series(9.0, "oomtop_exhaustion_latest_seconds", resource="/other"),
            ),
            worst=(series(0.1, cgroup="/x"),),
            headroom=(series(5.0, cgroup="/y"), series(7.0, cgroup="/x")),
            limit=(series(70.0, cgroup="/x"),),
            victim=(series(0.4, process=HOSTILE, unit="", pid="7"),),
            kills=(series(2.0),),
            killed=(series(2.0, cgroup="", killer="kernel"),),
            alerts=(series(1.0, alertname="OomtopKill"),),
            own_alerts=(series(1.0, alert="low"),),
        ),
        "host",
    )
    first, second = sorted(found, key=lambda machine: machine.instance)
    assert (first.host, second.host) == ("alpha", "b")
    assert (first.available_share, first.full, first.some) == (0.25, 0.25, 0.5)
    assert first.shortage == FleetShortage("RAM", 60.0, 50.0, 70.0)
    assert (present(first.worst).path, present(first.worst).headroom, present(first.worst).limit) == ("/x", 7.0, 70.0)
    assert (first.killed_in, first.alerts, first.kills) == ("kernel", ("OomtopKill", "low"), 2.0)
    assert (first.up, second.up) == (True, False)
    assert (second.total, second.shortage, second.worst, second.kills) == (None,) * 4
    said = machines_to_json(found, "http://p", NOW)
    json.dumps(said, allow_nan=False)
    for machine in found:
        assert "\x1b" not in "".join(describe(machine, NOW)) + render_fleet(found, NOW, 400)


@pytest.mark.parametrize(
    ("instance", "host"),
    [("web-01:9797", "web-01"), ("[fe80::1]:9797", "fe80::1"), ("fe80::1", "fe80::1"), ("web", "web"), ("a:b", "a:b")],
)
def test_the_host_of_an_instance(instance: str, host: str) -> None:
    (found,) = machines_of(answers_with(up=(series(1.0, instance=instance),)))
    assert found.host == host


def test_matchers_are_in_every_query() -> None:
    for name, query in queries('region="eu"').items():
        # A division has two metrics, and `up` is held against a third.
        assert query.count('region="eu"') == query.count("{"), name
        assert query.count("{") >= 1
    asked = []

    class Client(Prometheus):
        def query(self, query: str) -> tuple[LabeledSeries, ...]:
            asked.append(query)
            return ()

        def query_range(self, query: str, start: float, end: float, step: float) -> tuple[LabeledSeries, ...]:
            asked.append(query)
            return ()

    assert read_machines(Client("http://p"), NOW, 'region="eu"') == ()
    assert all('region="eu"' in query for query in asked)


def test_who_is_in_most_need_stands_first() -> None:
    calm, slow = make_machine("calm"), make_machine("slow", full=0.3)
    soon, later = make_machine("soon", shortage=FleetShortage("RAM", 60.0, None, None)), make_machine("down", up=False)
    assert sorted([calm, slow, soon, later], key=need) == [later, soon, slow, calm]


def test_every_column_of_an_empty_and_a_full_machine() -> None:
    empty = FleetMachine(
        "", "", "", True, None, None, None, None, None, None, None, None, None, None, None, None, (), None, ()
    )
    full = make_machine(victim=NextVictim("java", "api", "7", 0.4, None), shortage=FleetShortage("RAM", 5.0, 4.0, 6.0))
    for width in (20, 80, 120, 200):
        columns = fit([empty, full], width)
        for machine in (empty, full):
            assert len(machine_line(machine, columns, NOW)) <= width
    for column in COLUMNS:
        sorted([empty, full, empty], key=column.order)
        assert len(column.text(full, NOW)) <= (column.width or 30)
    assert render_fleet([], NOW, 80) == NOTHING
    assert sparkline([0.0, 0.5, 1.0], 2, 0.0, 1.0) == "▅█"
    assert sparkline([0.0, 1.0], 9, 0.0, 1.0, True) == "_@"


# -- the screen -------------------------------------------------------------------------------------


def piloted(
    read: Callable[[float], tuple[FleetMachine, ...]],
    test: Callable[[FleetApp, Pilot[None]], Awaitable[None]],
    size: tuple[int, int] = (100, 30),
) -> None:
    """Run the app on what `read` says."""

    async def run() -> None:
        app = FleetApp(read, "http://p:9090", 3600.0, None, False)
        async with app.run_test(size=size) as pilot:
            await settled(app, pilot)
            await test(app, pilot)

    asyncio.run(run())


async def settled(app: FleetApp, pilot: Pilot[None]) -> None:
    await app.workers.wait_for_complete()
    await pilot.pause()


def shown(app: FleetApp) -> list[str]:
    table = app.query_one(MachineList)
    return [table.render_line(y).text.split(":")[0] for y in range(table.virtual_size.height)]


MACHINES = (make_machine("b", full=0.4), make_machine("a"), make_machine("c", available=1.0 * GIB))


def test_sort_reverse_filter_and_cursor() -> None:
    async def test(app: FleetApp, pilot: Pilot[None]) -> None:
        assert shown(app) == ["b", "a", "c"]
        await pilot.press("down")
        assert present(app.query_one(MachineList).machine).host == "a"
        await pilot.press(">")
        assert shown(app) == ["a", "b", "c"]
        assert present(app.query_one(MachineList).machine).host == "a", "the cursor stays on its machine"
        await pilot.press("I")
        assert shown(app) == ["c", "b", "a"]
        await pilot.press("I", "<")
        assert shown(app) == ["b", "a", "c"]
        await pilot.press("\\", "c", "enter")
        assert shown(app) == ["c"]
        assert "filter" in app.query_one("#fleet-head", Sheet).text
        await pilot.press("end", "pageup", "home", "up", "pagedown")
        assert "c:9797 (job oomtop)" in app.query_one("#fleet-detail", Sheet).text

    piloted(lambda now: MACHINES, test)


KEYS = [
    (binding.id, key)
    for cls in (FleetApp, MachineList)
    for binding in cls.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.split(",")
]


@pytest.mark.parametrize(("name", "key"), KEYS, ids=[f"{name}-{key}" for name, key in KEYS])
def test_every_key_does_something(monkeypatch: pytest.MonkeyPatch, name: str, key: str) -> None:
    done = []
    monkeypatch.setattr(fleet_app, "run_in_place", lambda *_: done.append("opened") or True)
    monkeypatch.setattr(fleet_app, "find_programs", lambda names: names)
    monkeypatch.setattr(FleetApp, "copy_to_clipboard", lambda self, text: done.append("copied"))
    monkeypatch.setattr(FleetApp, "exit", lambda self, *_, **__: done.append("left"))
    many = tuple(make_machine(f"m{n:02}") for n in range(60))

    def read(now: float) -> tuple[FleetMachine, ...]:
        done.append("asked")
        return many

    def look_of(app: FleetApp) -> tuple[list[str], FleetMachine | None, list[str], str, str]:
        table = app.query_one(MachineList)
        return [*done], table.machine, shown(app)[:3], app.query_one("#fleet-head", Sheet).text, repr(app.focused)

    async def test(app: FleetApp, pilot: Pilot[None]) -> None:
        # In the middle, so that every direction has room.
        app.query_one(MachineList).action_move(25)
        await pilot.pause()
        before = look_of(app)
        await pilot.press(key)
        await settled(app, pilot)
        assert look_of(app) != before

    piloted(read, test)


def test_a_failed_answer_leaves_the_last_table() -> None:
    said: list[tuple[FleetMachine, ...] | PrometheusError] = [
        MACHINES,
        PrometheusError("http://p:9090: refused"),
        MACHINES[:1],
    ]

    def read(now: float) -> tuple[FleetMachine, ...]:
        found = said.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def test(app: FleetApp, pilot: Pilot[None]) -> None:
        await pilot.press("r")
        await settled(app, pilot)
        assert "refused" in app.query_one("#fleet-head", Sheet).text
        assert shown(app) == ["b", "a", "c"]
        await pilot.press("f5")
        await settled(app, pilot)
        assert "refused" not in app.query_one("#fleet-head", Sheet).text
        assert shown(app) == ["b"]

    piloted(read, test)


def test_no_machines_says_what_is_missing() -> None:
    async def test(app: FleetApp, pilot: Pilot[None]) -> None:
        assert "no machine" in app.query_one("#fleet-titles", Sheet).text
        await pilot.press("enter", "C", "down")

    piloted(lambda now: (), test)


@pytest.mark.parametrize(
    ("host", "runs"),
    [
        ("web-01", True),
        ("fe80::1%eth0", True),
        ("-oProxyCommand=sh", False),
        ("a b", False),
        (HOSTILE, False),
        ("", False),
    ],
)
def test_enter_opens_ssh_on_hosts_alone(monkeypatch: pytest.MonkeyPatch, host: str, runs: bool) -> None:
    ran = []
    monkeypatch.setattr(fleet_app, "run_in_place", lambda app, command, shown: ran.append(command) or True)
    monkeypatch.setattr(fleet_app, "find_programs", lambda names: names)

    async def test(app: FleetApp, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        await settled(app, pilot)
        assert ran == ([("ssh", "-t", "--", host, "oomtop")] if runs else [])
        assert runs or "--host-label" in app.query_one("#fleet-head", Sheet).text

    piloted(lambda now: (replace(make_machine(), host=host),), test)


def test_without_ssh_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_app, "find_programs", lambda names: ())

    async def test(app: FleetApp, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        assert "not installed" in app.query_one("#fleet-head", Sheet).text

    piloted(lambda now: (make_machine(),), test)


def test_copying_says_what_was_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    copied = []
    monkeypatch.setattr(FleetApp, "copy_to_clipboard", lambda self, text: copied.append(text))

    async def test(app: FleetApp, pilot: Pilot[None]) -> None:
        await pilot.press("C")
        assert copied
        assert "web-01:9797 (job oomtop): up" in copied[0]

    piloted(lambda now: (make_machine(),), test)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (40, 10)])
def test_nothing_is_wider_than_the_screen(size: tuple[int, int]) -> None:
    async def test(app: FleetApp, pilot: Pilot[None]) -> None:
        for sheet in app.query(Sheet):
            assert all(len(line) <= size[0] for line in sheet.text.splitlines())

    piloted(lambda now: MACHINES, test, size)


def test_a_pipe_is_told_what_to_ask_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fleet", "--prometheus", "http://127.0.0.1:1"]) == 2
    assert "--once or --json" in capsys.readouterr().err


def test_the_address_comes_from_the_option_then_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = 200, {}, answer()
    monkeypatch.setattr("oomtop.fleet.machines.read_machines", lambda client, *_: print(client.url) or ())
    monkeypatch.setenv("OOMTOP_PROMETHEUS", "http://there:1")
    cli.run(["fleet", "--once"])
    cli.run(["fleet", "--once", "--prometheus", "http://here:2"])
    assert capsys.readouterr().out.split("\n")[0::2][:2] == ["http://there:1", "http://here:2"]
