"""All processes, as cheaply as the kernel allows: `stat` on kept descriptors, the rest only when it can have changed.

`/proc/PID/stat`, `status`, `cgroup`, `oom_score` and `oom_score_adj` (Documentation/filesystems/proc.rst).

Measured on 5,000 idle processes, 2 cores: listing `/proc` 10 ms, `pread` of a kept `stat` 36 ms, a fresh
open, read and close of the same file 98 ms, `status` 68 ms.  So a scan re-reads `stat`, compares bytes, and
keeps the `Process` object of a process that did nothing: later stages rely on that identity.  `/proc` is listed
again when a number was given away or a thread ended, which `/proc/loadavg` tells: `0.19 0.14 0.22 1/560 31234`, and on
every fifth scan all the same, as in some sandboxes and foreign pid namespaces it tells nothing.
A process that rests is read in turn, every fourth scan, as long as the machine's own figures stand still.

Sample line: `1234 (stress-ng-vm) S 1 1234 1234 0 -1 4194560 2561 0 3 0 7 1 0 0 20 0 1 0 8421 9420800 812 ...`
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial

from oomtop.errors import ParseError
from oomtop.frozen import replace, slotted
from oomtop.host.descriptors import how_many_may_stay_open
from oomtop.host.living_thread import has_dead_leader, with_living_thread
from oomtop.host.numa import parse_nodes
from oomtop.host.oom_rules import OomRules
from oomtop.host.process import Process, ProcessId
from oomtop.host.root import Root, whole

_STAT_BYTES = 1024
# Facts that change without a trace in stat (adj, cgroup, oom_score) are read again on every sixteenth scan.
ROTATION = 16
# After this many scans without a change in stat a process is idle and is read on every fourth scan.
_RESTS_AFTER = 4
REST = 4
# Scans after which /proc is listed even if /proc/loadavg shows no change.
LISTING = 5
_MOST_DIGITS = 21
_Slow = tuple[int | None, int | None, str | None]
"""`oom_score`, `oom_score_adj` and the cgroup's path."""


@slotted
class _Kept:
    """What is remembered of one process between two scans."""

    descriptor: int | None
    digest: int
    """Of the bytes of `stat`: 300 bytes a process less than the bytes."""
    process: Process
    unchanged: int = 0
    """Scans in a row that found the same `stat`."""


