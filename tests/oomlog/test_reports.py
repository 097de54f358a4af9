"""Reports of the kernel's OOM killer, in shapes of several kernels with invented values."""

import pytest

from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.records import parse_kmsg, parse_line
from oomtop.oomlog.scan import scan_lines

GLOBAL = """\
[  100.000001] java invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0
[  100.000002] CPU: 1 PID: 4242 Comm: java Not tainted 6.1.0-18-amd64 #1  Debian 6.1.76-1
[  100.000003] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a,b=c/x.service,task=ja va,pid=4242,uid=1000
[  100.000004] Out of memory: Killed process 4242 (ja va) total-vm:2000kB, anon-rss:1000kB, file-rss:4kB, shmem-rss:0kB, UID:1000 pgtables:8kB oom_score_adj:0
[  100.100000] oom_reaper: reaped process 4242 (ja va), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
"""


def events(text: str) -> list[OomEvent]:
    return list(scan_lines(text.splitlines(), "test"))


def test_a_global_kill_with_its_report() -> None:
    (event,) = events(GLOBAL)
    assert (event.type, event.complete, event.kernel, event.order) == ("global", True, "6.1.0-18-amd64", 0)
    assert event.victim is not None
    assert (event.victim.pid, event.victim.name, event.victim.uid) == (4242, "ja va", 1000)
    assert (event.victim.anon_rss, event.victim.pgtables) == (1024000, 8192)
    assert event.task_memcg == "/a,b=c/x.service"
    assert event.reaped_pids == (4242,)
    assert event.trigger is not None
    assert event.trigger.pid == 4242


def test_a_headless_cgroup_kill_is_an_event() -> None:
    (event,) = events(
        "[5.0] Memory cgroup out of memory: Killed process 7 ((sd-pam)) total-vm:4kB, anon-rss:4kB, file-rss:0kB"
    )
    assert (event.type, event.complete) == ("memcg", False)
    assert event.victim is not None
    assert event.victim.name == "(sd-pam)"


def test_kills_of_a_whole_group_are_one_event() -> None:
    lines = "[5.0] Tasks in /a are going to be killed due to memory.oom.group set\n" + "".join(
        f"[5.{n}] Memory cgroup out of memory: Killed process {n} (x) total-vm:4kB, anon-rss:4kB, file-rss:0kB\n"
        for n in (1, 2, 3, 1)
    )
    (event,) = events(lines)
    assert event.oom_group == "/a"
    assert [victim.pid for victim in event.other_victims] == [2, 3]


def test_two_headless_kills_are_two_events() -> None:
    text = "".join(
        f"[5.{n}] Out of memory: Killed process {n} (x) total-vm:4kB, anon-rss:4kB, file-rss:0kB\n" for n in (1, 2)
    )
    assert [event.victim.pid for event in events(text) if event.victim] == [1, 2]


@pytest.mark.parametrize(
    "line",
    [
        "Jun  1 10:00:00 h app[5]: x Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:0kB",
        "[5.0] kubelet: saw 'Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:0kB'",
        "[5.0] app: page allocation failure: order:4, mode:0x40cc0(GFP_KERNEL), nodemask=(null)",
        "[5.0] bash (77): drop_caches: 3",
    ],
)
def test_lines_that_are_no_kill_give_no_event(line: str) -> None:
    assert events(line) == []


def test_a_record_written_by_a_process_is_no_kernel_event() -> None:
    line = b"12,9,5000000,-;Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:0kB\n"
    (record,) = parse_kmsg(line)
    assert record.facility == 1
    assert events(line.decode()) == []


def test_kmsg_escapes_are_undone() -> None:
    (record,) = parse_kmsg(rb"3,9,5000000,-,caller=T1;name \x1b[31m \xc3\xa9" + b"\n SUBSYSTEM=x\n")
    assert record.text == "name \x1b[31m é"
    assert record.kernel_time == 5.0


