"""Names of containers and pods, from the state files that their engines leave on this machine; no daemon is asked.

Docker: `/var/lib/docker/containers/ID/config.v2.json`; podman and CRI-O: `containers.json` of the storage library;
nerdctl: a file per name that holds the id; the kubelet: `/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log` and
`/var/log/pods/NAMESPACE_POD_UID`.  A disk may be slow while memory is short: all is read in a thread.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator

from oomtop.host.containers import ids_of
from oomtop.host.root import Root
from oomtop.host.trusted_file import read_foreign
from oomtop.threads import begin

_LOG = re.compile(r"(?P<pod>[^_/]+)_(?P<namespace>[^_/]+)_(?P<container>[^/]+)-(?P<id>[0-9a-f]{64})\.log")
_POD = re.compile(r"(?P<namespace>[^_/]+)_(?P<pod>[^_/]+)_(?P<uid>[0-9a-f-]{32,36})")
_STORAGE = ("/var/lib/containers/storage", "/home/*/.local/share/containers/storage")
_NERDCTL = "/var/lib/nerdctl"
_MOST = 5000
_LONGEST = 1 << 20
"""Bytes; a larger file is not a state file."""


class ContainerNames:
    """Knows the names of ids that were once in a cgroup path; reads again only when a new id appears."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._asked: set[str] = set()
        self._names: tuple[tuple[str, str], ...] = ()
        self._thread: threading.Thread | None = None

    def names(self, paths: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Return the (id, name) pairs known so far, the same object until they change; a new id starts a read."""
        ids = {number for path in paths for number in ids_of(path)}
        if ids - self._asked and (self._thread is None or not self._thread.is_alive()):
            self._begin(ids)
        return self._names

    def _begin(self, ids: set[str]) -> None:
        thread = threading.Thread(target=self._read, args=(ids,), name="oomtop-containers", daemon=True)
        try:
            begin(thread)
        except RuntimeError:
            # No thread can be started now: ids stay ids, and the next tick tries again.
            return
        self._asked, self._thread = ids, thread

    def _read(self, ids: set[str]) -> None:
        names = tuple(sorted(read_container_names(self._root, ids).items()))
        if names != self._names:
            self._names = names


def read_container_names(root: Root, ids: Iterable[str]) -> dict[str, str]:
    """Return the names that state files under `root` give to these `ids`; unreadable and damaged files are skipped."""
    wanted = set(ids)
    found: dict[str, str] = {}
    # Root's files first: a file of a user must not name root's containers.
    for number, name in (*_docker(root, wanted), *_nerdctl(root), *_kubelet(root), *_storage(root)):
        if number in wanted and name:
            found.setdefault(number, name)
    return found


def _docker(root: Root, ids: set[str]) -> Iterator[tuple[str, str]]:
    for number in sorted(ids)[:_MOST]:
        if len(number) == 64:
            yield number, parse_docker_name(_read(root.at(f"/var/lib/docker/containers/{number}/config.v2.json")))


def parse_docker_name(text: str) -> str:
    """Return the name in a `config.v2.json`, an empty one where it is damaged."""
    known = _json(text)
    name = known.get("Name") if isinstance(known, dict) else None
    return name.lstrip("/") if isinstance(name, str) else ""


def _storage(root: Root) -> Iterator[tuple[str, str]]:
    for folder in _STORAGE:
        for path in _matching(root, folder):
            yield from parse_storage(_read(f"{path}/overlay-containers/containers.json"))


def parse_storage(text: str) -> Iterator[tuple[str, str]]:
    """Yield (id, first name) of a `containers.json` of containers/storage."""
    known = _json(text)
    for entry in known if isinstance(known, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            names = entry.get("names")
            if isinstance(names, list) and names and isinstance(names[0], str):
                yield entry["id"], names[0]


def _nerdctl(root: Root) -> Iterator[tuple[str, str]]:
    for address in _listed(root.at(_NERDCTL)):
        names = root.at(f"{_NERDCTL}/{address}/names")
        for namespace in _listed(names):
            for name in _listed(f"{names}/{namespace}"):
                yield _read(f"{names}/{namespace}/{name}").strip(), name


def _kubelet(root: Root) -> Iterator[tuple[str, str]]:
    for name in _listed(root.at("/var/log/pods")):
        if pod := _POD.fullmatch(name):
            yield pod["uid"], f"{pod['namespace']}/{pod['pod']}"
    for name in _listed(root.at("/var/log/containers")):
        if log := _LOG.fullmatch(name):
            yield log["id"], f"{log['namespace']}/{log['pod']}/{log['container']}"


def _matching(root: Root, pattern: str) -> Iterator[str]:
    before, star, after = pattern.partition("*")
    if not star:
        yield root.at(pattern)
        return
    for name in _listed(root.at(before.rstrip("/"))):
        yield f"{root.at(before.rstrip('/'))}/{name}{after}"


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))[:_MOST]
    except OSError:
        return []


def _read(path: str) -> str:
    """Return the text of a regular file; a user's home may hold a FIFO, a device or a link to one."""
    try:
        return read_foreign(path, _LONGEST).decode("utf-8", "backslashreplace")
    except OSError:
        return ""


def _json(text: str) -> object:
    if not text:
        return None
    # Imported here: it takes 1 ms, which only a host with containers has to spend.
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
