"""NUMA nodes with memory, and the nodes that a process is bound to.

`/sys/devices/system/node/nodeN/meminfo`; `Mems_allowed_list` of `/proc/PID/status` (cpuset(7)); the policy of
set_mempolicy(2), which the first mapping in `/proc/PID/numa_maps` shows where it has none of its own (numa(7)).
Sample lines: `Node 1 MemFree:          102400 kB` / `55d0c0a00000 bind:1 file=/usr/bin/python3 mapped=4 N1=4`
"""

from __future__ import annotations

import re

from oomtop.frozen import frozen
from oomtop.host.process import ProcessId
from oomtop.host.process_folder import process_folder, read_at
from oomtop.host.root import Root, read_optional

_NODES = "/sys/devices/system/node"
_BYTES = 4096
_LINE = re.compile(r"^Node \d+ ([A-Za-z()]+): +(\d{1,20}) kB$", re.MULTILINE)
_RANGE = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")
_BIND = re.compile(rb"^[0-9a-f]+ bind(?:=[a-z|]+)?:([0-9,-]+)")
_CACHE = ("Active(file)", "Inactive(file)", "SReclaimable")
_MOST = 1024
"""Nodes; Linux is built for at most 1,024 of them (CONFIG_NODES_SHIFT)."""


@frozen
class NumaNode:
    """One node, in bytes."""

    number: int
    total: int
    free: int
    cache: int
    """Page cache and reclaimable slab."""


def parse_nodes(text: str) -> int:
    """Return a list such as `0-1,3` as a set of bits."""
    found = 0
    for low, high in _RANGE.findall(text):
        first, last = int(low), min(int(high or low), _MOST)
        if first <= last:
            found |= (1 << last + 1) - (1 << first)
    return found


def format_nodes(nodes: int) -> str:
    """Return a set of bits as a list such as `0-1,3`."""
    parts, at = [], 0
    while nodes >> at:
        if not nodes >> at & 1:
            at += 1
            continue
        first = at
        while nodes >> at & 1:
            at += 1
        parts.append(str(first) if at - 1 == first else f"{first}-{at - 1}")
    return ",".join(parts)


def numbers_with_memory(root: Root) -> tuple[int, ...]:
    """Return the nodes that have memory, none where the kernel knows of no nodes."""
    nodes = parse_nodes(read_optional(root.at(f"{_NODES}/has_memory")) or "")
    return tuple(at for at in range(nodes.bit_length()) if nodes >> at & 1)


def read_node(root: Root, number: int) -> NumaNode | None:
    """Return one node, None where it is gone or its file lacks a figure."""
    text = read_optional(root.at(f"{_NODES}/node{number}/meminfo"))
    found = {name: int(size) * 1024 for name, size in _LINE.findall(text or "")}
    if "MemTotal" not in found or "MemFree" not in found:
        return None
    return NumaNode(number, found["MemTotal"], found["MemFree"], sum(found.get(name, 0) for name in _CACHE))


def read_bound_nodes(root: Root, identity: ProcessId) -> int | None:
    """Return the nodes that MPOL_BIND confines a process to, None without; takes its mmap lock.

    Raises:
        OSError: it is gone, or may not be looked into.
    """
    with process_folder(root, identity) as folder:
        match = _BIND.match(read_at(folder, "numa_maps", _BYTES))
    return None if match is None else parse_nodes(match[1].decode("ascii"))
