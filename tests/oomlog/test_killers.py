"""What every version of every killer writes, as stories: one process, one event, with what became of it."""

import re
from io import BytesIO

import pytest

from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.killers.reader import NEEDLE, KillerReader
from oomtop.oomlog.records import parse_line
from oomtop.oomlog.scan import scan_lines, scan_stream
from tests.present import present

EARLYOOM = {
    "sent": [
        "Out of memory! avail: 100 MiB < min: 200 MiB\nKilling process 4242 tail",
        "Out of memory! mem min: 200 MiB, swap min: 0 MiB\nKilling process: tail, pid: 4242, badness: 8, VmRSS: 7 MiB",
        "Low Memory! At or below sigterm limits (mem: 10 %, swap: 10 %)\n"
        "Killing process 'tail' with signal 15, pid: 4242, badness: 538, VmRSS: 7 MiB",
        'killing process 4242 "tail" with signal 15: badness 550, VmRSS 7 MiB',
        'sending SIGTERM to process 4242 "tail": badness 550, VmRSS 7 MiB',
        'sending SIGTERM to process 4242 uid 0 "tail": badness 550, VmRSS 7 MiB\nprocess 4242 cmdline "tail"',
        'sending SIGKILL to process 4242 uid 0 "tail": oom_score 550, oom_score_adj 0, VmRSS 7 MiB, cmdline "t"',
    ],
    "killed": [
        'sending SIGTERM to process 4242 uid 0 "tail": badness 550, VmRSS 7 MiB\nprocess exited after 0.1 seconds',
        'sending SIGTERM to process 4242 uid 0 "tail": oom_score 550, VmRSS 7 MiB, cmdline "t"\n'
        "escalating to SIGKILL after 6.883 seconds\nprocess 4242 exited after 7.1 seconds",
    ],
    "failed": [
        'sending SIGTERM to process 4242 uid 0 "tail": badness 550, VmRSS 7 MiB\nkill failed: Timer expired',
        'sending SIGTERM to process 4242 uid 0 "tail": oom_score 5, VmRSS 7 MiB, cmdline "t"\n'
        "process 4242 did not exit\nkill failed: Timer expired\n"
        'sending SIGTERM to process 4242 uid 0 "tail": oom_score 5, VmRSS 7 MiB, cmdline "t"',
    ],
    "dry-run": [
        'sending SIGTERM to process 4242 uid 0 "tail": oom_score 5, VmRSS 7 MiB, cmdline "t"\n'
        "dryrun, not actually sending any signal"
    ],
}
NOHANG = {
    "sent": [
        "  Finding the process with the highest badness\n"
        "  Victim is tail, pid: 4242, badness: 5, VmRSS: 7 MiB, VmSwap: 0 MiB\n  Sending SIGTERM to the victim; OK",
        "Found the victim with highest badness:\n  Name:    tail\n  PID:     4242\n  UID:     0\n  VmRSS:   7 MiB\n"
        "Implement corrective action:\n  Send SIGKILL to the victim; OK; response time: 4 ms",
        "  Process tail is a victim,\n  Pid: 4242, Badness: 5, VmRSS: 7 MiB, VmSwap: 0 MiB\n  Execute command: x 4242",
        "Process with highest badness (found in 6 ms):\n  PID: 4242, Name: tail, badness: 727\n"
        "Victim information (found in 1 ms):\n  PID:       4242\n  Name:      tail\n  VmRSS:     7 MiB\n"
        "Implement a corrective action:\n  Send SIGTERM to the victim; total response time: 46 ms",
        "TOP printed in 5ms; process with highest badness:\n  PID: 4242, name: tail, badness: 727\n"
        "Victim status (found in 1ms):\n  PID:       4242, name: tail, state: S (sleeping), EUID: 0, SID: 1 (init)\n"
        "  Vm, MiB:   Size: 90, RSS: 7 (Anon: 5, File: 2, Shmem: 0), Swap: 0\n"
        "Implementing a corrective action:\n  Executing the command: kill -TERM 4242\nTotal response time: 9ms",
    ],
    "killed": [
        "Victim status (found in 1ms):\n  PID: 4242, name: tail, state: S\n  Vm, MiB:   Size: 90, RSS: 7, Swap: 0\n"
        "Implementing a corrective action:\n  Sending SIGTERM to the victim\nOK; total response time: 7ms\n"
        "The victim died in 0.052s",
    ],
    "failed": [
        "Victim status (found in 1ms):\n  PID: 4242, name: tail\n  Vm, MiB:   Size: 90, RSS: 7, Swap: 0\n"
        "  Sending SIGTERM to the victim\nThe victim doesn't respond on corrective action in 3.004s",
        "Victim status (found in 1ms):\n  PID: 4242, name: tail\n  Vm, MiB:   Size: 90, RSS: 7, Swap: 0\n"
        "  Sending SIGTERM to the victim\nCannot send a signal: PermissionError",
    ],
}
STORIES = [
    (killer, outcome, text)
    for killer, told in (("earlyoom", EARLYOOM), ("nohang", NOHANG))
    for outcome, texts in told.items()
    for text in texts
]


