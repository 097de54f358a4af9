"""Sentences that more than one front end shows."""

from __future__ import annotations

from oomtop.analysis.sentences import describe_event
from oomtop.oomlog.event import OomEvent, Victim


def test_a_daemon_that_kills_a_cgroup_names_no_process() -> None:
    why = "memory pressure for /guarded.slice being 18.98% > 5.00% for > 1s with reclaim activity"
    event = OomEvent("systemd-oomd", "cgroup", cgroup="/guarded.slice/hungry.service", reason=why)
    assert describe_event(event) == f"systemd-oomd killed /guarded.slice/hungry.service: {why}"
    assert describe_event(OomEvent("systemd-oomd", "cgroup", cgroup="/a.slice")) == "systemd-oomd killed /a.slice"


def test_a_process_is_named_with_what_it_held_and_whose_limit_it_was() -> None:
    victim = Victim(116, "stress-ng", anon_rss=64 << 20)
    event = OomEvent("kernel", "memcg", victim=victim, oom_memcg="/a", memcg_limit=300 << 20)
    assert describe_event(event) == "kernel killed stress-ng 116, 64.0M: limit of /a, 300M"


def test_a_report_without_a_kill_says_so() -> None:
    assert describe_event(OomEvent("kernel", "global")) == "kernel reported, no kill seen"
    event = OomEvent("kernel", "memcg", oom_memcg="/a", no_killable_processes=True)
    assert describe_event(event) == "kernel found no process to kill: limit of /a"
