"""An alert as the recording remembers it: a mark on the time line of the replay, beside the actions."""

from __future__ import annotations

from oomtop.alerts.notice import Notice
from oomtop.recording.store import Deed


def deed_of(notice: Notice) -> Deed:
    """Return the beginning or the end of an alert as an entry of the recording."""
    return Deed(notice.time, f"alert {notice.alert.name}", notice.state, notice.text[:500])