def events(text: str) -> list[OomEvent]:
    return list(scan_lines(text.splitlines(), "test"))


@pytest.mark.parametrize(("killer", "outcome", "text"), STORIES)
@pytest.mark.parametrize("prefix", ["", "Jun 01 10:05:00 boxd {}[500]: ", "Jun 01 10:05:00 {}[500]: "])
def test_a_story_of_one_process_is_one_event(killer: str, outcome: str, text: str, prefix: str) -> None:
    (event,) = events("\n".join(prefix.format(killer) + line for line in text.splitlines()))
    assert (event.killer, event.outcome, present(event.victim).pid, present(event.victim).name) == (
        killer,
        outcome,
        4242,
        "tail",
    )
    assert present(event.victim).rss in (7 << 20, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Memory pressure for /a is greater than 60 for more than 30 seconds and there was reclaim activity", [("/a", "sent")]),
        (
            "Memory pressure for /a is 9.00% > 5.00% for > 2s with reclaim activity\noomd attempting to kill 7 with KILL\n"
            "Killed /a/b due to memory pressure for /a being 9.00% > 5.00% for > 2s with reclaim activity",
            [("/a/b", "killed")],
        ),
        ("Killed /a/b due to memory used (9) / total (9) and swap used (9) / total (9) being more than 90.00%\n"
         "Failed to kill any cgroups based on swap: Invalid argument", [("/a/b", "killed")]),
        ("oomd attempting to kill 7 with KILL\nFailed to kill any cgroup(s) under /a based on pressure: No such device", [("/a", "failed")]),
        ("Marked /a/b for killing due to memory pressure for /a being 9% > 5%", [("/a/b", "sent")]),
        ("oomd dry-run: Would have tried to kill /sys/fs/cgroup/a/b and all its descendants", [("/a/b", "dry-run")]),
        ("oomd dry-run: Would have tried to kill /sys/fs/cgroup/a/b with recurse=true", [("/a/b", "dry-run")]),
        ("oomd attempting to kill 7 with SIGKILL", [(None, "sent")]),
        ("Memory pressure for /a is 9.00% > 5.00% for > 2s with reclaim activity", []),
    ],
)  # fmt: skip
def test_rounds_of_systemd_oomd(text: str, expected: list[tuple[str | None, str]]) -> None:
    found = events("\n".join(f"Jun 01 10:05:00 host systemd-oomd[5]: {line}" for line in text.splitlines()))
    assert [(event.cgroup, event.outcome) for event in found] == expected
    assert all(event.task_memcg == event.cgroup for event in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("11-24 08:00:00.000   593   593 I lowmemorykiller: Kill 'com.app' (42), uid 10123, oom_score_adj 905 to free "
         "7168kB rss, 12kB swap; reason: device is low on swap", ("lmkd", 42, "com.app", 905, 7 << 20, None)),
        ("lowmemorykiller: Kill 'com.app' (42), uid 10123, oom_adj 905 to free 7168kB", ("lmkd", 42, "com.app", 905, 7 << 20, None)),
        ("lowmemorykiller: Killing 'com.app' (42), uid 10123, adj 905\nlowmemorykiller:    to free 7168kB because cache 4kB is below limit 5kB for oom_adj 906",
         ("lmkd", 42, "com.app", 905, 7 << 20, None)),
        ("Kill 'app' (pid=42, uid=5, oom_score_adj=905) to free 7168kB rss, 0kB swap; reason: x", ("lmkd", 42, "app", 905, 7 << 20, None)),
        ("[1.5] lowmemorykiller: Killing 'app' (42), adj 905, state(1)\n[1.5]    to free 7168kB on behalf of 'kswapd0' (9) because",
         ("lowmemorykiller", 42, "app", 905, 7 << 20, "kswapd0")),
        ("[1.5] lowmemorykiller: send sigkill to 42 (app), adj 15, size 1792", ("lowmemorykiller", 42, "app", 15, None, None)),
    ],
)  # fmt: skip
def test_kills_of_android(text: str, expected: tuple[str, int, str, int, int | None, str | None]) -> None:
    (event,) = events(text)
    victim, trigger = event.victim, event.trigger and event.trigger.name
    assert (
        event.killer,
        present(victim).pid,
        present(victim).name,
        present(victim).oom_score_adj,
        present(victim).rss,
        trigger,
    ) == expected
    assert event.outcome == "killed"


