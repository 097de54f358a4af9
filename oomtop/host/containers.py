"""Which systemd unit, container or pod a cgroup path belongs to, from the path alone.

systemd names its groups after units (systemd.slice(5)); docker, podman, CRI-O, containerd and LXC put their
ids or names there; Kubernetes puts the pod's uid there.  Sample paths:
`/system.slice/ssh.service`, `/system.slice/docker-<64 hex>.scope`, `/kubepods/burstable/pod<uid>/<64 hex>`
"""

from __future__ import annotations

import re

_CONTAINER = re.compile(r"^(?:(docker|libpod|cri-containerd|crio|containerd|nerdctl)-)?([0-9a-f]{64})(?:\.scope)?$")
_POD = re.compile(r"pod([0-9a-f]{8}[-_][0-9a-f_-]{27}|[0-9a-f]{32})(?:\.slice)?$")
_LXC = re.compile(r"^lxc(?:\.payload)?[./](.+)$")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")
_UNIT = (".service", ".scope", ".socket", ".mount", ".swap")


def name_of(path: str | None) -> str | None:
    """Return the most telling name in a cgroup path, None where it has none (`/`, `/user.slice`)."""
    if not path or path == "/":
        return None
    parts = [part for part in path.split("/") if part]
    for index in range(len(parts) - 1, -1, -1):
        name = _name_of_part(parts, index)
        if name is not None:
            return name
    return None


def _name_of_part(parts: list[str], index: int) -> str | None:
    part = parts[index]
    container = _CONTAINER.match(part)
    if container is not None:
        return _container_name(parts, index, container)
    pod = _POD.search(part)
    if pod is not None:
        return f"pod/{pod[1].replace('_', '-')[:8]}"
    lxc = _LXC.match("/".join(parts[index - 1 : index + 1]) if index and parts[index - 1] == "lxc" else part)
    if lxc is not None:
        return f"lxc/{lxc[1]}"
    return unescape(part) if part.endswith(_UNIT) and not part.startswith("init.") else None


def _container_name(parts: list[str], index: int, match: re.Match[str]) -> str:
    kind = match[1] or _kind_above(parts[:index])
    pod = next((found for part in reversed(parts[:index]) if (found := _POD.search(part))), None)
    short = match[2][:12]
    return f"pod/{pod[1].replace('_', '-')[:8]}/{short}" if pod else f"{kind}/{short}"


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
