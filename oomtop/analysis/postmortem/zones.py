"""The watermark verdict on each zone of a report's Mem-Info.

mm/page_alloc.c, __zone_watermark_ok: a request gets a page of a zone while free (less free CMA, unless movable)
> min + lowmem_reserve[its highest zone], and for order > 0 only where a free chunk of that order is for its type.
Sample line: `Node 0 Normal free:61900kB boost:8192kB min:61948kB low:75384kB high:88820kB ... free_cma:0kB`
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from oomtop.analysis.postmortem.model import ZoneVerdict
from oomtop.oomlog.event import OomEvent, ReportZone

# The four zone bits of a gfp mask have kept their places since 2.6.23; the other bits move between versions.
_GFP_DMA, _GFP_HIGHMEM, _GFP_DMA32, _GFP_MOVABLE = 1, 2, 4, 8
_ZONE_ORDER = ("DMA", "DMA32", "Normal", "HighMem", "Movable", "Device")
_FREE_CMA = re.compile(r"^\s*(?:Node (\d{1,5}) )?([A-Z]\w{2,8}) free:\d{1,19}kB .*\bfree_cma:(\d{1,19})kB")
_HIGHATOMIC = re.compile(r"^\s*(?:Node (\d{1,5}) )?([A-Z]\w{2,8}) free:\d{1,19}kB .*\breserved_highatomic:(\d{1,19})KB")
_FREE_LIST = re.compile(r"^\s*(?:Node (\d{1,5}) )?([A-Z]\w{2,8}): \d{1,19}\*\d{1,19}kB")
_CHUNK = re.compile(r"(\d{1,19})\*(\d{1,19})kB(?: \(([A-Z]+)\))?")
_NODEMASK = re.compile(r"\bnodemask=(\d[\d,-]{0,80}?)(?:,[a-z ]|\s|$)")
_RANGE = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")
Key = tuple[int | None, str]


def judge_zones(event: OomEvent) -> tuple[ZoneVerdict, ...]:
    """Return the verdict on each zone, in the order of the report."""
    present = sorted({zone.name for zone in event.zones if zone.name in _ZONE_ORDER}, key=_ZONE_ORDER.index)
    cma, chunks = _free_cma(event), _chunks(event)
    return tuple(_judge(zone, present, cma, chunks, event) for zone in event.zones)


def ram_of(event: OomEvent) -> int | None:
    """Return the pages of RAM less those reserved; None where the zones are damaged or contradict, so either may be.

    'pages RAM' is the sum of what is present in all zones; a report about some nodes has their zones alone.
    """
    sizes = [zone.present for zone in event.zones if zone.free is not None]
    if event.ram_pages is None or None in sizes:
        return None
    present, ram = sum(size or 0 for size in sizes), event.ram_pages * (event.page_size or 0)
    if present and ram and (ram < present * 0.98 or (ram > present * 1.02 and event.type == "global")):
        return None
    return event.ram_pages - (event.reserved_pages or 0)


def _mask(event: OomEvent) -> int:
    return int(event.gfp_mask, 16) if event.gfp_mask else 0


def _highest_zone(event: OomEvent) -> str:
    """Return the highest zone that the request may use; an unknown mask may use all."""
    mask = _mask(event)
    if not mask:
        return "Movable"
    if mask & _GFP_DMA:
        return "DMA"
    if mask & _GFP_DMA32:
        return "DMA32"
    if mask & _GFP_HIGHMEM:
        return "Movable" if mask & _GFP_MOVABLE else "HighMem"
    return "Normal"


def _judge(
    zone: ReportZone, present: Sequence[str], cma: dict[Key, int], chunks: dict[Key, list[int]], event: OomEvent
) -> ZoneVerdict:
    top, key = _highest_zone(event), (zone.node, zone.name)
    pages = _reserve(zone, present, top)
    reserve = pages * event.page_size if event.page_size is not None else None if pages else 0
    known = zone.free is not None and zone.min is not None and reserve is not None
    aside = min(cma.get(key, 0), zone.free or 0)
    atomic = min(_highatomic(event).get(key, 0), (zone.free or 0) - aside)
    pieces = chunks.get(key, [size for size, count in zone.free_lists if count])
    wanted = (event.page_size or 0) << max(0, event.order or 0)
    return ZoneVerdict(
        name=zone.name if zone.node is None else f"node {zone.node} {zone.name}",
        free=zone.free,
        min=zone.min,
        high=zone.high,
        reserve=reserve,
        set_aside=aside,
        highatomic=atomic,
        boost=zone.boost or 0,
        usable=is_of_node(event, zone.node)
        and (zone.name not in _ZONE_ORDER or _ZONE_ORDER.index(zone.name) <= _ZONE_ORDER.index(top)),
        short=(zone.free or 0) - aside - atomic <= (zone.min or 0) + (reserve or 0) if known else None,
        largest_chunk=max(pieces, default=0) if zone.free_lists else None,
        has_chunk=any(size >= wanted for size in pieces) if zone.free_lists and wanted else None,
    )


def _reserve(zone: ReportZone, present: Sequence[str], top: str) -> int:
    """Return the pages kept from a request that could also use higher zones."""
    pages = zone.lowmem_reserve_pages
    below = [name for name in present if _ZONE_ORDER.index(name) <= _ZONE_ORDER.index(top)]
    if not pages or not below:
        return 0
    return max(pages) if len(below) == len(present) else pages[min(len(below), len(pages)) - 1]


def _free_cma(event: OomEvent) -> dict[Key, int]:
    """Return the free CMA of each zone that this request may not use; a movable request may use it."""
    if not _mask(event) or _mask(event) & _GFP_MOVABLE:
        return {}
    matches = (_FREE_CMA.match(line) for line in event.raw if "free_cma:" in line)
    return {_key(match[1], match[2]): int(match[3]) * 1024 for match in matches if match}


def _highatomic(event: OomEvent) -> dict[Key, int]:
    """Return what each zone keeps for high-order atomic requests; others do not get it."""
    matches = (_HIGHATOMIC.match(line) for line in event.raw if "reserved_highatomic:" in line)
    return {_key(match[1], match[2]): int(match[3]) * 1024 for match in matches if match}


def nodes_of(event: OomEvent) -> str | None:
    """Return the NUMA nodes that the request was bound to, as the report writes them; None where it was to none."""
    mask = next((found[1] for line in event.raw if (found := _NODEMASK.search(line))), None)
    return mask or (event.mems_allowed if event.type in ("global-cpuset", "mempolicy") else None)


def is_of_node(event: OomEvent, node: int | None) -> bool:
    """Whether the request may use a NUMA node; yes where the report binds it to none."""
    nodes = nodes_of(event)
    if node is None or nodes is None:
        return True
    return any(int(low) <= node <= int(high or low) for low, high in _RANGE.findall(nodes))


def _chunks(event: OomEvent) -> dict[Key, list[int]]:
    """Return the sizes of free chunks that this request may use; (C) is CMA, (H) atomic reserve, (I) isolated."""
    barred = set("HI") if _mask(event) & _GFP_MOVABLE or not _mask(event) else set("CHI")
    found: dict[Key, list[int]] = {}
    for line in event.raw:
        match = _FREE_LIST.match(line)
        if match is not None:
            found[_key(match[1], match[2])] = list(_usable(_CHUNK.findall(line), barred))
    return found


def _usable(chunks: Iterable[tuple[str, str, str]], barred: set[str]) -> Iterable[int]:
    for count, size, types in chunks:
        if int(count) and (not types or set(types) - barred):
            yield int(size) * 1024


def _key(node: str | None, name: str) -> Key:
    return (None if node is None else int(node), name)
