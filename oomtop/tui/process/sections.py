"""The parts of the process screen, each a pure drawing function."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from oomtop.analysis.inspect.mappings import MappingRow, fastest
from oomtop.analysis.inspect.process_detail import LimitStep, Study
from oomtop.analysis.inspect.runtime import Runtime
from oomtop.analysis.inspect.tools import ADVICE, DeepTool
from oomtop.analysis.oom_score.explain import Score
from oomtop.frozen import field, frozen
from oomtop.host.process_details import ProcessDetails
from oomtop.host.smaps import MappedMemory
from oomtop.tui.base.slow_read import Answer
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import keep_end, keep_start, pairs, section
from oomtop.units import DASH, format_bytes, format_duration, format_rate, format_share, printable

_STEP = 5.0
"""Seconds from which ages are told in steps, so that a line does not change with every tick."""
_STATES = {
    "R": "running", "S": "sleeping", "D": "in uninterruptible wait", "T": "stopped", "t": "traced",
    "Z": "zombie", "I": "idle", "X": "dead", "P": "parked",
}  # fmt: skip
_MEANINGS = {
    "[heap]": "malloc's small blocks, by brk",
    "[anon]": "malloc's large blocks, arenas, thread stacks",
    "[anon, Go heap]": "the heap of Go",
    "[stack]": "the main stack",
}


@frozen
class SlowStudy:
    """Results of slow reads."""

    details: Answer[ProcessDetails] = field(default_factory=Answer)
    rollup: Answer[MappedMemory] = field(default_factory=Answer)
    mappings: Answer[tuple[MappingRow, ...]] = field(default_factory=Answer)
    seconds_between: float | None = None
    """Seconds between the two reads behind `change`."""
    runtime: Runtime = Runtime.NATIVE
    allocator: str | None = None
    tools: tuple[tuple[DeepTool, bool], ...] = ()
    """(tool, installed)."""
    begun: float = 0.0
    """When the first tick came, on the clock of the ticks: what was read before is as old."""
    rolled_up_at: float = 0.0
    """When the `rollup` that is known was asked for, 0 before the first tick."""
    mapped_at: float = 0.0
    """When the mappings that are known were asked for."""


def title_line(study: Study, width: int, look: Look) -> Text:
    """Return pid, user, unit and command of the process, and whether it has exited, cut with a sign."""
    process = study.process
    line = Text(f" {process.pid} ", look.style("accent", bold=True) or "bold")
    if study.exited_at is not None:
        line.append(" exited ", look.style("bad", bold=True) or "reverse").append(" ")
    line.append(f"{printable(study.row.user)}  ")
    if study.row.unit:
        line.append(f"{printable(study.row.unit)}  ", look.style("dim"))
    command = printable(process.command or f"[{process.comm}]")
    return line.append(keep_start(command, max(1, width - line.cell_len), look))


def draw_summary(study: Study, slow: SlowStudy, now: float, width: int, look: Look) -> list[Text]:
    """Return state, sizes, peaks and figures from page tables."""
    process, details, rollup = study.process, slow.details.value, slow.rollup.value
    state = f"{process.state} {_STATES.get(process.state, '')}".strip()
    if study.exited_at is not None:
        state = "exited; the last known state follows"
    elif details and details.wchan and process.state in "SD":
        state += f" in {printable(details.wchan)}"
    items = [("State", state), ("threads", _threads(process.threads, details)), ("age", format_duration(study.age))]
    items.append(("parent", f"{process.ppid} {printable(study.parent or '')}".strip()))
    if details and details.inner_pid:
        items.append(("pid inside", str(details.inner_pid)))
    peak = max(process.rss, details.peak_rss or 0) if details else None
    age = _ago(now - max(slow.begun, slow.rolled_up_at)) if rollup else ""
    kinds = f"anon {format_bytes(process.rss_anon)}, file {format_bytes(process.rss_file)}"
    items += [
        ("RSS", f"{format_bytes(process.rss)} ({kinds}, shmem {format_bytes(process.rss_shmem)})"),
        ("peak", format_bytes(peak)),
        ("swap", format_bytes(process.swap)),
        ("growth", format_rate(_per_minute(study.row.growth), "min")),
        ("PSS", f"{format_bytes(rollup.pss if rollup else None)}{age}"),
        ("USS", f"{format_bytes(rollup.uss if rollup else None)}{age}"),
        ("page tables", format_bytes(process.page_tables)),
        ("locked", format_bytes(process.locked)),
        ("huge pages", f"{format_bytes((rollup.anon_huge_pages + rollup.private_hugetlb) if rollup else None)}{age}"),
        ("virtual", format_bytes(process.virtual_size)),
    ]
    if details and details.pinned:
        items.append(("pinned by devices", format_bytes(details.pinned)))
    lines = pairs(items, width, look)
    if rollup is None and not process.is_kernel_thread:
        lines.append(
            Text(f" PSS, USS: {slow.rollup.note}", look.style("warn" if slow.rollup.note != "reading" else "dim"))
        )
    if details and details.limits:
        limits = ", ".join(f"{name} {format_bytes(size)}" for name, size in details.limits)
        lines.append(Text(f" its ulimits: {limits}", look.style("dim")))
    return lines


def _ago(seconds: float) -> str:
    """Return how much older than the tick a slow figure is, in steps; reading it more often would block the process."""
    if seconds < 1:
        return ""
    return f" {format_duration(seconds if seconds < _STEP else seconds // _STEP * _STEP)} ago"


def _threads(count: int, details: ProcessDetails | None) -> str:
    if details is None or count <= 1:
        return str(count)
    states = " ".join(f"{number} {state}" for state, number in details.thread_states)
    places = f" in {', '.join(printable(place) for place in details.blocked)}" if details.blocked else ""
    return f"{count} ({states}{places})"


def _per_minute(rate: float | None) -> float | None:
    return None if rate is None else rate * 60


def draw_score(score: Score, page: int, oom_score: int | None, width: int, look: Look) -> list[Text]:
    """Return the badness as a sum, the rank, and the rank with other values of oom_score_adj."""
    lines = [
        section("Score", width, look, f"oom_badness in pages of {format_bytes(page)}; the highest is killed first")
    ]
    if score.why_not is not None:
        lines.append(Text(f" not considered: {score.why_not}", look.style("warn")))
        return lines + (_other_adjs(score, page, look) if score.others else [])
    place = score.place
    assert place is not None
    lines += [
        _term(" ", "resident (rss)", score.rss, page),
        _term("+", "swapped out", score.swap, page),
        _term("+", "page tables", score.page_tables, page),
        _term("+", f"adj {score.adj} x {score.total_pages // 1000:,}", score.adj_pages, page),
        _term("=", "badness", place.badness, page).append(f"  {format_share(place.share)} of {_domain(score)}", "bold"),
        Text(f"   {_standing(score, page)}", look.style("bad", bold=True) if place.rank == 1 else ""),
    ]
    if oom_score is not None:
        lines.append(Text(f"   the kernel's own oom_score: {oom_score}", look.style("dim")))
    return lines + _other_adjs(score, page, look)


def _domain(score: Score) -> str:
    return "RAM+swap" if score.domain == "machine" else "the limit"


def _term(sign: str, label: str, pages: int, page: int) -> Text:
    return Text(f" {sign} {label:22} {pages:>14,}  {format_bytes(pages * page):>6}")


def _standing(score: Score, page: int) -> str:
    """Describe rank and distance."""
    place = score.place
    if place is None:
        return "not considered"
    text = f"rank {place.rank} of {score.candidates}"
    if place.rank == 1:
        text += ": the next to die"
    if score.distance is None or score.rival is None:
        return text
    distance = format_bytes(abs(score.distance) * page)
    side = "ahead of" if score.distance >= 0 else "behind"
    return f"{text}, {distance} {side} {score.rival} ({printable(score.rival_name or '')})"


def _other_adjs(score: Score, page: int, look: Look) -> list[Text]:
    lines = [Text("   with adj "), Text("   badness  "), Text("   rank     ")]
    for place in score.others:
        style = look.style("accent", bold=True) if place.adj == score.adj else ""
        for line, value in zip(
            lines, (str(place.adj), format_bytes(place.badness * page), str(place.rank)), strict=True
        ):
            line.append(f"{value:>8}", style)
    if score.turning_adj is not None:
        lines.append(Text(f"   killed first from adj {score.turning_adj} on (o: set adj)", look.style("dim")))
    return lines


def draw_group_score(score: Score | None, page: int, width: int, look: Look) -> list[Text]:
    """Return two lines about its rank at the nearest cgroup limit."""
    if score is None:
        return []
    limit = format_bytes(score.total_pages * page)
    lines = [Text(f" When {printable(score.domain)} is full ({limit} with swap): ", "bold")]
    if score.place is None:
        lines[0].append(f"not considered: {score.why_not}")
        return lines
    lines[0].append(f"{format_share(score.place.share)} of it")
    style = look.style("bad", bold=True) if score.place.rank == 1 else ""
    lines.append(Text(f"   {_standing(score, page)}", style))
    return lines


def draw_limits(limits: Sequence[LimitStep], width: int, look: Look) -> list[Text]:
    """Return its cgroups up to the root, with each limit and headroom."""
    lines = [section("Cgroups", width, look, "from its own up to the root; left counts reclaimable memory")]
    if not limits:
        return [*lines, Text(" no memory cgroup is known", look.style("dim"))]
    lines.append(Text(f" {'used':>6} {'high':>6} {'max':>6} {'left':>6} {'swap':>6} {'kills':>5}  group", "bold"))
    lefts = [step.left_to_max for step in limits if step.left_to_max is not None]
    nearest = min(lefts, default=None)
    for step in limits:
        lines += _limit(step, step.left_to_max == nearest is not None, width, look)
    if nearest is None:
        lines.append(Text(" no limit: it competes with everything on the machine", look.style("dim")))
    return lines


def _limit(step: LimitStep, is_nearest: bool, width: int, look: Look) -> list[Text]:
    figures = (step.current, step.high, step.max, step.left_to_max, step.swap_current)
    line = Text(" " + " ".join(f"{format_bytes(figure):>6}" for figure in figures))
    line.append(f" {DASH if step.kills is None else step.kills:>5}  ")
    line.append(keep_end(printable(step.path), width - line.cell_len, look), "bold" if is_nearest else "")
    notes = ["dies as a whole (memory.oom.group)"] if step.oom_group else []
    if step.left_to_high is not None and step.left_to_high <= 0:
        notes.append("throttled: above high")
    return [line, Text(" " * 15 + ", ".join(notes), look.style("warn"))] if notes else [line]


def draw_mappings(study: Study, slow: SlowStudy, now: float, shown: int, width: int, look: Look) -> list[Text]:
    """Return the largest mappings and their change between two reads."""
    rows = slow.mappings.value
    if study.process.is_kernel_thread:
        return [section("Mappings", width, look), Text(" a kernel thread has none", look.style("dim"))]
    if rows is None:
        style = look.style("dim" if slow.mappings.note == "reading" else "warn")
        return [section("Mappings", width, look), Text(f" {slow.mappings.note}", style)]
    count = sum(row.memory.count for row in rows)
    when = "m: read again" if slow.seconds_between is None else f"change over {format_duration(slow.seconds_between)}"
    lines = [
        section(
            "Mappings",
            width,
            look,
            f"{count} by {len(rows)} names{_ago(now - max(slow.begun, slow.mapped_at))}; {when}",
        )
    ]
    lines.append(Text(f" {'RSS':>6} {'PSS':>6} {'USS':>6} {'swap':>6} {'change':>8} {'count':>6}  name", "bold"))
    top = fastest(rows)
    listed = [row for row in rows if row.memory.rss or row.memory.swap or row.change][:shown]
    if top is not None and top not in listed:
        listed.append(top)
    lines += [_mapping(row, row is top, width, look) for row in listed]
    if len(rows) > len(listed):
        rest = sum(row.memory.rss for row in rows) - sum(row.memory.rss for row in listed)
        lines.append(Text(f" {format_bytes(rest):>6} in {len(rows) - len(listed)} more", look.style("dim")))
    if top is not None:
        meaning = _MEANINGS.get(top.memory.name, "")
        text = f" grows most: {printable(top.memory.name)} {format_rate(top.rate)}"
        lines.append(Text(f"{text}: {meaning}" if meaning else text, look.style("warn", bold=True)))
    elif slow.seconds_between is not None:
        lines.append(Text(" nothing grew by 1 MiB between the two reads", look.style("dim")))
    return lines


def _mapping(row: MappingRow, grows: bool, width: int, look: Look) -> Text:
    memory = row.memory
    change = DASH if row.change is None else f"{'+' if row.change > 0 else ''}{format_bytes(row.change)}"
    sizes = " ".join(f"{format_bytes(size):>6}" for size in (memory.rss, memory.pss, memory.uss, memory.swap))
    text = f" {sizes} {change:>8} {memory.count:>6}  "
    return Text(
        text + keep_end(printable(memory.name), width - len(text), look), look.style("warn", bold=True) if grows else ""
    )


def draw_tools(study: Study, slow: SlowStudy, width: int, look: Look) -> list[Text]:
    """Return the runtime and its tools, the installed ones with their key."""
    details = slow.details.value
    if slow.runtime is Runtime.KERNEL:
        text = " the Kernel tab shows what the kernel itself holds"
        return [section("Deeper", width, look, slow.runtime.value), Text(text, look.style("dim"))]
    note = printable(details.exe) if details and details.exe else "by its name only: the executable is not readable"
    lines = [section("Deeper", width, look, f"{slow.runtime.value}  {note}")]
    if slow.allocator:
        lines.append(Text(f" malloc is {slow.allocator}", look.style("dim")))
    lines += [Text(f" {part}", look.style("dim")) for part in wrap(ADVICE[slow.runtime], max(20, width - 2))]
    key = 0
    for tool, installed in slow.tools:
        key += installed
        mark = str(key) if installed and key <= 9 else DASH
        lines.append(_tool(tool, installed, mark, study.process.pid, width, look))
    return lines


def _tool(tool: DeepTool, installed: bool, mark: str, pid: int, width: int, look: Look) -> Text:
    """Return key, command and use of a tool; in little room only how to install a missing one."""
    command = " ".join(tool.command(pid))
    line = Text(f" {mark} ", look.style("accent", bold=True) if installed else look.style("dim"))
    line.append(f"{command:{40 if width >= 90 else 34}} ", "bold" if installed else look.style("dim"))
    if installed:
        line.append(tool.what, look.style("dim"))
    else:
        line.append(f"{tool.what} ({tool.hint})" if width >= 110 else f"({tool.hint})", look.style("dim"))
    if tool.stops and installed:
        line.append(" (stops it)", look.style("warn"))
    return line


def curve_height(width: int) -> int:
    """Return a suitable height for a curve of a given width."""
    return max(9, min(14, width // 8))