@pytest.mark.parametrize(
    "prefix",
    [
        "", "[   30.7] ", "[   30.7][ T9694] ", "<4>[76541.3] ", "[Tue Aug 12 10:00:00 2025] ",
        "[ven. nov. 28 10:00:00 2025] ", "2025-08-12T10:00:00,123456+02:00 ", "kern  :warn  : [   30.745678] ",
        "Jun 02 12:00:00 host kernel: ", "Jun  2 12:00:00 host kernel: [ 30.7] ", "2024-06-02T12:00:00+0200 host kernel: ",
        "2024-01-05T10:00:00.123456-07:00 host kernel: [ 1.2] ", "<4>1 2024-01-05T10:00:00Z host kernel - - - [25523.80] ",
    ],
)  # fmt: skip
def test_every_carriers_prefix_comes_off(prefix: str) -> None:
    (record,) = parse_line(prefix + "Out of memory: x")
    assert record.text == "Out of memory: x"
    assert record.facility == 0


def test_a_daemons_line_that_systemd_forwards_to_the_kernel_log() -> None:
    line = 'sending SIGTERM to process 12006 uid 1000 "python3": badness 209, VmRSS 2891 MiB'
    (record,) = parse_kmsg(f"29,7,1500000,-;earlyoom[99]: {line}".encode())
    assert (record.program, record.text) == ("earlyoom", line)
    (forged,) = parse_kmsg(f"4,7,1500000,-;earlyoom[99]: {line}".encode())
    assert forged.program == "kernel"
    (own,) = parse_kmsg(b"11,7,1500000,-;oomd kill: 1.0 2.0 3.0 /x 5 ruleset:[r]")
    assert own.text.startswith("oomd kill: ")


KILL = "Out of memory: Killed process 42 (x) total-vm:4kB, anon-rss:4kB, file-rss:0kB"


@pytest.mark.parametrize(
    "prefix",
    [
        "> [  5.0] ", "    [  5.0] ", "> > Nov  1 10:00:00 h kernel: ", "[Dec10 12:34] ", "[  +0.002367] ",
        "[<    0.000010>] ", "[    5.000000 <    0.000010>] ", "[Tue Aug 12 10:00:00 2025 <    0.000000>] ",
        "Sun Jun  2 12:00:00 2024 kern.err kernel: [  5.0] ", "Jan  1 00:00:00 host kern.err kernel: ",
        "Jan  1 00:00:00 kernel: ", "Sun 2024-06-02 12:00:00 CEST host kernel: ", "1717322400.123456 host kernel: ",
        "[ 30.745678] host kernel: ", "/var/log/messages:Nov  1 10:00:00 h kernel: ", "1234:Nov  1 10:00:00 h kernel: ",
        "août 02 12:00:00 host kernel: ", "июн 02 12:00:00 host kernel: ", "6月 02 12:00:00 host kernel: ",
        "2024 Jun  2 12:00:00 host kernel: ", "2024/06/02 12:00:00 kernel: ", "kernel: ", "host kernel: [5.0] ",
        "<3>[  5.0] c3   1234 ", "2023-12-04T10:49:30.127Z In(05) vcpu-5 - Guest: <3>[39291577.009360] ", "<3>[  5.0]  (3)[1234:comm]", "<3>[  5.0]  [3:   kworker/1:2: 1234] ",
    ],
)  # fmt: skip
def test_a_kill_behind_a_rarer_prefix_is_read(prefix: str) -> None:
    (event,) = events(prefix + KILL)
    assert event.victim is not None
    assert (event.victim.pid, event.victim.total_vm) == (42, 4096)


@pytest.mark.parametrize(
    "prefix",
    [
        "Jun  1 10:00:00 h app[5]: kernel: ", "we saw in our kernel: ", "Jun  1 10:00:00 h app[5]: Jun  1 10:00:00 h kernel: ",
        'time="2024-01-01T10:00:00Z" msg="kernel: ', "app: 10:00:00 kernel: ", "{'kernel: ",
    ],
)  # fmt: skip
def test_a_kill_that_a_program_quotes_is_no_event(prefix: str) -> None:
    assert events(prefix + KILL) == []


