"""The shapes of the lines of an OOM report, anchored at the start of a message (mm/oom_kill.c, 2.6.32 to 6.18).

Sample line: `Out of memory: Killed process 116 (stress-ng-vm) total-vm:66920kB, anon-rss:65140kB, ...`
"""

from __future__ import annotations

import re
from sys import intern

from oomtop.oomlog.event import Selected, Victim

# What a message of a report begins with, to tell it from what stands in front of it.
_BEGINNINGS = (
    r"(?:Memory cgroup out of memory|Out of [Mm]emory|OOM killed process|Kill(?:ed)? process \d)",
    r"oom-kill:constraint=",
    r"(?!(?:[\w.:-]{1,14} )?kernel: )[^\s\"'`|{\[][^\"'`|\n]{0,14} invoked oom-killer: ",
    r"Mem-Info:|[Aa]ctive_anon:|Tasks state|Memory cgroup stats for ",
    r"Kernel panic - not syncing: ", r"sysrq: |SysRq : ", r"oom_reaper: ", r"Tasks? in /", r"OOM killer in rage",
    r"(?:memory(?:\+swap)?|swap|kmem): usage \d", r"\[\s*pid\s*\]\s", r"\[\s*\d{1,10}\]\s+\d", r"Node \d+ \w+",
    r"(?:DMA|DMA32|Normal|HighMem|Movable)(?: free)?: ?\d", r"lowmem_reserve\[\]:", r"CPU: \d+ |Pid: \d+, comm: ",
    r"\d{1,19} (?:pages |total pagecache)", r"(?:Free|Total) swap ",
    r"Unreclaimable slab info:|Call Trace:|Hardware name:",
    r"oomd kill: ", r"\[<[0-9a-f]{8,16}>\]",
)  # fmt: skip
KNOWN = re.compile("|".join(_BEGINNINGS))
"""The beginning of a message that reports are made of."""
_WHOLE_KILL = (
    r"(?:(?:Memory cgroup out of memory|Out of memory)(?: \([a-z_ ]{1,40}\))?: )?"
    r"Killed process \d{1,10}(?:, UID \d{1,10},)? \(.{1,64}\)(?:, UID \d{1,10},)? total-vm:\d{1,19}kB"
    r", anon-rss:\d{1,19}kB"
    r", file-rss:\d{1,19}kB"
    r"(?:, shmem-rss:\d{1,19}kB)?(?:, UID:\d{1,10})?(?: pgtables:\d{1,19}kB)?(?: oom_score_adj:-?\d{1,5})?"
)
_WHOLE = re.compile(
    rf"(?:^|[\s;|,:>\])}}=])(?P<message>{_WHOLE_KILL}"
    r"|[\w./:-]{1,15} invoked oom-killer: gfp_mask=0x[0-9a-f]+(?:\([\w|]{1,400}\))?, [^\n]{0,100}order=-?\d{1,2}"
    r"(?:, oom_score_adj=-?\d{1,5})?)[\s,;|)}\]]{0,9}$"
)
_WHOLE_SUMMARY = re.compile(r"(?:^|[\s;|,:>\])}=])oom-kill:constraint=CONSTRAINT_[A-Z_]{1,40},")
_SUMMARY_END = re.compile(r",task=[^\n=]{1,80},pid=\d{1,10},uid=\d{1,10}[\s,;|)}\]]{0,9}$")
_LONGEST_MESSAGE, _LONGEST_END = 9200, 130
TRIGGER = re.compile(
    r"^(?P<comm>[^\"`|=]{0,80}?) invoked oom-killer: gfp_mask=(?P<mask>0x[0-9a-f]+)"
    r"(?:\((?P<flags>[^)]{0,400})\))?,\s{1,3}"
    r"(?:nodemask=(?P<nodemask>\S{1,80}?),\s{1,3})?order=(?P<order>-?\d{1,2})(?!\d)"
    r"(?:,\s{0,3}(?:oomkilladj|oom_adj)=(?P<oom_adj>-?\d{1,5}))?(?:,\s{0,3}oom_score_adj=(?P<adj>-?\d{1,5}))?"
)
CPU = re.compile(
    r"^(?:CPU: \d{1,19} (?:UID: (?P<uid>\d{1,10}) )?PID: (?P<pid>\d{1,10}) Comm: .{0,40}? "
    r"|Pid: (?P<old_pid>\d{1,10}), comm: .{0,40}? )"
    r"(?:Kdump: loaded )?(?:Not tainted|Tainted: [A-Z ]{1,40}?) {1,4}(?P<kernel>\d\S{2,80})"
)
MEMCG_TASK = re.compile(r"^Task in (?P<task>/.{0,4096}?) killed as a result of limit of (?P<limit>/.{0,4096})$")
USAGE = re.compile(
    r"^(?P<what>memory|memory\+swap|swap|kmem): usage (?P<usage>\d{1,19})kB, limit (?P<limit>\d{1,19})kB, failcnt \d"
)
SUMMARY = re.compile(
    r"^oom-kill:constraint=(?P<constraint>\w{1,40}),?(?P<rest>.{0,9000}),task=(?P<task>.{0,80}),pid=(?P<pid>\d{1,10}),uid=(?P<uid>-?\d{1,10})\b"
)
CUT_SUMMARY = re.compile(r"^oom-kill:constraint=(?P<constraint>CONSTRAINT_[A-Z_]+),(?P<rest>.{0,9000})$")
SELECTED = re.compile(
    r"^(?:(?P<msg>[^:]{1,80}): )?[Kk]ill process (?P<pid>\d{1,10}) \((?P<name>.{0,80})\) "
    r"score (?P<score>-?\d{1,19}(?!\d))(?: (?:or sacrifice child|or a child|and children))?"
)
# The sizes are optional: kernels up to 2.6.32 print none, `vsz:` is of 2.6.33 to 2.6.35, and lines are cut.
KILLED = re.compile(
    r"^(?:(?P<msg>[A-Z][^:]{1,80}): )?(?:K|OOM k)illed process (?P<pid>\d{1,10})(?:, UID (?P<uid1>\d{1,10}),)? "
    r"\((?P<name>.{0,80})\)(?:, UID (?P<uid2>\d{1,10}),?|,)?"
    r"(?:\.?$|(?P<sizes> (?:total-vm:|vsz:|score -?\d{1,19} vm:)(?P<total_vm>\d{1,19})kB"
    r"(?:, anon-rss:(?P<anon>\d{1,19})kB(?:, file-rss:(?P<file>\d{1,19})kB)?)?"
    r"(?:, shmem-rss:(?P<shmem>\d{1,19})kB)?(?:, UID:(?P<uid3>\d{1,10}))?(?: pgtables:(?P<pgtables>\d{1,19})kB)?"
    r"(?: oom_score_adj:(?P<adj>-?\d{1,5}(?!\d)))?(?:, rss:(?P<rss>\d{1,19})kB)?))"
)
REAPED = re.compile(
    r"^oom_reaper: reaped process (?P<pid>\d{1,10}) (?:.{0,64}?, now anon-rss:(?P<anon>\d{1,19})kB, "
    r"file-rss:(?P<file>\d{1,19})kB, shmem-rss:(?P<shmem>\d{1,19})kB)?"
)
GROUP = re.compile(r"^Tasks in (?P<path>/.{0,4096}?) are going to be killed due to memory\.oom\.group set")
NO_VICTIM = re.compile(
    r"^(?:Out of memory|Memory cgroup out of memory)(?: and no killable processes|: Killed process none)"
)
PANIC = re.compile(
    r"^Kernel panic - not syncing: (?P<why>System is deadlocked on memory"
    r"|(?:Out of memory|out of memory)(?:[:.]| and no killable processes).{0,120})"
)
MANUAL = re.compile(r"^(?:sysrq: )?(?:SysRq : )?Manual OOM execution")
MEMCG_TRACE = re.compile(
    r"\bmem_cgroup_out_of_memory\b|\bmem_cgroup_oom_synchronize\b|\b_{0,2}(?:mem_cgroup_)?try_charge"
)
"""Functions in a call trace that only a cgroup's limit leads to."""
KILL_MESSAGES = ("Out of memory", "Out of Memory", "Memory cgroup out of memory")


