"""Whose figures they are is said where they are not the machine's."""

from dataclasses import replace
from typing import Any

import pytest

from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.scope import scope_mark
from oomtop.history import History
from oomtop.host.visibility import Visibility
from oomtop.render.assessment_json import assessment_to_json
from oomtop.render.top import render_top
from oomtop.snapshot import Tick
from tests.synthetic import SyntheticMachine


def assessed(threads: int | None = None, **seen: Any) -> Assessment:
    snapshot = replace(SyntheticMachine(20, 3).snapshot(), visibility=Visibility(**seen), threads=threads)
    history = History()
    history.add(Tick(snapshot))
    return assess(Tick(snapshot), history)


def test_the_whole_machine_needs_no_words() -> None:
    now = assessed()
    assert now.problems == ()
    assert now.scope.sees_all
    assert scope_mark(now.scope) == ""


@pytest.mark.parametrize(
    ("seen", "said", "mark"),
    [
        ({"hidepid": "2"}, "hidepid=2", "hidepid"),
        ({"pid_namespace": True}, "pid namespace", "container"),
        ({"lxcfs": True}, "lxcfs", "container"),
        ({"gvisor": True, "pid_namespace": True}, "gVisor", "gVisor"),
        ({"user_namespace": True}, "user namespace", ""),
    ],
)
def test_what_is_not_seen_is_said(seen: dict[str, str | bool], said: str, mark: str) -> None:
    now = assessed(9999, **seen)
    assert said in " ".join(problem.why for problem in now.problems)
    assert scope_mark(now.scope) == mark
    assert said in render_top(now, 3, "rss", 200)


def test_the_hidden_are_counted_and_the_victim_is_of_those_seen() -> None:
    now = assessed(9999, hidepid="2")
    seen = sum(row.process.threads for row in now.rows)
    assert now.scope.hidden_threads == 9999 - seen
    assert "(of the visible processes)" in render_top(now, 3, "rss", 200)
    said: dict[str, Any] = assessment_to_json(now)
    assert said["scope"]["sees_all"] is False


def test_hidepid_that_hides_nobody_is_not_mentioned() -> None:
    seen = sum(row.process.threads for row in assessed().rows)
    assert assessed(seen + 2, hidepid="2").scope.sees_all
