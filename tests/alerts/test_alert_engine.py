"""When an alert fires and when it is over: for, hysteresis, unknown figures, things that go, OOM events."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from oomtop.alerts.engine import MOST_INCIDENTS, AlertEngine
from oomtop.alerts.notice import write_letter
from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment, Finding
from oomtop.config.alerts import AlertRule
from oomtop.config.load import Config, apply_table
from oomtop.config.toml_text import loads
from oomtop.history import History
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.render.assessment_json import assessment_to_json
from tests.present import present
from tests.synthetic import SyntheticMachine
from tests.tui.factories import calm_danger

GIB = 1 << 30


def rules(text: str) -> tuple[AlertRule, ...]:
    config, errors = apply_table(Config(), loads(text), "test")
    assert not errors
    return config.alerts


def engine(when: str | list[str], **keys: str) -> AlertEngine:
    extra = "".join(f"\n{key.rstrip('_')} = {json.dumps(value)}" for key, value in keys.items())
    return AlertEngine(rules(f'[[alert]]\nname = "a"\nwhen = {json.dumps(when)}{extra}'))


@pytest.fixture(scope="module")
def base() -> Assessment:
    history, found = History(), None
    for tick in SyntheticMachine(40, 20).ticks(3):
        history.add(tick)
        found = assess(tick, history, found)
    found = present(found)
    return replace(found, memory=replace(found.memory, total=100 * GIB, available=50 * GIB), events=())


def at(base: Assessment, seconds: int, **changes: Any) -> Assessment:
    memory = {name: changes.pop(name) for name in ("available", "total") if name in changes}
    return replace(
        base,
        time=base.time + seconds,
        monotonic=base.monotonic + seconds,
        memory=replace(base.memory, **memory),
        **changes,
    )


def states(engine: AlertEngine, *assessments: Assessment) -> list[list[str]]:
    return [[notice.state for notice in engine.judge(one)] for one in assessments]


def test_for_and_hysteresis(base: Assessment) -> None:
    one = engine("available < 10%", clear="20%", for_="10s", clear_for="4s")
    told = states(
        one,
        at(base, 0, available=9 * GIB),
        at(base, 5, available=50 * GIB),  # a dip shorter than `for`
        at(base, 10, available=9 * GIB),
        at(base, 20, available=8 * GIB),  # fires
        at(base, 30, available=7 * GIB),  # once
        at(base, 40, available=15 * GIB),  # above the threshold, below the clear one
        at(base, 50, available=25 * GIB),  # over, not yet for 4 s
        at(base, 52, available=5 * GIB),  # back
        at(base, 60, available=25 * GIB),
        at(base, 65, available=25 * GIB),  # over
        at(base, 70, available=25 * GIB),
    )
    assert told == [[], [], [], ["firing"], [], [], [], [], [], ["resolved"], []]


def test_what_is_not_known_changes_nothing(base: Assessment) -> None:
    one = engine("available < 10%")
    told = states(one, at(base, 0, available=None), at(base, 1, available=GIB), at(base, 2, available=None))
    assert told == [[], ["firing"], []]
    assert [alert.name for alert in one.firing] == ["a"]
    assert states(one, at(base, 3)) == [["resolved"]]


def test_the_sentence_and_the_json(base: Assessment) -> None:
    one = engine("available < 10%", severity="critical")
    (notice,) = one.judge(at(base, 0, available=5 * GIB))
    assert notice.text == "a: available 5.0G (5.0%) is below 10%"
    found = replace(at(base, 0), alerts=one.firing)
    assert assessment_to_json(found)["alerts"] == [
        {"name": "a", "severity": "critical", "subject": "", "text": notice.alert.text, "since": base.time, "value": 5.0 * GIB}
    ]  # fmt: skip
    (over,) = one.judge(at(base, 90))
    assert over.text == "a: resolved after 1m30s"
    assert over.incident == notice.incident


def test_all_conditions_have_to_hold(base: Assessment) -> None:
    one = engine(["available < 10%", "psi.some.avg10 > 30%"])
    psi = present(base.pressure.memory)
    stalled = replace(base.pressure, memory=replace(psi, some=replace(psi.some, avg10=40.0)))
    calm = replace(base.pressure, memory=replace(psi, some=replace(psi.some, avg10=4.0)))
    told = states(one, at(base, 0, available=GIB, pressure=calm), at(base, 1, available=GIB, pressure=stalled))
    assert told == [[], ["firing"]]
    assert "and psi.some.avg10 40% is above 30%" in one.firing[0].text


def test_an_incident_for_each_group_and_its_end_with_it(base: Assessment) -> None:
    groups = [group for group in base.cgroups if group.effective_limit][:2]
    full = [replace(group, headroom=(group.effective_limit or 0) // 100) for group in groups]
    one = engine("cgroup.headroom < 5%")
    notices = one.judge(at(base, 0, cgroups=tuple(full)))
    assert {notice.alert.subject for notice in notices} == {group.cgroup.path for group in groups}
    assert len({notice.incident for notice in notices}) == 2
    assert [n.alert.subject for n in one.judge(at(base, 1, cgroups=(full[0],)))] == [full[1].cgroup.path]


def test_filters(base: Assessment) -> None:
    path = base.cgroups[3].cgroup.path
    one = engine("cgroup.current > 1", cgroup=path)
    assert [notice.alert.subject for notice in one.judge(base)] == [path]
    name = base.rows[0].process.comm
    one = engine("process.memory > 1", process=name)
    subjects = [notice.alert.subject for notice in one.judge(base)]
    assert subjects
    assert all(subject.startswith(name) for subject in subjects)


def test_a_swarm_is_told_by_its_first(base: Assessment) -> None:
    one = engine("process.rss > 0.001%")
    assert len(one.judge(base)) == MOST_INCIDENTS
    assert one.judge(at(base, 1)) == ()


def kill(pid: int, time: float, group: str = "/a", name: str = "x") -> OomEvent:
    return OomEvent("kernel", "memcg", time, victim=Victim(pid, name, total_vm=pid), oom_memcg=group)


def test_kills_one_incident_a_group_and_the_past_is_no_news(base: Assessment) -> None:
    one = engine("oom_kill", clear_for="60s")
    old = kill(1, base.time - 500)
    assert states(one, at(base, 0, log_read=False)) == [[]]
    assert one.judge(at(base, 1, events=(old,))) == ()
    (notice,) = one.judge(at(base, 2, events=(kill(2, base.time + 2), old)))
    assert notice.alert.text == "kernel killed x 2, -: limit of /a"
    more = (kill(3, base.time + 3), kill(2, base.time + 2), old)
    assert one.judge(at(base, 3, events=more)) == ()
    assert [n.alert.subject for n in one.judge(at(base, 4, events=(kill(4, base.time + 4, "/b"), *more)))] == ["/b"]
    ended = one.judge(at(base, 63, events=(kill(4, base.time + 4, "/b"), *more)))
    assert [(n.state, n.count) for n in ended] == [("resolved", 2)]


def test_a_kill_by_another_killer_is_not_meant(base: Assessment) -> None:
    one = engine("oom_kill", killer="earlyoom")
    assert states(one, base, at(base, 1, events=(kill(2, base.time + 1),))) == [[], []]


def test_findings(base: Assessment) -> None:
    assert base.findings
    one = engine("finding", finding=base.findings[0].id)
    assert states(one, base, replace(base, findings=())) == [
        ["firing"] * len(_same(base)),
        ["resolved"] * len(_same(base)),
    ]


def _same(base: Assessment) -> list[Finding]:
    return [finding for finding in base.findings if finding.id == base.findings[0].id]


def test_hostile_names_reach_nobody_raw(base: Assessment) -> None:
    evil = "\x1b]0;x\x07$(reboot)\n\u202e\udcff`"
    rows = tuple(replace(row, process=replace(row.process, comm=evil)) for row in base.rows)
    found = replace(base, rows=rows)
    notice = engine("process.rss > 0.001%").judge(found)[0]
    letter = write_letter(notice, found)
    raw = letter.body.decode() + "".join(letter.environ.values()) + notice.text
    assert not any(char in raw for char in "\x1b\x07\n\u202e\udcff")
    assert json.loads(letter.body)["processes"][0]["name"].startswith("?]0;x?$(reboot)")
    assert len(letter.body) < 32768


def test_an_endless_time_is_no_number(base: Assessment) -> None:
    one = engine("exhaustion > 1s")
    (notice,) = one.judge(replace(base, dangers=(calm_danger("RAM"),)))
    assert json.loads(write_letter(notice, base).body)["value"] is None


def test_names_and_whether_they_fire(base: Assessment) -> None:
    one = engine("available < 10%")
    one.judge(at(base, 0, available=GIB))
    assert one.standing == (("a", True),)
