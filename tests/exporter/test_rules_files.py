"""The Prometheus files that ship: promtool accepts them, and every metric they name is one that is served."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from oomtop.analysis.model.assessment import (
    CgroupFigures,
    PressureFigures,
    Victims,
)
from oomtop.exporter.families import families
from oomtop.host.cgroup import Cgroup
from oomtop.host.pressure import Pressure, PressureLine
from oomtop.units import GIB
from tests.tui.factories import calm_danger, make_assessment, make_row

# What the collector adds: kills by the events of the log, and the alerts of the configuration.
EVENTFUL = {"oomtop_oom_kills_total": {"killer", "cgroup"}, "oomtop_alert_firing": {"alert"}}
FOLDER = Path(__file__).parents[2] / "packaging" / "prometheus"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian package prometheus)")
@pytest.mark.parametrize(
    "words",
    [
        ("check", "rules", "oomtop.rules.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "oomtop.rules.test.yml"),
    ],
)
def test_promtool_accepts(words):
    done = subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_of_the_rules_is_served():
    served = (FOLDER.parents[1] / "oomtop" / "exporter" / "families.py").read_text()
    pattern = re.compile(r"(?<![\w:-])oomtop_(\w+)")
    expressions = [line for line in (FOLDER / "oomtop.rules.yml").read_text().splitlines() if "expr:" in line]
    named = {name for line in expressions for name in pattern.findall(line)}
    assert len(named) > 5
    for name in named:
        stem = re.sub(r"^(memory|swap|exhaustion|cgroup)_|_total$", "", name)
        assert stem in served or re.sub(r"_bytes$", "", stem) in served, name


def _dashboard():
    return json.loads((FOLDER.parent / "grafana" / "oomtop.json").read_text())


def _queries():
    return [target["expr"] for panel in _dashboard()["panels"] for target in panel["targets"]]


def test_the_dashboard_is_what_its_maker_makes(tmp_path):
    made = tmp_path / "oomtop.json"
    subprocess.run([sys.executable, FOLDER.parent / "grafana" / "make.py", made], check=True)
    assert json.loads(made.read_text()) == _dashboard()


def test_no_panel_of_the_dashboard_covers_another():
    taken = set()
    for panel in _dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian package prometheus)")
def test_promtool_accepts_every_query_of_the_dashboard(tmp_path):
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "1m").replace("$instance", ".*")}
        for number, query in enumerate(_queries())
    ]
    # JSON is YAML as well.
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_and_label_of_the_dashboard_is_served():
    limited = CgroupFigures(Cgroup("/a", GIB, max=2 * GIB), "a", 2 * GIB, GIB, None, Victims())
    line = PressureLine(0.1, 0.1, 0.1, 1000)
    stalls = PressureFigures(Pressure(line, line), None, 0.0, 0.0, 0.0, 0, None)
    now = make_assessment(
        (make_row(growth=1e6),), cgroups=(limited,), dangers=(calm_danger("RAM", 1000.0),), pressure=stalls
    )
    served = {}
    for family in families(now, 10):
        for sample in family.samples:
            served.setdefault(sample.name, set()).update(sample.labels)
    for query in _queries():
        for name in re.findall(r"oomtop_\w+", query):
            assert name in served | EVENTFUL, name
    for panel in _dashboard()["panels"]:
        for target in panel["targets"]:
            metrics = re.findall(r"oomtop_\w+", target["expr"])
            known = {"instance"}.union(*(served.get(name, EVENTFUL.get(name, set())) for name in metrics))
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= known, panel["title"]
