"""The terminal that this command was typed on: field 7 of `/proc/PID/stat`, past sudo and the like.

A redirected descriptor does not hide it.  sudo runs a command on a terminal of its own (`use_pty`, default since
1.9.14), so that of whoever started sudo counts.  Device numbers: Documentation/admin-guide/devices.txt.
"""

from __future__ import annotations

import os

from oomtop.errors import ParseError
from oomtop.host.process import Process
from oomtop.host.process_scan import parse_stat
from oomtop.host.root import read_optional

_GO_BETWEENS = ("sudo", "doas", "run0", "su")
_PTS_MAJORS = range(136, 144)


def own_terminal() -> str | None:
    """Return its name, as `/dev/pts/3`; None where there is none."""
    process = _process(os.getpid())
    above = None if process is None else _process(process.ppid)
    if above is not None and above.comm in _GO_BETWEENS:
        while above is not None and above.comm in _GO_BETWEENS:
            above = _process(above.ppid)
        process = above or process
    return None if process is None else name_of_terminal(process.tty)


def name_of_terminal(number: int) -> str | None:
    """Return the name of a device number, as `/dev/pts/3` for 34819; None for 0, which is no terminal."""
    major, minor = os.major(number), os.minor(number)
    if major in _PTS_MAJORS:
        return f"/dev/pts/{(major - _PTS_MAJORS[0]) * 256 + minor}"
    return f"/dev/char/{major}:{minor}" if number else None


def _process(pid: int) -> Process | None:
    try:
        return parse_stat((read_optional(f"/proc/{pid}/stat") or "").encode(), 1, 1)
    except ParseError:
        return None
