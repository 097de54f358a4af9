"""Help for every figure on the screens: meaning, when to worry, and kernel file, one line each.

`label` is the text that identifies the figure on its line, so that a click can open its help.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oomtop.fields import ProcessField


class Hint(NamedTuple):
    """One figure: its place, its label and its explanation."""

    label: str
    what: str
    file: str = ""

    @property
    def name(self) -> str:
        """The label as it stands in the help."""
        return self.label.strip(" []") or "tabs"


HEADER = (
    Hint("[", "the tabs: Tab and Shift-Tab, or a click; before them the host and the rights oomtop runs with"),
    Hint("root", "everything is visible and permitted; `oomtop doctor` lists what a container still denies"),
    Hint("root of a user namespace", "root in a container only: its own processes, not swap, settings and limits"),
    Hint("root with fewer rights", "some capabilities are missing: `oomtop doctor` lists them", "/proc/self/status"),
    Hint("[hidepid]", "processes of other users are hidden: the next victim may be one of them", "/proc/self/mounts"),
    Hint("[container]", "only the container is visible: the next victim may be outside of it"),
    Hint("[gVisor]", "only the sandbox is visible: memory and processes are its own, not the machine's"),
    Hint("unprivileged", "all figures, but details and actions for your own processes only; use sudo for the rest"),
    Hint("own ", "a protection of oomtop itself that failed; see `oomtop doctor`", "/proc/self/oom_score_adj"),
    Hint("not guarded", "oomtop itself may be paged out or killed; CAP_IPC_LOCK and CAP_SYS_RESOURCE prevent it"),
    Hint("killed", "OOM kills since boot and the time since the newest; the Events tab has them", "/proc/vmstat"),
    Hint("[paused]", "the screen is frozen, sampling continues; Z resumes"),
    Hint("[read-only]", "actions are disabled"),
    Hint("[replay]", "a recording: actions are off, R or q leaves"),
    Hint("[light", "oomtop does less work while the machine stalls"),
    Hint("s  ", "seconds between refreshes (+ and - change it), and the time of the sample"),
)  # fmt: skip
MEMORY = (
    Hint("Mem", "all RAM, from what is hardest to get back to what is easiest; | is the min watermark, "
           "below which allocations stall", "/proc/meminfo, /proc/zoneinfo"),
    Hint("available", "memory available to programs without swapping (MemAvailable); worry below 10 %",
           "/proc/meminfo"),
    Hint("anon", "heap and stack of programs; only swap or a kill frees it (AnonPages)", "/proc/meminfo"),
    Hint("shmem", "tmpfs, /dev/shm, memfd; worry when it grows: no process owns it, deleting files frees it (Shmem)",
           "/proc/meminfo"),
    Hint("huge", "reserved huge pages, used or not; nothing else can use them (HugePages_Total)", "/proc/meminfo"),
    Hint("kernel", "unreclaimable slab, page tables, stacks, percpu; worry when it grows",
           "/proc/meminfo"),
    Hint("balloon", "memory taken by the hypervisor (Balloon); only it can return it", "/proc/meminfo"),
    Hint("compr", "RAM that holds swapped pages compressed: zswap's pool and zram", "/proc/meminfo, mm_stat"),
    Hint("other", "memory without a kernel counter, such as drivers; worry when it grows", "/proc/meminfo"),
    Hint("arc", "ZFS's cache; shrinks under pressure, but slowly", "/proc/spl/kstat/zfs/arcstats"),
    Hint("slab", "caches of dentries and inodes; reclaimed when needed (SReclaimable)", "/proc/meminfo"),
    Hint("cache", "page cache; reclaimed first, dirty pages once they are written (Cached)", "/proc/meminfo"),
    Hint("free", "unused; low is normal, available is what counts (MemFree)", "/proc/meminfo"),
    Hint("Own", "the limit of the container that oomtop itself runs in", "memory.max"),
)  # fmt: skip
SWAP = (
    Hint("Swap", "used of total; worry when it is full: a kill comes next", "/proc/meminfo"),
    Hint("in ", "bytes per second read back; worry when in and out are both high: a swap storm (pswpin)",
           "/proc/vmstat"),
    Hint("out ", "bytes per second swapped out; harmless on its own (pswpout)", "/proc/vmstat"),
    Hint("cached", "in swap and in RAM at once: free to drop (SwapCached)", "/proc/meminfo"),
    Hint("zram", "RAM used by the compressed device, and its ratio; worry below 1.5x", "/sys/block/zram*/mm_stat"),
    Hint("zswap", "the compressed cache in front of swap: RAM used and size of the pages", "/proc/meminfo"),
)  # fmt: skip
PRESSURE = (
    Hint("PSI", "pressure stall information: time lost to memory, 0 on a calm machine; the bars at the end are the "
           "highest some of every 20 s, ten minutes back", "/proc/pressure/memory"),
    Hint("some", "percentage of time that at least one task waited for memory, over 10, 60 (300) s; worry above 10",
           "/proc/pressure/memory"),
    Hint("full", "percentage of time that all tasks waited at once; above 10 the machine thrashes",
           "/proc/pressure/memory"),
    Hint("disk faults", "page faults per second that had to read from disk; worry when it stays high (pgmajfault)",
           "/proc/vmstat"),
    Hint("refault", "bytes per second read back soon after eviction: the working set does not fit",
           "/proc/vmstat"),
    Hint("stalls", "allocations per second that entered direct reclaim (allocstall)", "/proc/vmstat"),
)  # fmt: skip
STRIP = (
    Hint("FULL IN", "seconds until this limit kills, at the present growth of what is held; in brackets the likely "
         "range; red below five minutes", "memory.current, memory.stat, /proc/meminfo"),
    Hint("KILLED", "a kill at this limit within the last minute", "/dev/kmsg"),
    Hint("AT ITS LIMIT", "the kernel reclaims to stay below the limit, and kills when nothing more can be reclaimed",
         "memory.events"),
    Hint(" of ", "number of the danger shown; n and N step through the others, Esc returns to the nearest"),
    Hint("dies", "the process the kernel would kill here, and how much that frees here",
         "/proc/PID/oom_score_adj, status"),
    Hint("do", "keys that help, and the time each gains at the current growth"),
    Hint("nearest", "the limit with the least room, and held memory, which only a kill or swap frees"),
)  # fmt: skip
BOARD = (Hint("", "all dangers, the nearest first: time, held (#), cache (=), limit, growth"),)
FINDINGS = (Hint("", "a cause and the key that acts on it; !! means act now"),)
ALSO = (Hint("", "the other limits, the nearest first; n steps through them"),)
ACCOUNT = (Hint("", "available memory, swap, pressure and faults that read from disk"),)
CHART = (Hint("", "while something fills up: what is held of its limit and the cone of the forecast; else available "
              "memory, swap and PSI in per cent (v changes, V goes further back)"),)  # fmt: skip
EVENTS = (Hint("", "the newest OOM kills and outcomes of your actions; the Events tab lists all kills",
                 "/dev/kmsg"),)  # fmt: skip
STATUS = (Hint("", "what could not be read, and why: the figures from it are shown as a dash"),)

DASHBOARD: Mapping[str, Sequence[Hint]] = {
    "header": HEADER,
    "memory": MEMORY,
    "swap": SWAP,
    "pressure": PRESSURE,
    "strip": STRIP,
    "board": BOARD,
    "also": ALSO,
    "account": ACCOUNT,
    "findings": FINDINGS,
    "chart": CHART,
    "events": EVENTS,
    "status": STATUS,
}
"""By the id of the widget."""

CGROUPS = (
    Hint("USED", "all memory charged to the group, including page cache", "memory.current"),
    Hint("LIMIT", "the smallest memory.max from here up to the root", "memory.max"),
    Hint("LEFT", "bytes to its limit, counting reclaimable memory; worry below a tenth", "memory.stat"),
    Hint("FULL IN", "time until its limit is reached at this rate; worry below five minutes"),
    Hint("KILLS", "processes killed in it; any is worth a post-mortem", "memory.events"),
)
EVENT_LIST = (
    Hint("WHEN", "the time of the kill; `boot+` if the log has no date", "/dev/kmsg, journal, /var/log"),
    Hint("KILLER", "the kernel, systemd-oomd, earlyoom, nohang, oomd or the kubelet"),
    Hint("PID", "the victim; +2 are further victims of the same event"),
    Hint("ANON", "its anonymous memory, which the kill freed"),
    Hint("CGROUP OR REASON", "the group whose limit was hit, or another reason"),
)
KERNEL = (
    Hint("setting", "a kernel setting; ! and i explain what is wrong with its value here; Enter changes it",
           "/proc/sys/vm"),
    Hint("Watermarks", "below low the kernel reclaims, below min allocations stall: worry there", "/proc/zoneinfo"),
    Hint("Fragmentation", "free blocks by size; few on the right: large requests fail although memory is free",
           "/proc/buddyinfo"),
    Hint("Swap", "swap devices by priority, and their compression", "/proc/swaps"),
    Hint("Overcommit", "committed memory and its limit; enforced only in mode 2", "/proc/meminfo"),
    Hint("Huge pages", "reserved and transparent huge pages", "/proc/meminfo"),
    Hint("Slab", "the kernel's own caches, the largest first; one that never stops growing leaks", "/proc/slabinfo"),
)  # fmt: skip
PROCESS = (
    Hint("Score", "the kernel's badness, term by term; the highest is killed first", "/proc/PID/status, oom_score_adj"),
    Hint("Growth", "RSS and swap over the last minutes"),
    Hint("Cgroups", "the limits that apply to it; the nearest one kills", "memory.max, memory.current"),
    Hint("Mappings", "its memory by mapping; change is since the first read: a growing one is the leak",
           "/proc/PID/smaps"),
    Hint("Deeper", "tools for its runtime; 1-9 opens one in this terminal"),
)  # fmt: skip

BY_SCREEN: Mapping[str, Sequence[Hint]] = {
    "processes-tab": tuple(figure for figures in DASHBOARD.values() for figure in figures if figure.label),
    "cgroups-tab": CGROUPS,
    "events-tab": EVENT_LIST,
    "kernel-tab": KERNEL,
    "process": PROCESS,
}
"""By screen name, in display order."""


def figure_at(figures: Sequence[Hint], line: str, x: int) -> Hint | None:
    """Return the figure at cell `x` of a line: the one whose label starts last before it."""
    found: tuple[int, Hint] | None = None
    for figure in figures:
        at = line.rfind(figure.label, 0, x + len(figure.label))
        if at >= 0 and (found is None or at > found[0]):
            found = (at, figure)
    return found[1] if found else None


def explain(figure: Hint) -> str:
    """Return the explanation of a figure."""
    if not figure.file:
        return figure.what
    return f"{figure.what[:-1]} of {figure.file})" if figure.what.endswith(")") else f"{figure.what} ({figure.file})"


def explain_field(field: ProcessField) -> str:
    """Return the explanation of a column: meaning, when to worry, kernel file."""
    return explain(Hint(field.title, f"{field.help}; {field.worry}" if field.worry else field.help, field.file))
