"""Sentences of post-mortems: no claim that the report does not bear out, no figure that contradicts another."""

import io

import pytest

from oomtop.analysis.postmortem.explain import explain
from oomtop.analysis.postmortem.model import Cause, PostMortem
from oomtop.oomlog.log_files import read_stream
from oomtop.oomlog.scan import scan_lines
from oomtop.render.events import render_text, sections

TRIGGER = "[5.0] java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order={order}, oom_score_adj=0"
TABLE = "[5.0] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"
KILL = "[5.1] {how}: Killed process {pid} ({name}) total-vm:900000kB, anon-rss:400000kB, file-rss:0kB, shmem-rss:0kB"
MEMORY = "[5.0] Node 0 Normal: 1*4kB (U) 0*8kB = 4kB\n[5.0] 262144 pages RAM\n[5.0] 0 pages reserved\n[5.0] Total swap = 0kB\n[5.0] Free swap  = 0kB"


def row(pid: int, rss: int, adj: int = 0, name: str = "java", uid: int = 1000) -> str:
    return f"[5.0] [ {pid:5}] {uid:5} {pid:5}   300000   {rss:6}  2097152        0         {adj:5} {name}"


def words(*lines: str) -> tuple[PostMortem, str]:
    (event,) = scan_lines("\n".join(lines).splitlines(), "test")
    found = explain(event)
    return found, " ".join([found.headline, *(s for _, part in sections(found) for s in part)])


def report(
    *rows: str,
    pid: int = 10,
    name: str = "java",
    order: int = 0,
    how: str = "Out of memory",
    more: tuple[str, ...] = (),
) -> tuple[PostMortem, str]:
    return words(TRIGGER.format(order=order), MEMORY, *more, TABLE, *rows, KILL.format(pid=pid, name=name, how=how))


def test_counterfactuals_need_the_rows_that_prove_them() -> None:
    _, said = report(row(10, 100_000, 500), row(11, 120_000))
    assert "With every oom_score_adj at 0 it would have been java (pid 11)" in said
    _, said = report(row(10, 100_000, 500), row(11, 120_000), "[5.0] [   123] 0 77 damaged")
    assert "With every" not in said
    _, said = words(
        TRIGGER.format(order=0),
        row(10, 100_000, 500),
        row(11, 120_000),
        KILL.format(pid=10, name="java", how="Out of memory"),
    )
    assert "With every" not in said


def test_what_minus_1000_exempts_could_be_chosen_with_all_at_0() -> None:
    _, said = report(row(10, 100_000, 5), row(12, 120_000, -1000, "db"))
    assert "With every oom_score_adj at 0 it would have been db (pid 12)" in said


def test_nothing_is_said_of_others_where_the_table_does_not_give_the_choice() -> None:
    found, said = report(row(10, 1000), row(11, 120_000))
    assert found.agrees is False
    assert "next in line" not in said
    assert "With every" not in said


def test_a_tie_is_called_a_tie() -> None:
    _, said = report(row(11, 100_000), row(10, 100_000))
    assert "It was a tie: java (pid 11) had the same badness" in said


def test_swapoff_is_chosen_by_itself() -> None:
    found, said = report(row(10, 400, 0, "swapoff", 0), row(11, 200_000), name="swapoff")
    assert found.agrees is None
    assert "swapoff is chosen before all others" in said
    assert "run swapoff" in said
    assert "another one dies" not in said


def test_a_child_dies_in_its_place_only_where_the_kernel_says_so() -> None:
    old = "[5.0] Out of memory: Kill process 10 (java) score 300 or sacrifice child"
    _, said = words(TRIGGER.format(order=0), old, KILL.format(pid=11, name="sh", how="Out of memory"))
    assert "its child sh (pid 11) was killed in its place" in said
    new = "[5.0] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=java,pid=10,uid=0"
    _, said = words(TRIGGER.format(order=0), new, KILL.format(pid=11, name="sh", how="Out of memory"))
    assert "child" not in said


