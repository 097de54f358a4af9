"""Findings about containers without a limit, limits above RAM, and fragmentation.

Documentation/mm/overcommit-accounting.rst; `/proc/buddyinfo`; `memory.max` of every group.
"""

from __future__ import annotations

import re

from oomtop.analysis.cgroups.assess import chain, working_set
from oomtop.analysis.findings.rule import Facts
from oomtop.analysis.model.assessment import CgroupFigures, Finding, Severity
from oomtop.units import format_bytes, format_share

# Kernel stacks, jumbo frames and most network buffers need order 3; higher orders never cause a kill.
_ORDER = 3
_FREE_MARGIN = 2
_WHOLE = 0.02
_BIG_CONTAINER = 0.1
_CONTAINER = re.compile(r"(?:[0-9a-f]{64}|libpod-|docker|cri-containerd-|crio-|kubepods|/lxc[./])")


def fragmentation(facts: Facts) -> Finding | None:
    """A zone has free memory above its watermarks, but almost none in blocks of order 3."""
    if facts.kernel is None:
        return None
    marks = {(zone.node, zone.name): zone.high or 0 for zone in facts.zones}
    for zone in facts.kernel.buddy:
        free = zone.free_pages * facts.page_size
        high = marks.get((zone.node, zone.zone), 0)
        # Ordinary requests never go to a small zone such as DMA first.
        if free < max(64 << 20, _FREE_MARGIN * high) or zone.pages_from(_ORDER) >= zone.free_pages * _WHOLE:
            continue
        whole = zone.pages_from(_ORDER) * facts.page_size
        return Finding(
            "fragmentation",
            Severity.WARNING,
            f"zone {zone.zone} is fragmented: {format_bytes(free)} free, {format_bytes(whole)} in large blocks",
            f"node {zone.node}: {zone.pages_from(_ORDER)} of {zone.free_pages} free pages in blocks of order {_ORDER}+",
            "y compact memory; a higher min_free_kbytes keeps blocks large",
        )
    return None


def container_without_limit(facts: Facts) -> Finding | None:
    """The largest container without any memory limit."""
    found = [group for group in facts.groups if is_container(group) and group.effective_limit is None]
    group = max(found, key=lambda item: working_set(item.cgroup) or 0, default=None)
    size = 0 if group is None else working_set(group.cgroup) or 0
    if group is None or size < facts.memory.total * _BIG_CONTAINER:
        return None
    return Finding(
        "no_limit",
        Severity.INFO,
        f"container {group.name} has no memory limit and holds {format_bytes(size)}",
        f"no memory.max from {group.cgroup.path} up to the root",
        "L set a limit; `oomtop recommend` suggests one",
        cgroup=group.cgroup.path,
    )


def is_container(group: CgroupFigures) -> bool:
    """Whether the group is a container of docker, podman, containerd, CRI-O, LXC or Kubernetes."""
    return _CONTAINER.search(group.cgroup.path) is not None


def limits_over_ram(facts: Facts) -> Finding | None:
    """The outermost limits add up to more than RAM and swap."""
    limited = {group.cgroup.path: group.cgroup.max for group in facts.groups if group.cgroup.max is not None}
    limited.pop("/", None)
    outer = {
        path: size
        for path, size in limited.items()
        if not any(above in limited for above in chain(path) if above != path)
    }
    promised = sum(outer.values())
    total = facts.memory.total + (facts.swap.total or 0)
    if len(outer) < 2 or promised <= total or any(size > total for size in outer.values()):
        return None
    return Finding(
        "limits_over_ram",
        Severity.INFO,
        f"the limits of {len(outer)} groups add up to {format_bytes(promised)}, RAM and swap to {format_bytes(total)}",
        f"memory.max of the outermost limited groups, {format_share(promised / total)} of RAM and swap",
        "if all fill up, the machine runs out of memory before their limits: L lower some",
    )
