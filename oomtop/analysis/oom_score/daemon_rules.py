"""The rules of daemons that kill before the kernel: earlyoom, nohang, systemd-oomd and the kubelet.

earlyoom main.c and kill.c: both available memory and free swap at or below their shares; the largest `oom_score`, plus
300 with `--prefer`, less 300 with `--avoid`; shares of MemTotal, since 1.8 of available and anonymous memory.
nohang(8); oomd-manager.c of systemd; Kubernetes, "Node-pressure Eviction".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from oomtop.analysis.model.assessment import EarlyKiller, ProcessRow
from oomtop.analysis.oom_score.daemon_options import (
    KillerThresholds,
    Shortage,
    extended_pattern,
    parse_options,
    per_cent_of,
    thresholds,
)
from oomtop.analysis.oom_score.eviction import kubelet, systemd_oomd
from oomtop.frozen import replace
from oomtop.host.killer_settings import KillerSettings

_LIKED, _LIKED_BYTES = 300, 3 << 30
_USER_TOTAL = (1, 8)
_STAGED = (1, 2)
_NEVER = -1000


def early_killers(daemons: Iterable[KillerSettings], now: Shortage) -> tuple[EarlyKiller, ...]:
    """Return what each daemon would do, the first to act first."""
    found = (killer for daemon in daemons for killer in _RULES[daemon.name](daemon, now))
    return tuple(sorted(found, key=lambda killer: (killer.seconds is None, killer.seconds or 0.0, killer.room or 0)))


def _earlyoom(daemon: KillerSettings, now: Shortage) -> Iterator[EarlyKiller]:
    options = parse_options(daemon.arguments, "m:s:M:S:kingN:P:dvr:ph", ("prefer", "avoid", "ignore"))
    if "dryrun" in options or now.memory.available is None:
        return
    version = _version(daemon.version)
    base = now.memory.total
    if version >= _USER_TOTAL and now.memory.anon is not None:
        base = now.memory.available + now.memory.anon
    term = thresholds(options, 0, base, now.memory.total, now.swap.total or 0)
    kill = thresholds(options, 1, base, now.memory.total, now.swap.total or 0)
    is_staged = not daemon.version or version >= _STAGED
    signal = "SIGKILL" if not is_staged or _room(kill, now) == 0 else "SIGTERM"
    victim = None if "kernel-oom" in options else _earlyooms_choice(options, now.rows)
    acting = _acting(daemon, term, now, victim, signal, sure=bool(daemon.version))
    yield replace(acting, with_group="g" in options)


def _earlyooms_choice(options: Mapping[str, str], rows: Iterable[ProcessRow]) -> ProcessRow | None:
    prefer, avoid, ignore = (extended_pattern(options.get(name)) for name in ("prefer", "avoid", "ignore"))

    def key(row: ProcessRow) -> tuple[int, int]:
        liked = _matches(prefer, row) - _matches(avoid, row)
        score, rss = row.process.oom_score or 0, row.process.rss
        return (rss + liked * _LIKED_BYTES, score) if "sort-by-rss" in options else (score + liked * _LIKED, rss)

    spared = "ignore-root-user" in options
    able = [
        row
        for row in rows
        if _can_be_killed(row)
        and _has_own_memory(row)
        and not _matches(ignore, row)
        and not (spared and row.process.euid == 0)
    ]
    return max(able, key=key, default=None)


def _nohang(daemon: KillerSettings, now: Shortage) -> Iterator[EarlyKiller]:
    total, swap = now.memory.total, now.swap.total or 0
    soft = KillerThresholds(
        per_cent_of(daemon.setting("soft_threshold_min_mem") or "5 %", total),
        per_cent_of(daemon.setting("soft_threshold_min_swap") or "10 %", swap),
    )
    hard = KillerThresholds(
        per_cent_of(daemon.setting("hard_threshold_min_mem") or "2 %", total),
        per_cent_of(daemon.setting("hard_threshold_min_swap") or "4 %", swap),
    )
    rules = [(int(adj), pattern, read) for adj, pattern, read in _nohang_rules(daemon)]
    able = [row for row in now.rows if _can_be_killed(row) and row.process.oom_score]
    victim = max(able, key=lambda row: (_nohang_badness(row, rules), row.process.rss), default=None)
    signal = "SIGKILL" if _room(hard, now) == 0 else "SIGTERM"
    yield _acting(daemon, soft, now, victim, signal, sure=bool(daemon.settings))


_Read = Callable[[ProcessRow], str]
_NOHANG_READS: Mapping[str, _Read] = {
    "NAME": lambda row: row.process.comm,
    "CMDLINE": lambda row: row.process.command or "",
    "UID": lambda row: str(row.process.euid),
    "CGROUP_V1": lambda row: row.process.cgroup or "",
    "CGROUP_V2": lambda row: row.process.cgroup or "",
}


def _nohang_rules(daemon: KillerSettings) -> Iterator[tuple[str, re.Pattern[str], _Read]]:
    for key, value in daemon.settings:
        read = _NOHANG_READS.get(key.removeprefix("@BADNESS_ADJ_RE_"))
        adj, _, text = value.partition("///")
        pattern = _pattern(text.strip())
        if read is not None and pattern is not None and re.fullmatch(r"[+-]?\d{1,6}", adj.strip()):
            yield adj, pattern, read


def _nohang_badness(row: ProcessRow, rules: Sequence[tuple[int, re.Pattern[str], _Read]]) -> int:
    adjs = (adj for adj, pattern, read in rules if pattern.search(read(row)))
    is_low = (row.process.oom_score_adj or 0) < 0
    return (row.process.oom_score or 0) + sum(adj for adj in adjs if adj <= 0 or not is_low)


_RULES: Mapping[str, Callable[[KillerSettings, Shortage], Iterator[EarlyKiller]]] = {
    "earlyoom": _earlyoom,
    "nohang": _nohang,
    "nohang-desktop": _nohang,
    "systemd-oomd": systemd_oomd,
    "kubelet": kubelet,
}


def _acting(
    daemon: KillerSettings, limit: KillerThresholds, now: Shortage, victim: ProcessRow | None, signal: str, sure: bool
) -> EarlyKiller:
    room = _room(limit, now)
    process = victim.process if victim is not None else None
    return EarlyKiller(
        daemon.name, daemon.id, limit.words(bool(now.swap.total)), room, limit.seconds(now),
        process.id if process else None, process.comm if process else None, None, signal, sure,
    )  # fmt: skip


def _room(limit: KillerThresholds, now: Shortage) -> int | None:
    return limit.room(now.memory.available, now.swap.free if now.swap.total else 0)


def _can_be_killed(row: ProcessRow) -> bool:
    process = row.process
    is_kernels = process.is_kernel_thread or process.pid <= 2
    return not is_kernels and process.oom_score is not None and process.oom_score_adj != _NEVER


def _has_own_memory(row: ProcessRow) -> bool:
    """Whether earlyoom sees memory: `/proc/PID/statm` of one whose main thread has ended shows none."""
    return row.process.thread is None and row.process.rss > 0


def _version(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")) if text else ()


def _pattern(text: str) -> re.Pattern[str] | None:
    """Compile a pattern of nohang, which is written in Python."""
    try:
        return re.compile(text) if text else None
    except re.error:
        return None


def _matches(pattern: re.Pattern[str] | None, row: ProcessRow) -> bool:
    return pattern is not None and pattern.search(row.process.comm) is not None
