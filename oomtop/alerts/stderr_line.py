"""Alerts told on stderr, by the commands that have no screen."""

from __future__ import annotations

import sys
from contextlib import suppress

from oomtop.alerts.notice import Notice


def tell(notice: Notice) -> None:
    """Write one line, and ring the terminal's bell where there is a terminal and the alert asks for it."""
    bell = "\a" if notice.rule.bell and notice.is_firing and sys.stderr.isatty() else ""
    with suppress(OSError):
        print(f"{bell}alert {notice.state}: {notice.text}", file=sys.stderr, flush=True)