@pytest.mark.parametrize(
    ("free", "cma", "atomic", "contains"),
    [
        (507_000, 501_000, 0, "less 489M free CMA, so 5.9M, is not above min 10.0M"),
        (20_000, 0, 12_000, "less 11.7M kept for atomic requests, so 7.8M, is not above min 10.0M"),
        (8_000, 0, 0, "free 7.8M is not above min 10.0M"),
    ],
)
def test_what_is_subtracted_is_named_with_its_amount(free: int, cma: int, atomic: int, contains: str) -> None:
    zone = (
        f"[5.0] Node 0 Normal free:{free}kB boost:0kB min:10240kB low:12000kB high:13000kB "
        f"reserved_highatomic:{atomic}KB present:900000kB managed:900000kB free_cma:{cma}kB"
    )
    found, said = report(row(10, 100_000), more=("[5.0] Mem-Info:", zone))
    assert contains in said
    assert found.cause is Cause.MACHINE


def test_many_pages_in_a_row_without_zones_stay_unknown() -> None:
    found, said = report(row(10, 100_000), order=4)
    assert found.cause is Cause.UNKNOWN
    assert "16 pages in a row" in said
    assert "whole machine" not in said


def test_the_scope_is_that_of_the_constraint() -> None:
    summary = "[5.0] oom-kill:constraint=CONSTRAINT_MEMORY_POLICY,nodemask=1,cpuset=/,mems_allowed=0-1,global_oom,task_memcg=/,task=java,pid=10,uid=0"
    found, said = report(row(10, 100_000), more=(summary,))
    assert found.cause is Cause.NODE
    assert "memory policy allows: 1" in said
    assert "cpuset.mems" not in said
    summary = "[5.0] oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=(null),cpuset=/x,mems_allowed=1,global_oom,task_memcg=/,task=java,pid=10,uid=0"
    _, said = report(row(10, 100_000), more=(summary,))
    assert "its cpuset /x allows: 1" in said


def test_sysrq_asked_nobody_for_memory() -> None:
    _, said = words(TRIGGER.format(order=-1), KILL.format(pid=10, name="java", how="Out of memory"))
    assert "invoked" not in said
    assert "SysRq-f" in said


def test_shared_memory_is_not_page_cache_as_well() -> None:
    limit = "[5.0] memory: usage 1024kB, limit 1024kB, failcnt 5"
    stats = (
        "[5.0] Memory cgroup stats for /a:\n[5.0] anon 100\n[5.0] file 900000\n[5.0] shmem 900000\n[5.0] file_mapped 0"
    )
    found, _ = words(
        TRIGGER.format(order=0), limit, stats, KILL.format(pid=10, name="java", how="Memory cgroup out of memory")
    )
    assert {figure.name: figure.size for figure in found.unowned} == {"tmpfs and shared memory": 900_000}


PATHS = [
    ("/kubepods/burstable/pod1/c", "resources.limits.memory", "MemoryMax="),
    ("/slurm/uid_0/job_7/step_0", "--mem", "MemoryMax="),
    ("/machine.slice/machine-qemu\\x2d1.scope", "hard_limit", "MemoryMax="),
    ("/lxc/101/ns", "limits.memory", "MemoryMax="),
    ("/docker/0123456789ab", "--memory", "MemoryMax="),
    ("/system.slice/db.service", "MemoryMax= of db.service", "memory.limit_in_bytes"),
    ("/mine", "raise its limit", "MemoryMax="),
]


@pytest.mark.parametrize(("path", "advice", "other"), PATHS)
def test_advice_is_in_the_words_of_the_platform(path: str, advice: str, other: str) -> None:
    limit = "[5.0] memory: usage 1048576kB, limit 1048576kB, failcnt 5"
    summary = f"[5.0] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={path},task_memcg={path},task=java,pid=10,uid=0"
    _, said = words(
        TRIGGER.format(order=0),
        limit,
        TABLE,
        row(10, 100_000),
        summary,
        KILL.format(pid=10, name="java", how="Memory cgroup out of memory"),
    )
    assert advice in said
    assert other not in said


