"""Every `--json` is held against its schema, in which every field has to be described, and the documents against both."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oomtop.alerts.notice import Notice, write_letter
from oomtop.analysis.assessment import assess
from oomtop.analysis.dangers.backtest import Backtest
from oomtop.analysis.model.assessment import Assessment, FiringAlert, Severity
from oomtop.config.alerts import AlertRule
from oomtop.fleet.machines import FleetGroup, FleetMachine, FleetShortage, NextVictim
from oomtop.history import History
from oomtop.oomlog.scan import scan_lines
from oomtop.render.assessment_json import assessment_to_json
from oomtop.render.backtest import backtest_to_json
from oomtop.render.events_json import events_text
from oomtop.render.fleet_json import machines_to_json
from tests.analysis.dangers.test_backtest import judged
from tests.docs.reference import ORDER, ROOT, SCHEMAS, json_reference, metrics_reference
from tests.synthetic import SyntheticMachine
from tests.tui.factories import make_assessment

jsonschema = pytest.importorskip("jsonschema")
LOGS = sorted((ROOT / "tests" / "fixtures" / "events").glob("*.log"))


def strict(schema: Any) -> Any:
    """Return the schema with nothing allowed that it does not describe."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    more = {"additionalProperties": False} if isinstance(schema.get("properties"), dict) else {}
    return {name: strict(part) for name, part in schema.items()} | more


def hold(name: str, said: dict[str, Any]) -> None:
    """Fail unless `said` is what the schema of this name describes, and JSON that every reader takes."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(said, allow_nan=False)
    jsonschema.Draft202012Validator(strict(schema)).validate(json.loads(text))


def run(*words: str) -> dict[str, Any]:
    """Return what a command prints as JSON; doctor exits with 6 where it finds a risk."""
    done = subprocess.run([sys.executable, "-m", "oomtop", *words], capture_output=True, text=True)
    assert done.returncode in (0, 6), done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def assessments() -> Iterator[Assessment]:
    history, found = History(), None
    for tick in SyntheticMachine(80, 30).ticks(12, event_every=4):
        history.add(tick)
        found = assess(tick, history, found)
        yield found


def test_the_machine() -> None:
    for found in assessments():
        hold("top", assessment_to_json(found))
    hold("top", assessment_to_json(make_assessment()))
    hold("top", assessment_to_json(make_assessment(0)))
    hold("top", run("top", "--json", "--samples", "2", "--interval", "0.1", "-n", "5"))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.name)
def test_the_events(path: Path) -> None:
    events = list(scan_lines(path.read_text(errors="replace").splitlines(), path.name))
    hold("events", json.loads("".join(events_text(events))))


def test_a_backtest() -> None:
    backtest = Backtest()
    for found in assessments():
        backtest.take(found)
    hold("backtest", backtest_to_json(backtest.result()))
    hold("backtest", backtest_to_json(judged().result()))


def test_the_commands() -> None:
    hold("events", run("events", "--json", str(LOGS[0])))
    hold("doctor", run("doctor", "--json"))
    hold("settings", run("sysctl", "--json"))
    hold("check", run("check", "--available", "0", "--json"))
    hold("headroom", run("headroom", "1M", "--json"))
    hold("top", run("top", "--json", "--samples", "1", "--group", "user"))
    hold("config", run("config", "check", "--json"))
    hold("recommend", run("recommend", "--json", "--samples", "2", "--interval", "0.1"))


def test_the_fleet() -> None:
    empty = FleetMachine(
        "", "", "", False, None, None, None, None, None, None, None, None, None, None, None, None, (), None, ()
    )
    full = FleetMachine(
        "oomtop", "a:9797", "a", True, 8.0, 2.0, 4.0, 1.0, 0.5, 0.25, FleetShortage("RAM", 60.0, 50.0, None),
        FleetGroup("/x", 7.0, None), NextVictim("java", "api", "7", 0.4, None), 1.5, time.time(), "/x", ("low",),
        time.time(), ((1.0, 0.5), (2.0, 0.25)),
    )  # fmt: skip
    hold("fleet", machines_to_json([empty, full], "http://p:9090", time.time()))


def test_the_body_of_an_alert() -> None:
    event = next(iter(scan_lines(LOGS[0].read_text().splitlines(), "log")))
    for found in assessments():
        for is_firing, said, value in ((True, event, None), (False, None, 0.5)):
            alert = FiringAlert("low", Severity.WARNING, "", "available < 5%", found.time - 60, value)
            notice = Notice(AlertRule("low", ()), alert, "low@1", is_firing, found.time, said, 2)
            hold("alert", json.loads(write_letter(notice, found).body))


def test_every_schema_is_shipped_and_named() -> None:
    assert {path.stem for path in SCHEMAS.glob("*")} == set(ORDER)
    for command in Path(ROOT, "oomtop", "commands").glob("*.py"):
        if '"--json"' in command.read_text():
            assert {"consent": "action"}.get(command.stem, command.stem) in ORDER, command


def test_every_field_is_described() -> None:
    for name in ORDER:
        schema = json.loads((SCHEMAS / f"{name}.json").read_text())
        for part in (schema, *schema.get("$defs", {}).values()):
            assert set(part["required"]) == set(part["properties"]), name
            assert all("description" in spec for spec in part["properties"].values()), name


@pytest.mark.parametrize(("document", "made"), [("json.md", json_reference), ("metrics.md", metrics_reference)])
def test_the_documents_are_what_make_docs_makes(document: str, made: Callable[[], str]) -> None:
    assert (ROOT / "docs" / document).read_text() == made(), "run make docs"
