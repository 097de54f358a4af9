"""Post-mortems and lists of OOM events as plain text, Markdown and JSON.

Sentences first, then the figures, the raw text of the log last.  Everything that comes from a log is hostile:
it is made printable here, and inert in Markdown.
"""

from __future__ import annotations

import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from oomtop.analysis.postmortem.model import NamedSize, PostMortem, Ranked, ZoneVerdict
from oomtop.oomlog.event import OomEvent
from oomtop.units import DASH, format_bytes, format_share, printable

SCHEMA = 1
TOP = 10
PAGE = 40
_RAW_LINES = 400
Json = dict[str, object]
Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
_MARKDOWN = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]()#|~!@"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})


def sections(post_mortem: PostMortem) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the sentences under their headings, in reading order; empty sections are left out."""
    agreed = (post_mortem.agreement,)
    unowned = () if post_mortem.unowned_words is None else (post_mortem.unowned_words,)
    parts = (
        ("What ran out", (post_mortem.what_ran_out, *post_mortem.how_known)),
        ("Why this victim", (*post_mortem.why_this_victim, *agreed)),
        ("Memory that no process owns", unowned),
        ("What to change", post_mortem.prevention),
        ("Context", post_mortem.related),
        ("Missing from the log", post_mortem.completeness),
    )
    return tuple((title, sentences) for title, sentences in parts if sentences)


def tables(post_mortem: PostMortem) -> tuple[tuple[str, Table], ...]:
    """Return the figures as tables under their headings; empty ones are left out."""
    parts = (
        (f"The kernel's ranking ({_shown(post_mortem)})", _ranking(post_mortem)),
        ("Limits", _figures(post_mortem.limits)),
        ("Kernel memory, page cache, shared memory", _figures(post_mortem.unowned)),
        ("Zones", _zones(post_mortem.zones)),
    )
    return tuple((title, table) for title, table in parts if table[1])


def _shown(post_mortem: PostMortem) -> str:
    rows, total = len(post_mortem.ranking), post_mortem.total
    size = None if total.pages is None else total.pages * (post_mortem.event.page_size or 0) or None
    doubt = "" if total.certain else ", uncertain"
    is_shared = any(row.share is not None for row in post_mortem.ranking)
    shares = f"shares of {format_bytes(size)}" if is_shared else "no shares"
    return f"{min(TOP, rows)} of {rows}; {shares}: {total.source}{doubt if is_shared else ''}"


def _ranking(post_mortem: PostMortem) -> Table:
    size = post_mortem.event.page_size or 0
    rows = list(post_mortem.ranking[:TOP])
    rows += [row for row in post_mortem.ranking[TOP:] if row.is_selected or row.is_victim][:5]
    head = ("#", "pid", "uid", "rss", "swap", "tables", "adj", "adj adds", "share", "without adj", "name")
    return head, [_rank_row(row, size) for row in rows]


def _rank_row(row: Ranked, size: int) -> tuple[str, ...]:
    mark = " (chosen)" if row.is_selected else " (killed)" if row.is_victim else ""
    return (
        _number(row.rank), str(row.pid), _number(row.uid), format_bytes(row.rss), format_bytes(row.swap),
        format_bytes(row.pgtables), _number(row.adj), _adj_term(row, size),
        format_share(row.share), _number(row.rank_without_adj), f"{row.name}{mark}",
    )  # fmt: skip


def _adj_term(row: Ranked, size: int) -> str:
    if row.exempt is not None:
        return DASH
    return format_bytes(row.adj_pages * size) if row.adj_pages else "0"


def _number(value: int | None) -> str:
    return DASH if value is None else str(value)


def _figures(figures: Iterable[NamedSize]) -> Table:
    rows: list[tuple[str, ...]] = [(figure.name, format_bytes(figure.size), figure.source) for figure in figures]
    return ("what", "size", "from"), rows


def _zones(zones: Iterable[ZoneVerdict]) -> Table:
    words = {True: "short", False: "has room", None: DASH}
    rows: list[tuple[str, ...]] = [
        (
            zone.name, format_bytes(zone.free), format_bytes(zone.min), format_bytes(zone.high),
            format_bytes(zone.reserve), format_bytes(zone.set_aside + zone.highatomic),
            format_bytes(zone.largest_chunk),
            words[zone.short] if zone.usable else "not usable",
        )
        for zone in zones
    ]  # fmt: skip
    return ("zone", "free", "min", "high", "reserve", "kept aside", "largest chunk", "verdict"), rows


def render_text(post_mortem: PostMortem, width: int = 100, raw: bool = True, longest: int | None = None) -> str:
    """Return the post-mortem as plain text; sentences are wrapped to `width`, raw lines are cut to `longest` or it."""
    width = max(20, width)
    longest = width if longest is None else longest
    lines = [*_wrap(post_mortem.headline, width), *_wrap(_where(post_mortem.event), width)]
    for title, sentences in sections(post_mortem):
        lines += ["", title.upper()]
        for sentence in sentences:
            lines += _wrap(sentence, width, "  ")
    for title, table in tables(post_mortem):
        lines += ["", *_wrap(title, width), *_columns(table, longest)]
    if raw and post_mortem.event.raw:
        lines += ["", "THE LOG ITSELF", *(_cut(printable(line), longest) for line in _raw(post_mortem.event))]
    return "\n".join(lines) + "\n"


def _where(event: OomEvent) -> str:
    parts = [("time", _when(event)), ("host", event.host), ("kernel", event.kernel), ("log", event.source)]
    return ", ".join(f"{name} {value}" for name, value in parts if value)


def _when(event: OomEvent) -> str:
    """Return the time of an event: local time, as the log has it where its zone or year is not known, or since boot."""
    if event.time is not None:
        try:
            return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.time))
        except (OverflowError, ValueError, OSError):
            return DASH
    if event.time_text is not None:
        return event.time_text
    return DASH if event.kernel_time is None else f"{event.kernel_time:.3f}s after boot"


def _raw(event: OomEvent) -> Iterable[str]:
    yield from event.raw[:_RAW_LINES]
    if len(event.raw) > _RAW_LINES:
        yield f"... {len(event.raw) - _RAW_LINES} more lines"


def _wrap(text: str, width: int, indent: str = "") -> list[str]:
    later = indent + "  " if indent else ""
    return textwrap.wrap(printable(text), width, initial_indent=indent, subsequent_indent=later)


def _columns(table: Table, width: int) -> Iterable[str]:
    head, rows = table
    cells = [head, *(tuple(printable(cell) for cell in row) for row in rows)]
    wide = [max(len(row[index]) for row in cells) for index in range(len(head))]
    for row in cells:
        # The last column is words; the others are figures except a leading name.
        parts = [cell.rjust(wide[index]) if _is_figure(head[index]) else cell.ljust(wide[index])
                 for index, cell in enumerate(row)]  # fmt: skip
        yield _cut("  " + "  ".join(parts).rstrip(), width)


def _is_figure(head: str) -> bool:
    return head not in ("name", "what", "from", "zone", "verdict")


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + ">"


def render_markdown(post_mortem: PostMortem) -> str:
    """Return the post-mortem as Markdown to paste into an incident; names of the log stay inert in it."""
    lines = [f"## {inert(post_mortem.headline)}", "", inert(_where(post_mortem.event))]
    for title, sentences in sections(post_mortem):
        lines += ["", f"### {title}", "", *(f"- {inert(sentence)}" for sentence in sentences)]
    for title, (head, rows) in tables(post_mortem):
        lines += ["", f"### {inert(title)}", "", _row(head), _row(("---",) * len(head))]
        lines += [_row(tuple(inert(cell) for cell in row)) for row in rows]
    if post_mortem.event.raw:
        # A block by indentation cannot be closed by anything inside it, unlike a fence.
        lines += ["", "### The log itself", "", *(f"    {printable(line)}" for line in _raw(post_mortem.event))]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def inert(text: str) -> str:
    """Return text that Markdown shows as it is: no link, code, table cell, HTML, mention or heading comes of it."""
    shown = printable(text).translate(_MARKDOWN)
    # An automatic link needs "://" or "www."; an entity in it shows the same and links nothing.
    return shown.replace("://", "&#58;//").replace("www.", "www&#46;")


def render_list(events: Sequence[OomEvent], width: int = 120, page: int = 1, per_page: int = PAGE) -> str:
    """Return one numbered line an event, newest last; a storm is summed up first and shown page by page."""
    pages = max(1, -(-len(events) // per_page))
    page = min(max(1, page), pages)
    lines = [] if pages == 1 else [*_storm(events), f"page {page} of {pages}"]
    first, digits = (page - 1) * per_page, len(str(len(events)))
    lines.append(_columns_of_list(width, digits))
    shown = enumerate(islice(events, first, first + per_page), first + 1)
    lines += [_list_line(f"{number:>{digits}}", event, width) for number, event in shown]
    return "\n".join(lines) + "\n"


def _storm(events: Sequence[OomEvent]) -> Iterable[str]:
    times = sorted(event.time for event in events if event.time is not None)
    span = f" within {times[-1] - times[0]:.0f} s" if len(times) > 1 else ""
    yield f"{len(events)} OOM events{span}"
    for what, key in _STORM_KEYS:
        counts = Counter(key(event) for event in events)
        top = ", ".join(f"{printable(name)} {count}" for name, count in counts.most_common(5))
        more = f", {len(counts) - 5} others" if len(counts) > 5 else ""
        yield f"  by {what}: {top}{more}"


_STORM_KEYS: tuple[tuple[str, Callable[[OomEvent], str]], ...] = (
    ("killer", lambda event: event.killer),
    ("victim", lambda event: event.victim.name if event.victim else DASH),
    ("cgroup", lambda event: event.victim_cgroup or DASH),
)


def _columns_of_list(width: int, digits: int) -> str:
    return _cut(
        f"{'#':>{digits}} {'TIME':19} {'KILLER':12} {'TYPE':13} {'PID':>7} {'ANON':>5} {'NAME':15} CGROUP", width
    )


def what_of(event: OomEvent) -> str:
    """Return what was out of memory, or what became of the victim where it did not die."""
    return event.outcome if event.outcome in ("sent", "failed", "dry-run") and event.killer != "kernel" else event.type


def _list_line(number: str, event: OomEvent, width: int) -> str:
    victim = event.victim
    pid = _number(victim.pid if victim else None)
    name = victim.name if victim else event.panic or ("no victim" if event.no_killable_processes else DASH)
    anon = format_bytes((victim.rss if victim.anon_rss is None else victim.anon_rss) if victim else None)
    mark = "(unverified) " if event.unverified else ""
    line = (
        f"{number} {printable(_when(event))[:19]:19} {event.killer[:12]:12} {what_of(event)[:13]:13} {pid:>7} "
        f"{anon:>5} {printable(name)[:15]:15} {mark}{printable(event.victim_cgroup or DASH)}"
    )
    return _cut(printable(line), max(20, width))