def test_cgroup_v1_has_its_own_words() -> None:
    limit = "[5.0] memory: usage 1048576kB, limit 1048576kB, failcnt 5\n[5.0] memory+swap: usage 1048576kB, limit 1048576kB, failcnt 0"
    _, said = words(TRIGGER.format(order=0), limit, KILL.format(pid=10, name="java", how="Memory cgroup out of memory"))
    assert "memory.limit_in_bytes" in said
    assert "memory.high" not in said


@pytest.mark.parametrize(
    ("text", "verb", "absent"),
    [
        ("process 5 did not exit", "failed to kill", "earlyoom killed"),
        ("dryrun, not actually sending any signal", "would have killed", "earlyoom killed"),
        ("process 5 exited after 1.0 seconds", "earlyoom killed x", "did not"),
        ("mem avail: 1 of 2 MiB", "sent a signal to x", "earlyoom killed"),
    ],
)
def test_the_headline_says_what_became_of_it(text: str, verb: str, absent: str) -> None:
    line = 'sending SIGTERM to process 5 uid 0 "x": oom_score 5, VmRSS 7 MiB, cmdline "x"'
    _, said = words(line, text)
    assert verb in said
    assert absent not in said


def test_another_one_dies_only_where_the_protection_is_enough() -> None:
    _, said = report(row(10, 100_000), row(11, 90_000))
    assert "must live, start it with a lower oom_score_adj (`choom -n -500 -- COMMAND`): another one dies" in said
    _, said = report(row(10, 200_000), row(11, 300))
    assert "another one dies" not in said
    assert "An oom_score_adj of -500 would not have saved java: it would still have come first." in said


@pytest.mark.parametrize(("release", "how"), [("4.17.0", "echo -500 > /proc/PID/oom_score_adj"), ("4.18.0", "choom")])
def test_no_program_is_advised_that_the_system_is_too_old_for(release: str, how: str) -> None:
    cpu = f"[5.0] CPU: 0 PID: 10 Comm: java Not tainted {release} #1"
    _, said = report(row(10, 100_000), row(11, 90_000), more=(cpu,))
    assert f"(`{how}" in said


def test_what_it_counted_for_is_least_where_the_table_does_not_count_swap() -> None:
    head = "[5.0] [ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name"
    table = (head, "[5.0] [   10]  1000    10   300000   100000   0       0             0 java")
    kill = KILL.format(pid=10, name="java", how="Out of memory")
    for free, about in ((0, "counted for at least 391M"), (100, "counted for 391M")):
        memory = MEMORY.replace("Total swap = 0kB", "Total swap = 100kB").replace("swap  = 0kB", f"swap  = {free}kB")
        found, said = words(TRIGGER.format(order=0), memory, *table, kill)
        assert f"java (pid 10) {about}" in said
        assert "which had 391M of anonymous memory in RAM" in found.headline, "that is told exactly"


def test_what_the_reaper_left_is_told() -> None:
    reaped = "[5.2] oom_reaper: reaped process 10 (java), now anon-rss:0kB, file-rss:{}kB, shmem-rss:0kB"
    for kib, end in ((284, "pid 10 but for 284K file-rss without"), (0, "pid 10 without")):
        _, said = words(KILL.format(pid=10, name="java", how="Out of memory"), reaped.format(kib))
        assert f"freed the memory of {end} waiting for its end." in said


def test_a_command_that_was_run_is_not_called_a_signal() -> None:
    lines = "Process with the highest badness:\n  PID: 12, Name: tail", "  Execute the command: kill -TERM 12"
    found, said = words(*lines)
    assert "ran a command against tail (pid 12)" in found.headline
    assert "Its command was run; no line says that the process ended." in said
    assert "signal" not in said


def test_a_report_without_its_kill_denies_only_what_it_lacks_itself() -> None:
    found, said = words(TRIGGER.format(order=0))
    assert found.headline.endswith("for a reason that this report does not show; no kill is in this report.")
    assert "No line of it has the words" in said
    assert "no whole task table in this report" in said