def test_a_dry_run_of_oomd() -> None:
    (event,) = events("6,1,2,-;oomd kill: 1.0 2.0 3.0 a.slice 5 ruleset:[r] detectorgroup:[d] killer:(dry)kill_by_x v2")
    assert (event.killer, event.outcome, event.cgroup) == ("oomd", "dry-run", "a.slice")


@pytest.mark.parametrize(
    "line",
    [
        '# the log has: sending SIGTERM to process 1 uid 0 "x": badness 2, VmRSS 3 MiB',
        "sshd[1]: Killing process 4242 tail",
        "Killing process 4242 tail",
        "He said 'lowmemorykiller: Killing 'app' (42), adj 905'",
        "myapp[3]: Victim status: fine",
        "The victim died in 5s",
        'printf("oomd kill: 1 2 3 a 5 ruleset:[r]")',
    ],
)
def test_quotations_and_other_programs_are_no_kills(line: str) -> None:
    assert events(line) == []


def test_what_is_under_way_can_be_asked_for_and_becomes_fuller() -> None:
    reader = KillerReader("test")

    def feed(line: str) -> list[OomEvent]:
        return [event for record in parse_line(line) for event in reader.feed(record)]

    assert feed('sending SIGTERM to process 42 uid 0 "tail": badness 5, VmRSS 7 MiB') == []
    assert [event.outcome for event in reader.flush()] == ["sent"]
    assert feed("process exited after 0.1 seconds") == []
    assert [event.outcome for event in reader.flush()] == ["killed"]
    # The same pid again is another process.
    (first,) = feed('sending SIGTERM to process 42 uid 0 "tail": badness 5, VmRSS 7 MiB')
    assert (first.outcome, first.attempts) == ("killed", 1)


def test_every_beginning_is_found_by_the_search() -> None:
    for killer, _, text in STORIES:
        told = "\n".join(f"Jun 01 10:05:00 boxd {killer}[500]: {line}" for line in text.splitlines()).encode()
        assert killer == "nohang" or re.search(NEEDLE, told)


@pytest.mark.parametrize(
    "line",
    [
        "Kernel panic - not syncing: System is deadlocked on memory",
        "lowmemorykiller: Killing 'app' (42), adj 905",
        "oomd kill: 1.0 2.0 3.0 a.slice 5 ruleset:[r] detectorgroup:[d] killer:kill_by_x v2",
    ],
)
def test_lines_of_the_kernel_log_are_found_behind_a_megabyte_of_others(line: str) -> None:
    other = "Nov 24 07:00:00 boxb sshd[1]: Accepted publickey for root from 10.0.0.1 port 1 ssh2\n" * 14_000
    text = f"Nov 24 08:00:00 boxb kernel: [ 1000.100000] {line}\n"
    small, big = (list(scan_stream(BytesIO(data.encode()), "test")) for data in (text, other + text))
    assert [event.killer for event in small] == [event.killer for event in big] != []
