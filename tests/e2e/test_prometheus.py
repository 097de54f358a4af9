"""A real Prometheus with the rules that ship: it scrapes exporters, a drill fires the alert, `fleet` shows it all."""

import json
import math
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import TypeVar

import pytest

from oomtop.analysis.model.assessment import Assessment, CgroupFigures, PressureFigures, Victims
from oomtop.exporter.collector import LatestCollector, make_registry
from oomtop.exporter.server import Access, MetricsServer, start_server
from oomtop.fleet.machines import FleetMachine, read_machines
from oomtop.fleet.prometheus import Prometheus, PrometheusError
from oomtop.host.cgroup import Cgroup, find_layout
from oomtop.host.pressure import Pressure, PressureLine
from oomtop.host.root import Root
from oomtop.threads import start_thread
from oomtop.units import GIB, MIB
from tests.present import present
from tests.tui.factories import calm_danger, make_assessment, make_process, make_row

Found = TypeVar("Found")
RULES = Path(__file__).parents[2] / "packaging" / "prometheus" / "oomtop.rules.yml"
LAYOUT = find_layout(Root())
pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus (Debian package prometheus)")


def watched(name: str, work: Callable[[], object]) -> Thread:
    return start_thread(name, work, print)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def prometheus(folder: Path, targets: list[str] | dict[str, str]) -> Iterator[str]:
    """Run one that scrapes these addresses every second, under other names where they have one; with our rules."""
    port = free_port()
    named = targets.items() if isinstance(targets, dict) else ((target, target) for target in targets)
    static = [{"targets": [address], "labels": {"instance": name}} for name, address in named]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "oomtop", "static_configs": static}],
    }
    # JSON is YAML as well.
    (folder / "prometheus.yml").write_text(json.dumps(config))
    words = (f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data")
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        ["prometheus", *words, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=subprocess.STDOUT
    )
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/-/ready"), 30)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        log.close()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            status: int = answer.status
            return status == 200
    except OSError:
        return False


def until(condition: Callable[[], Found], seconds: float) -> Found:
    """Wait for something to be true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    pytest.fail(f"not true within {seconds} s")


@contextmanager
def exporting(assessment: Assessment) -> Iterator[str]:
    """Serve an assessment as an exporter does."""
    collector = LatestCollector(10)
    collector.put(assessment)
    server = MetricsServer(("127.0.0.1", 0), make_registry(collector), Access())
    stop = start_server(server, watched, 0.05)
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        stop()


def machine(name: str, seconds: float | None = None, full: float = 0.0, headroom: int = GIB) -> Assessment:
    """Return the assessment of a machine that is full in `seconds`."""
    danger = calm_danger("RAM", seconds, held=14 * GIB)
    line = PressureLine(full * 2, full, full, 1000)
    pressure = Pressure(line, PressureLine(full, full, full, 1000))
    group = CgroupFigures(Cgroup(f"/app/{name}", GIB, max=2 * GIB), name, 2 * GIB, headroom, None, Victims())
    return make_assessment(
        (make_row(make_process(7, name, rss=3 * GIB), growth=1e6),),
        cgroups=(group,),
        dangers=(danger,),
        pressure=PressureFigures(pressure, None, 0.0, 0.0, 0.0, 0, None),
        time=time.time(),
    )


def fleet(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "oomtop", "fleet", "--prometheus", url, *words], capture_output=True, text=True
    )


def test_three_exporters_with_different_facts_are_three_rows(tmp_path: Path) -> None:
    with ExitStack() as stack:
        calm = stack.enter_context(exporting(machine("calm")))
        soon = stack.enter_context(exporting(machine("soon", seconds=240.0, headroom=MIB)))
        slow = stack.enter_context(exporting(machine("slow", full=40.0)))
        gone = f"127.0.0.1:{free_port()}"
        url = stack.enter_context(prometheus(tmp_path, [calm, soon, slow, gone]))
        client = Prometheus(url)

        def all_seen() -> tuple[FleetMachine, FleetMachine, FleetMachine] | None:
            found = read_machines(client, time.time())
            return found if len(found) == 3 and all(machine.history for machine in found) else None

        machines = present(until(all_seen, 90))
        # The target that never answered is no machine of oomtop's; the order is that of need.
        assert [machine.instance for machine in machines] == [soon, slow, calm]
        first, second, third = machines
        assert (present(first.shortage).resource, present(first.shortage).seconds) == ("RAM", 240.0)
        assert (present(first.worst).path, present(first.worst).headroom, present(first.worst).limit) == (
            "/app/soon",
            MIB,
            2 * GIB,
        )
        assert (present(first.victim).name, present(first.victim).pid) == ("soon", "7")
        assert second.full == pytest.approx(0.4)
        assert second.shortage is None
        assert third.available_share == pytest.approx(third.history[-1][1])
        assert all(machine.up and machine.host == "127.0.0.1" for machine in machines)
        done = fleet(url, "--json")
        assert done.returncode == 0, done.stderr
        assert [each["instance"] for each in json.loads(done.stdout)["machines"]] == [soon, slow, calm]
        lines = fleet(url, "--once").stdout.splitlines()
        assert len(lines) == 4
        assert "4m00s" in lines[1]
        assert "soon" in lines[1]
        assert [m.instance for m in read_machines(client, time.time(), f'instance="{slow}"')] == [slow]
        with pytest.raises(PrometheusError, match=r"HTTP 400: .*parse error"):
            client.query("oomtop_{")


@pytest.mark.skipif(
    LAYOUT is None or os.geteuid() != 0 or not os.access(LAYOUT.memory_mount, os.W_OK), reason="may not make a cgroup"
)
def test_a_drill_fires_the_alert_and_the_fleet_shows_it(tmp_path: Path) -> None:
    port = free_port()
    exporter = subprocess.Popen(
        [sys.executable, "-m", "oomtop", "exporter", "--listen", f"127.0.0.1:{port}", "--interval", "1"],
        stderr=subprocess.DEVNULL,
    )
    try:
        with prometheus(tmp_path, [f"127.0.0.1:{port}"]) as url:
            client = Prometheus(url)
            until(lambda: [m for m in read_machines(client, time.time()) if m.kills is not None], 60)
            drill = [sys.executable, "-m", "oomtop", "drill", "surge", "--size", "200M", "--yes", "--json"]
            said = json.loads(subprocess.run(drill, capture_output=True, text=True, check=True).stdout)
            assert said["end"] == "killed"

            def fired() -> FleetMachine | None:
                (found,) = read_machines(client, time.time())
                return found if "OomtopKill" in found.alerts and found.last_kill else None

            found = until(fired, 60)
            assert present(present(found).kills) > 0
            assert time.time() - present(present(found).last_kill) < 90
            assert not math.isinf(present(present(found).last_kill))
            assert "ALERT" in fleet(url, "--once").stdout
            exporter.terminate()
            exporter.wait()
            down = until(lambda: [m for m in read_machines(client, time.time()) if not m.up], 60)
            assert down[0].instance == f"127.0.0.1:{port}"
            assert "DOWN" in fleet(url, "--once").stdout
    finally:
        exporter.kill()
        exporter.wait()
