"""What any oomtop on this machine did: the `end` lines of the audit log, as they are appended.

Sample line: `{"phase": "end", "time": 1764000000.1, "title": "Send SIGTERM to 4711 (java)", "status": "done", ...}`
"""

from __future__ import annotations

import json
import os

from oomtop.host.trusted_file import open_trusted
from oomtop.recording.store import Deed
from oomtop.units import finite

_MOST = 1 << 20


class AuditTail:
    """Follows one audit log from its end; the log may be missing, appear later, or be rotated."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._inode, self._offset = self._stand()

    def poll(self) -> tuple[Deed, ...]:
        """Return the actions that ended since the last call; a log that cannot be read has none."""
        inode, size = self._stand()
        if inode != self._inode:
            # The old log was rotated away: what came into it last is given up, the new one is read from its start.
            self._inode, self._offset = inode, 0
        if size <= self._offset:
            return ()
        try:
            with open(open_trusted(self._path), "rb") as file:
                file.seek(self._offset)
                raw = file.read(_MOST)
        except OSError:
            return ()
        lines, _, _ = raw.rpartition(b"\n")
        self._offset += len(lines) + 1 if lines else 0
        return tuple(deed for line in lines.split(b"\n") if (deed := parse_deed(line)) is not None)

    def _stand(self) -> tuple[int, int]:
        try:
            status = os.stat(self._path)
        except OSError:
            return 0, 0
        return status.st_ino, status.st_size


def parse_deed(line: bytes) -> Deed | None:
    """Return the action that a line of the audit log ends, None for any other line."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or entry.get("phase") != "end":
        return None
    time = finite(entry.get("time"))
    if time is None:
        return None
    texts = (str(entry.get(name) or "")[:500] for name in ("title", "status", "summary"))
    return Deed(time, *texts)