def test_the_biggest_is_limited_where_it_was_passed_over_for_a_small_one() -> None:
    found, said = report(row(10, 100, name="dbus"), row(11, 200_000), name="dbus")
    assert found.agrees is False
    assert "Limit java (pid 11), the biggest: its 781M in RAM are far more than the victim's." in said
    assert "Cap dbus" not in said


def in_group(group: str, limit: int, constraint: str = "CONSTRAINT_MEMCG") -> tuple[PostMortem, str]:
    summary = (
        f"[5.0] oom-kill:constraint={constraint},nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={group},"
        f"task_memcg={group}/cri-1.scope,task=java,pid=10,uid=0"
    )
    usage = f"[5.0] memory: usage 42240kB, limit {limit}kB, failcnt 0"
    return report(row(10, 10_000), more=(usage, summary), how="Memory cgroup out of memory")


def test_a_group_without_a_limit_has_not_reached_it() -> None:
    found, said = in_group("/a", 9007199254740988, "CONSTRAINT_BPF_PSI_MEM")
    assert found.cause is Cause.UNKNOWN
    assert "reached its limit" not in said
    assert "raise its limit" not in said
    assert "CONSTRAINT_BPF_PSI_MEM: a BPF program called the OOM killer" in said


def test_the_limit_of_the_pods_is_not_called_that_of_a_container() -> None:
    _, said = in_group("/kubepods.slice", 42240)
    assert "41.2M is the limit of many pods of the node together" in said
    assert "of the container" not in said
    _, said = in_group("/kubepods/burstable/pod94eb36cd-29e1-478b-b365-4cb5dfc7d6fb", 42240)
    assert "of its containers, 41.2M together, to 52.0M" in said


def test_a_small_limit_is_raised_by_a_quarter_not_to_a_multiple_of_64_mib() -> None:
    _, said = in_group("/a", 980)
    assert "to 2.0M (now 980K)" in said
    _, said = in_group("/a", 400 * 1024)
    assert "to 512M (now 400M)" in said


def rest_of_ram(present: str) -> dict[str, int]:
    counters = "[5.0] active_anon:100000 inactive_anon:0 isolated_anon:0\n[5.0]  slab_reclaimable:0 slab_unreclaimable:0\n[5.0]  free:1000 free_pcp:0"
    node = "[5.0] Node 0 active_anon:400000kB kernel_stack:40960kB pagetables:0kB all_unreclaimable? no"
    zone = f"[5.0] Node 0 Normal free:4000kB min:10240kB low:12000kB high:13000kB {present}"
    found, _ = report(row(10, 100_000), more=("[5.0] Mem-Info:", counters, node, zone, MEMORY))
    return {figure.name: figure.size for figure in found.unowned}


def test_kernel_stacks_are_a_counter_of_their_own() -> None:
    sizes = rest_of_ram("present:1048576kB managed:1048576kB")
    assert sizes["kernel stacks"] == 40 << 20
    assert sizes["not in any counter"] == (262_144 - 101_000) * 4096 - (40 << 20)


def test_what_no_counter_has_is_not_told_of_a_damaged_report() -> None:
    sizes = rest_of_ram("reserved_highatomic:0KB active_anon:")
    assert "kernel stacks" in sizes
    assert "not in any counter" not in sizes


def test_out_of_memory_alone_does_not_say_of_what() -> None:
    found, said = words(KILL.format(pid=10, name="java", how="Out of memory"))
    assert found.cause is Cause.MACHINE
    assert "because memory ran out." in found.headline
    assert "of the whole machine or of the NUMA nodes that the task may use is not in the log" in said
    assert "Memory of the whole machine" not in said


def test_no_share_of_a_total_that_lacks_the_swap_which_rows_use() -> None:
    limit = "[5.0] memory: usage 980kB, limit 980kB, failcnt 5\n[5.0] memory+swap: usage 0kB, limit 18014398509481983kB, failcnt 0"
    swapped = "[5.0] [    10]  1000    10   300000      300  2097152  8000000         0 java"
    found, said = report(swapped, more=(limit,), how="Memory cgroup out of memory")
    assert [row.share for row in found.ranking] == [None]
    assert {figure.name for figure in found.limits} == {
        "cgroup usage", "cgroup limit", "cgroup memory+swap usage", "swap in all", "swap free",
    }  # fmt: skip
    assert "of what could be used" not in said