@pytest.mark.parametrize(
    ("text", "kind", "total_vm"),
    [
        ("Out of Memory: Kill process 1 (init) score 9999 and children.\nOut of memory: Killed process 42 (httpd).", "global", None),
        ("Out of memory: Killed process 42, UID 48, (httpd).", "global", None),
        ("Out of memory: kill process 41 (java) score 5000 or a child\nKilled process 42 (java)", "global", None),
        ("Out of memory: kill process 41 (a) score 5 or a child\nKilled process 42 (b) vsz:8kB, anon-rss:4kB, file-rss:4kB", "global", 8192),
        ("Killed process 42 (x), UID 1000 total-vm:8kB, anon-rss:4kB, file-rss:4kB", "unknown", 8192),
        ("Out of memory: Killed process 42 (java) total-vm:8kB, anon-", "global", 8192),
        ("Out of memory in UB 101: OOM killed process 42 (java) score 0 vm:8kB, rss:4kB, swap:0kB", "memcg", 8192),
    ],
)  # fmt: skip
def test_kill_lines_of_old_kernels_and_cut_ones(text: str, kind: str, total_vm: int | None) -> None:
    (event,) = events(text)
    assert event.victim is not None
    assert (event.victim.pid, event.victim.total_vm, event.type) == (42, total_vm, kind)


@pytest.mark.parametrize(
    "text", ["Killed process 42 (java)", "Killed process 42 (java) by hand", "kill process 42 (x)"]
)
def test_a_sentence_about_a_kill_is_no_event(text: str) -> None:
    assert events(text) == []


def test_quoted_printable_mail_is_read() -> None:
    (event,) = events("[5.0] ip invoked oom-killer: gfp_mask=3D0xc2cc0(GFP_KERNEL), order=3D3, oom_score_adj=3D0")
    assert (event.gfp_mask, event.order) == ("0xc2cc0", 3)


@pytest.mark.parametrize(
    ("line", "killer"),
    [
        ("avril 16 21:08:50 systemd-oomd[9]: Killed /a.slice/x.scope due to memory pressure for /a.slice being 9% > 5% for > 2s", "systemd-oomd"),
        ("[   77.749670] systemd-oomd[659]: Marked /a.slice/x.service for killing due to memory pressure for /a", "systemd-oomd"),
        ('Jun 12 06:39:16: sending SIGTERM to process 696 uid 1001 "ipfs": badness 757, VmRSS 637 MiB', "earlyoom"),
        ('killing process 27541 "bash" with signal 15: badness 550, VmRSS 7609 MiB', "earlyoom"),
        ('mars 27 18:46:05 h earlyoom[14]: sending SIGTERM to process 6 uid 1 "x": badness 7, VmRSS 6 MiB', "earlyoom"),
    ],
)  # fmt: skip
def test_daemons_behind_rarer_prefixes(line: str, killer: str) -> None:
    (event,) = events(line)
    assert event.killer == killer


def test_counters_of_2_6_30_and_without_their_heading() -> None:
    (event,) = events(
        "[5.0] x invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=0\n"
        "[5.0] Active_anon:290797 active_file:28 inactive_anon:97034\n[5.0]  free:3341 slab:13776 bounce:0\n"
        "[5.0] DMA free:7776kB min:40kB low:48kB high:60kB active_anon:556kB\n"
        "[5.1] Out of memory: kill process 4 (y) score 9 or a child\n[5.2] Killed process 42 (y)\n"
    )
    assert dict(event.mem_info_pages)["active_anon"] == 290797
    assert dict(event.mem_info_pages)["free"] == 3341
    assert (event.type, event.complete) == ("global", True)


def test_a_summary_that_a_terminal_cut() -> None:
    (event,) = events(
        "[5.0] x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
        "[5.0] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=y,pid=10"
    )
    assert (event.oom_memcg, event.task_memcg) == ("/a", "/a/b")
    assert event.selected is not None
    assert (event.selected.pid, event.selected.name) == (None, "y")


def test_a_panic_for_want_of_a_victim() -> None:
    (event,) = events("[5.0] Kernel panic - not syncing: Out of memory and no killable processes...      ")
    assert event.panic is not None
    assert event.panic.startswith("Out of memory and no killable")
    assert event.no_killable_processes


def test_page_tables_larger_than_what_is_mapped_are_bytes() -> None:
    text = [
        "[5.0] java invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0",
        "[5.0] CPU: 3 PID: 10 Comm: java Not tainted 5.4.0-100-generic-x86_64 #1",
        "[5.0] [     10]     0    10   300000    90000   919552   393000             0 java",
        "[5.0] [     11]     0    11   200000    99000   524287        0             0 main",
    ]
    (event,) = scan_lines(text, "log")
    assert [task.pgtables for task in event.tasks] == [919552, 524287]
