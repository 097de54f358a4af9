"""How many files may be open: getrlimit(2), RLIMIT_NOFILE."""

from __future__ import annotations

import resource

_SPARE = 256


def how_many_may_stay_open() -> int:
    """Raise the soft limit of open files to the hard one, and return how many a scan may keep open.

    Half of them, as a signal to a tree takes two for each process.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = 1 << 20 if hard == resource.RLIM_INFINITY else hard
    return max(0, most - max(_SPARE, most // 2))