def whole_message(line: str) -> int | None:
    """Return where a message begins that can be nothing else, behind anything and to the end of its line.

    What has to stand at its end is looked for first: from each possible beginning on, a long line is not searched.
    """
    first = max(0, len(line) - _LONGEST_MESSAGE)
    if "oom-kill:" in line and _SUMMARY_END.search(line, max(0, len(line) - _LONGEST_END)):
        summary = _WHOLE_SUMMARY.search(line, first)
        if summary is not None:
            return line.index("oom-kill:", summary.start())
    match = _WHOLE.search(line, first) if "Killed process " in line or " invoked oom-killer: " in line else None
    return None if match is None else match.start("message")


def number(text: str | None, scale: int = 1) -> int | None:
    """Return a matched number times `scale`, None where it was not in the text."""
    return None if text is None else int(text) * scale


def victim_of(match: re.Match[str]) -> Victim:
    """Return the victim of a `KILLED` match; the kernel prints kB."""
    uid = match["uid1"] or match["uid2"] or match["uid3"]
    pid, name, adj, *sizes = match.group("pid", "name", "adj", *_SIZES)
    total_vm, anon, file, shmem, pgtables, rss = [None if size is None else int(size) * 1024 for size in sizes]
    return Victim(int(pid), intern(name), number(uid), total_vm, anon, file, shmem, pgtables, number(adj), rss)


