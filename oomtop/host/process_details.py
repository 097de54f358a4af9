"""What one process tells about itself beyond the tick: `exe`, `status`, `limits`, `wchan`, `task/*/stat`.

Documentation/filesystems/proc.rst.  None of these takes the mmap lock, but a dead file server can hold `exe`, and
thousands of threads take their time: read on request, beside the tick.
Sample lines: `VmHWM:    1776 kB` / `Max locked memory         8388608              8388608              bytes`
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter

from oomtop.frozen import frozen
from oomtop.host.elf import read_section_names
from oomtop.host.process import ProcessId
from oomtop.host.process_folder import link_at, process_folder, read_at, text_at
from oomtop.host.root import Root, whole

_MOST_THREADS = 2000


@frozen
class ProcessDetails:
    """Facts of one process at one instant; sizes in bytes, None if unknown or unreadable."""

    exe: str | None
    cwd: str | None
    root: str | None
    """Its root folder; not `/` in a chroot (in a container it is `/` seen from inside)."""
    sections: frozenset[str]
    """Section names of its ELF file."""
    wchan: str | None
    """The kernel function it waits in, None while it runs."""
    peak_rss: int | None
    """`VmHWM`: the most that was ever resident."""
    """`VmPeak`: the most address space."""
    data: int | None
    """`VmData`: private writable address space, which RLIMIT_DATA counts."""
    pinned: int | None
    """`VmPin`: pages that devices hold."""
    inner_pid: int | None
    """Its pid in its own pid namespace, if that is another one."""
    limits: tuple[tuple[str, int], ...]
    """Soft limits that are not unlimited: (`address space`, bytes), (`locked memory`, bytes), ..."""
    thread_states: tuple[tuple[str, int], ...]
    """(state, number of threads), the most first."""
    blocked: tuple[str, ...]
    """The kernel functions in which threads in state D wait, each once."""


_SIZES = {"VmHWM": "peak_rss", "VmData": "data", "VmPin": "pinned"}
_LIMIT = re.compile(r"^Max (data size|stack size|resident set|locked memory|address space) +(\d{1,20}) ", re.MULTILINE)


def parse_status_sizes(text: str) -> dict[str, int]:
    """Return the peaks that a `status` text holds; a line without a number is skipped, as it decides nothing."""
    sizes: dict[str, int] = {}
    for line in text.splitlines():
        key, _, rest = line.partition(":")
        words = rest.split()
        if key in _SIZES and words:
            with contextlib.suppress(ValueError):
                sizes[_SIZES[key]] = whole(words[0]) * 1024
    return sizes


def parse_inner_pid(text: str) -> int | None:
    """Return the innermost number of `NStgid`, None where there is only one."""
    found = re.search(r"^NStgid:((?:\t\d{1,20})+)$", text, re.MULTILINE)
    numbers = found[1].split() if found else []
    return int(numbers[-1]) if len(numbers) > 1 else None


def parse_limits(text: str) -> tuple[tuple[str, int], ...]:
    """Return the soft limits on memory that are set; `unlimited` is none."""
    return tuple((name, int(value)) for name, value in _LIMIT.findall(text))


def read_process_details(root: Root, identity: ProcessId) -> ProcessDetails:
    """Return the details of a process.

    Raises:
        ProcessGone: it has exited.
    """
    with process_folder(root, identity) as folder:
        status = text_at(folder, "status") or ""
        sizes = parse_status_sizes(status)
        states, blocked = _read_threads(folder)
        return ProcessDetails(
            exe=link_at(folder, "exe"),
            cwd=link_at(folder, "cwd"),
            root=link_at(folder, "root"),
            sections=_read_sections(folder),
            wchan=_wchan(folder, "wchan"),
            peak_rss=sizes.get("peak_rss"),
            data=sizes.get("data"),
            pinned=sizes.get("pinned"),
            inner_pid=parse_inner_pid(status),
            limits=parse_limits(text_at(folder, "limits") or ""),
            thread_states=states,
            blocked=blocked,
        )


def _wchan(folder: int, name: str) -> str | None:
    """Return the function; the kernel writes 0 for a running task, and for readers without permission."""
    text = (text_at(folder, name) or "").strip()
    return text if text not in ("", "0") else None


def _read_sections(folder: int) -> frozenset[str]:
    try:
        descriptor = os.open("exe", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
    except ProcessLookupError:
        raise
    except OSError:
        return frozenset()
    try:
        return read_section_names(descriptor)
    except OSError:
        return frozenset()
    finally:
        os.close(descriptor)


def _read_threads(folder: int) -> tuple[tuple[tuple[str, int], ...], tuple[str, ...]]:
    """Return the states of the threads and where those in state D wait."""
    states: Counter[str] = Counter()
    blocked: set[str] = set()
    for thread in _list_threads(folder)[:_MOST_THREADS]:
        try:
            state = read_at(folder, f"task/{thread}/stat", 512).rpartition(b")")[2].split(None, 1)[0].decode("ascii")
        except (OSError, IndexError, ValueError):
            # Ended since the listing.
            continue
        states[state] += 1
        if state == "D" and (place := _wchan(folder, f"task/{thread}/wchan")):
            blocked.add(place)
    return tuple(states.most_common()), tuple(sorted(blocked))


def _list_threads(folder: int) -> list[str]:
    try:
        descriptor = os.open("task", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return []
    try:
        return os.listdir(descriptor)
    finally:
        os.close(descriptor)
