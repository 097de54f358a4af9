"""Who can have written a line: the kernel alone, a daemon's own unit, or anybody."""

import json
from typing import Any

import pytest

from oomtop.analysis.postmortem.explain import explain
from oomtop.analysis.sentences import describe_event
from oomtop.oomlog.carriers.fields import UNITS
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.journal import journalctl
from oomtop.oomlog.killers.reader import DAEMONS
from oomtop.oomlog.scan import scan_lines
from oomtop.render.events import render_list, render_text
from oomtop.render.events_json import event_text
from tests.present import present

KILL = (
    "Out of memory: Killed process 42 (db) total-vm:9kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB, UID:1 pgtables:1kB"
)
OOMD = "Killed /system.slice/db.service due to memory pressure for /system.slice being 91.73% > 50.00% for > 20s"
EARLYOOM = 'sending SIGTERM to process 12006 uid 1000 "python3": badness 209, VmRSS 2891 MiB'


def entry(message: str, **fields: str) -> str:
    return json.dumps({"MESSAGE": message, "__REALTIME_TIMESTAMP": "1795820000000000", **fields})


def read(line: str) -> list[OomEvent]:
    return list(scan_lines([line], "log"))


@pytest.mark.parametrize("transport", ["syslog", "journal", "stdout", "audit", "driver", ""])
def test_only_the_transport_kernel_is_the_kernel(transport: str) -> None:
    assert read(entry(KILL, _TRANSPORT=transport, SYSLOG_IDENTIFIER="kernel", _UID="1000")) == []
    (event,) = read(entry(KILL, _TRANSPORT="kernel", SYSLOG_IDENTIFIER="kernel"))
    assert event.unverified is None


@pytest.mark.parametrize(("program", "message"), [("systemd-oomd", OOMD), ("earlyoom", EARLYOOM)])
def test_a_daemon_is_its_unit_or_a_user_of_the_system_not_an_identifier(program: str, message: str) -> None:
    def doubt(**fields: Any) -> str | None:
        (event,) = read(entry(message, _TRANSPORT="journal", SYSLOG_IDENTIFIER=program, **fields))
        return event.unverified

    assert doubt(_SYSTEMD_UNIT=f"{program}.service", _UID="65000") is None
    assert doubt(_UID="0") is None
    assert "uid 1000 in user@1000.service" in present(doubt(_SYSTEMD_UNIT="user@1000.service", _UID="1000"))
    assert "uid 1000" in present(doubt(_SYSTEMD_UNIT=f"evil-{program}.service", _UID="1000"))
    assert doubt(_UID="²") is not None
    assert doubt() is not None


def test_history_and_live_choose_daemons_by_the_same_trusted_field() -> None:
    words = journalctl()
    assert not any(word.startswith("SYSLOG_IDENTIFIER") for word in words)
    assert DAEMONS <= UNITS


@pytest.mark.parametrize(
    "line",
    [
        f"Nov 23 10:01:02 host kernel: {KILL}",
        f"2026-11-23T10:01:02.123456+01:00 host kernel: {KILL}",
        f"<4>1 2026-11-23T10:01:02Z host kernel - - - {KILL}",
        f"Nov 23 10:01:02 host earlyoom[1]: {EARLYOOM}",
    ],
)
def test_a_line_of_syslog_that_logger_could_have_written_is_read_and_marked_everywhere(line: str) -> None:
    (event,) = read(line)
    assert event.unverified is not None
    assert json.loads(event_text(event))["unverified"] == event.unverified
    assert event.unverified in " ".join(render_text(explain(event), 1000).split())
    assert "unverified" in render_list([event, event], 200)
    assert "unverified" in describe_event(event)


@pytest.mark.parametrize(
    "line", [f"Nov 23 10:01:02 host kernel: [  123.456789] {KILL}", f"[  123.456789] {KILL}", f"6,1,5,-;{KILL}"]
)
def test_a_line_with_the_stamp_of_printk_is_not_marked(line: str) -> None:
    (event,) = read(line)
    assert event.unverified is None


def test_one_forged_line_marks_the_whole_report() -> None:
    report = [
        "Nov 23 10:01:02 host kernel: [  123.4] x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        f"Nov 23 10:01:02 host kernel: {KILL}",
    ]
    (event,) = scan_lines(report, "log")
    assert event.unverified is not None