_SIZES = ("total_vm", "anon", "file", "shmem", "pgtables", "rss")


def selected_of(match: re.Match[str]) -> Selected:
    """Return the choice of a `SELECTED` match; before 5.0 a child may have died in its place."""
    return Selected(int(match["pid"]), match["name"], None, int(match["score"]))


def summary_field(rest: str, name: str) -> str | None:
    """Return one `name=value` of the summary line; values may hold commas, so the known names delimit them."""
    names = "nodemask|cpuset|mems_allowed|global_oom|oom_memcg|task_memcg"
    match = re.search(rf"(?:^|,){name}=(.*?)(?=,(?:{names})(?:=|,|$)|$)", rest)
    return match[1] if match else None


def allowed_by(rest: str) -> dict[str, str | None]:
    """Return the cpuset and its nodes, as the summary line names them."""
    return {name: summary_field(rest, name) for name in ("cpuset", "mems_allowed")}


_INNER_STAMP = re.compile(r"^.{0,200}\[ *\d{1,9}\.\d{6}\] ")


def last_message(text: str) -> str:
    """Return what follows the last printk stamp inside a line: on a console two messages can share one."""
    return _INNER_STAMP.sub("", text)


def is_kernel_message(message: str | None) -> bool:
    """Whether the words before a kill are the kernel's."""
    return message is None or message.startswith(KILL_MESSAGES)


def type_by(message: str | None) -> str:
    """Return the type of an event by the words before its kill."""
    if message is None:
        return "unknown"
    # OpenVZ names a container's beancounter: `Out of memory in UB 101`.
    return "memcg" if message.startswith(("Memory cgroup", "Out of memory in UB")) else "global"


def type_of(before: str, constraint: str, memcg: str | None) -> str:
    """Return the type of an event by its summary line, and what was known before."""
    if memcg is not None or constraint == "CONSTRAINT_MEMCG":
        return "memcg"
    if constraint == "CONSTRAINT_MEMORY_POLICY":
        return "mempolicy"
    if constraint == "CONSTRAINT_CPUSET":
        return "global-cpuset"
    return "global" if before == "unknown" else before
