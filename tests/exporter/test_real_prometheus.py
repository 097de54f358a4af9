"""A recording, scraped into a real Prometheus: its queries are answered there, those of the dashboard and the fleet too."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric

from oomtop.analysis.assessment import assess
from oomtop.exporter.collector import LatestCollector
from oomtop.fleet.machines import queries
from oomtop.history import History
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.recording.reader import Recording
from oomtop.snapshot import Tick

ROOT = Path(__file__).parents[2]
RULES = ROOT / "packaging/prometheus/oomtop.rules.yml"
pytestmark = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")), reason="no prometheus (Debian package prometheus)"
)
STEP = 15.0
LABELS = 'instance="recorded:9797",job="oomtop"'


def scrapes() -> Iterator[tuple[float, tuple[Metric, ...]]]:
    """Yield (time, families) of the recording, as if it was scraped every 15 s, and killed in by a daemon at its end."""
    recording, history, found, collector = Recording(str(ROOT / "tests/fixtures/recording-1.db")), History(), None, None
    total = len(recording.moments)
    for place, snapshot in recording.read(0, total):
        at = snapshot.time
        late = place > total // 2
        kill = OomEvent("earlyoom", "process", at, outcome="killed", victim=Victim(77, "java", total_vm=1))
        tick = Tick(snapshot, (kill,) if late and place % 40 == 0 else ())
        history.add(tick)
        found = assess(tick, history, found)
        collector = collector or LatestCollector(10)
        collector.put(found, [("low", True)])
        yield place * STEP, tuple(collector.collect())
    recording.close()


def open_metrics(start: float) -> tuple[str, float]:
    """Return all scrapes in the text format of OpenMetrics: the samples of a metric together, each with its time."""
    lines: dict[str, dict[str, list[str]]] = {}
    heads = {}
    for offset, families in scrapes():
        for family in families:
            suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
            heads[family.name] = family.type
            for sample in family.samples:
                if sample.name == family.name + suffix:
                    inside = ",".join([LABELS, *(f"{key}={json.dumps(value)}" for key, value in sample.labels.items())])
                    row = f"{sample.name}{{{inside}}} {sample.value} {start + offset:.3f}"
                    lines.setdefault(family.name, {}).setdefault(inside, []).append(row)
        lines.setdefault("up", {}).setdefault("", []).append(f"up{{{LABELS}}} 1 {start + offset:.3f}")
    heads["up"] = "gauge"
    text = "".join(
        f"# TYPE {name} {heads[name]}\n" + "".join(f"{row}\n" for rows in series.values() for row in rows)
        for name, series in lines.items()
    )
    return text + "# EOF\n", offset


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """Return what answers a query at the end of the recording."""
    folder = tmp_path_factory.mktemp("prometheus")
    start = float(int(time.time()) - 6 * 3600)
    text, length = open_metrics(start)
    (folder / "samples.txt").write_text(text)
    words = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder / "prometheus.yml").write_text("global: {}\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    words = [
        "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
    ]  # fmt: skip
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(words, cwd=folder, stderr=log)
    try:
        wait_until_ready(port, server, folder / "log")
        yield lambda query: ask(port, query, start + length)
    finally:
        server.terminate()
        server.wait()


def wait_until_ready(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    pytest.skip(f"prometheus did not start: {log.read_text()[-300:]}")


def ask(port: int, query: str, when: float) -> list[dict[str, Any]]:
    words = urllib.parse.urlencode({"query": query, "time": when})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{words}", timeout=30) as answer:
        said = json.load(answer)
    assert said["status"] == "success"
    result: list[dict[str, Any]] = said["data"]["result"]
    return result


# A recorded calm machine has none of these, and then there is no answer: (what names the query, why).
MAY_BE_EMPTY = (
    "exhaustion_",
    "growth_bytes_per_second",
    "ALERTS",
    "cgroup_",
    "kernel_oom_kills_total",
    "next_victim",
)


def test_every_query_of_the_dashboard_is_answered(prometheus: Callable[[str], list[dict[str, Any]]]) -> None:
    dashboard = json.loads((ROOT / "packaging/grafana/oomtop.json").read_text())
    panels = dashboard["panels"]
    texts = [target["expr"] for panel in panels for target in panel["targets"]]
    texts += [mark["expr"] for mark in dashboard["annotations"]["list"]]
    assert len(texts) > 10
    for text in texts:
        result = prometheus(text.replace("$__rate_interval", "1h").replace("$instance", ".*"))
        assert result or any(name in text for name in MAY_BE_EMPTY), text


def test_every_query_of_the_fleet_is_answered(prometheus: Callable[[str], list[dict[str, Any]]]) -> None:
    for name, query in queries('job="oomtop"').items():
        assert prometheus(query) or any(part in query for part in MAY_BE_EMPTY), name


def test_every_rule_can_be_evaluated(prometheus: Callable[[str], list[dict[str, Any]]]) -> None:
    expressions = re.findall(r"expr: (.+)", RULES.read_text())
    assert len(expressions) > 10
    for expression in expressions:
        prometheus(expression)


def test_kills_by_a_daemon_are_an_increase(prometheus: Callable[[str], list[dict[str, Any]]]) -> None:
    killed = prometheus('round(sum(increase(oomtop_oom_kills_total{killer="earlyoom"}[1d])))')
    assert [int(each["value"][1]) for each in killed] >= [1]
    last = prometheus("oomtop_last_oom_kill_info")
    assert {each["metric"]["process"] for each in last} == {"java"}


def test_groups_join_on_their_label(prometheus: Callable[[str], list[dict[str, Any]]]) -> None:
    joined = "oomtop_cgroup_headroom_bytes / on (instance, cgroup) group_left oomtop_cgroup_limit_bytes"
    assert len(prometheus(joined)) == len(prometheus("oomtop_cgroup_headroom_bytes"))
