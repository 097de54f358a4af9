"""The journal followed live: a stand-in for journalctl prints what the real one prints; tests/vm has the real one."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oomtop.host.own_priority import OwnPriority, own_standing
from oomtop.host.root import Root
from oomtop.oomlog import live
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.journal import KillerJournal, journalctl
from oomtop.oomlog.kernel_log import KernelLog
from oomtop.oomlog.killers.reader import DAEMONS
from oomtop.oomlog.live import LiveLog
from oomtop.oomlog.records import parse_kmsg
from tests.present import present

KILLED = "Killed {} due to memory pressure for /a.slice being 91.73% > 50.00% for > 20s with reclaim activity"
PRINT = """
import sys, time
for line in open(sys.argv[1]):
    sys.stdout.write(line if line != "wait\\n" else "")
    sys.stdout.flush()
    time.sleep(0.2 if line == "wait\\n" else 0)
time.sleep(float(sys.argv[2]))
"""


def entry(text: str, at: float, program: str = "systemd-oomd") -> str:
    return json.dumps({"MESSAGE": text, "SYSLOG_IDENTIFIER": program, "__REALTIME_TIMESTAMP": str(int(at * 1e6))})


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A machine whose journal can be read."""
    folder = tmp_path / "root" / "var" / "log" / "journal" / "0123"
    folder.mkdir(parents=True)
    (folder / "system.journal").write_bytes(b"")
    return Root(str(tmp_path / "root"))


@pytest.fixture
def follow(root: Root, tmp_path: Path) -> Iterator[Callable[..., KillerJournal]]:
    """Return a follower of these lines, which ends after `seconds`."""
    opened: list[KillerJournal] = []

    def start(*lines: str, seconds: int = 60) -> KillerJournal:
        path = tmp_path / f"said{len(opened)}"
        path.write_text("".join(f"{line}\n" for line in lines))
        argv = (sys.executable, "-S", "-c", PRINT, str(path), str(seconds))
        opened.append(KillerJournal(argv, root, own_standing(Root())))
        return opened[-1]

    yield start
    for journal in opened:
        journal.close()


def polled(log: KillerJournal | LiveLog, count: int, seconds: int = 10) -> list[OomEvent]:
    found, end = list[OomEvent](), time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        found.extend(log.poll())
        time.sleep(0.02)
    return found


def child_of(journal: KillerJournal) -> int:
    return present(journal._process).pid


def test_kills_come_as_they_are_written_each_once(follow: Callable[..., KillerJournal]) -> None:
    journal = follow(
        entry(KILLED.format("/a.slice/one.service"), 1000.0),
        entry("Started systemd-oomd.service", 1000.5),
        "not json",
        "wait",
        entry(KILLED.format("/a.slice/one.service"), 1030.0),
        entry('sending SIGTERM to process 4711 uid 0 "hog": badness 209, VmRSS 2891 MiB', 1031.0, "earlyoom"),
    )
    found = polled(journal, 3)
    assert [(event.killer, event.time, event.source) for event in found] == [
        ("systemd-oomd", 1000.0, "journal"), ("systemd-oomd", 1030.0, "journal"), ("earlyoom", 1031.0, "journal"),
    ]  # fmt: skip
    assert found[0].cgroup == "/a.slice/one.service"
    assert present(found[2].victim).pid == 4711
    assert len({event.key for event in found}) == 3
    assert journal.poll() == ()
    assert journal.problem is None


def test_a_line_that_comes_in_two_parts_is_one(follow: Callable[..., KillerJournal], tmp_path: Path) -> None:
    line = entry(KILLED.format("/x.service"), 1000.0)
    script = f"import sys, time\nw = sys.stdout.write\nw({line[:40]!r})\nsys.stdout.flush()\ntime.sleep(0.3)\nw({line[40:]!r} + '\\n')\nsys.stdout.flush()\ntime.sleep(60)"
    journal = follow()
    journal._argv = (sys.executable, "-S", "-c", script)
    assert [event.cgroup for event in polled(journal, 1)] == ["/x.service"]


def test_a_line_that_never_ends_is_dropped_and_the_next_is_read(follow: Callable[..., KillerJournal]) -> None:
    flood = '{"MESSAGE":"' + "Killed /y due to memory used 1 " * 100_000 + '"}'
    journal = follow(flood, "Killed /z.service due to memory used 1", entry(KILLED.format("/x.service"), 1000.0))
    assert [event.cgroup for event in polled(journal, 1)] == ["/x.service"]
    assert len(journal._rest) < 1 << 17


