"""systemd: a unit some of whose processes were killed (src/core/unit.c, src/core/service.c, src/run/run.c)."""

from __future__ import annotations

from oomtop.oomlog.mentions.mention import shape

_UNIT = r"(?<![\w@:.\\-])(?P<subject>[\w@:.\\-]{1,255}\.(?:service|scope|slice|socket|mount|automount|swap))"
SHAPES = (
    shape("systemd", _UNIT + r": systemd-oomd killed (?P<count>\d{1,9}) process\(es\) in this unit"),
    shape("systemd", _UNIT + r": systemd-oomd killed some process\(es\) in this unit"),
    shape("systemd", _UNIT + r": A process of this unit has been killed by the OOM killer"),
    shape("systemd", _UNIT + r": The kernel \(OOM killer\) killed (?:some|(?P<count>\d{1,9})) process(?:es|\(es\))"),
    shape("systemd", _UNIT + r": (?:Failed with result|Unit entered failed state with result) '?oom-kill'?"),
    shape("systemd", r"Active: failed \(Result: oom-kill\)"),
    shape("systemd", r"(?:^|\s)Result=oom-kill\b"),
    shape("systemd", r"Finished with result: oom-kill\b"),
    shape("systemd", r"^[^#\"`]{0,200}\bFailed with result 'oom-kill'"),
)
CONTEXT = (
    r"Running (?:scope )?as unit: " + _UNIT,
    r"^[●○×*•] " + _UNIT + r"(?: - |$)",
    r"(?:^|\s)Id=" + _UNIT + r"$",
)
"""Lines before that name the unit which the ones without a name are about."""
