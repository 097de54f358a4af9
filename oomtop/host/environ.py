"""`/proc/PID/environ` and `cmdline` in full: the words a process was started with (proc_pid_environ(5)).

Both live in the target's own memory and are read under its mmap lock: never on the tick.  The environment is
the one at exec; what the program set later is not in it.  Sample: `PATH=/usr/bin\0HOME=/root\0`
"""

from __future__ import annotations

from oomtop.host.process import ProcessId
from oomtop.host.process_folder import process_folder, read_at
from oomtop.host.root import Root

# execve(2) allows a quarter of the stack limit; 2 MiB is the default quarter of 8 MiB.
_MOST = 2 << 20


def split_words(raw: bytes) -> tuple[str, ...]:
    """Return the words between the zero bytes; a program that wrote a title over them has one."""
    if not raw.strip(b"\0"):
        return ()
    return tuple(word.decode("utf-8", "backslashreplace") for word in raw.rstrip(b"\0").split(b"\0"))


def read_environ(root: Root, identity: ProcessId) -> tuple[str, ...]:
    """Return the environment of a process, as it was at its exec, sorted.

    Raises:
        OSError: exited, or no right to look (the same user or CAP_SYS_PTRACE).
    """
    with process_folder(root, identity) as folder:
        return tuple(sorted(word for word in split_words(read_at(folder, "environ", _MOST)) if word))


def read_arguments(root: Root, identity: ProcessId) -> tuple[str, ...]:
    """Return the arguments of a process, none for a kernel thread.

    Raises:
        OSError: exited.
    """
    with process_folder(root, identity) as folder:
        return split_words(read_at(folder, "cmdline", _MOST))
