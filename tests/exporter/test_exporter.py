"""The exporter: what it says, who gets an answer, and that nobody can hold it up."""

from __future__ import annotations

import base64
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment, CgroupFigures, Victims
from oomtop.errors import OomtopError
from oomtop.exporter import server as server_module
from oomtop.exporter.access import make_context, read_users
from oomtop.exporter.collector import LatestCollector, make_registry
from oomtop.exporter.families import label
from oomtop.exporter.group_counters import MOST, GroupCounters
from oomtop.exporter.kill_counts import MAX_GROUPS, OTHER, KillCounts
from oomtop.exporter.server import Access, MetricsServer, is_known, start_server
from oomtop.history import History
from oomtop.host.cgroup import Cgroup, CgroupEvents
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.threads import start_thread
from tests.present import present
from tests.synthetic import SyntheticMachine
from tests.tui.factories import calm_danger

OPEN = Access()
NONE = dict(KillCounts().counts())


def watched(name: str, work: Callable[[], object]) -> threading.Thread:
    return start_thread(name, work, print)


def assessed(ticks: int = 3, processes: int = 60) -> Assessment:
    history, found = History(), None
    for tick in SyntheticMachine(processes, 30).ticks(ticks, event_every=2):
        history.add(tick)
        found = assess(tick, history, found)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    return assessed()


def make_server(assessment: Assessment, access: Access = OPEN, top: int = 5) -> MetricsServer:
    collector = LatestCollector(top)
    collector.put(assessment, [("low", True)])
    return MetricsServer(("127.0.0.1", 0), make_registry(collector), access)


@pytest.fixture
def serve(assessment: Assessment) -> Iterator[Callable[..., MetricsServer]]:
    stops = []

    def start(access: Access = OPEN) -> MetricsServer:
        server = make_server(assessment, access)
        stops.append(start_server(server, watched, 0.02))
        return server

    yield start
    for stop in stops:
        stop()


