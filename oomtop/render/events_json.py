"""OOM events as JSON: `{"schema": 1, "events": [...]}`, sizes in bytes, unknown is null."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from oomtop.frozen import as_dict
from oomtop.oomlog.event import OomEvent, ReportZone, Task
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

_MOST_TEXTS = 50_000
_plain_of = attrgetter(*_PLAIN)
Json = dict[str, object]


def events_text(
    events: Sequence[OomEvent], mentions: Iterable[Mention] = (), leftovers: Iterable[UnreadMention] = ()
) -> Iterator[str]:
    """Yield the parts of a document with all events, and what others mention, under the schema's number.

    A storm has 150,000 events: as objects of Python at once they would take 900 MB.
    """
    yield f'{{"schema": {SCHEMA}'
    tasks = _TaskTexts()
    lists: tuple[tuple[str, Iterable[str]], ...] = (
        ("events", (event_text(event, tasks) for event in events)),
        ("mentions", (json_text(mention_to_json(mention)) for mention in mentions)),
        ("leftovers", (json_text(leftover_to_json(leftover)) for leftover in leftovers)),
    )
    for name, texts in lists:
        yield f', "{name}": ['
        for at, text in enumerate(texts):
            yield f", {text}" if at else text
        yield "]"
    yield "}"


class _TaskTexts:
    """The texts of tasks: in a storm one row stands in report after report, which share its task."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def of(self, tasks: Iterable[Task]) -> str:
        """Return the items of a list; the tasks have to live as long as this object, which knows them by identity."""
        if len(self._known) > _MOST_TEXTS:
            self._known.clear()
        return ", ".join([self._known.get(id(task)) or self._text(task) for task in tasks])

    def _text(self, task: Task) -> str:
        self._known[id(task)] = text = json_text(as_dict(task))
        return text


def event_text(event: OomEvent, tasks: _TaskTexts | None = None) -> str:
    """Return one event."""
    before, behind = json_text(_before_tasks(event)), json_text(_behind_tasks(event))
    return f'{before[:-1]}, "tasks": [{(tasks or _TaskTexts()).of(event.tasks)}], {behind[1:]}'


def _before_tasks(event: OomEvent) -> Json:
    data: Json = dict(zip(_PLAIN, _plain_of(event), strict=True))
    data["trigger"] = None if event.trigger is None else as_dict(event.trigger)
    data["selected"] = None if event.selected is None else as_dict(event.selected)
    data["victim"] = None if event.victim is None else as_dict(event.victim)
    data["other_victims"] = [as_dict(victim) for victim in event.other_victims]
    data["reaped_pids"] = list(event.reaped_pids)
    return data


def _behind_tasks(event: OomEvent) -> Json:
    return {
        "table_columns": list(event.table_columns),
        "mem_info_pages": dict(event.mem_info_pages),
        "memcg_stats": dict(event.memcg_stats),
        "zones": [_zone(zone) for zone in event.zones],
        "slab": [{"name": name, "used": used, "total": total} for name, used, total in event.slab],
        "notes": list(event.notes),
    }


def _zone(zone: ReportZone) -> Json:
    data = as_dict(zone)
    data["free_lists"] = [{"size": size, "count": count} for size, count in zone.free_lists]
    return data
