"""Fields of the journal: which are read, and who may have written a message.

systemd.journal-fields(7): fields with `_` in front are written by journald alone.
"""

from __future__ import annotations

from collections.abc import Mapping

FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_TRANSPORT,_HOSTNAME,_SOURCE_MONOTONIC_TIMESTAMP,_SYSTEMD_UNIT,_UID"
"""The fields that are read of a journal entry."""
UNITS = frozenset({
    "containerd", "crio", "docker", "earlyoom", "k3s", "k3s-agent", "kubelet", "nohang", "nohang-desktop", "nomad",
    "oomd", "rke2-agent", "rke2-server", "slurmd", "systemd-oomd",
})  # fmt: skip
"""The units whose processes report kills, as journald records them."""


def doubt(data: Mapping[str, object]) -> str | None:
    """Return why a message of the journal may not be a daemon's own: fields with `_` are written by journald alone."""
    unit, uid = data.get("_SYSTEMD_UNIT"), data.get("_UID")
    if isinstance(unit, str) and unit.endswith(".service") and unit.removesuffix(".service") in UNITS:
        return None
    if isinstance(uid, str) and uid.isascii() and uid.isdecimal() and _is_of_system(uid):
        return None
    return f"written by uid {uid or 'unknown'} in {unit or 'no unit'}, which any program may do under this name"


def _is_of_system(uid: str) -> bool:
    """Whether a uid is a system user's: below 1000, or one that systemd gives out (`DynamicUser=`)."""
    return len(uid) <= 10 and (int(uid) < 1000 or 61184 <= int(uid) <= 65519)
