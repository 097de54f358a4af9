"""OOM events as JSON: `{"schema": 1, "events": [...]}`, sizes in bytes, unknown is null."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter

from oomtop.frozen import as_dict
from oomtop.oomlog.event import OomEvent, ReportZone
from oomtop.oomlog.evidence import UnreadMention
from oomtop.oomlog.mentions.mention import Mention
from oomtop.render.json_text import json_text
from oomtop.render.mentions import leftover_to_json, mention_to_json

SCHEMA = 1
_PLAIN = (
    "killer", "type", "time", "time_text", "kernel_time", "host", "source", "unverified", "complete",
    "has_header", "gfp_mask", "gfp_flags",
    "order", "trigger_oom_score_adj", "kernel", "constraint", "cpuset", "mems_allowed", "oom_memcg", "task_memcg",
    "memcg_usage", "memcg_limit", "memcg_swap_usage", "memcg_swap_limit", "memcg_kmem_usage", "oom_group",
    "allocating_task", "tasks_unparsed", "page_size", "swap_total", "swap_free", "ram_pages", "reserved_pages",
    "pagecache_pages", "panic", "no_killable_processes", "cgroup", "reason", "processes_killed", "outcome", "attempts",
)  # fmt: skip

_plain_of = attrgetter(*_PLAIN)
Json = dict[str, object]


def events_text(
    events: Iterable[OomEvent], mentions: Iterable[Mention] = (), leftovers: Iterable[UnreadMention] = ()
) -> Iterator[str]:
    """Yield the parts of a document with all events, and what others mention, under the schema's number.

    A storm has 150,000 events: as objects of Python at once they would take 900 MB.
    """
    yield f'{{"schema": {SCHEMA}'
    lists: tuple[tuple[str, Iterable[Json]], ...] = (
        ("events", map(event_to_json, events)),
        ("mentions", map(mention_to_json, mentions)),
        ("leftovers", map(leftover_to_json, leftovers)),
    )
    for name, items in lists:
        yield f', "{name}": ['
        for at, item in enumerate(items):
            yield f"{', ' if at else ''}{json_text(item)}"
        yield "]"
    yield "}"


def event_to_json(event: OomEvent) -> Json:
    """Return one event."""
    data: Json = dict(zip(_PLAIN, _plain_of(event), strict=True))
    data["trigger"] = None if event.trigger is None else as_dict(event.trigger)
    data["selected"] = None if event.selected is None else as_dict(event.selected)
    data["victim"] = None if event.victim is None else as_dict(event.victim)
    data["other_victims"] = [as_dict(victim) for victim in event.other_victims]
    data["reaped_pids"] = list(event.reaped_pids)
    data["tasks"] = [as_dict(task) for task in event.tasks]
    data["table_columns"] = list(event.table_columns)
    data["mem_info_pages"] = dict(event.mem_info_pages)
    data["memcg_stats"] = dict(event.memcg_stats)
    data["zones"] = [_zone(zone) for zone in event.zones]
    data["slab"] = [{"name": name, "used": used, "total": total} for name, used, total in event.slab]
    data["notes"] = list(event.notes)
    return data


def _zone(zone: ReportZone) -> Json:
    data = as_dict(zone)
    data["free_lists"] = [{"size": size, "count": count} for size, count in zone.free_lists]
    return data