class ProcessScan:
    """Reads all processes of one root; keeps descriptors between calls, so it has to be closed."""

    def __init__(self, root: Root, page_size: int, clock_ticks: int) -> None:
        self._proc = root.at("/proc")
        self._page_size = page_size
        self._clock_ticks = clock_ticks
        self._kept: dict[int, _Kept] = {}
        self._order: list[int] = []
        self._births: bytes | None = None
        self._nameless: list[Process] = []
        self._turn = 0
        self._budget = how_many_may_stay_open()
        self._rules = OomRules(root)
        self.cgroup_root = ""
        """Where below the mount `/proc/PID/cgroup` begins: in a cgroup namespace perhaps not at its root."""
        self.has_nodes = False
        """Whether there is more than one NUMA node: then those of each cpuset are read."""
        self.memory_hierarchy = True
        """Whether `/proc/PID/cgroup` is searched for the v1 memory controller before the unified line."""

    def close(self) -> None:
        """Give all descriptors back."""
        for kept in self._kept.values():
            _close(kept.descriptor)
        self._kept.clear()

    def scan(self, watched: frozenset[ProcessId] = frozenset(), thorough: bool = True) -> tuple[Process, ...]:
        """Return all processes by pid; `watched` ones have their slow facts read every time.

        Without `thorough`, processes that rest are read in turn, and are up to `REST` scans old.
        """
        self._turn += 1
        self._list()
        rests_after = sys.maxsize if thorough else _RESTS_AFTER
        awake = {identity.pid for identity in watched}
        found: list[Process] = []
        for pid in self._order:
            kept = self._kept.get(pid)
            if kept is not None and kept.unchanged >= rests_after and (pid + self._turn) % REST and pid not in awake:
                found.append(kept.process)
            elif (process := self._visit(pid, pid in awake)) is not None:
                found.append(process)
        return tuple(found)

    def take_nameless(self) -> tuple[Process, ...]:
        """Return the processes whose command line is not known yet: new ones, and those after an exec."""
        found, self._nameless = tuple(self._nameless), []
        return found

    def _list(self) -> None:
        births = _read(f"{self._proc}/loadavg")
        # The last two words: threads running/existing, and the pid assigned last.
        births = None if births is None else b" ".join(births.split()[3:]).partition(b"/")[2]
        if births is not None and births == self._births and self._turn % LISTING:
            return
        try:
            names = os.listdir(self._proc)
        except OSError:
            # Memory or descriptors are short at this moment: those of the last scan are looked at again.
            if not self._order:
                raise ParseError(self._proc, None) from None
            return
        self._births = births
        self._order = sorted(int(name) for name in names if name.isdigit())
        self._forget(set(self._order))

    def current(self) -> tuple[Process, ...]:
        """Return what the last scan found, with what was attached since."""
        return tuple(self._kept[pid].process for pid in sorted(self._kept))

    def _forget(self, alive: set[int]) -> None:
        for pid in self._kept.keys() - alive:
            _close(self._kept.pop(pid).descriptor)

    def _visit(self, pid: int, is_watched: bool) -> Process | None:
        kept = self._kept.get(pid)
        if kept is None:
            return self._meet(pid)
        raw = self._read_stat(pid, kept)
        if raw is None:
            # The descriptor belongs to a process that is gone; its number may already have a new owner.
            _close(self._kept.pop(pid).descriptor)
            return self._meet(pid)
        if hash(raw) == kept.digest:
            kept.unchanged += 1
        else:
            self._update(pid, kept, raw)
        if (pid + self._turn) % ROTATION == 0 or is_watched:
            self._refresh_slow(kept)
        return kept.process

    def _read_stat(self, pid: int, kept: _Kept) -> bytes | None:
        try:
            if kept.descriptor is not None:
                return os.pread(kept.descriptor, _STAT_BYTES, 0) or None
        except OSError:
            return None
        return _read(f"{self._proc}/{pid}/stat")

    def _meet(self, pid: int) -> Process | None:
        """See a process for the first time: everything is read."""
        descriptor = self._open(f"{self._proc}/{pid}/stat")
        if descriptor is None:
            return None
        try:
            raw = os.pread(descriptor, _STAT_BYTES, 0)
        except OSError:
            raw = b""
        if not raw:
            _close(descriptor)
            return None
        process = parse_stat(raw, self._page_size, self._clock_ticks)
        if len(self._kept) >= self._budget:
            _close(descriptor)
            descriptor = None
        kept = _Kept(descriptor, hash(raw), self._complete(process))
        self._kept[pid] = kept
        self._nameless.append(kept.process)
        return kept.process

    def _update(self, pid: int, kept: _Kept, raw: bytes) -> None:
        before = kept.process
        after = parse_stat(raw, self._page_size, self._clock_ticks)
        kept.digest, kept.unchanged = hash(raw), 0
        if after.id != before.id or before.is_spared or has_dead_leader(after):
            kept.process = self._complete(after, before)
            self._nameless += [kept.process] * (kept.process.command is None)
            return
        moved = (after.rss, after.minor_faults, after.major_faults) != (
            before.rss,
            before.minor_faults,
            before.major_faults,
        )
        status = self._read_status(after) if moved else {}
        told = status.get if status else partial(getattr, before)
        slow = (before.oom_score, before.oom_score_adj, before.cgroup)
        command = before.command if after.comm == before.comm else None
        kept.process = _with_told(after, told, slow, False, command, before.memory_owner)
        if after.comm != before.comm:
            self._nameless.append(kept.process)

    def _refresh_slow(self, kept: _Kept) -> None:
        """Read the slow facts again; the object is kept when none of them changed."""
        process = kept.process
        score, adj, cgroup = self._read_slow(process)
        if (score, adj, cgroup) != (process.oom_score, process.oom_score_adj, process.cgroup):
            spared = self._rules.spares(process, score, adj)
            kept.process = replace(process, oom_score=score, oom_score_adj=adj, cgroup=cgroup, is_spared=spared)

    def _complete(self, process: Process, before: Process | None = None) -> Process:
        """Add all that `stat` lacks; the command line is that of `before`, if it is the same program."""
        is_same = before is not None and before.id == process.id and before.comm == process.comm
        process = self._with_living_thread(process) if has_dead_leader(process) else process
        slow = self._read_slow(process)
        spared = self._rules.spares(process, *slow[:2])
        command = before.command if before is not None and is_same else None
        return _with_told(process, self._read_status(process).get, slow, spared, command)

    def _with_living_thread(self, process: Process) -> Process:
        folder = f"{self._proc}/{process.pid}/task"
        try:
            tids = sorted(map(int, os.listdir(folder)))
        except OSError:
            return process
        stats = (_read(f"{folder}/{tid}/stat") for tid in tids)
        return with_living_thread(
            process, (parse_stat(raw, self._page_size, self._clock_ticks) for raw in stats if raw)
        )

    def _folder(self, process: Process) -> str:
        """Return the folder with its memory and cgroup; that of an ended main thread has neither."""
        folder = f"{self._proc}/{process.pid}"
        return folder if process.thread is None else f"{folder}/task/{process.thread}"

    def _read_status(self, process: Process) -> Mapping[str, int]:
        """Return what `status` says; a kernel thread has no memory map and needs none of it."""
        if process.is_kernel_thread:
            return _KERNEL_THREAD
        text = _read(f"{self._folder(process)}/status")
        return {} if text is None else parse_status(text, self.has_nodes)

    def _read_slow(self, process: Process) -> _Slow:
        folder = f"{self._proc}/{process.pid}"
        cgroup = _read(f"{self._folder(process)}/cgroup")
        path = None if cgroup is None else parse_cgroup(cgroup, self.memory_hierarchy)
        # Thousands of processes share a few paths: one copy of each is kept.
        path = None if path is None else sys.intern(self.cgroup_root + path if path != "/" else self.cgroup_root or "/")
        return _read_int(f"{folder}/oom_score"), _read_int(f"{folder}/oom_score_adj"), path

    def set_memory_owner(self, identity: ProcessId, owner: int | None) -> None:
        """Note whose memory map a process shares, None where it is its own."""
        kept = self._kept.get(identity.pid)
        if kept is not None and kept.process.id == identity and kept.process.memory_owner != owner:
            kept.process = replace(kept.process, memory_owner=owner)

    def set_command(self, identity: ProcessId, command: str) -> None:
        """Attach a command line that arrived from elsewhere, if that process is still the one asked about."""
        kept = self._kept.get(identity.pid)
        if kept is not None and kept.process.id == identity and kept.process.command != command:
            kept.process = replace(kept.process, command=sys.intern(command))

    @staticmethod
    def _open(path: str) -> int | None:
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None


