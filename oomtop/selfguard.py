"""Keeps oomtop alive under pressure: locks memory, lowers its OOM score, raises its priority, preloads the kill path.

mlockall(2), `/proc/self/oom_score_adj` (Documentation/filesystems/proc.rst, 3.1), setpriority(2).  Each step runs
on its own; the result is kept as text for the header and `oomtop doctor`.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import os
import resource
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from oomtop.actions.base.errno_text import in_words
from oomtop.actions.process.handle import open_process
from oomtop.errors import OomtopError
from oomtop.frozen import frozen, replace
from oomtop.host.lineage import own_lineage
from oomtop.host.own_priority import OWN_NICE, started_with
from oomtop.host.privileges import Capability, has_capability
from oomtop.host.process_scan import parse_status
from oomtop.host.root import Root, read_int
from oomtop.units import format_bytes

OWN_ADJ = -900
# Allocations before a collection: with 5,000 processes the default of 700 made the collector walk all objects in
# turns of 20 to 37 ms, every second (now 6 a minute).
_YOUNG = 10_000
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
# Files that are not used after import, or only in a few pages:
# 0.4 MB need not be read.  Not unicodedata: every key press is looked up in it.
_NOT_WHOLE = (
    "LC_CTYPE", "_bz2.", "_decimal.", "_lzma.", "_pickle.", "_uuid.", "libbz2.", "liblzma.", "libnss_systemd.",
    "libuuid.", "mypyc.",
)  # fmt: skip
_LIBC = ctypes.CDLL(None, use_errno=True)
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_NEVER = 32 << 20
_ROOM = 2 << 20
"""Bytes that can be allocated before the kernel is asked for a page: what ticks and keys leave to the collector."""
_BLOCK, _ARENA = 480, 256 << 10
"""Of CPython's allocator (Objects/obmalloc.c): a size of blocks, and the smallest size that its arenas had."""
_kept: list[bytes] = []
_HEADER = ("memory lock", "adj")
_ADJ_FILE = "/proc/self/oom_score_adj"
# `echo` and `exec` are shell builtins, so /proc/self is the shell that becomes the program.
_RESET = 'echo "$1" 2>/dev/null >/proc/self/oom_score_adj; shift; exec nice -n "$@"'


@frozen
class Step:
    """One measure: whether it is in effect, with its value or the reason why not."""

    name: str
    done: bool
    text: str