def get(port: int, path: str = "/metrics", scheme: str = "http", **options: Any) -> str:
    headers = options.pop("headers", {})
    request = urllib.request.Request(f"{scheme}://127.0.0.1:{port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=8, **options) as answer:
        text: str = answer.read().decode()
        return text


def samples_of(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_figures_are_those_of_the_assessment(serve: Callable[..., MetricsServer], assessment: Assessment) -> None:
    samples = samples_of(get(serve().port))
    memory = assessment.memory
    assert samples["oomtop_memory_total_bytes", ()] == memory.total
    assert samples["oomtop_memory_available_bytes", ()] == memory.available
    parts = [value for (name, _), value in samples.items() if name == "oomtop_memory_bytes"]
    assert sum(parts) == memory.total
    assert samples["oomtop_swap_used_bytes", ()] == assessment.swap.used
    psi = (("kind", "some"), ("resource", "memory"), ("window", "10s"))
    assert samples["oomtop_pressure_ratio", psi] == present(assessment.pressure.memory).some.avg10 / 100
    assert samples["oomtop_alert_firing", (("alert", "low"),)] == 1
    assert samples["oomtop_oom_kills_total", (("cgroup", ""), ("killer", "kernel"))] == 1
    victims = [labels for (name, labels) in samples if name == "oomtop_next_victim_share_ratio"]
    assert dict(victims[0])["process"] == present(assessment.victims.first).name


def test_what_is_named_is_bounded(serve: Callable[..., MetricsServer]) -> None:
    names = [name for name, _ in samples_of(get(serve().port))]
    for name in ("process_resident_bytes", "program_bytes", "cgroup_headroom_bytes"):
        assert 1 <= names.count(f"oomtop_{name}") <= 5


def test_open_metrics_is_spoken_too(serve: Callable[..., MetricsServer]) -> None:
    text = get(serve().port, headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert text.endswith("# EOF\n")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian package prometheus)")
def test_promtool_accepts_every_name(serve: Callable[..., MetricsServer]) -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=get(serve().port), text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_hostile_names_are_harmless(assessment: Assessment) -> None:
    evil = '\x1b[31m"x"\n\u202e\udcff\\'
    row = assessment.rows[0]
    rows = (replace(row, process=replace(row.process, comm=evil, rss=1 << 50)), *assessment.rows[1:])
    groups = tuple(replace(one, name=evil * 90, cgroup=replace(one.cgroup, path=evil)) for one in assessment.cgroups)
    collector = LatestCollector(5)
    collector.put(replace(assessment, rows=rows, cgroups=groups))
    server = MetricsServer(("127.0.0.1", 0), make_registry(collector), Access())
    stop = start_server(server, watched, 0.02)
    try:
        text = get(server.port)
    finally:
        stop()
    assert "\x1b" not in text
    assert "\u202e" not in text
    samples = samples_of(text)
    assert any(dict(labels).get("process", "").startswith('?[31m"x"') for _, labels in samples)


def test_before_the_first_sample_there_is_nothing_to_say() -> None:
    assert list(LatestCollector(5).collect()) == []


def test_families_are_made_once_a_tick(assessment: Assessment) -> None:
    collector = LatestCollector(5)
    collector.put(assessment)
    assert collector.collect() is collector.collect()


def test_only_metrics_is_served(serve: Callable[..., MetricsServer]) -> None:
    port = serve().port
    assert "/metrics" in get(port, "/")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(port, "/etc/passwd")


def test_health_needs_no_password_and_says_whether_samples_come(
    serve: Callable[..., MetricsServer], assessment: Assessment
) -> None:
    collector = LatestCollector(5)
    port = serve(Access(users={"a": "b"}, is_fresh=lambda: collector.is_fresh(60))).port
    for path in ("/-/healthy", "/-/ready"):
        with pytest.raises(urllib.error.HTTPError, match="503"):
            get(port, path)
    collector.put(assessment)
    assert get(port, "/-/healthy") == get(port, "/-/ready") == "ok\n"
    assert not collector.is_fresh(-1)


def test_the_exporter_tells_its_own_cpu_and_memory(serve: Callable[..., MetricsServer]) -> None:
    samples = samples_of(get(serve().port))
    assert samples["process_resident_memory_bytes", ()] > 1 << 20
    assert samples["process_cpu_seconds_total", ()] > 0


def test_password(serve: Callable[..., MetricsServer]) -> None:
    port = serve(Access(users={"prom": "s3cr:et"})).port
    code = base64.b64encode(b"prom:s3cr:et").decode()
    assert "oomtop_" in get(port, headers={"Authorization": f"Basic {code}"})
    for wrong in ("", "Basic", "Basic !!!", f"Bearer {code}", "Basic " + base64.b64encode(b"prom:no").decode()):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            get(port, headers={"Authorization": wrong})


def test_a_header_that_is_no_text_knows_nobody() -> None:
    assert not is_known("Basic " + base64.b64encode(b"\xff:\xfe").decode(), {"a": "b"})
    assert not is_known("Basic " + base64.b64encode(b"a").decode(), {"a": ""})


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [
        ("a:b\n", 0o644, "chmod 600"),
        ("ab\n", 0o600, "line 1: expected user:password"),
        ("# no\n", 0o600, "at least one"),
    ],
)
def test_a_wrong_password_file_says_what_is_wrong(tmp_path: Path, text: str, mode: int, expected: str) -> None:
    path = tmp_path / "users"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(OomtopError, match=expected):
        read_users(str(path))


def test_passwords_are_read(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("# scrapers\nprom:a:b\n\n")
    path.chmod(0o600)
    assert read_users(str(path)) == {"prom": "a:b"}


def test_tls_with_and_without_a_client_certificate(
    serve: Callable[..., MetricsServer], certificate: tuple[str, str]
) -> None:
    cert, key = certificate
    trusting = ssl.create_default_context(cafile=cert)
    assert "oomtop_" in get(serve(Access(make_context(cert, key, None))).port, scheme="https", context=trusting)
    port = serve(Access(make_context(cert, key, cert))).port
    with pytest.raises((urllib.error.URLError, OSError)):
        get(port, scheme="https", context=trusting)
    trusting.load_cert_chain(cert, key)
    assert "oomtop_" in get(port, scheme="https", context=trusting)


def test_a_client_that_never_shakes_hands_holds_up_nobody(
    serve: Callable[..., MetricsServer], certificate: tuple[str, str]
) -> None:
    cert, key = certificate
    port = serve(Access(make_context(cert, key, None))).port
    with closing(socket.create_connection(("127.0.0.1", port))):
        assert "oomtop_" in get(port, scheme="https", context=ssl.create_default_context(cafile=cert))


@pytest.mark.parametrize(("text", "reason"), [(None, "No such file or directory$"), ("x", "PEM")])
def test_a_certificate_that_cannot_be_loaded_is_named(tmp_path: Path, text: str | None, reason: str) -> None:
    path = tmp_path / "cert"
    if text is not None:
        path.write_text(text)
    with pytest.raises(OomtopError, match=f"{path}: cannot load certificate and key: .*{reason}"):
        make_context(str(path), str(path), None)


@pytest.mark.parametrize(("text", "reason"), [(None, "No such file or directory$"), ("x", "certificate")])
def test_certificates_of_clients_that_cannot_be_loaded_are_named(
    tmp_path: Path, certificate: tuple[str, str], text: str | None, reason: str
) -> None:
    path = tmp_path / "ca"
    if text is not None:
        path.write_text(text)
    own, key = certificate
    with pytest.raises(OomtopError, match=f"{path}: cannot load CA certificates: .*{reason}"):
        make_context(own, key, str(path))


def test_whoever_is_oldest_makes_room(serve: Callable[..., MetricsServer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MAX_CLIENTS", 4)
    port = serve().port
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(12)]
    assert "oomtop_" in get(port)
    assert silent[0].recv(1) == b""
    for one in silent:
        one.close()


def test_a_byte_now_and_then_buys_no_time(serve: Callable[..., MetricsServer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "SECONDS", 0.2)
    with closing(socket.create_connection(("127.0.0.1", serve().port), timeout=8)) as slow:
        slow.sendall(b"GET /met")
        assert slow.recv(1) == b""


def test_many_clients_beside_one_that_never_reads(serve: Callable[..., MetricsServer]) -> None:
    server = serve()
    threads = threading.active_count()
    with closing(socket.create_connection(("127.0.0.1", server.port))) as deaf:
        deaf.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        answers: list[int] = []
        clients = [
            threading.Thread(target=lambda: answers.extend(get(server.port).count("\n") for _ in range(10)))
            for _ in range(8)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    assert len(answers) == 80
    assert len(set(answers)) == 1
    assert threading.active_count() <= threads + 2


def event(pid: int, group: str | None = None, others: int = 0, **more: Any) -> OomEvent:
    victims = tuple(Victim(pid + 1 + n, "x") for n in range(others))
    return OomEvent(
        "kernel", "memcg", 5.0, victim=Victim(pid, "a", total_vm=pid), other_victims=victims, oom_memcg=group, **more
    )


def test_a_kill_told_twice_counts_once_and_a_fuller_one_adds() -> None:
    counts = KillCounts()
    counts.add([event(1, "/a")])
    counts.add([event(1, "/a"), event(2, "/b")])
    counts.add([event(1, "/a", others=2)])
    assert dict(counts.counts()) == {**NONE, ("kernel", "/a"): 3, ("kernel", "/b"): 1}
    assert counts.last == 5.0


def test_groups_without_end_become_one() -> None:
    counts = KillCounts()
    counts.add([event(n, f"/g{n}") for n in range(500)])
    found = dict(counts.counts())
    assert len(found) <= MAX_GROUPS + 1
    assert sum(found.values()) == 500
    assert found["kernel", OTHER] > 400


def test_limited_groups_have_a_count_before_their_first_kill() -> None:
    counts = KillCounts()
    counts.expect(["/a", "/a", "/b\x1b"])
    assert dict(counts.counts()) == {**NONE, ("kernel", "/a"): 0, ("kernel", "/b?"): 0}
    counts.expect(f"/{number}" for number in range(1000))
    assert len(counts.counts()) == MAX_GROUPS // 2


def test_no_series_begins_above_0_once_it_is_scraped() -> None:
    counts = KillCounts()
    before = dict(counts.counts())
    for number in range(200):
        counts.add([event(number, f"/pod{number % 60}")])
        now = dict(counts.counts())
        assert all(now[series] == 0 for series in now.keys() - before.keys())
        assert sum(now.values()) == number + 1
        before = now


def limited(path: str, kills: int, free: int = 1 << 20) -> CgroupFigures:
    group = Cgroup(path, 1 << 20, max=2 << 20, events=CgroupEvents(high=kills, max=kills, oom_kill=kills))
    return CgroupFigures(group, path.strip("/"), 2 << 20, free, None, Victims())


def counted(counters: GroupCounters, name: str = "oom_kills") -> dict[str, float]:
    for family in list(counters.families()):
        if family.name == f"oomtop_cgroup_{name}":
            return {sample.labels["cgroup"]: sample.value for sample in family.samples}
    raise AssertionError(name)


def test_the_counters_of_groups_begin_at_0_rank_nobody_out_and_end() -> None:
    counters = GroupCounters()
    counters.put([limited("/old", 5)])
    assert counted(counters) == {"/old": 5}
    crowd = [limited(f"/full{number}", 0, free=0) for number in range(100)]
    counters.put([limited("/old", 6), limited("/new", 2), *crowd])
    first = counted(counters)
    assert (first["/old"], first["/new"], len(first)) == (6, 0, 102)
    assert counted(counters)["/new"] == 2
    counters.put([limited("/new", 3)])
    assert counted(counters) == {"/new": 3}
    assert counted(counters, "high_events") == {"/new": 3}


def test_the_counters_of_groups_are_bounded() -> None:
    counters = GroupCounters()
    counters.put(limited(f"/{number}", 1) for number in range(3000))
    assert len(counted(counters)) == MOST


def test_series_of_groups_that_are_gone_make_room() -> None:
    counts = KillCounts()
    for number in range(60):
        counts.expect([f"/pod{number}"])
        counts.add([event(number, f"/pod{number}")], now=number * 600.0)
        counts.counts()
        counts.expire([f"/pod{number}"], now=number * 600.0)
    found = dict(counts.counts())
    assert ("kernel", "/pod59") in found
    assert ("kernel", "/pod3") not in found
    assert len(found) < MAX_GROUPS


def test_the_last_kill_has_a_name() -> None:
    counts = KillCounts()
    assert counts.last_kill() == ()
    counts.add([event(7, "/a")])
    assert counts.last_kill() == ((("kernel", "/a", "a", "7"), 1.0),)


def test_a_long_path_keeps_its_end() -> None:
    one, other = (label("/kubepods.slice/" + "x" * 300 + end) for end in ("-a.scope", "-b.scope"))
    assert one != other
    assert len(one) == len(other) == 200


def test_every_group_has_one_label_cgroup_in_all_families(assessment: Assessment) -> None:
    collector = LatestCollector(5)
    row = replace(assessment.rows[0], process=replace(assessment.rows[0].process, cgroup="/web", rss=1 << 50))
    full = calm_danger("/web", 60.0)
    collector.put(replace(assessment, rows=(row,), cgroups=(limited("/web", 1),), dangers=(full,)))
    with_group = {
        family.name
        for family in collector.collect()
        for sample in family.samples
        if sample.labels.get("cgroup") == "/web"
    }
    for name in ("process_resident_bytes", "exhaustion_latest_seconds", "danger_info", "cgroup_headroom_bytes"):
        assert f"oomtop_{name}" in with_group
    assert {"oomtop_cgroup_oom_kills", "oomtop_oom_kills"} <= with_group
