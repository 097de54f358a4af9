"""Daemons that kill whole groups: systemd-oomd (oomd-manager.c) and the kubelet ("Node-pressure Eviction")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from oomtop.analysis.model.assessment import CgroupFigures, EarlyKiller
from oomtop.analysis.oom_score.daemon_options import KillerThresholds, Shortage, parse_options, per_cent_of
from oomtop.host.cgroup import is_inside
from oomtop.host.killer_settings import KillerSettings
from oomtop.units import format_bytes

_SWAP_LIMIT, _PRESSURE_LIMIT = "90%", "60%"
_LEAST_SWAP = 0.05
_NEAR = 0.5
_KUBELET_DEFAULT = "100Mi"


def systemd_oomd(daemon: KillerSettings, now: Shortage) -> Iterator[EarlyKiller]:
    """Yield its action when memory and swap run low, and for each watched group under pressure."""
    watched = [path for key, path in daemon.settings if key == "swap"]
    if now.swap.total and (watched or not daemon.settings):
        yield _by_swap(daemon, now, _leaves(now.groups, watched))
    limits = iter([value for key, value in daemon.settings if key == "pressure limit"])
    for path in (path for key, path in daemon.settings if key == "pressure"):
        limit = _share(next(limits, _PRESSURE_LIMIT))
        group = next((group for group in now.groups if group.cgroup.path == path), None)
        pressure = group.cgroup.pressure if group is not None else None
        if pressure is not None and pressure.full is not None and pressure.full.avg10 >= 100 * limit * _NEAR:
            yield _by_pressure(daemon, path, limit, pressure.full.avg10, _leaves(now.groups, [path]))


def _by_swap(daemon: KillerSettings, now: Shortage, leaves: Sequence[CgroupFigures]) -> EarlyKiller:
    left = 1 - _share(daemon.setting("Swap Used Limit") or _SWAP_LIMIT)
    total = now.swap.total or 0
    limit = KillerThresholds(round(now.memory.total * left), round(total * left))
    users = [group for group in leaves if (group.cgroup.swap_current or 0) > _LEAST_SWAP * total]
    victim = max(users, key=lambda group: group.cgroup.swap_current or 0, default=None)
    room = limit.room(now.memory.available, now.swap.free)
    return EarlyKiller(
        daemon.name, daemon.id, limit.words(True), room, limit.seconds(now), None,
        victim.name if victim else None, victim.cgroup.path if victim else None, "SIGKILL", bool(daemon.settings),
    )  # fmt: skip


def _by_pressure(
    daemon: KillerSettings, path: str, limit: float, now: float, leaves: Sequence[CgroupFigures]
) -> EarlyKiller:
    # It kills the group that reclaimed most, which no file shows: guess the largest.
    victim = max(leaves, key=lambda group: group.cgroup.current or 0, default=None)
    return EarlyKiller(
        daemon.name, daemon.id, f"pressure of {path} {now:.0f}% of {100 * limit:.0f}%", None, None, None,
        victim.name if victim else None, victim.cgroup.path if victim else None, "SIGKILL", False,
    )  # fmt: skip


def kubelet(daemon: KillerSettings, now: Shortage) -> Iterator[EarlyKiller]:
    """Yield the pod it evicts; it ranks by requests and priority, which no file shows: guess the largest."""
    options = parse_options(daemon.arguments, "v:", ("eviction-hard", "config"))
    told = dict(part.split("<", 1) for part in options.get("eviction-hard", "").split(",") if "<" in part)
    text = told.get("memory.available") or daemon.setting("evictionHard.memory.available") or _KUBELET_DEFAULT
    limit = per_cent_of(text, now.memory.total)
    room = None if now.memory.available is None else max(0, now.memory.available - limit)
    seconds = 0.0 if room == 0 else room / now.rate if room is not None and now.rate else None
    pods = [group for group in now.groups if group.name.startswith("pod/") and "kubepods" in group.cgroup.path]
    victim = max(pods, key=lambda group: group.cgroup.current or 0, default=None)
    yield EarlyKiller(
        daemon.name, daemon.id, f"available < {format_bytes(limit)}", room, seconds, None,
        victim.name if victim else None, victim.cgroup.path if victim else None, "SIGKILL", False,
    )  # fmt: skip


def _leaves(groups: Iterable[CgroupFigures], watched: Sequence[str]) -> list[CgroupFigures]:
    """Return the candidates below the watched groups: leaf groups, and those killed as a whole."""
    inside = [group for group in groups if any(_is_below(group.cgroup.path, path) for path in watched)]
    parents = {group.cgroup.path.rpartition("/")[0] for group in inside}
    return [group for group in inside if group.cgroup.oom_group or group.cgroup.path not in parents]


def _is_below(path: str, above: str) -> bool:
    return path != above and is_inside(path, above)


def _share(text: str) -> float:
    return per_cent_of(text if "%" in text else "0%", 1_000_000) / 1_000_000
