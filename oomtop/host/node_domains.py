"""Sets of NUMA nodes that processes are confined to, by cpuset or memory policy: each can run out by itself.

`constrained_alloc` and `oom_cpuset_eligible` of mm/oom_kill.c: where a cpuset is short, everybody dies whose cpuset
has one of its nodes; where a memory policy is, everybody whom no MPOL_BIND keeps off them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oomtop.frozen import frozen
from oomtop.host.numa import NumaNode, format_nodes
from oomtop.host.process import Process, ProcessId
from oomtop.host.zoneinfo import Zone

_MOST = 16


@frozen
class NodeDomain:
    """A part of the nodes."""

    nodes: int
    """A set of bits."""
    is_policy: bool
    """Whether it is set by MPOL_BIND; otherwise by a cpuset."""

    @property
    def subject(self) -> str:
        """A stable name: `node 1`, `nodes 0-1`."""
        return subject_of_nodes(self.nodes)

    def has(self, process: Process, bound: Mapping[ProcessId, int]) -> bool:
        """Whether the kernel may kill a process there; `bound` are the nodes of those with MPOL_BIND."""
        nodes = bound.get(process.id) if self.is_policy else process.nodes
        return nodes is None or bool(nodes & self.nodes)


def subject_of_nodes(nodes: int) -> str:
    """Return the name of a set of nodes."""
    return f"node{'s' if nodes & nodes - 1 else ''} {format_nodes(nodes)}"


def node_domains(
    nodes: Iterable[NumaNode], processes: Iterable[Process], bound: Mapping[ProcessId, int]
) -> tuple[NodeDomain, ...]:
    """Return the sets of nodes that processes are confined to, those of the largest first; usually none."""
    every = sum(1 << node.number for node in nodes)
    if not every & every - 1:
        return ()
    sizes: dict[NodeDomain, int] = {}
    for process in processes:
        if not process.virtual_size or process.is_kernel_thread:
            continue
        for allowed, is_policy in ((bound.get(process.id), True), (process.nodes, False)):
            part = every if allowed is None else allowed & every
            if part and part != every:
                domain = NodeDomain(part, is_policy)
                sizes[domain] = sizes.get(domain, 0) + process.rss
    # One subject per set of nodes: the kind that confines more memory.
    largest = {domain.nodes: domain for domain in sorted(sizes, key=sizes.__getitem__)}
    return tuple(sorted(largest.values(), key=lambda domain: -sizes[domain])[:_MOST])


def size_of(domain: NodeDomain, nodes: Iterable[NumaNode]) -> int:
    """Return the bytes of a domain."""
    return sum(node.total for node in nodes if domain.nodes >> node.number & 1)


def use_of(domain: NodeDomain, nodes: Iterable[NumaNode], zones: Iterable[Zone]) -> tuple[int, int]:
    """Return held and used bytes: all but MemAvailable by the kernel's estimate, and all that is not free."""
    own = [node for node in nodes if domain.nodes >> node.number & 1]
    low = sum(zone.low for zone in zones if domain.nodes >> zone.node & 1)
    total, free, cache = (sum(column) for column in zip(*((n.total, n.free, n.cache) for n in own), strict=True))
    available = max(0, free - low + cache - min(cache // 2, low))
    held = max(0, total - available)
    return held, max(held, total - free)