def test_swap_of_cgroup_v2_is_not_called_memory_and_swap() -> None:
    limit = "[5.0] memory: usage 980kB, limit 980kB, failcnt 5\n[5.0] swap: usage 0kB, limit 8kB, failcnt 0"
    found, _ = report(row(10, 100), more=(limit,), how="Memory cgroup out of memory")
    assert {"'swap: usage'", "'swap: ... limit'"} <= {figure.source for figure in found.limits}


@pytest.mark.parametrize(("ram", "total"), [(262_144, 262_144), (2_621_440, None), (26_214, None)])
def test_ram_that_the_zones_contradict_is_no_total(ram: int, total: int | None) -> None:
    zone = "[5.0] Node 0 Normal free:4000kB min:10240kB low:12000kB high:13000kB present:1048576kB managed:1048576kB"
    found, _ = report(row(10, 100_000), more=("[5.0] Mem-Info:", zone, MEMORY.replace("262144", str(ram))))
    assert found.total.pages == total


def test_nothing_is_a_share_of_no_limit() -> None:
    found, said = in_group("/a", 9007199254740988)
    assert found.total.pages is None
    assert "could be used" not in said
    assert "cgroup limit" not in {figure.name for figure in found.limits}


def test_a_marked_cgroup_is_killed_only_where_systemd_says_so() -> None:
    front = "Nov 24 08:00:00 h "
    mark = f"{front}systemd-oomd[5]: Marked /a/b.service for killing due to memory pressure for /a being 9% > 5%"
    found, said = words(mark)
    assert found.event.outcome == "sent"
    assert "systemd-oomd chose to kill the cgroup /a/b.service" in said
    assert "no line says that a signal went out" in said


@pytest.mark.parametrize(
    ("front", "shown"),
    [("Nov 24 08:00:00 h kernel: ", "time Nov 24 08:00:00, host h"), ("[Sun Nov 24 08:00:00 2024] ", "time Sun Nov 24"), ("[5.1] ", "time 5.100s")],
)  # fmt: skip
def test_the_time_is_shown_as_the_log_has_it(front: str, shown: str) -> None:
    kill = KILL.format(pid=10, name="java", how="Out of memory").removeprefix("[5.1] ")
    found, _ = words(front + kill)
    assert shown in render_text(found).partition("WHAT RAN OUT")[0]


def test_a_summary_alone_is_a_report_that_was_cut() -> None:
    summary = "[5.0] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=java,pid=10,uid=0"
    _, said = words(summary)
    assert "before its summary line ('oom-kill:') is not in this log: it was cut off." in said
    assert "Nor is the kill line" in said
    assert "limits reports" not in said


def test_no_kill_in_the_log_is_said_apart_from_the_reason() -> None:
    found, _ = words(TRIGGER.format(order=0), "[5.0] memory: usage 980kB, limit 980kB, failcnt 5")
    assert (
        found.headline
        == "The kernel's OOM killer was called because its cgroup reached its limit of 980K; no kill is in this report."
    )


def test_cut_rows_are_not_called_a_missing_table() -> None:
    _, said = report("[5.0] [   123] 0 77 damaged")
    assert "1 row of the task table is damaged" in said
    assert "rows of the task table are missing" not in said
    _, said = report()
    assert "cut off behind its head" in said
    assert "vm.oom_dump_tasks=0, or cut)" not in said


def test_room_in_a_zone_that_is_not_for_the_request_is_named() -> None:
    zone = "[5.0] Node 4 Movable free:900000kB min:9000kB low:12000kB high:13000kB present:1048576kB managed:1048576kB"
    other = zone.replace("Node 4", "Node 2")
    summary = "[5.0] oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=(null),cpuset=/x,mems_allowed=4,global_oom,task_memcg=/,task=java,pid=10,uid=0"
    _, said = report(row(10, 100_000), more=("[5.0] Mem-Info:", zone, other, summary))
    assert "node 4 Movable had 879M free, but is not for requests of this kind." in said
    assert "node 2" not in said