def parse_stat(raw: bytes, page_size: int, clock_ticks: int) -> Process:
    """Return the facts of one `stat` line; what it lacks is None.

    The name may hold blanks, parentheses and newlines, so the fields are counted from the last `)`.

    Raises:
        ParseError: fewer fields than any kernel since 2.6 prints.
    """
    try:
        head, _, tail = raw.rpartition(b")")
        pid, _, comm = head.partition(b" (")
        f = tail.split(None, 22)
        if max(map(len, f[:22])) > _MOST_DIGITS:
            raise ValueError
        start = int(f[19])
        cpu = (int(f[11]) + int(f[12])) / clock_ticks
        return Process(
            ProcessId(int(pid), start), int(f[1]), comm.decode("utf-8", "backslashreplace"), f[0].decode("ascii"),
            start / clock_ticks, int(f[6]), int(f[3]), int(f[4]), int(f[16]), int(f[17]), cpu,
            int(f[7]), int(f[9]), int(f[20]), max(0, int(f[21])) * page_size,
            None, None, None, None, None, None, None, None, None, None, None, None, None,
        )  # fmt: skip
    except (IndexError, ValueError):
        raise ParseError("/proc/PID/stat", raw[:80].decode("utf-8", "backslashreplace")) from None


_KERNEL_THREAD = {"uid": 0, "euid": 0}
_STATUS_SIZES = {
    b"VmLck": "locked",
    b"RssAnon": "rss_anon",
    b"RssFile": "rss_file",
    b"RssShmem": "rss_shmem",
    b"VmPTE": "page_tables",
    b"VmSwap": "swap",
    b"HugetlbPages": "hugetlb",
}


_MEMS = b"\nMems_allowed_list:\t"


def parse_status(raw: bytes, has_nodes: bool = False) -> dict[str, int]:
    """Return the sizes in bytes and the real and effective uid that `status` holds, with `has_nodes` its nodes too.

    Raises:
        ParseError: a known line without a number.
    """
    values: dict[str, int] = {}
    for line in raw.split(b"\n"):
        name, separator, rest = line.partition(b":\t")
        if not separator:
            continue
        field = _STATUS_SIZES.get(name)
        try:
            if field is not None:
                values[field] = whole(rest.split()[0]) * 1024
            elif name == b"Uid":
                real, effective = rest.split()[:2]
                values["uid"], values["euid"] = whole(real), whole(effective)
        except (ValueError, IndexError):
            raise ParseError("/proc/PID/status", line[:80].decode("utf-8", "backslashreplace")) from None
    if has_nodes and (at := raw.find(_MEMS)) >= 0:
        values["nodes"] = parse_nodes(raw[at + len(_MEMS) :].partition(b"\n")[0].decode("ascii", "replace"))
    return values


def parse_cgroup(raw: bytes, memory_hierarchy: bool = True) -> str | None:
    """Return the path in the v1 memory hierarchy if there is one, else in the unified one."""
    unified: bytes | None = None
    for line in raw.split(b"\n"):
        number, _, rest = line.partition(b":")
        controllers, _, path = rest.partition(b":")
        if memory_hierarchy and b"memory" in controllers.split(b","):
            return path.decode("utf-8", "backslashreplace")
        if number == b"0" and not controllers:
            unified = path
    return None if unified is None else unified.decode("utf-8", "backslashreplace")


def _with_told(
    process: Process,
    told: Callable[[str], int | None],
    slow: _Slow,
    is_spared: bool,
    command: str | None,
    memory_owner: int | None = None,
) -> Process:
    """Return the process with what `stat` lacks; `told` returns what `status` says of a field."""
    return replace(
        process,
        rss_anon=told("rss_anon"),
        rss_file=told("rss_file"),
        rss_shmem=told("rss_shmem"),
        swap=told("swap"),
        page_tables=told("page_tables"),
        locked=told("locked"),
        hugetlb=told("hugetlb"),
        nodes=told("nodes"),
        uid=told("uid"),
        euid=told("euid"),
        oom_score=slow[0],
        oom_score_adj=slow[1],
        cgroup=slow[2],
        command=command,
        is_spared=is_spared,
        memory_owner=memory_owner,
    )


def _read(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _read_int(path: str) -> int | None:
    raw = _read(path)
    try:
        return None if raw is None else whole(raw.strip())
    except ValueError:
        return None


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
