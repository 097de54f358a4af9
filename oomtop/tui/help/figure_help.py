"""What every figure on the screens is, when to worry about it, and which kernel file it comes from: one line each.

`label` is the text by which the figure is found on its line, so that the help can be opened from the figure itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oomtop.fields import ProcessField


class Hint(NamedTuple):
    """One figure: where it stands, how it is found there, and what is to be said about it."""

    label: str
    what: str
    file: str = ""


HEADER = (
    Hint("[", "the tabs: Tab and Shift-Tab, or a click; before them the host and the rights oomtop runs with"),
    Hint("root", "everything can be seen and done; `oomtop doctor` names what a container still denies"),
    Hint("root of a user namespace", "root of a container only: its own processes, not swap, settings and limits"),
    Hint("root with fewer rights", "some capabilities are missing: `oomtop doctor` names them", "/proc/self/status"),
    Hint("own processes", "those of other users are hidden: the next victim may be one of them (hidepid)"),
    Hint("container's", "only the container is seen: the next victim of the machine may be outside of it"),
    Hint("unprivileged", "all figures; details and actions for your own processes only; sudo oomtop does the rest"),
    Hint("own ", "what of oomtop's own protection failed; `oomtop doctor` has all of it", "/proc/self/oom_score_adj"),
    Hint("not guarded", "oomtop itself may be paged out or killed; CAP_IPC_LOCK and CAP_SYS_RESOURCE prevent it"),
    Hint("killed ", "OOM kills since boot and the time since the newest; the Events tab has them", "/proc/vmstat"),
    Hint("[paused]", "the screen stands still, sampling goes on; Z resumes"),
    Hint("[read-only]", "no action can be started"),
    Hint("[replay]", "a recording: actions are off, R or q leaves"),
    Hint("[light", "oomtop does less while the machine stalls, and everything again afterwards"),
    Hint("s  ", "seconds between refreshes (+ and - change it), and the time of the figures"),
)  # fmt: skip
MEMORY = (
    Hint("Mem", "all RAM, from what is hardest to get back to what is easiest; | is the min watermark, "
           "below which allocations stall", "/proc/meminfo, /proc/zoneinfo"),
    Hint("available", "what programs can still get without swapping (MemAvailable); worry below 10 %",
           "/proc/meminfo"),
    Hint("anon", "heap and stack of programs; only swap or a kill gets it back (AnonPages)", "/proc/meminfo"),
    Hint("shmem", "tmpfs, /dev/shm, memfd; worry when it grows: no process owns it, deleting files frees it (Shmem)",
           "/proc/meminfo"),
    Hint("huge", "reserved huge pages, used or not; nothing else can use them (HugePages_Total)", "/proc/meminfo"),
    Hint("kernel", "slab that cannot be given back, page tables, stacks, percpu; worry when it grows",
           "/proc/meminfo"),
    Hint("balloon", "what the hypervisor took back (Balloon); only it can return that", "/proc/meminfo"),
    Hint("compr", "RAM that holds swapped pages compressed: zswap's pool and zram", "/proc/meminfo, mm_stat"),
    Hint("other", "in no counter of the kernel: drivers; worry when it grows", "/proc/meminfo"),
    Hint("arc", "ZFS's cache; shrinks under pressure, but slowly", "/proc/spl/kstat/zfs/arcstats"),
    Hint("slab", "caches of dentries and inodes; reclaimed when needed (SReclaimable)", "/proc/meminfo"),
    Hint("cache", "page cache; reclaimed first, dirty pages once they are written (Cached)", "/proc/meminfo"),
    Hint("free", "unused; low is normal, available is what counts (MemFree)", "/proc/meminfo"),
    Hint("Own", "the limit of the container that oomtop itself runs in", "memory.max"),
)  # fmt: skip
SWAP = (
    Hint("Swap", "used of total; worry when it is full: what comes next is a kill", "/proc/meminfo"),
    Hint("in ", "bytes per second read back; worry when in and out are high at once: a swap storm (pswpin)",
           "/proc/vmstat"),
    Hint("out ", "bytes per second swapped out; alone it is harmless (pswpout)", "/proc/vmstat"),
    Hint("cached", "in swap and in RAM at once: free to drop (SwapCached)", "/proc/meminfo"),
    Hint("zram", "RAM that the compressed device takes, and its ratio; worry below 1.5x", "/sys/block/zram*/mm_stat"),
    Hint("zswap", "the compressed cache before the swap device, and what it holds", "/proc/meminfo"),
)  # fmt: skip
PRESSURE = (
    Hint("PSI", "pressure stall information: time lost to memory, 0 on a calm machine; the bars at the end are the "
           "highest some of every 20 s, ten minutes back", "/proc/pressure/memory"),
    Hint("some", "per cent of time that at least one task waited for memory, over 10, 60 (300) s; worry above 10",
           "/proc/pressure/memory"),
    Hint("full", "per cent of time that all tasks waited at once; above 10 the machine thrashes",
           "/proc/pressure/memory"),
    Hint("disk faults", "page faults per second that had to read from disk; worry when it stays high (pgmajfault)",
           "/proc/vmstat"),
    Hint("refault", "bytes per second read back soon after eviction: the working set does not fit",
           "/proc/vmstat"),
    Hint("stalls", "allocations per second that had to reclaim memory first (allocstall)", "/proc/vmstat"),
)  # fmt: skip
STRIP = (
    Hint("FULL IN", "seconds until this limit kills, at the present growth of what is held; in brackets the honest "
         "range; red below five minutes", "memory.current, memory.stat, /proc/meminfo"),
    Hint("KILLED", "a kill at this limit within the last minute", "/dev/kmsg"),
    Hint("AT ITS LIMIT", "the kernel reclaims to stay below the limit; it kills when it finds nothing more",
         "memory.events"),
    Hint(" of ", "the danger shown, of all that can run out; n and N go to the others, Esc back to the nearest"),
    Hint("dies", "whom the kernel would kill here, by its own formula, and what that frees here",
         "/proc/PID/oom_score_adj, status"),
    Hint("do", "keys that help, and the time that each buys at the present growth"),
    Hint("nearest", "the limit with the least room; what is held of it, which only a kill or swap gives back"),
)  # fmt: skip
BOARD = (Hint("", "everything that can run out, the nearest first: time, what is held (#), cache (=), limit, growth"),)
FINDINGS = (Hint("", "a cause and the key that acts on it; !! needs a decision now"),)
ALSO = (Hint("", "the other limits, the nearest first; n goes to them"),)
ACCOUNT = (Hint("", "available memory, swap, pressure and faults that read from disk"),)
CHART = (Hint("", "while something fills up: what is held of its limit and the cone of the forecast; else available "
              "memory, swap and PSI in per cent (v changes, V goes further back)"),)  # fmt: skip
EVENTS = (Hint("", "the newest OOM kills and what came of your actions; the Events tab has all of them",
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
    Hint("USED", "all memory charged to the group, with page cache", "memory.current"),
    Hint("LIMIT", "the smallest memory.max from here up to the root", "memory.max"),
    Hint("LEFT", "bytes to its limit, with what can be reclaimed; worry below a tenth", "memory.stat"),
    Hint("FULL IN", "when its limit is reached at this rate; worry below five minutes"),
    Hint("KILLS", "processes killed in it; any is worth a post-mortem", "memory.events"),
)
EVENT_LIST = (
    Hint("WHEN", "the time of the kill; `boot+` where the log knows no date", "/dev/kmsg, journal, /var/log"),
    Hint("KILLER", "the kernel, systemd-oomd, earlyoom, nohang, oomd or the kubelet"),
    Hint("PID", "the victim; +2 are further victims of the same event"),
    Hint("ANON", "its anonymous memory: what the kill freed"),
    Hint("CGROUP OR REASON", "the group whose limit it was, or why else"),
)
KERNEL = (
    Hint("setting", "a kernel setting; ! and i say what is wrong with its value here, Enter changes it",
           "/proc/sys/vm"),
    Hint("Watermarks", "below low the kernel reclaims, below min allocations stall: worry there", "/proc/zoneinfo"),
    Hint("Fragmentation", "free blocks by size; few on the right: large requests fail though memory is free",
           "/proc/buddyinfo"),
    Hint("Swap", "the devices by priority, and what compression makes of them", "/proc/swaps"),
    Hint("Overcommit", "promised against the limit; counts only in mode 2", "/proc/meminfo"),
    Hint("Huge pages", "reserved and transparent huge pages", "/proc/meminfo"),
    Hint("Slab", "the kernel's own caches, the largest first: who grows without end leaks", "/proc/slabinfo"),
)  # fmt: skip
PROCESS = (
    Hint("Score", "the kernel's badness, term by term; who has most dies first", "/proc/PID/status, oom_score_adj"),
    Hint("Growth", "RSS and swap over the last minutes"),
    Hint("Cgroups", "the limits above it; the nearest is the one that kills", "memory.max, memory.current"),
    Hint("Mappings", "what it holds, by name; change is since the first reading: what grows is the leak",
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
"""By the name of the screen, in the order in which they stand there."""


def figure_at(figures: Sequence[Hint], line: str, x: int) -> Hint | None:
    """Return the figure that stands at cell `x` of a line: the one whose label begins last before it."""
    found: tuple[int, Hint] | None = None
    for figure in figures:
        at = line.rfind(figure.label, 0, x + len(figure.label))
        if at >= 0 and (found is None or at > found[0]):
            found = (at, figure)
    return found[1] if found else None


def explain(figure: Hint) -> str:
    """Return what is to be said about a figure."""
    if not figure.file:
        return figure.what
    return f"{figure.what[:-1]} of {figure.file})" if figure.what.endswith(")") else f"{figure.what} ({figure.file})"


def explain_field(field: ProcessField) -> str:
    """Return what is to be said about a column: what it shows, when to worry, the kernel file."""
    return explain(Hint(field.title, f"{field.help}; {field.worry}" if field.worry else field.help, field.file))