@frozen
class SelfGuard:
    """The protection of oomtop, and the original values, which its children get back."""

    steps: tuple[Step, ...]
    adj_before: int
    nice_before: int

    def describe(self) -> str:
        """Return one line for the header: `guarded 46M locked, adj -900`, or why not."""
        shown = [step for name in _HEADER for step in self.steps if step.name == name]
        done = ", ".join(step.text for step in shown if step.done)
        failed = "; ".join(f"{step.name}: {step.text}" for step in shown if not step.done)
        if not done:
            return f"not guarded: {failed or 'no step was tried'}"
        return f"guarded {done}" + (f"; {failed}" if failed else "")

    def report(self) -> tuple[str, ...]:
        """Return one line per step."""
        return tuple(f"{'yes' if step.done else 'no '}  {step.name}: {step.text}" for step in self.steps)

    def child_command(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return the command that runs `argv` with the score and priority that oomtop itself was started with.

        A tool opened from the monitor would otherwise inherit the protection; restoring both needs no privilege,
        and no Python runs between fork and exec, which would be unsafe with threads.
        """
        changed_nice = os.getpriority(os.PRIO_PROCESS, 0) - self.nice_before
        if read_int(_ADJ_FILE) == self.adj_before and not changed_nice:
            return tuple(argv)
        return ("/bin/sh", "-c", _RESET, "sh", str(self.adj_before), str(-changed_nice), *argv)


def shield() -> SelfGuard:
    """Apply what needs no more than system calls, before anything big is loaded; `guard_self` completes it."""
    # pthread_exit(3) loads it with the first thread that ends, and aborts the process where that fails.
    with suppress(OSError):
        ctypes.CDLL("libgcc_s.so.1")
    before = started_with()
    return SelfGuard(_shield(*before), *before)


def guard_self(begun: SelfGuard | None = None) -> SelfGuard:
    """Apply every measure this process is allowed to; a failure never prevents the start.

    `begun`: what `shield` has applied; what was loaded since then is protected as well.
    """
    begun = begun or shield()
    steps = _shield(begun.adj_before, begun.nice_before)
    return replace(begun, steps=(*steps, _try("kill path", rehearse)))


def _shield(adj_before: int, nice_before: int) -> tuple[Step, ...]:
    # The score comes before the lock: locked memory raises the OOM score of oomtop until it is lowered.
    return (
        _try("adj", lambda: _lower_adj(adj_before)),
        _try("memory lock", _lock_memory),
        _try("priority", lambda: _raise_priority(nice_before)),
    )


def end_start() -> None:
    """Free what only the start needed (2 MB), and exclude the rest from later garbage collections."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG)
    gc.enable()
    if hasattr(_LIBC, "malloc_trim"):
        # Of a locked mapping no page can be given back.
        _LIBC.munlockall()
        _LIBC.malloc_trim(0)
        # From now on what is freed is kept: a page that is given back has to be waited for under pressure.
        _LIBC.mallopt(_M_TRIM_THRESHOLD, _NEVER)
        _LIBC.mallopt(_M_MMAP_THRESHOLD, _NEVER)
    _make_room()


def _make_room() -> None:
    """Have arenas with free pages in memory; one block in each keeps it from being given back."""
    blocks = [bytes(_BLOCK - bytes.__basicsize__) for _ in range(_ROOM // _BLOCK)]
    _kept[:] = blocks[:: _ARENA // _BLOCK]


def _try(name: str, measure: Callable[[], str]) -> Step:
    try:
        return Step(name, True, measure())
    except OSError as error:
        return Step(name, False, _reason(name, error))
    except OomtopError as error:
        return Step(name, False, str(error))


def _reason(name: str, error: OSError) -> str:
    if error.errno in (errno.EPERM, errno.EACCES):
        need = {"adj": "CAP_SYS_RESOURCE", "memory lock": "CAP_IPC_LOCK", "priority": "CAP_SYS_NICE"}.get(name)
        return f"needs {need}" if need else in_words(error)
    return in_words(error)


def _lower_adj(before: int) -> str:
    """Lower the own oom_score_adj; keep a lower one set by a service manager."""
    if before > OWN_ADJ:
        with open(_ADJ_FILE, "wb", buffering=0) as file:
            file.write(str(OWN_ADJ).encode())
    return f"adj {min(before, OWN_ADJ)}"


def _lock_memory() -> str:
    """Lock current mappings as they are touched, and future ones only if no limit can make mmap fail.

    MCL_FUTURE under a finite RLIMIT_MEMLOCK makes later allocations fail, which ends Python.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    unlimited = has_capability(Capability.IPC_LOCK) or soft == resource.RLIM_INFINITY
    flags = _MCL_CURRENT | _MCL_ONFAULT | (_MCL_FUTURE if unlimited else 0)
    ctypes.set_errno(0)
    if _LIBC.mlockall(ctypes.c_int(flags)) == 0:
        _load_mapped_files()
        _load_swapped()
        return f"{format_bytes(_resident())} locked"
    number = ctypes.get_errno()
    if number == errno.ENOMEM:
        raise OomtopError(f"RLIMIT_MEMLOCK is {format_bytes(soft)}, less than oomtop maps; needs CAP_IPC_LOCK")
    raise OSError(number, os.strerror(number))


def _load_mapped_files() -> None:
    """Read in the interpreter and its libraries (2 MB more), so that they are not read under pressure.

    mlock(2) reads the whole mapping, while MLOCK_ONFAULT waits for the first access.  With code
    alone a kill still cost 84 major faults, with constants as well none (6.1, 512 MB).
    """
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
        mappings = [line.split(maxsplit=5) for line in file]
    for span, mode, *_, path in (words for words in mappings if len(words) > 5 and words[5].startswith("/")):
        if mode.startswith("r-") and not any(name in path for name in _NOT_WHOLE):
            start, end = (int(edge, 16) for edge in span.split("-"))
            # A mapping past the end of its file, or gone by now, cannot be read: skip it.
            _LIBC.mlock(ctypes.c_void_p(start), ctypes.c_size_t(end - start))


def _load_swapped() -> None:
    """Read back what was swapped out before it was locked.

    `/proc/self/pagemap`: eight bytes a page, bit 62 where it is in swap (Documentation/admin-guide/mm/pagemap.rst).
    """
    if not _own_status().get("swap"):
        return
    page = resource.getpagesize()
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        spans = [line.split(maxsplit=1)[0].split("-") for line in maps]
    with open("/proc/self/pagemap", "rb", buffering=0) as file:
        for start, end in ((int(first, 16), int(last, 16)) for first, last in spans):
            # Those of the kernel, at the end of the address space, have no entries.
            if start < 1 << 63:
                file.seek(start // page * 8)
                for at, (entry,) in enumerate(struct.iter_unpack("=Q", file.read((end - start) // page * 8))):
                    if entry >> 62 & 1:
                        _LIBC.mlock(ctypes.c_void_p(start + at * page), ctypes.c_size_t(page))


def _own_status() -> Mapping[str, int]:
    with open("/proc/self/status", "rb", buffering=0) as file:
        return parse_status(file.read())


def _resident() -> int:
    """Return the resident size: VmLck counts whole mappings, but ONFAULT locks only the touched pages."""
    status = _own_status()
    return status.get("rss_anon", 0) + status.get("rss_file", 0) + status.get("rss_shmem", 0)


def _raise_priority(before: int) -> str:
    """Raise the priority of every thread (per thread on Linux): a starved thread may hold the interpreter lock."""
    if before > OWN_NICE:
        for thread in os.listdir("/proc/self/task"):
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, int(thread), OWN_NICE)
    return f"nice {min(before, OWN_NICE)}"


def rehearse() -> str:
    """Run the kill path once on oomtop itself with signal 0, so that nothing is loaded under pressure.

    Raises:
        OSError: the kernel has no pidfd (before 5.3), or a sandbox forbids it.
    """
    lineage = own_lineage()
    if not lineage:
        raise OomtopError("/proc does not show oomtop itself")
    handle = open_process(Root(), lineage[0])
    try:
        handle.require_same()
        handle.facts()
        handle.is_kill_pending()
        handle.has_exited()
        handle.send(0)
    finally:
        handle.close()
    return "kill path rehearsed"
