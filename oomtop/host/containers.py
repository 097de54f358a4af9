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
_UNIT_NAME = re.compile(r"(?=.{1,255}$)[A-Za-z0-9:_.\\@-]+\.[a-z]+")
_USER = re.compile(r"user@(\d{1,10})\.service")
# What is below these was named by an engine that root runs.
_RUNTIME = re.compile(
    "(?:snap[.])?(?:docker|containerd|cri-o|crio|podman|kubelet|k3s|k0s|rke2|microk8s|nomad|lxc|lxd|incus|garden|balena)"
)
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


def unit_of(path: str | None) -> str | None:
    """Return the system's unit that a group belongs to, as systemd finds it (`cg_path_get_unit`).

    It is the first part below the slices.  What stands below that is the unit's own business: whoever it is delegated
    to may call a group `sshd.service`.
    """
    parts = _parts(path or "")
    at = _after_slices(parts)
    return _plain(parts[at]) if at < len(parts) and _is_unit(parts[at]) else None


def unit_at(path: str) -> str | None:
    """Return the unit or slice whose own group this is; None for a group inside a unit or outside any."""
    parts = _parts(path)
    is_own = parts and _after_slices(parts[:-1]) == len(parts) - 1 and (_is_unit(parts[-1]) or _is_slice(parts[-1]))
    return _plain(parts[-1]) if is_own else None


def container_at(path: str) -> tuple[str, str] | None:
    """Return (engine, id) of the container whose own group this is, where root made it: not inside of another unit."""
    parts = _parts(path)
    found = _CONTAINER.match(parts[-1]) if parts else None
    if found is None or unit_of("/".join(parts[:-1])) is not None or any(map(_CONTAINER.match, parts[:-1])):
        return None
    engine, is_conmon, number = _parts_of(found)
    return None if is_conmon else (engine or _kind_above(parts[:-1]), number)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _plain(part: str) -> str:
    """systemd puts a `_` before a name that a file of the kernel could have."""
    return part.removeprefix("_")


def _is_slice(part: str) -> bool:
    return part.endswith(".slice") and _UNIT_NAME.fullmatch(part) is not None


def _is_unit(part: str) -> bool:
    return part.endswith(_UNIT) and _UNIT_NAME.fullmatch(part) is not None


def _after_slices(parts: list[str]) -> int:
    return next((at for at, part in enumerate(parts) if not _is_slice(part)), len(parts))


@lru_cache(maxsize=8192)
def _place_of(path: str) -> tuple[str, str | None, str | None]:
    """Return the kind, the id or uid, and the name without them."""
    return _place(_parts(path))


def _place(parts: list[str]) -> tuple[str, str | None, str | None]:
    """Look from the root down: deeper groups may be named by those who run in them."""
    at = _after_slices(parts)
    unit = parts[at] if at < len(parts) and _is_unit(parts[at]) else None
    user = _USER.fullmatch(unit or "")
    if user is not None:
        return _of_user(user[1], _place(parts[at + 1 :]), unit)
    runs_containers = unit is None or _RUNTIME.match(unit) is not None
    for index in range(at, len(parts) if runs_containers else min(at + 1, len(parts))):
        if container := _CONTAINER.match(parts[index]):
            return _container(parts[: index + 1], container)
        if (name := _lxc_name(parts, index)) is not None:
            return "", None, name
    pod = next((found for part in parts if (found := _POD.search(part))), None)
    if pod is not None and runs_containers:
        return "pod", _uid(pod), f"pod/{_uid(pod)[:8]}"
    return "", None, None if unit is None or unit == "init.scope" else unescape(_plain(unit))


def _of_user(
    user: str, inside: tuple[str, str | None, str | None], manager: str | None
) -> tuple[str, str | None, str | None]:
    """Users name what runs below their manager, so the uid is put before it."""
    kind, number, name = inside
    if name is None:
        return "", None, manager
    return (f"{user}/{kind}" if kind else "", number, f"{user}/{name}")


def _lxc_name(parts: list[str], index: int) -> str | None:
    part = parts[index]
    if _is_lxc(part):
        return None
    lxc = _LXC.match("/".join(parts[index - 1 : index + 1]) if index and _is_lxc(parts[index - 1]) else part)
    return None if lxc is None else f"lxc/{lxc[1]}"


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
