"""The Prometheus files that ship: promtool accepts them, and every metric they name is one that is served."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.reference import served

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
def test_promtool_accepts(words: tuple[str, str, str]) -> None:
    done = subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_of_the_rules_is_served() -> None:
    expressions = re.findall(r"expr: (.+)", (FOLDER / "oomtop.rules.yml").read_text())
    named = {name for text in expressions for name in re.findall(r"(?<![\w:-])oomtop_\w+", text)}
    assert len(named) > 5
    assert named <= {name for name, *_ in served()}


ALERT = re.compile(r"- alert: (\w+)\n(.*?)(?=\n      - alert|\Z)", re.DOTALL)


def test_every_alert_has_its_place_in_the_runbook_and_its_test() -> None:
    runbook = (FOLDER.parents[1] / "docs/runbook.md").read_text()
    tests = (FOLDER / "oomtop.rules.test.yml").read_text()
    alerts = ALERT.findall((FOLDER / "oomtop.rules.yml").read_text())
    assert len(alerts) >= 10
    for name, text in alerts:
        assert f"docs/runbook.md#{name.lower()}\n" in text + "\n", name
        assert f"\n## {name}\n" in runbook, name
        # Once where it fires, once where it does not yet.
        assert len(re.findall(rf"alertname: {name}\n +exp_alerts:\n", tests)) >= 1, name
        assert f"alertname: {name}\n        exp_alerts: []" in tests, name


def _dashboard() -> dict[str, Any]:
    said: dict[str, Any] = json.loads((FOLDER.parent / "grafana" / "oomtop.json").read_text())
    return said


def _queries() -> list[str]:
    return [target["expr"] for panel in _dashboard()["panels"] for target in panel["targets"]]


def test_the_dashboard_is_what_its_maker_makes(tmp_path: Path) -> None:
    made = tmp_path / "oomtop.json"
    subprocess.run([sys.executable, FOLDER.parent / "grafana" / "make.py", made], check=True)
    assert json.loads(made.read_text()) == _dashboard()


@pytest.mark.packages
def test_the_dashboard_is_what_grafana_takes() -> None:
    """Grafana's own types read it and lose nothing but what of an annotation is the data source's."""
    pytest.importorskip("grafana_foundation_sdk")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard

    ours = _dashboard()
    theirs = json.loads(JSONEncoder().encode(Dashboard.from_json(ours)))
    of_prometheus = {"useValueForTime", "step", "titleFormat", "textFormat"}
    for mark in ours["annotations"]["list"]:
        assert mark.keys() >= of_prometheus
        for name in of_prometheus:
            del mark[name]
    assert {path: value for path, value in leaves(ours) if (path, value) not in set(leaves(theirs))} == {}


def leaves(data: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every value."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, f"{path}/{key}")
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from leaves(value, f"{path}/{number}")
    else:
        yield path, repr(data)


def test_no_panel_of_the_dashboard_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
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
def test_promtool_accepts_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "1m").replace("$instance", ".*")}
        for number, query in enumerate(_queries())
    ]
    # JSON is YAML as well.
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_and_label_of_the_dashboard_is_served() -> None:
    labels_of = {name: {"instance", *labels} for name, _, labels, _ in served()}
    for query in _queries():
        assert set(re.findall(r"oomtop_\w+", query)) <= labels_of.keys()
    for panel in _dashboard()["panels"]:
        for target in panel["targets"]:
            known = set().union(*(labels_of[name] for name in re.findall(r"oomtop_\w+", target["expr"])))
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= known, panel["title"]
