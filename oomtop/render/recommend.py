"""`oomtop recommend` as text that can be pasted, and as JSON.

docker-run(1) `--memory`, `--memory-swap`; Kubernetes "Resource Management for Pods and Containers";
systemd.resource-control(5) `MemoryHigh=`, `MemoryMax=`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

from oomtop.analysis.sizing.recommend import SHORT, GroupAdvice, Keeper, Recommendation
from oomtop.units import GIB, MIB, format_bytes, format_duration, printable

_UNIT = re.compile(r"[A-Za-z0-9:_.@\\-]+")
_KEEPERS = {
    "docker": (Keeper.DOCKER, Keeper.PODMAN),
    "kubernetes": (Keeper.KUBERNETES,),
    "systemd": (Keeper.SYSTEMD,),
}


def render_recommendation(found: Recommendation, purpose: str) -> str:
    """Return settings to paste, with the reasons as comments; `purpose` is one of the choices of `--for`."""
    seen = found.observation
    lines = [
        f"# {seen.samples} sample{'s' * (seen.samples != 1)} over {format_duration(seen.seconds)}, "
        f"margin {found.margin:.0%}"
    ]
    if seen.seconds < SHORT:
        lines += [
            "# A short observation: only the kernel's own peaks are known.  Run `oomtop record` for some days, then",
            "# `oomtop recommend --recording` knows the need without page cache.",
        ]
    for advice in found.groups:
        if purpose == "all" or advice.keeper in _KEEPERS.get(purpose, ()) or purpose in _as_any(advice):
            lines += ["", *_group(advice, purpose)]
    if purpose in ("all", "swap", "ram"):
        lines += ["", *_machine(found, purpose)]
    elif len(lines) <= 3:
        lines += ["", f"# nothing managed by {purpose} runs here"]
    return "\n".join(printable(line) for line in lines)


def _as_any(advice: GroupAdvice) -> tuple[str, ...]:
    """A container of an unknown engine can be written for docker and for Kubernetes."""
    return ("docker", "kubernetes") if advice.keeper is Keeper.CGROUP else ()


def _group(advice: GroupAdvice, purpose: str) -> Iterable[str]:
    peaks = advice.peaks
    limit = f", limit now {format_bytes(peaks.limit)}" if peaks.limit is not None else ", no limit now"
    yield f"# {peaks.name}: {format_bytes(advice.request)}{limit}"
    yield f"#   {advice.basis}"
    for doubt in advice.doubts:
        yield f"#   caution: {doubt}"
    yield from _WRITERS[advice.keeper if purpose == "all" else _KEEPERS[purpose][0]](advice)


def _docker(advice: GroupAdvice) -> Iterable[str]:
    tool = "podman" if advice.keeper is Keeper.PODMAN else "docker"
    size = as_words(advice.max).lower()
    # Without --memory-swap the container may use as much swap again (docker-run(1)).
    if advice.keeper is not Keeper.CGROUP:
        yield f"{tool} update --memory {size} --memory-swap {size} {shlex.quote(advice.subject)}"
    yield f"{tool} run --memory {size} --memory-swap {size} --memory-reservation {as_words(advice.request).lower()} ..."


def _kubernetes(advice: GroupAdvice) -> Iterable[str]:
    yield "resources:"
    yield "  requests:"
    yield f"    memory: {as_words(advice.request)}i"
    yield "  limits:"
    yield f"    memory: {as_words(advice.max)}i"


def _systemd(advice: GroupAdvice) -> Iterable[str]:
    if not _UNIT.fullmatch(advice.subject):
        yield "# not a valid systemd unit name: nothing to paste"
        return
    user = " --user" if "/user@" in advice.peaks.path else ""
    folder = "~/.config/systemd/user" if user else "/etc/systemd/system"
    yield f"# {folder}/{advice.subject}.d/50-memory.conf (systemctl{user} edit {shlex.quote(advice.subject)})"
    yield "[Service]" if advice.subject.endswith(".service") else f"[{advice.subject.rpartition('.')[2].capitalize()}]"
    yield f"MemoryHigh={as_words(advice.high)}"
    yield f"MemoryMax={as_words(advice.max)}"


def _cgroup(advice: GroupAdvice) -> Iterable[str]:
    path = advice.peaks.path
    if not path.isprintable():
        yield "# its name has control characters: nothing to paste"
        return
    yield f"oomtop limit {shlex.quote(path)} --high {as_words(advice.high)}"
    yield f"oomtop limit {shlex.quote(path)} --max {as_words(advice.max)}"


_WRITERS = {
    Keeper.DOCKER: _docker,
    Keeper.PODMAN: _docker,
    Keeper.KUBERNETES: _kubernetes,
    Keeper.SYSTEMD: _systemd,
    Keeper.CGROUP: _cgroup,
}


def _machine(found: Recommendation, purpose: str) -> Iterable[str]:
    advice, seen = found.machine, found.observation
    yield f"# machine: {advice.basis}"
    for doubt in advice.doubts:
        yield f"#   caution: {doubt}"
    if purpose != "ram":
        yield f"# swap: {format_bytes(advice.swap)}, now {format_bytes(seen.swap_total)}"
        missing = advice.swap - seen.swap_total
        if missing >= 64 * MIB:
            yield f"oomtop swap add /swapfile-oomtop {as_words(missing)} --persist"
    if purpose != "swap":
        yield f"# RAM: {format_bytes(advice.ram)} hold the peak without swap, now {format_bytes(seen.total)}"


def as_words(size: int) -> str:
    """Return a size as every one of these tools reads it: whole binary units, `1536M`, `2G`; rounded up."""
    if size % GIB == 0:
        return f"{size // GIB}G"
    return f"{-(-size // MIB)}M"


def recommendation_to_json(found: Recommendation) -> Mapping[str, object]:
    """Return what `--json` prints: schema 1, bytes and seconds."""
    seen = found.observation
    return {
        "schema": 1,
        "samples": seen.samples,
        "seconds": seen.seconds,
        "margin": found.margin,
        "groups": [_group_to_json(advice) for advice in found.groups],
        "machine": {
            "memory_total": seen.total,
            "swap_total": seen.swap_total,
            "used_peak": seen.used_peak,
            "demand_peak": seen.demand_peak,
            "oom_kills": seen.oom_kills,
            "swap": found.machine.swap,
            "ram": found.machine.ram,
            "basis": found.machine.basis,
            "doubts": _list(found.machine.doubts),
        },
    }


def _group_to_json(advice: GroupAdvice) -> Mapping[str, object]:
    peaks = advice.peaks
    return {
        "path": peaks.path,
        "name": peaks.name,
        "keeper": advice.keeper.value,
        "subject": advice.subject,
        "need": peaks.need,
        "peak": peaks.peak,
        "limit": peaks.limit,
        "oom_kills": peaks.kills,
        "request": advice.request,
        "high": advice.high,
        "max": advice.max,
        "basis": advice.basis,
        "doubts": _list(advice.doubts),
    }


def _list(words: Sequence[str]) -> list[str]:
    return list(words)