def test_a_follower_that_ends_is_said_and_started_again_without_telling_twice(
    follow: Callable[..., KillerJournal], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = follow(entry(KILLED.format("/x.service"), 1000.0), seconds=0)
    assert len(polled(journal, 1)) == 1
    end = time.monotonic() + 10
    while journal.problem is None and time.monotonic() < end:
        assert journal.poll() == ()
        time.sleep(0.01)
    assert present(journal.problem).startswith("journalctl ended with 0")
    assert journal._process is None
    assert journal.poll() == ()
    assert journal._process is None
    journal._not_before = time.monotonic()
    assert journal.poll() == ()
    # Said until it is known to read again.
    assert journal.problem is not None
    assert polled(journal, 1, seconds=1) == []


def test_the_follower_has_the_score_and_priority_of_before_and_ends_with_its_reader(
    follow: Callable[..., KillerJournal],
) -> None:
    journal = follow()
    own = own_standing(Root())
    wanted = journal._standing = OwnPriority(own.adj + 100, own.nice + 3)
    journal.poll()
    pid = child_of(journal)
    assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == wanted.adj
    assert os.getpriority(os.PRIO_PROCESS, pid) == wanted.nice
    # Ctrl-C at the terminal is not for it.
    assert os.getsid(pid) == pid
    journal.close()
    assert not os.path.exists(f"/proc/{pid}")


def test_a_journal_that_this_user_may_not_read_is_said_and_nothing_is_started(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    journal = KillerJournal(("/nonexistent",), root, OwnPriority(0, 0))
    assert journal.poll() == ()
    assert journal.problem == "what daemons kill is written there: group systemd-journal may read it"
    assert journal._process is None


def test_without_a_journal_nothing_is_withheld_and_it_is_looked_for_again(tmp_path: Path, root: Root) -> None:
    journal = KillerJournal(("/nonexistent/journalctl",), Root(str(tmp_path / "other")), OwnPriority(0, 0))
    assert journal.poll() == ()
    assert journal.problem is None
    journal._root = root
    assert journal.poll() == ()
    assert journal.problem is None
    journal._not_before = time.monotonic()
    journal.poll()
    assert "No such file" in present(journal.problem)


def test_a_missing_journalctl_is_said(root: Root) -> None:
    journal = KillerJournal(("/nonexistent/journalctl",), root, OwnPriority(0, 0))
    assert journal.poll() == ()
    assert journal.problem == "/nonexistent/journalctl: No such file or directory"


def test_the_command_asks_for_every_daemon_and_never_for_the_kernel() -> None:
    words = journalctl()
    # By a field that no program can set for itself.
    assert {word.partition("=")[2] for word in words if word.startswith("_SYSTEMD_UNIT=")} == {
        f"{name}.service" for name in DAEMONS
    }
    assert not [word for word in words if "kernel" in word or "IDENTIFIER=" in word]


def joined(monkeypatch: pytest.MonkeyPatch, kernel_lines: list[str], journal: KillerJournal) -> LiveLog:
    """A live log of these lines of /dev/kmsg and this journal."""
    backlog = tuple(record for line in kernel_lines for record in parse_kmsg(line.encode()))
    monkeypatch.setattr(live, "open_kernel_log", lambda root: KernelLog(None, backlog, "/dev/kmsg", None))
    monkeypatch.setattr(live, "KillerJournal", lambda argv, root, standing: journal)
    return LiveLog(Root(), own_standing(Root()))


def test_what_journald_forwards_to_the_kernel_log_is_one_kill(
    follow: Callable[..., KillerJournal], monkeypatch: pytest.MonkeyPatch
) -> None:
    boot = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    text = KILLED.format("/x.service")
    forwarded = [f"30,{at},{at * 10**6},-;systemd-oomd[88]: {text}" for at in (100, 130)]
    # printk's clock drifts; and the third is not forwarded.
    journal = follow(*(entry(text, boot + at + 9.2) for at in (100, 130, 160)))
    log = joined(monkeypatch, forwarded, journal)
    log.follow_daemons(["bash", "systemd-oomd"])
    found = polled(log, 3)
    assert [(event.source, round(present(event.time) - boot)) for event in found] == [
        ("/dev/kmsg", 100), ("/dev/kmsg", 130), ("journal", 169),
    ]  # fmt: skip
    assert log.problems == ()
    log.close()


def test_without_such_a_daemon_no_journal_is_followed(
    follow: Callable[..., KillerJournal], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = joined(monkeypatch, [], follow(entry(KILLED.format("/x.service"), 1000.0)))
    log.follow_daemons(["systemd", "systemd-journal"])
    assert log.poll() == ()
    assert log._journal is None
    log.close()
