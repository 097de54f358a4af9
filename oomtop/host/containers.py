"""Which systemd unit, container or pod a cgroup path belongs to, from the path, and from names known of ids.

systemd names its groups after units (systemd.slice(5)); docker, podman, CRI-O, containerd and LXC put their
ids or names there; Kubernetes puts the pod's uid there.  Sample paths:
`/system.slice/ssh.service`, `/system.slice/docker-<64 hex>.scope`, `/kubepods/burstable/pod<uid>/<64 hex>`
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

_ENGINE = "docker|libpod|cri-containerd|crio|containerd|nerdctl"
# `slice:engine:id` is what runc makes of a systemd path when it was told to use cgroupfs.
_CONTAINER = re.compile(rf"^(?:(?:.*:)?({_ENGINE})[-:])?(conmon-)?([0-9a-f]{{64}})(?:\.scope)?$")
_POD = re.compile(r"pod([0-9a-f]{8}[-_][0-9a-f_-]{27}|[0-9a-f]{32})(?:\.slice)?(?::.*)?$")
_LXC = re.compile(r"^lxc(?:\.(?:payload|monitor))?[./](.+)$")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")
_UNIT = (".service", ".scope", ".socket", ".mount", ".swap")
_UNKNOWN: Mapping[str, str] = MappingProxyType({})


def name_of(path: str | None, names: Mapping[str, str] = _UNKNOWN) -> str | None:
    """Return the most telling name in a cgroup path, None where it has none (`/`, `/user.slice`).

    `names` are those that local state files give to ids of containers and uids of pods (`container_names`).
    """
    if not path or path == "/":
        return None
    kind, number, short = _place_of(path)
    if number is not None and number in names:
        return f"{kind}/{names[number]}"
    return short


def ids_of(path: str) -> tuple[str, ...]:
    """Return the id of the container and the uid of the pod in a path, whichever there are."""
    found = []
    for part in path.split("/"):
        if container := _CONTAINER.match(part):
            found.append(_parts_of(container)[2])
        elif pod := _POD.search(part):
            found.append(_uid(pod))
    return tuple(found)


@lru_cache(maxsize=8192)
def _place_of(path: str) -> tuple[str, str | None, str | None]:
    """Return the kind, the id or uid, and the name without them."""
    parts = [part for part in path.split("/") if part]
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        if container := _CONTAINER.match(part):
            return _container(parts[: index + 1], container)
        if pod := _POD.search(part):
            return "pod", _uid(pod), f"pod/{_uid(pod)[:8]}"
        name = _other_name(parts, index)
        if name is not None:
            return "", None, name
    return "", None, None


def _other_name(parts: list[str], index: int) -> str | None:
    part = parts[index]
    lxc = _LXC.match("/".join(parts[index - 1 : index + 1]) if index and _is_lxc(parts[index - 1]) else part)
    if lxc is not None:
        return f"lxc/{lxc[1]}"
    return unescape(part) if part.endswith(_UNIT) and not part.startswith("init.") else None


def _is_lxc(part: str) -> bool:
    return part in ("lxc", "lxc.payload", "lxc.monitor")


def _container(parts: list[str], match: re.Match[str]) -> tuple[str, str | None, str]:
    engine, conmon, number = _parts_of(match)
    pod = next((found for part in reversed(parts) if (found := _POD.search(part))), None)
    if pod is not None:
        name = f"pod/{_uid(pod)[:8]}/{number[:12]}"
        return ("pod", number, name) if not conmon else ("pod", None, f"{name} (conmon)")
    kind = engine or _kind_above(parts[:-1])
    return (kind, None, f"{kind}/{number[:12]} (conmon)") if conmon else (kind, number, f"{kind}/{number[:12]}")


def _parts_of(match: re.Match[str]) -> tuple[str | None, bool, str]:
    """Return the engine, whether it is the engine's own monitor of the container, and the id."""
    return match[1], bool(match[2]), match[3]


def _uid(pod: re.Match[str]) -> str:
    return pod[1].replace("_", "-")


def _kind_above(parts: list[str]) -> str:
    for part in reversed(parts):
        if part.startswith("docker"):
            return "docker"
        if part.startswith(("libpod", "machine.slice")):
            return "libpod"
    return "container"


def unescape(unit: str) -> str:
    r"""Return a unit name without systemd's `\x2d` escapes (systemd-escape(1))."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), unit)