def test_the_container_of_openvz_is_named() -> None:
    found, _ = words(
        "[5.0] Out of memory in UB 1234: OOM killed process 7 (php) score 0 vm:281988kB, rss:17004kB, swap:0kB"
    )
    assert "because the OpenVZ container (UB 1234) reached its limit" in found.headline


def test_what_is_charged_to_other_groups_is_no_share_of_this_one() -> None:
    limit = "[5.0] memory: usage 132kB, limit 132kB, failcnt 9\n[5.0] memory+swap: usage 132kB, limit 9007199254740988kB, failcnt 0"
    kill = "[5.1] Memory cgroup out of memory: Killed process 10 (java) total-vm:2676kB, anon-rss:84kB, file-rss:1468kB, shmem-rss:4kB"
    found, said = words(TRIGGER.format(order=0), limit, MEMORY, TABLE, row(10, 388), kill)
    assert [each.share for each in found.ranking] == [None]
    assert "java alone held 67% of the limit" in said


def test_equal_badness_is_the_reason_where_another_is_first() -> None:
    old = TABLE.replace("pgtables_bytes", "nr_ptes")
    rows = [f"[5.0] [ {pid:5}]     0 {pid:5}   300000   100000     3        0             0 sh" for pid in (10, 11, 12)]
    _, said = words(TRIGGER.format(order=0), MEMORY, old, *rows, KILL.format(pid=10, name="sh", how="Out of memory"))
    assert "with the same badness: the order of the tasks decided" in said
    assert "3 %" not in said


def test_no_limit_is_advised_for_a_small_victim() -> None:
    _, said = report(row(10, 7, name="askfirst"), name="askfirst")
    assert "Cap " not in said


def test_a_death_that_the_kernel_hastened_is_not_called_open() -> None:
    (event, kill) = read_stream(
        io.BytesIO(
            b'earlyoom[5]: sending SIGTERM to process 10 uid 0 "java": oom_score 5, VmRSS 7 MiB, cmdline "x"\n'
            b"earlyoom[5]: process 10 exited after 1.0 seconds\n"
            + KILL.format(pid=10, name="java", how="Out of memory").encode()
        ),
        "log",
    ).events
    assert (event.killer, event.outcome, kill.killer) == ("earlyoom", "sent", "kernel")
    assert "but by the kernel's OOM killer" in " ".join(explain(event).how_known)
    assert "no line says that the process ended" not in " ".join(explain(event).how_known)


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/run-u640.service", "MemoryMax= of run-u640.service"),
        ("/user.slice/user-1000.slice/user@1000.service/init.scope", "MemoryMax= of user@1000.service"),
        ("/user.slice/user-1000.slice/session-4.scope", "MemoryMax= of user-1000.slice"),
    ],
)
def test_the_innermost_unit_is_the_one_to_change(path: str, unit: str) -> None:
    _, said = in_group(path, 42240)
    assert unit in said


def test_who_asks_a_driver_for_memory_does_not_invoke_the_oom_killer() -> None:
    kill = "lowmemorykiller: Killing 'a.b' (15854), adj 18, score_adj 1000,"
    _, said = words(f"[5.0] {kill}", "[5.0]    to free 75676kB on behalf of 'Cam' (16560) because")
    assert "Cam (pid 16560) asked for the memory that the kill was to free." in said
    assert "invoked" not in said


def test_sysrq_without_its_report_has_neither_order_nor_kill() -> None:
    found, said = words("[5.0] sysrq: Manual OOM execution")
    assert found.completeness == ("Neither the rest of this report nor its kill line is in the log.",)
    assert "order=-1" not in said


def test_a_limit_on_both_is_not_called_one_of_swap() -> None:
    limit = "[5.0] memory: usage 307112kB, limit 307200kB, failcnt 5\n[5.0] memory+swap: usage 614400kB, limit 614400kB, failcnt 1"
    _, said = report(row(10, 100), more=(limit,), how="Memory cgroup out of memory")
    assert "Its limit on memory and swap together (600M) was used up as well." in said
